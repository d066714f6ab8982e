//! What the page shows, as numbers it can count with.
//!
//! Documents, sources and families are known by their number in a list; tables
//! are columns, which pack well. Places in texts count UTF-16 code units, as
//! the page's language does. Shares are the whole numbers they come from, so
//! that the page's figures equal those of the result files.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use ahash::{AHashMap, AHashSet};
use anyhow::{Result, ensure};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;
use twicetold::{
    ClusterRow, Date, Document, DocumentRow, FamilyRow, Kind, Label, OccurrenceRow, PairRow, Report, SpanRow,
};

/// The results to show, and the texts they are of.
pub(crate) struct Rows<'a> {
    /// Without inputs that were skipped.
    pub documents: Vec<&'a DocumentRow>,
    pub families: &'a [FamilyRow],
    pub occurrences: &'a [OccurrenceRow],
    pub spans: &'a [SpanRow],
    pub pairs: &'a [PairRow],
    pub clusters: &'a [ClusterRow],
    /// What `run.json` says.
    pub run: Value,
    pub texts: &'a [Document],
    /// The documents of another collection they were set against.
    pub references: &'a [Document],
}

impl<'a> Rows<'a> {
    /// All rows of a report.
    pub(crate) fn of(
        report: &'a Report,
        run: Value,
        texts: &'a [Document],
        references: &'a [Document],
    ) -> Self {
        Rows {
            documents: report.documents.iter().collect(),
            families: &report.families,
            occurrences: &report.occurrences,
            spans: &report.spans,
            pairs: &report.pairs,
            clusters: &report.clusters,
            run,
            texts,
            references,
        }
    }

    /// Makes sure that the tables belong together, as those of one scan do.
    ///
    /// # Errors
    ///
    /// If they do not.
    pub(crate) fn check(&self) -> Result<()> {
        let ids = |documents: &[Document]| documents.iter().map(|d| d.id.clone()).collect::<AHashSet<_>>();
        let (own, others) = (ids(self.texts), ids(self.references));
        let numbers = self.occurrences.chunk_by(|x, y| x.family == y.family).map(|same| same[0].family);
        let fit = self.documents.iter().all(|row| own.contains(&*row.id))
            && self.spans.iter().all(|row| own.contains(&*row.doc))
            && self.occurrences.iter().all(|row| own.contains(&*row.doc) || others.contains(&*row.doc))
            && self.families.iter().map(|row| row.family).eq(1..=self.families.len() as u32)
            && numbers.eq(1..=self.families.len() as u32);
        ensure!(fit, "the result files do not belong together: they were changed; scan again");
        Ok(())
    }
}

/// What every view needs besides the rows of documents and families.
#[derive(Serialize)]
pub(super) struct Core<'a> {
    run: &'a Value,
    sources: &'a [&'a str],
    /// Documents from this number on are of another collection.
    judged: usize,
    clusters: Clusters<'a>,
    pairs: Pairs<'a>,
    /// Documents and their letters by whole percents of originality, 100 in a
    /// bin of its own.
    bins: Vec<(u64, u64)>,
    /// Source, the source that has it too, and characters copied.
    copied: Vec<(u32, u32, u64)>,
    /// Tokens that two documents have in common, if the documents are few.
    links: Vec<(u32, u32, u64)>,
    /// The first second and the last of all dates, and how many bins they are
    /// cut into.
    times: Option<(i64, i64, usize)>,
    /// Rows there are, of which only some may be listed.
    totals: Totals,
}

#[derive(Serialize)]
struct Totals {
    documents: usize,
    families: usize,
    formulas: usize,
    pairs: usize,
    clusters: usize,
    members: usize,
}

/// A document, by number if it is listed.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum Name<'a> {
    Listed(u32),
    Other(&'a str),
}

#[derive(Default, Serialize)]
pub(super) struct Documents<'a> {
    id: Vec<&'a str>,
    path: Vec<Option<&'a str>>,
    line: Vec<Option<u64>>,
    source: Vec<Option<u32>>,
    date: Vec<Option<&'a str>>,
    /// The first second the date may mean.
    time: Vec<Option<i64>>,
    bytes: Vec<u64>,
    tokens: Vec<u64>,
    weight: Vec<u64>,
    cluster: Vec<Option<u32>>,
    /// Letters and digits by label.
    labels: [Vec<u64>; 9],
    /// Those that are or may be original.
    own_max: Vec<u64>,
    fractional: Vec<f64>,
    nearest: Vec<Option<Name<'a>>>,
    nearest_containment: Vec<Option<f64>>,
    top_source: Vec<Option<u32>>,
    top_letters: Vec<u64>,
}

#[derive(Default, Serialize)]
pub(super) struct Families<'a> {
    kind: Vec<usize>,
    df: Vec<u32>,
    occurrences: Vec<u32>,
    /// Some of its sources.
    sources: Vec<Vec<u32>>,
    /// How many there are.
    source_count: Vec<u32>,
    first_date: Vec<Option<&'a str>>,
    last_date: Vec<Option<&'a str>>,
    /// The first second of its first date.
    time: Vec<Option<i64>>,
    tokens: Vec<u32>,
    variants: Vec<u32>,
    cohesion: Vec<f64>,
    /// The start of its text.
    snippet: Vec<&'a str>,
    reason: Vec<&'a str>,
    /// Bins of time and the documents in them, in turn.
    course: Vec<Vec<u32>>,
    /// The block that has the rest, and its number there.
    block: Vec<(usize, usize)>,
}

#[derive(Default, Serialize)]
struct Clusters<'a> {
    leader: Vec<Name<'a>>,
    members: Vec<Vec<Name<'a>>>,
    min_resemblance: Vec<f64>,
}

#[derive(Default, Serialize)]
struct Pairs<'a> {
    a: Vec<Name<'a>>,
    b: Vec<Name<'a>>,
    resemblance: Vec<f64>,
    a_in_b: Vec<f64>,
    b_in_a: Vec<f64>,
    tokens: Vec<u64>,
}

/// A family as it is opened.
#[derive(Serialize)]
pub(super) struct Opened<'a> {
    text: &'a str,
    /// Whether the text goes on.
    cut: bool,
    hash: &'a str,
    rest_similarity: Option<f64>,
    quote_share: f64,
    position_mean: f64,
    position_sd: f64,
    edge_share: f64,
    block_share: f64,
    /// Document, line, start, length, variant, and thousandths that match.
    places: Vec<(Name<'a>, u32, u64, u64, u32, u32)>,
}

/// A text with what is in it.
#[derive(Serialize)]
pub(super) struct Text<'a> {
    text: &'a str,
    /// Start, length, label, family, thousandths that match, and a document that
    /// has it too.
    spans: Vec<(u64, u64, usize, u32, u32, Option<Name<'a>>)>,
    /// Family, start and length of every passage.
    places: Vec<(u32, u64, u64)>,
}

/// Characters of a passage in its row.
const SNIPPET: usize = 160;
/// Bytes of a passage's text as it is opened.
const OPENED: usize = 20_000;
/// Bytes of one document's text.
const TEXT: usize = 300_000;
/// Documents up to which it is told what every two have in common.
const FEW: usize = 60;
/// Bins of the course of time.
const TIMES: usize = 32;
/// Pairs listed.
const PAIRS: usize = 100_000;
/// Members of clusters listed.
const MEMBERS: usize = 100_000;
/// Places of a family listed.
const PLACES: usize = 10_000;
/// Sources of a family listed.
const SOURCES: usize = 200;
/// Pairs of sources listed, those with most in common.
const COPIED: usize = 20_000;

/// Everything the page may show, numbered.
pub(super) struct Data<'a> {
    rows: &'a Rows<'a>,
    /// Those of the results, then those of the other collection.
    documents: Vec<Entry<'a>>,
    sources: Vec<&'a str>,
    source_of: AHashMap<&'a str, u32>,
    by_id: AHashMap<&'a str, u32>,
    /// The number in the page of every document, if it is listed there.
    listed: Vec<Option<u32>>,
    /// The document of each occurrence.
    document_of: Vec<u32>,
    /// The occurrences of each family.
    places: Vec<Range<usize>>,
    /// The numbers of each document's occurrences.
    occurrences_in: Vec<Vec<u32>>,
    /// The spans of each document.
    spans_in: Vec<Range<usize>>,
    times: Option<(i64, i64, usize)>,
}

struct Entry<'a> {
    /// None for documents of the other collection.
    row: Option<&'a DocumentRow>,
    text: &'a Document,
    source: Option<u32>,
    /// Characters that are two code units, by their number.
    astral: Vec<u32>,
}

impl Entry<'_> {
    /// The start of a range of characters and its length, in code units.
    fn units(&self, start: u32, end: u32) -> (u64, u64) {
        let before = |char: u32| u64::from(char) + self.astral.partition_point(|&at| at < char) as u64;
        (before(start), before(end) - before(start))
    }

    fn originality(&self) -> f64 {
        self.row.and_then(|row| row.scores.originality).unwrap_or(1.0)
    }
}

impl<'a> Data<'a> {
    pub(super) fn new(rows: &'a Rows<'a>) -> Self {
        let texts: AHashMap<&str, &Document> =
            rows.texts.iter().map(|document| (document.id.as_str(), document)).collect();
        let judged = rows.documents.iter().map(|row| (Some(*row), texts[&*row.id]));
        let documents: Vec<_> = judged.chain(rows.references.iter().map(|text| (None, text))).collect();
        let mut sources: Vec<&str> =
            documents.iter().filter_map(|(_, text)| text.source.as_deref()).collect();
        sources.sort_unstable();
        sources.dedup();
        let source_of: AHashMap<&str, u32> = sources.iter().copied().zip(0..).collect();
        let entry = |(row, text): (_, &'a Document)| {
            let source = text.source.as_deref().map(|source| source_of[source]);
            Entry { row, text, source, astral: astral(&text.text) }
        };
        let documents: Vec<Entry> = documents.into_par_iter().map(entry).collect();
        // Of two with one id the first is meant: that of the results.
        let mut by_id: AHashMap<&str, u32> = AHashMap::new();
        for (number, entry) in (0..).zip(&documents) {
            by_id.entry(entry.text.id.as_str()).or_insert(number);
        }

        let document_of: Vec<u32> = rows.occurrences.par_iter().map(|row| by_id[&*row.doc]).collect();
        let mut occurrences_in: Vec<Vec<u32>> = vec![Vec::new(); documents.len()];
        for (number, &document) in (0..).zip(&document_of) {
            occurrences_in[document as usize].push(number);
        }
        let mut places = Vec::with_capacity(rows.families.len());
        let mut start = 0;
        for same in rows.occurrences.chunk_by(|x, y| x.family == y.family) {
            places.push(start..start + same.len());
            start += same.len();
        }
        let mut spans_in = vec![0..0; documents.len()];
        let mut start = 0;
        for same in rows.spans.chunk_by(|x, y| x.doc == y.doc) {
            spans_in[by_id[&*same[0].doc] as usize] = start..start + same.len();
            start += same.len();
        }
        let seconds = || documents.iter().filter_map(|entry| entry.text.date.as_ref()).map(Date::seconds);
        let times = seconds().map(|time| time.0).min().zip(seconds().map(|time| time.1).max());
        let times = times.map(|(first, last)| (first, last, TIMES));
        let listed = (0..documents.len() as u32).map(Some).collect();
        Data {
            rows,
            documents,
            sources,
            source_of,
            by_id,
            listed,
            document_of,
            places,
            occurrences_in,
            spans_in,
            times,
        }
    }

    /// Lists only so many documents, the least original ones.
    pub(super) fn list_only(&mut self, most: usize) {
        let mut order = self.by_originality();
        order.truncate(most);
        order.sort_unstable();
        self.listed.fill(None);
        for (at, number) in (0..).zip(order) {
            self.listed[number as usize] = Some(at);
        }
    }

    fn by_originality(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.documents.len() as u32).collect();
        let key = |&number: &u32| self.documents[number as usize].originality();
        order.sort_by(|x, y| key(x).total_cmp(&key(y)).then(x.cmp(y)));
        order
    }

    /// The documents whose texts are wanted most: those with most told before,
    /// each followed by the one it is nearest to.
    pub(super) fn by_interest(&self) -> Vec<u32> {
        let mut taken = vec![false; self.documents.len()];
        let mut order = Vec::with_capacity(self.documents.len());
        for number in self.by_originality() {
            let nearest = self.documents[number as usize].row.and_then(|row| row.nearest.as_deref());
            let nearest = nearest.and_then(|id| self.by_id.get(id).copied());
            for number in [Some(number), nearest].into_iter().flatten() {
                if self.listed[number as usize].is_some() && !taken[number as usize] {
                    taken[number as usize] = true;
                    order.push(number);
                }
            }
        }
        order
    }

    pub(super) fn documents(&self) -> usize {
        self.documents.len()
    }

    pub(super) fn families(&self) -> usize {
        self.rows.families.len()
    }

    fn name(&self, id: &'a str) -> Name<'a> {
        let number = self.by_id.get(id).and_then(|&number| self.listed[number as usize]);
        number.map_or(Name::Other(id), Name::Listed)
    }

    /// The documents of a family, each once.
    fn documents_of(&self, family: usize) -> Vec<u32> {
        let mut documents = self.document_of[self.places[family].clone()].to_vec();
        documents.dedup();
        documents
    }

    /// About how many bytes of JSON a family takes when it is opened.
    pub(super) fn weight_of_family(&self, family: usize) -> usize {
        200 + self.rows.families[family].text.len().min(OPENED) + 30 * self.places[family].len().min(PLACES)
    }

    /// The same of a document's text.
    pub(super) fn weight_of_text(&self, number: u32) -> usize {
        let parts = self.occurrences_in[number as usize].len() + self.spans_in[number as usize].len();
        60 + self.documents[number as usize].text.text.len().min(TEXT) + 20 * parts
    }

    /// What a family shows when it is opened.
    pub(super) fn opened(&self, family: usize) -> Opened<'a> {
        let row = &self.rows.families[family];
        let text = start(&row.text, OPENED);
        let place = |at: usize| {
            let o: &'a OccurrenceRow = &self.rows.occurrences[at];
            let entry = &self.documents[self.document_of[at] as usize];
            let (start, len) = entry.units(o.start_char, o.end_char);
            let name = self.listed[self.document_of[at] as usize].map_or(Name::Other(&o.doc), Name::Listed);
            (name, o.start_line, start, len, o.variant, thousandths(o.identity))
        };
        Opened {
            text,
            cut: text.len() < row.text.len(),
            hash: &row.text_hash,
            rest_similarity: row.rest_similarity.map(rounded),
            quote_share: rounded(row.quote_share),
            position_mean: rounded(row.position_mean),
            position_sd: rounded(row.position_sd),
            edge_share: rounded(row.edge_share),
            block_share: rounded(row.block_share),
            places: self.places[family].clone().take(PLACES).map(place).collect(),
        }
    }

    /// A document's text with what is in it.
    pub(super) fn text(&self, number: u32) -> Text<'a> {
        let entry = &self.documents[number as usize];
        let whole = entry.text.text.as_str();
        let text = start(whole, TEXT);
        let within = |end_byte: u32| end_byte as usize <= text.len();
        let spans = self.rows.spans[self.spans_in[number as usize].clone()].iter();
        let span = |span: &'a SpanRow| {
            let (start, len) = entry.units(span.start_char, span.end_char);
            let other = span.other_doc.as_deref().map(|id| self.name(id));
            let family = span.family.unwrap_or(0);
            (start, len, span.label as usize, family, thousandths(span.identity), other)
        };
        let mut places: Vec<(u32, u64, u64)> = self.occurrences_in[number as usize]
            .iter()
            .map(|&at| &self.rows.occurrences[at as usize])
            .filter(|o| within(o.end_byte))
            .map(|o| {
                let (start, len) = entry.units(o.start_char, o.end_char);
                (o.family, start, len)
            })
            .collect();
        places.sort_unstable_by_key(|place| (place.1, Reverse(place.2), place.0));
        Text { text, spans: spans.filter(|span| within(span.end_byte)).map(span).collect(), places }
    }

    pub(super) fn core(&self) -> Core<'_> {
        let rows = self.rows;
        Core {
            run: &rows.run,
            sources: &self.sources,
            judged: self.listed[..rows.documents.len()].iter().flatten().count(),
            clusters: self.clusters(),
            pairs: self.pairs(),
            bins: self.bins(),
            copied: self.copied(),
            links: self.links(),
            times: self.times,
            totals: Totals {
                documents: rows.documents.len(),
                families: rows.families.len(),
                formulas: rows.families.iter().filter(|row| row.kind == Kind::Formula).count(),
                pairs: rows.pairs.len(),
                clusters: rows.clusters.len(),
                members: rows.clusters.iter().map(|row| row.members.len()).sum(),
            },
        }
    }

    /// The rows of the documents that are listed.
    pub(super) fn document_columns(&self) -> Documents<'_> {
        let mut columns = Documents::default();
        let listed = self.documents.iter().zip(&self.listed).filter(|(_, listed)| listed.is_some());
        for (Entry { row, text, source, .. }, _) in listed {
            columns.id.push(&text.id);
            columns.path.push(text.path.as_deref());
            columns.line.push(text.line);
            columns.source.push(*source);
            columns.date.push(text.date.as_ref().map(Date::as_str));
            columns.time.push(text.date.as_ref().map(|date| date.seconds().0));
            columns.bytes.push(text.text.len() as u64);
            // A document of another collection has no ledger.
            let weight = row.map_or(0, |row| row.weight);
            let letters = |share: Option<f64>| (share.unwrap_or(0.0) * weight as f64).round() as u64;
            let scores = row.map(|row| row.scores).unwrap_or_default();
            let ignored = letters(scores.ignored);
            columns.tokens.push(row.map_or(0, |row| row.tokens));
            columns.weight.push(weight);
            columns.cluster.push(row.and_then(|row| row.cluster));
            for (column, label) in columns.labels.iter_mut().zip(Label::ALL) {
                column.push(letters(scores.share(label)));
            }
            let most = scores.originality_max.unwrap_or(0.0) * (weight - ignored) as f64;
            columns.own_max.push(most.round() as u64);
            columns.fractional.push(rounded(scores.fractional.unwrap_or(0.0)));
            let nearest = row.and_then(|row| row.nearest.as_deref());
            columns.nearest.push(nearest.map(|id| self.name(id)));
            columns.nearest_containment.push(row.and_then(|row| row.nearest_containment).map(rounded));
            let top = row.and_then(|row| row.top_source.as_deref());
            columns.top_source.push(top.map(|source| self.source_of[source]));
            columns.top_letters.push(letters(row.and_then(|row| row.top_source_share)));
        }
        columns
    }

    /// The rows of the first families, of which `blocks` have the rest.
    pub(super) fn family_columns(&self, blocks: &[(usize, usize)]) -> Families<'_> {
        let rows = &self.rows.families[..blocks.len()];
        let mut columns = Families::default();
        let told: Vec<(Vec<u32>, Vec<u32>)> =
            (0..rows.len()).into_par_iter().map(|number| self.sources_and_course(number)).collect();
        for (row, (sources, course)) in rows.iter().zip(told) {
            columns.kind.push(Kind::ALL.iter().position(|kind| *kind == row.kind).unwrap_or(0));
            columns.df.push(row.df);
            columns.occurrences.push(row.occurrences);
            columns.sources.push(sources);
            columns.source_count.push(row.sources);
            columns.first_date.push(row.first_date.as_ref().map(Date::as_str));
            columns.last_date.push(row.last_date.as_ref().map(Date::as_str));
            columns.time.push(row.first_date.as_ref().map(|date| date.seconds().0));
            columns.tokens.push(row.tokens);
            columns.variants.push(row.variants);
            columns.cohesion.push(rounded(row.cohesion));
            let end = row.text.char_indices().nth(SNIPPET).map_or(row.text.len(), |(at, _)| at);
            columns.snippet.push(&row.text[..end]);
            columns.reason.push(&row.reason);
            columns.course.push(course);
        }
        columns.block = blocks.to_vec();
        columns
    }

    /// Some sources of a family; and bins of time and the documents in them, in turn.
    fn sources_and_course(&self, family: usize) -> (Vec<u32>, Vec<u32>) {
        let documents = self.documents_of(family);
        let entries = || documents.iter().map(|&document| &self.documents[document as usize]);
        let mut sources: Vec<u32> = entries().filter_map(|entry| entry.source).collect();
        sources.sort_unstable();
        sources.dedup();
        sources.truncate(SOURCES);
        let mut course: BTreeMap<u32, u32> = BTreeMap::new();
        if let Some((first, last, bins)) = self.times {
            for date in entries().filter_map(|entry| entry.text.date.as_ref()) {
                let at = (date.seconds().0 - first) as u128 * bins as u128 / (last - first + 1) as u128;
                *course.entry(at as u32).or_default() += 1;
            }
        }
        (sources, course.into_iter().flat_map(|(at, count)| [at, count]).collect())
    }

    /// The block that has the text of each document that is listed, and its
    /// number there. `order` are the documents that have one.
    pub(super) fn text_column(
        &self,
        order: &[u32],
        placed: &[(usize, usize)],
    ) -> Vec<Option<(usize, usize)>> {
        let mut column = vec![None; self.listed.iter().flatten().count()];
        for (&number, &place) in order.iter().zip(placed) {
            if let Some(at) = self.listed[number as usize] {
                column[at as usize] = Some(place);
            }
        }
        column
    }

    fn clusters(&self) -> Clusters<'_> {
        let mut columns = Clusters::default();
        let mut members = 0;
        for row in self.rows.clusters {
            members += row.members.len();
            if members > MEMBERS {
                break;
            }
            columns.leader.push(self.name(&row.leader));
            columns.members.push(row.members.iter().map(|id| self.name(id)).collect());
            columns.min_resemblance.push(rounded(row.min_resemblance));
        }
        columns
    }

    fn pairs(&self) -> Pairs<'_> {
        let mut columns = Pairs::default();
        for row in self.rows.pairs.iter().take(PAIRS) {
            columns.a.push(self.name(&row.a));
            columns.b.push(self.name(&row.b));
            columns.resemblance.push(rounded(row.resemblance));
            columns.a_in_b.push(rounded(row.containment_a_in_b));
            columns.b_in_a.push(rounded(row.containment_b_in_a));
            columns.tokens.push(row.shared_tokens);
        }
        columns
    }

    fn bins(&self) -> Vec<(u64, u64)> {
        let mut bins = vec![(0, 0); 101];
        for row in &self.rows.documents {
            if let Some(originality) = row.scores.originality {
                let bin =
                    &mut bins[(0..=100).rev().find(|&at| originality >= at as f64 / 100.0).unwrap_or(0)];
                bin.0 += 1;
                bin.1 += row.weight;
            }
        }
        bins
    }

    fn copied(&self) -> Vec<(u32, u32, u64)> {
        let told = |label| !matches!(label, Label::First | Label::Repeat | Label::Ignored);
        let add = |mut copied: AHashMap<(u32, u32), u64>, (entry, spans): (&Entry, &Range<usize>)| {
            let Some(own) = entry.source else { return copied };
            for span in self.rows.spans[spans.clone()].iter().filter(|span| told(span.label)) {
                let other = span.other_doc.as_deref().and_then(|id| self.by_id.get(id));
                if let Some(other) = other.and_then(|&other| self.documents[other as usize].source) {
                    *copied.entry((own, other)).or_default() += u64::from(span.end_char - span.start_char);
                }
            }
            copied
        };
        let join = |mut copied: AHashMap<_, _>, more: AHashMap<_, _>| {
            more.into_iter().for_each(|(pair, chars)| *copied.entry(pair).or_default() += chars);
            copied
        };
        let documents = self.documents.par_iter().zip(&self.spans_in);
        let copied = documents.fold(AHashMap::new, add).reduce(AHashMap::new, join);
        let mut copied: Vec<_> =
            copied.into_iter().map(|((own, other), chars)| (own, other, chars)).collect();
        copied.sort_unstable_by_key(|&(own, other, chars)| (Reverse(chars), own, other));
        copied.truncate(COPIED);
        copied
    }

    fn links(&self) -> Vec<(u32, u32, u64)> {
        let mut links: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        if self.documents.len() > FEW {
            return Vec::new();
        }
        for (number, row) in self.rows.families.iter().enumerate() {
            if row.kind == Kind::Formula {
                continue;
            }
            let documents = self.documents_of(number);
            for (at, &a) in documents.iter().enumerate() {
                for &b in &documents[at + 1..] {
                    *links.entry((a, b)).or_default() += u64::from(row.tokens);
                }
            }
        }
        links.into_iter().map(|((a, b), tokens)| (a, b, tokens)).collect()
    }
}

/// The characters of a text that are two code units, by their number.
fn astral(text: &str) -> Vec<u32> {
    // In pieces, which are looked at many bytes at a time.
    if text.as_bytes().chunks(1 << 10).all(|piece| piece.iter().fold(0, |most, &byte| most.max(byte)) < 0xf0)
    {
        return Vec::new();
    }
    (0..).zip(text.chars()).filter(|(_, character)| character.len_utf16() == 2).map(|(at, _)| at).collect()
}

/// The start of a text in at most so many bytes.
fn start(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn thousandths(share: f64) -> u32 {
    (share * 1000.0).floor() as u32
}

/// To six digits, which is more than is shown.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
