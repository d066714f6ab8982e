//! Assembling the report: from numbered findings to rows.
//!
//! Each function makes the rows of one document or one family and can be run
//! for many at a time; what they share is prepared once.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use ahash::AHashMap;
use xxhash_rust::xxh3::xxh3_128;

use crate::ahead::{ahead, fetch};
use crate::bits::Bits;
use crate::clusters::{Near, Verified};
use crate::collection::{Collection, Order, Roles};
use crate::config::Config;
use crate::cursor::Cursor;
use crate::document::{Date, Document};
use crate::families::{Family, Occurrence};
use crate::kinds::{Facts, Signals, quotes};
use crate::lanes::{Lanes, count};
use crate::ledger::{Stretch, ignoring, stretches};
use crate::occurrences::{Occurrences, Placed};
use crate::report::{
    ClusterRow, Counts, DocumentRow, FamilyRow, Kind, Label, LangUnit, OccurrenceRow, PairRow, Scores,
    SpanRow, Status,
};
use crate::room::Part;
use crate::sketch::{Sketch, estimate};
use crate::tokens::Tokens;

/// What the stages found.
pub(crate) struct Findings {
    /// The first document with the same tokens, for every document.
    pub originals: Vec<u32>,
    /// The tokens of each.
    pub lengths: Vec<u32>,
    pub near: Near,
    /// Tokens shared with the nearest document, and its number.
    pub nearest: Vec<(u32, u32)>,
    /// Tokens in matching runs with another document, or with an earlier place
    /// of their own.
    pub matched: Bits,
    /// Tokens of what is to be ignored, if anything is.
    pub ignored: Option<Bits>,
}

/// What the rows of families are made from.
pub(crate) struct Passages<'p, const BINS: usize> {
    /// In their final order.
    pub families: &'p [Family],
    pub collection: &'p Collection<'p>,
    /// Of all occurrences.
    pub sights: &'p [Sight],
    /// Of all documents.
    pub sketches: &'p [Sketch<BINS>],
}

/// What the ledgers of documents ask of a family.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    kind: Kind,
    /// Those of [`two_sources`] of its first occurrences.
    sources: [Option<u32>; 2],
}

impl Asked {
    /// A source other than a document's own, if one is among those of the first occurrences.
    fn other_source(&self, own: Option<u32>) -> Option<u32> {
        self.sources.into_iter().flatten().find(|&source| Some(source) != own)
    }
}

/// What the rows of documents come to.
#[derive(Default)]
pub(crate) struct Totals {
    empty: u64,
    bytes: u64,
    tokens: u64,
    weight: u64,
    /// Letters and digits by label.
    labels: [u64; 9],
}

impl Totals {
    /// Adds a document, of these letters and digits by label.
    pub(crate) fn count(&mut self, row: &DocumentRow, labels: [u64; 9]) {
        let &DocumentRow { bytes, tokens, weight, .. } = row;
        self.add(&Totals { empty: u64::from(row.status == Status::Empty), bytes, tokens, weight, labels });
    }

    /// Adds those of other documents.
    pub(crate) fn add(&mut self, others: &Totals) {
        self.empty += others.empty;
        self.bytes += others.bytes;
        self.tokens += others.tokens;
        self.weight += others.weight;
        self.labels.iter_mut().zip(others.labels).for_each(|(sum, weight)| *sum += weight);
    }
}

/// What all rows need to know.
pub(crate) struct Context<'a> {
    config: &'a Config,
    documents: &'a [&'a Document],
    roles: Roles,
    findings: &'a Findings,
    ids: Vec<Arc<str>>,
    occurrences: &'a Occurrences,
    /// A number for the source of each document, in order of their names.
    sources: Vec<Option<u32>>,
    source_names: Vec<&'a str>,
    source_sizes: Vec<u32>,
    /// Cluster of each document, by leader.
    leaders: Vec<u32>,
    clusters: Vec<ClusterRow>,
    cluster_of: Vec<Option<u32>>,
    /// Documents with the same tokens, by original.
    twins: AHashMap<u32, Vec<u32>>,
}

/// What is seen of an occurrence in its document.
pub(crate) struct Sight {
    facts: Facts,
    /// First byte, and one past the last.
    pub bytes: (u32, u32),
    /// The characters before each of the two.
    chars: (u32, u32),
    /// The lines they are in.
    lines: (u32, u32),
    /// A number for its wording.
    wording: u64,
}

/// Buffers that live as long as their worker.
#[derive(Default)]
pub(crate) struct Scratch {
    documents: Vec<u32>,
    leaders: Vec<u32>,
    sources: Vec<u32>,
    /// The wording of each occurrence, and which it is.
    wordings: Vec<(u64, usize)>,
    folded: Vec<u8>,
}

/// The wordings of a family.
struct Wordings {
    /// The most frequent one, as printed where it stands first.
    text: String,
    /// Its tokens.
    tokens: u32,
    /// Its share of letters.
    letters: f64,
    /// The occurrence it is of.
    place: usize,
    text_hash: String,
    /// The wording of each occurrence; 1 is the most frequent.
    numbers: Vec<u32>,
}

/// Pairs listed for a document with earlier ones, on average; if there are more
/// in all, as in a crowd of copies, only each document's most alike few.
const PARTNERS: usize = 64;
const FEW: usize = 8;
/// Occurrences of a family that are fetched together, and bytes of its text.
const AT_ONCE: usize = 16;
const FIRST_BYTES: u32 = 192;
/// Occurrences of a family among which sources are looked for.
const FIRST_SOURCES: usize = 64;
/// Documents compared outside a passage.
const COMPARED: usize = 9;

/// Looks at each occurrence in a document, in the order of their places, in which their
/// wordings come too.
pub(crate) fn sights(
    config: &Config,
    tokens: &Tokens,
    placed: &[Placed],
    wordings: &mut impl Iterator<Item = u64>,
) -> Vec<Sight> {
    if placed.is_empty() {
        return Vec::new();
    }
    let quotes = quotes(tokens.text);
    let sight = |(placed, wording): (&Placed, u64)| {
        let Occurrence { start, end, .. } = placed.occurrence;
        let bytes = tokens.bytes(start as usize, end as usize, 0);
        Sight {
            facts: Facts::new(tokens, &quotes, start, end, config.formula_tokens),
            bytes: (bytes.start as u32, bytes.end as u32),
            chars: (0, 0),
            lines: (0, 0),
            wording,
        }
    };
    let mut sights: Vec<Sight> = placed.iter().zip(wordings).map(sight).collect();
    let mut ends: Vec<(u32, usize, bool)> = Vec::with_capacity(2 * sights.len());
    for (at, sight) in sights.iter().enumerate() {
        ends.extend([(sight.bytes.0, at, true), (sight.bytes.1, at, false)]);
    }
    ends.sort_unstable();
    let mut cursor = Cursor::new(tokens.text, tokens.chars);
    for (byte, at, starts) in ends {
        let (chars, line) = cursor.go(byte as usize);
        let Sight { chars: (from, to), lines: (first, last), .. } = &mut sights[at];
        let (of_chars, of_lines) = if starts { (from, first) } else { (to, last) };
        (*of_chars, *of_lines) = (chars, line);
    }
    sights
}

impl<'a> Context<'a> {
    /// `occurrences` are those of all families.
    pub(crate) fn new(
        config: &'a Config,
        order: &'a Order<'a>,
        findings: &'a Findings,
        occurrences: &'a Occurrences,
    ) -> Self {
        let Order { documents, roles, .. } = order;
        // For all rows to share.
        let ids: Vec<Arc<str>> = documents.iter().map(|document| document.id.as_str().into()).collect();
        let mut numbers: AHashMap<&str, u32> =
            documents.iter().filter_map(|d| d.source.as_deref()).map(|source| (source, 0)).collect();
        let mut source_names: Vec<&str> = numbers.keys().copied().collect();
        source_names.sort_unstable();
        numbers.extend(source_names.iter().copied().zip(0..));
        let sources: Vec<Option<u32>> = documents
            .iter()
            .map(|document| document.source.as_deref().map(|source| numbers[source]))
            .collect();
        let mut source_sizes = vec![0; source_names.len()];
        sources.iter().flatten().for_each(|&source| source_sizes[source as usize] += 1);

        let near = &findings.near;
        let leaders: Vec<u32> =
            findings.originals.iter().map(|&original| near.leaders[original as usize]).collect();
        let mut twins: AHashMap<u32, Vec<u32>> = AHashMap::new();
        for (document, &original) in (0..).zip(&findings.originals) {
            if original != document {
                twins.entry(original).or_insert_with(|| vec![original]).push(document);
            }
        }
        let (clusters, cluster_of) = match roles.against {
            // Of another collection only pairs are of interest.
            true => (Vec::new(), vec![None; documents.len()]),
            false => clusters(&leaders, &findings.originals, &near.pairs, &ids),
        };
        Context {
            config,
            documents,
            roles: *roles,
            findings,
            ids,
            occurrences,
            sources,
            source_names,
            source_sizes,
            leaders,
            clusters,
            cluster_of,
            twins,
        }
    }

    fn id(&self, document: u32) -> Arc<str> {
        self.ids[document as usize].clone()
    }

    /// The sights of a family's occurrences, in their order.
    fn sights_of<'s>(&self, number: u32, sights: &'s [Sight]) -> impl Iterator<Item = &'s Sight> + Clone {
        self.occurrences.places_of(number).iter().map(|&place| &sights[place as usize])
    }

    /// Reads ahead of families whose rows are to be made: what [`family`](Self::family)
    /// looks at first, of not too many occurrences.
    pub(crate) fn reading_ahead<'n, const BINS: usize>(
        &'n self,
        numbers: Range<u32>,
        &Passages { families, collection, sights, sketches }: &Passages<'n, BINS>,
    ) -> impl Iterator<Item = u32> + 'n {
        let list = |number: u32| &families[number as usize].occurrences;
        let numbers = ahead(numbers, move |&number| {
            list(number).iter().take(AT_ONCE).for_each(fetch);
        });
        let numbers = ahead(numbers, move |&number| {
            self.sights_of(number, sights).take(AT_ONCE).for_each(fetch);
            for occurrence in list(number).iter().take(AT_ONCE) {
                let document = occurrence.document as usize;
                fetch(&*self.ids[document]);
                fetch(&self.documents[document].date);
            }
            // Of most families no more documents are compared.
            for occurrence in list(number).iter().take(3) {
                fetch(&sketches[self.leaders[occurrence.document as usize] as usize]);
            }
            fetch(collection.tokens(list(number)[0].document));
        });
        ahead(numbers, move |&number| {
            let first = list(number)[0];
            let tokens = collection.tokens(first.document);
            let sight = self.sights_of(number, sights).next().expect("a sight for each");
            tokens.places.fetch(first.start as usize);
            let (from, to) = sight.bytes;
            fetch(&tokens.text.as_bytes()[from as usize..to.min(from + FIRST_BYTES) as usize]);
        })
    }

    /// The row of a family, and what documents ask of it; adds the rows of its occurrences.
    pub(crate) fn family<const BINS: usize>(
        &self,
        number: u32,
        passages: &Passages<BINS>,
        scratch: &mut Scratch,
        rows: &mut Part<OccurrenceRow>,
    ) -> (FamilyRow, Asked) {
        let &Passages { families, collection, sights, sketches } = passages;
        let occurrences = &families[number as usize].occurrences;
        let Wordings { text, tokens, letters, place, text_hash, numbers } =
            self.wordings(number, passages, scratch);
        let variants = numbers.iter().copied().max().unwrap_or(1);
        let Scratch { documents, leaders, sources, .. } = scratch;
        documents.clear();
        documents.extend(occurrences.iter().map(|o| o.document));
        documents.dedup();
        leaders.clear();
        leaders.extend(documents.iter().map(|&document| self.leaders[document as usize]));
        leaders.sort_unstable();
        leaders.dedup();
        let (source, distinct_sources) = self.sources_of(documents, sources);
        let places = occurrences.len() as f64;
        let facts = || self.sights_of(number, sights).map(|sight| &sight.facts);
        let (mut quoted, mut edge, mut block, mut position) = (0, 0, 0, 0.0);
        let (mut matched, mut all) = (0, 0);
        let (mut covered, mut last_covered) = (0, None);
        for (occurrence, facts) in occurrences.iter().zip(facts()) {
            quoted += u32::from(facts.quoted);
            edge += u32::from(facts.edge);
            block += u32::from(facts.block);
            position += f64::from(facts.position);
            matched += u64::from(occurrence.matched);
            all += u64::from(occurrence.end - occurrence.start);
            let covers = f64::from(facts.share) >= self.config.syndicated_share;
            if covers && last_covered.replace(occurrence.document) != Some(occurrence.document) {
                covered += 1;
            }
        }
        let position_mean = position / places;
        let squares = facts().map(|facts| (f64::from(facts.position) - position_mean).powi(2)).sum::<f64>();
        // Asked only of what may be stock.
        let may_be_stock =
            tokens as usize >= self.config.stock_tokens && leaders.len() >= self.config.stock_df;
        let joined = || {
            let Occurrence { document, start, end, .. } = occurrences[place];
            let joined = collection.tokens(document).joined(start as usize, end as usize);
            joined as f64 / f64::from(end - start)
        };
        let signals = Signals {
            documents: documents.len() as u32,
            df: leaders.len() as u32,
            occurrences: occurrences.len() as u32,
            tokens,
            cohesion: matched as f64 / all as f64,
            rest_similarity: {
                let size = |document: u32| self.findings.lengths[document as usize] as usize;
                rest_similarity(leaders, tokens, sketches, size)
            },
            quote_share: f64::from(quoted) / places,
            position_mean,
            position_sd: (squares / places).sqrt(),
            edge_share: f64::from(edge) / places,
            block_share: f64::from(block) / places,
            covered,
            source,
            letters,
            joined: if may_be_stock { joined() } else { 0.0 },
        };
        let (kind, reason) = signals.kind(self.config);
        let dates = || documents.iter().filter_map(|&document| self.date(document));
        for ((o, sight), variant) in occurrences.iter().zip(self.sights_of(number, sights)).zip(numbers) {
            rows.push(OccurrenceRow {
                family: number + 1,
                doc: self.id(o.document),
                variant,
                start_byte: sight.bytes.0,
                end_byte: sight.bytes.1,
                start_char: sight.chars.0,
                end_char: sight.chars.1,
                start_line: sight.lines.0,
                end_line: sight.lines.1,
                identity: o.identity(),
            });
        }
        let row = FamilyRow {
            family: number + 1,
            kind,
            reason,
            df: signals.documents,
            occurrences: signals.occurrences,
            sources: distinct_sources,
            first_date: dates().min_by_key(|date| date.seconds()).cloned(),
            last_date: dates()
                .max_by_key(|date| Reverse((Reverse(date.seconds().1), date.seconds().0)))
                .cloned(),
            first_doc: self.id(documents[0]),
            tokens,
            variants,
            cohesion: signals.cohesion,
            rest_similarity: signals.rest_similarity,
            quote_share: signals.quote_share,
            position_mean,
            position_sd: signals.position_sd,
            edge_share: signals.edge_share,
            block_share: signals.block_share,
            text,
            text_hash,
        };
        let first = occurrences.iter().take(FIRST_SOURCES);
        let sources = two_sources(first.filter_map(|o| self.sources[o.document as usize]));
        (row, Asked { kind, sources })
    }

    /// How many occurrences are in a document.
    pub(crate) fn places(&self, document: u32) -> usize {
        self.occurrences.places_in(document).len()
    }

    fn date(&self, document: u32) -> Option<&'a Date> {
        self.documents[document as usize].date.as_ref()
    }

    fn wordings<const BINS: usize>(
        &self,
        number: u32,
        passages: &Passages<BINS>,
        scratch: &mut Scratch,
    ) -> Wordings {
        let Scratch { wordings: found, folded, .. } = scratch;
        let family = &passages.families[number as usize];
        let sights = self.sights_of(number, passages.sights);
        found.clear();
        found.extend(sights.clone().map(|sight| sight.wording).zip(0..));
        let (mut numbers, mut at) = (vec![1; found.len()], 0);
        // Most families have one.
        if found.iter().any(|(wording, _)| *wording != found[0].0) {
            found.sort_unstable();
            let mut wordings: Vec<&[(u64, usize)]> = found.chunk_by(|x, y| x.0 == y.0).collect();
            wordings.sort_unstable_by_key(|same| (Reverse(same.len()), same[0].1));
            for (number, same) in (1..).zip(&wordings) {
                same.iter().for_each(|&(_, at)| numbers[at] = number);
            }
            at = wordings[0][0].1;
        }
        let Occurrence { document, start, end, .. } = family.occurrences[at];
        let (from, to) = sights.clone().nth(at).expect("a sight for each").bytes;
        let tokens = passages.collection.tokens(document);
        let text = tokens.text[from as usize..to as usize].to_owned();
        // Outside ASCII nearly everything is a letter.
        let starts_other = |bytes: Lanes| bytes.between(-0x40, -1);
        let letters = count(text.as_bytes(), |bytes| bytes.letters().or(starts_other(bytes))) as f64;
        let digits = count(text.as_bytes(), Lanes::digits) as f64;
        let letters = letters / (letters + digits).max(1.0);
        tokens.folded(start as usize, end as usize, folded);
        let text_hash = hex(xxh3_128(folded));
        Wordings { text, tokens: end - start, letters, place: at, text_hash, numbers }
    }

    /// The size of the source that has a passage most habitually with how many
    /// of its documents have it, and the number of sources. `sources` is a buffer.
    fn sources_of(&self, documents: &[u32], sources: &mut Vec<u32>) -> ((u32, u32), u32) {
        sources.clear();
        sources.extend(documents.iter().filter_map(|&document| self.sources[document as usize]));
        sources.sort_unstable();
        let counts = sources.chunk_by(|x, y| x == y).map(|same| {
            let size = self.source_sizes[same[0] as usize];
            (size, same.len() as u32)
        });
        // with / size, compared without division; the first of equals.
        let mut best = (0, 0);
        let mut distinct = 0;
        for (size, with) in counts {
            distinct += 1;
            if with > 1 && u64::from(with) * u64::from(best.0) >= u64::from(best.1) * u64::from(size) {
                best = (size, with);
            }
        }
        (best, distinct)
    }

    /// The row of a document, and its letters and digits by label; appends its spans. `asked`
    /// is of all families, `extents` are the bytes of all sights; `owner` is a buffer.
    pub(crate) fn document(
        &self,
        document: u32,
        tokens: &Tokens,
        asked: &[Asked],
        extents: &[(u32, u32)],
        owner: &mut Vec<u32>,
        spans: &mut Vec<SpanRow>,
    ) -> (DocumentRow, [u64; 9]) {
        let placed = self.occurrences.within(document);
        let mut stretches = if placed.is_empty() {
            Vec::new()
        } else {
            let matched = self.findings.matched.packed(document, tokens.len());
            let kind = |family: u32| asked[family as usize].kind;
            stretches(&matched, placed, kind, self.config.count_formulas, owner)
        };
        if let Some(ignored) = &self.findings.ignored {
            stretches = ignoring(&stretches, &ignored.packed(document, tokens.len()));
        }

        let mut labels = [0; 9];
        let mut maybe_first = 0;
        let mut fractional = 0.0;
        let mut by_source: Vec<(u32, u64)> = Vec::new();
        let own = &extents[self.occurrences.places_in(document)];
        let mut cursor = Cursor::new(tokens.text, tokens.chars);
        let mut floor = 0;
        let of = |stretch: &Stretch| placed.get(stretch.occurrence as usize);
        let stretches = ahead(stretches.iter(), |stretch| {
            tokens.places.fetch(stretch.start as usize);
            if let Some(placed) = of(stretch) {
                fetch(&extents[placed.other as usize]);
                fetch(self.occurrences.at(placed.other));
                fetch(&asked[placed.family as usize]);
            }
        });
        let stretches = ahead(stretches, |stretch| {
            if let Some(placed) = of(stretch) {
                fetch(&*self.ids[self.occurrences.at(placed.other).occurrence.document as usize]);
            }
        });
        for stretch in stretches {
            let weight = tokens.weight_of(stretch.start as usize, stretch.end as usize);
            labels[stretch.label as usize] += weight;
            let placed = of(stretch);
            let bytes = match placed.map(|placed| (placed, own[stretch.occurrence as usize])) {
                // Usually the occurrence as a whole.
                Some((placed, (from, to)))
                    if (stretch.start, stretch.end) == (placed.occurrence.start, placed.occurrence.end)
                        && from as usize >= floor =>
                {
                    from as usize..to as usize
                }
                _ => tokens.bytes(stretch.start as usize, stretch.end as usize, floor),
            };
            floor = bytes.end;
            let (start_char, start_line) = cursor.go(bytes.start);
            let (end_char, end_line) = cursor.go(bytes.end);
            let other = placed.map(|placed| extents[placed.other as usize]);
            let other_doc = placed.map(|placed| self.occurrences.at(placed.other).occurrence.document);
            let identity = placed.map_or(1.0, |placed| placed.occurrence.identity());
            spans.push(SpanRow {
                doc: self.id(document),
                label: stretch.label,
                family: placed.map(|placed| placed.family + 1),
                start_byte: bytes.start as u32,
                end_byte: bytes.end as u32,
                start_char,
                end_char,
                start_line,
                end_line,
                identity,
                other_doc: other_doc.map(|document| self.id(document)),
                other_start_byte: other.map(|other| other.0),
                other_end_byte: other.map(|other| other.1),
            });
            let Some(placed) = placed else { continue };
            if !placed.again {
                fractional += weight as f64 / f64::from(placed.df);
            }
            if placed.maybe_first
                && !matches!(stretch.label, Label::First | Label::Repeat | Label::Boilerplate)
            {
                maybe_first += weight;
            }
            if let Some(source) = asked[placed.family as usize].other_source(self.sources[document as usize])
            {
                match by_source.iter_mut().find(|of| of.0 == source) {
                    Some(of) => of.1 += weight,
                    None => by_source.push((source, weight)),
                }
            }
        }
        if self.config.only.is_none() {
            labels[Label::Unique as usize] = u64::from(tokens.weight) - labels.iter().sum::<u64>();
        }
        fractional += labels[Label::Unique as usize] as f64;
        let top = by_source.into_iter().max_by_key(|&(source, weight)| (weight, Reverse(source)));
        let row = self.row(document, tokens, &labels, maybe_first, fractional, top);
        (row, labels)
    }

    fn row(
        &self,
        document: u32,
        tokens: &Tokens,
        labels: &[u64; 9],
        maybe_first: u64,
        fractional: f64,
        top: Option<(u32, u64)>,
    ) -> DocumentRow {
        let given = self.documents[document as usize];
        let cluster = self.cluster_of[document as usize];
        let empty = tokens.weight == 0;
        let nearest = self.nearest(document, tokens);
        let top = top.filter(|_| !empty);
        DocumentRow {
            id: self.id(document),
            path: given.path.clone(),
            line: given.line,
            source: given.source.clone(),
            date: given.date.clone(),
            lang_unit: if tokens.characters || tokens.split { LangUnit::Char } else { LangUnit::Word },
            bytes: given.text.len() as u64,
            chars: tokens.chars.into(),
            tokens: tokens.len() as u64,
            weight: tokens.weight.into(),
            status: if empty { Status::Empty } else { Status::Ok },
            skip_reason: empty.then(|| "no letter or digit".to_owned()),
            cluster,
            leader: cluster.map(|_| self.id(self.leaders[document as usize])),
            scores: match empty || self.config.only.is_some() {
                true => Scores::default(),
                false => scores(labels, maybe_first, fractional),
            },
            nearest: nearest.map(|nearest| self.id(nearest.0)),
            nearest_containment: nearest.map(|nearest| nearest.1),
            top_source: top.map(|(source, _)| self.source_names[source as usize].to_owned()),
            top_source_share: top.map(|(_, weight)| weight as f64 / f64::from(tokens.weight)),
        }
    }

    /// The document that shares most of this one's tokens, and how much of it.
    fn nearest(&self, document: u32, tokens: &Tokens) -> Option<(u32, f64)> {
        let original = self.findings.originals[document as usize];
        if let Some(twins) = self.twins.get(&original) {
            let other = twins.iter().find(|&&twin| twin != document).expect("at least two");
            return Some((*other, 1.0));
        }
        let (shared, other) = self.findings.nearest[document as usize];
        if shared == 0 {
            return None;
        }
        let (a, b) = (document.min(other), document.max(other));
        let pairs = &self.findings.near.pairs;
        let containment = match pairs.binary_search_by_key(&(a, b), |pair| (pair.a, pair.b)) {
            Ok(at) if document == a => pairs[at].containments().0,
            Ok(at) => pairs[at].containments().1,
            Err(_) => (f64::from(shared) / tokens.len() as f64).min(1.0),
        };
        Some((other, containment))
    }

    /// The clusters of at least two documents.
    pub(crate) fn clusters(&self) -> Vec<ClusterRow> {
        self.clusters.clone()
    }

    /// The near-duplicate pairs, and how many are not listed.
    pub(crate) fn pairs(&self) -> (Vec<PairRow>, u64) {
        let verified = &self.findings.near.pairs;
        let mut partners: AHashMap<u32, Vec<usize>> = AHashMap::new();
        for (at, pair) in verified.iter().enumerate() {
            partners.entry(pair.a).or_default().push(at);
            partners.entry(pair.b).or_default().push(at);
        }
        let size = |document: u32| self.twins.get(&document).map_or(1, |twins| twins.len() as u64);
        let among = verified.iter().map(|pair| size(pair.a) * size(pair.b)).sum::<u64>();
        let twins = self.twins.values().map(|twins| twins.len() as u64);
        let total = among + twins.map(|count| count * (count - 1) / 2).sum::<u64>();
        let limit = match total <= (PARTNERS * self.findings.originals.len()) as u64 {
            true => usize::MAX,
            false => FEW,
        };
        let roles = self.roles;
        let bound = if roles.against { roles.judged } else { u32::MAX };
        let mut rows = Vec::new();
        let mut unlisted = 0;
        for (b, &original) in (0..).zip(&self.findings.originals).skip(roles.judged as usize) {
            let mut found: Vec<(u32, Option<usize>)> = Vec::new();
            let mut all = 0;
            let mut add = |group: u32, pair: Option<usize>| {
                let members = self.twins.get(&group).map_or(std::slice::from_ref(&group), |twins| twins);
                let earlier = members.partition_point(|&member| member < b.min(bound));
                all += earlier;
                found.extend(members[..earlier].iter().take(limit).map(|&a| (a, pair)));
            };
            if self.twins.contains_key(&original) {
                add(original, None);
            }
            for &at in partners.get(&original).into_iter().flatten() {
                let pair = &verified[at];
                add(if pair.b == original { pair.a } else { pair.b }, Some(at));
            }
            let resemblance = |pair: Option<usize>| pair.map_or(1.0, |at| verified[at].resemblance());
            found.sort_by(|x, y| resemblance(y.1).total_cmp(&resemblance(x.1)).then(x.0.cmp(&y.0)));
            found.truncate(limit);
            unlisted += all - found.len();
            rows.extend(found.into_iter().map(|(a, pair)| (a, b, pair)));
        }
        rows.sort_unstable();
        let row = |(a, b, pair): (u32, u32, Option<usize>)| {
            let (mut a_in_b, mut b_in_a, mut resemblance) = (1.0, 1.0, 1.0);
            let mut tokens = self.findings.lengths[b as usize].into();
            if let Some(at) = pair {
                let pair = &verified[at];
                (a_in_b, b_in_a) = pair.containments();
                // A later copy may stand on the other side than its original.
                if self.findings.originals[b as usize] == pair.a {
                    (a_in_b, b_in_a) = (b_in_a, a_in_b);
                }
                (resemblance, tokens) = (pair.resemblance(), pair.tokens.into());
            }
            PairRow {
                a: self.id(a),
                b: self.id(b),
                resemblance,
                containment_a_in_b: a_in_b,
                containment_b_in_a: b_in_a,
                shared_tokens: tokens,
            }
        };
        (rows.into_iter().map(row).collect(), unlisted as u64)
    }

    /// The totals of all documents with these, but for those of pairs that are not listed.
    pub(crate) fn counts(&self, documents: usize, totals: Totals) -> Counts {
        let roles = self.roles;
        let originals = (0..).zip(&self.findings.originals).skip(roles.judged as usize);
        let Totals { empty, bytes, tokens, weight, labels } = totals;
        Counts {
            documents: documents as u64,
            references: u64::from(roles.judged - roles.told),
            empty,
            exact_duplicates: originals.filter(|&(document, &original)| document != original).count() as u64,
            bytes,
            tokens,
            weight,
            labels,
            guaranteed_tokens: self.config.guaranteed_tokens() as u64,
            bands: self.findings.near.bands,
            crowded_buckets: self.findings.near.crowded as u64,
            pairs_unlisted: 0,
        }
    }
}

/// The first source, and the first other one: whatever source a document has, the first that
/// is not its own is one of them.
fn two_sources(mut sources: impl Iterator<Item = u32>) -> [Option<u32>; 2] {
    let first = sources.next();
    [first, sources.find(|source| Some(*source) != first)]
}

/// How much of the smaller of two documents stands in the other, a passage of
/// both apart: estimated from sketches, averaged over neighbours among up to
/// `COMPARED` documents.
pub(crate) fn rest_similarity<const BINS: usize>(
    documents: &[u32],
    passage: u32,
    sketches: &[Sketch<BINS>],
    size: impl Fn(u32) -> usize,
) -> Option<f64> {
    let step = documents.len().div_ceil(COMPARED).max(1);
    let some = documents.iter().step_by(step);
    let (mut sum, mut count) = (0.0, 0);
    for (&one, &next) in some.clone().zip(some.skip(1)) {
        let resemblance = estimate(&sketches[one as usize], &sketches[next as usize]);
        let (a, b) = (size(one) as f64, size(next) as f64);
        let shared = resemblance / (1.0 + resemblance) * (a + b);
        let passage = f64::from(passage);
        sum += ((shared - passage) / (a.min(b) - passage).max(1.0)).clamp(0.0, 1.0);
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

/// A number in 32 hexadecimal digits.
fn hex(number: u128) -> String {
    let digit = |at: u32| b"0123456789abcdef"[(number >> (4 * at)) as usize & 15];
    (0..32).rev().map(|at| char::from(digit(at))).collect()
}

fn scores(labels: &[u64; 9], maybe_first: u64, fractional: f64) -> Scores {
    let total: u64 = labels.iter().sum();
    let of = |label: Label| labels[label as usize];
    let share = |weight: u64, whole: u64| (whole > 0).then(|| weight as f64 / whole as f64);
    let own = of(Label::Unique) + of(Label::First);
    let judged = total - of(Label::Ignored);
    Scores {
        unique: share(of(Label::Unique), total),
        first: share(of(Label::First), total),
        shared: share(of(Label::Shared), total),
        syndicated: share(of(Label::Syndicated), total),
        quotation: share(of(Label::Quotation), total),
        stock: share(of(Label::Stock), total),
        boilerplate: share(of(Label::Boilerplate), total),
        repeat: share(of(Label::Repeat), total),
        ignored: share(of(Label::Ignored), total),
        originality: share(own, judged),
        originality_max: share(own + maybe_first, judged),
        originality_body: share(own, judged - of(Label::Boilerplate)),
        fractional: Some(fractional),
    }
}

/// Clusters of at least two documents, numbered in order of their leaders, and
/// the cluster of every document.
fn clusters(
    leaders: &[u32],
    originals: &[u32],
    pairs: &[Verified],
    ids: &[Arc<str>],
) -> (Vec<ClusterRow>, Vec<Option<u32>>) {
    let mut is_alone = vec![true; leaders.len()];
    for (_, &leader) in (0..).zip(leaders).filter(|&(document, &leader)| document != leader) {
        is_alone[leader as usize] = false;
    }
    let members = (0..).zip(leaders).map(|(document, &leader)| (leader, document));
    let mut members: Vec<(u32, u32)> = members.filter(|member| !is_alone[member.0 as usize]).collect();
    members.sort_unstable();
    let mut rows = Vec::new();
    let mut cluster_of = vec![None; leaders.len()];
    for group in members.chunk_by(|x, y| x.0 == y.0) {
        let leader = group[0].0;
        let cluster = rows.len() as u32 + 1;
        let mut least: f64 = 1.0;
        for &(_, document) in group {
            cluster_of[document as usize] = Some(cluster);
            let original = originals[document as usize];
            if original != leader {
                let pair = (leader.min(original), leader.max(original));
                let at =
                    pairs.binary_search_by_key(&pair, |pair| (pair.a, pair.b)).expect("members are verified");
                least = least.min(pairs[at].resemblance());
            }
        }
        let members: Vec<Arc<str>> = group.iter().map(|member| ids[member.1 as usize].clone()).collect();
        let leader = ids[leader as usize].clone();
        rows.push(ClusterRow {
            cluster,
            leader,
            size: members.len() as u32,
            members,
            min_resemblance: least,
        });
    }
    (rows, cluster_of)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hexadecimal_digits_are_those_of_the_formatter(number in prop_oneof![any::<u128>(), 0u128..300]) {
            prop_assert_eq!(hex(number), format!("{number:032x}"));
        }

        #[test]
        fn two_sources_tell_what_all_would(sources in prop::collection::vec(0u32..4, 0..6), own in prop::option::of(0u32..4)) {
            let asked = Asked { kind: Kind::Shared, sources: two_sources(sources.iter().copied()) };
            prop_assert_eq!(asked.other_source(own), sources.into_iter().find(|source| Some(*source) != own));
        }
    }
}
