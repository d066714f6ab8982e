//! The pipeline: joins the stages, and is the only file that knows of threads.
//!
//! Each stage is a plain function of one document, one group or one range.
//! Here they are mapped over all of them, and the results are collected in
//! order, so that the number of threads changes nothing.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::{Deref, Range};

use ahash::{AHashSet, RandomState};
use rayon::iter::MaxLen;
use rayon::prelude::*;

use crate::ahead::ahead;
use crate::align::{self, Run, align_all};
use crate::anchors::{self, Anchor, anchors};
use crate::assemble::{self, Context, Findings, Sight, rest_similarity};
use crate::bands::{self, Bands, entry};
use crate::bits::{self, Bits};
use crate::clusters::{Lookup, Near, Verified, leaders, tied};
use crate::collection::{Collection, Order};
use crate::compare;
use crate::config::{Config, DedupeOn, Lengths, Only, Unit};
use crate::document::{Date, Document, MAX_DOCUMENT_BYTES};
use crate::error::Error;
use crate::families::{self, Family, Occurrence, families};
use crate::fingerprints::{self, Fingerprint, Marked, PASSES, add_fingerprints, lengths_of, own_shingles};
use crate::kinds::{DIFFERENT, may_be_template};
use crate::occurrences::{Occurrences, Placed, Spread};
use crate::orphans::{Told, alone};
use crate::postings::{Divided, Posting, groups};
use crate::projection::{self, Batch, Known, Projector};
use crate::report::{Comparison, Counts, FamilyRow, Kind, OccurrenceRow, Report, SpanRow};
use crate::shingles::shingles;
use crate::sketch::{Sketch, estimate, sketch};
use crate::tokens::{TokenChunk, Tokens};
use crate::twice::TwiceFilter;
use crate::variants::{self, Compare, Keys, LISTED, Leaders, Outlines, merge, settle};

/// Finds recurring passages and near-duplicates, and keeps the ledgers.
///
/// Made once from a [`Config`], it can scan any number of collections.
///
/// ```
/// use twicetold::{Config, Detector, Document};
///
/// let detector = Detector::new(Config::default())?;
/// let notice = "Reprinted by kind permission of the editors of the Weekly Gazette.";
/// let report = detector.scan(&[
///     Document::new("a", format!("The mill burned down on Monday night.\n\n{notice}")),
///     Document::new("b", format!("A new bridge was opened by the mayor.\n\n{notice}")),
/// ])?;
/// assert_eq!(report.families[0].df, 2);
/// assert_eq!(report.families[0].text, notice);
/// # Ok::<(), twicetold::Error>(())
/// ```
#[derive(Debug)]
pub struct Detector {
    config: Config,
    pool: rayon::ThreadPool,
    /// Of one thread: for collections that are done before others have woken up.
    alone: rayon::ThreadPool,
}

/// A part of the work, for progress displays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Splitting texts into tokens.
    Tokens,
    /// Comparing candidates for near-duplicates.
    NearDuplicates,
    /// Sketching documents and collecting fingerprints that recur.
    Fingerprints,
    /// Aligning passages.
    Alignment,
    /// Gathering passages into families.
    Families,
    /// Writing the ledgers.
    Ledger,
}

/// What a scan sets its documents against, besides each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Background<'a> {
    /// Texts that do not count wherever a document repeats them, exactly or
    /// edited: they get the label [`Label::Ignored`](crate::Label::Ignored), and
    /// nothing else changes. A stretch counts as one of them if it holds at
    /// least half of its tokens, and is a line of its own or at least
    /// [`Config::min_tokens`] long. Families that stand only there are not
    /// listed; the figures of the others count every occurrence.
    pub ignored: &'a [String],
    /// The same for all occurrences of families with one of these values of
    /// [`FamilyRow::text_hash`](crate::FamilyRow::text_hash).
    pub ignored_hashes: &'a [String],
    /// Another collection: only what the documents take from it is reported,
    /// and it is not judged itself. Dates do not matter then. Its ids may be
    /// those of the documents.
    pub against: Option<&'a [Document]>,
}

/// Is told that some of a stage's work is done: how many units now, of how many
/// in all. Called from several threads.
pub type Progress<'a> = &'a (dyn Fn(Stage, u64, u64) + Sync);

impl Detector {
    /// Checks the settings and starts the worker threads.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if a setting is outside its range, [`Error::Threads`]
    /// if the threads cannot be started.
    pub fn new(config: Config) -> Result<Self, Error> {
        config.check()?;
        let pool = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|number| format!("twicetold-{number}"))
                .build()
                .map_err(|error| Error::Threads(error.to_string()))
        };
        Ok(Detector { pool: pool(config.threads)?, alone: pool(1)?, config })
    }

    /// The settings it was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Scans a collection.
    ///
    /// The order of `documents` and the number of threads change nothing in the
    /// report. Time is linear in the text but for sorting; memory above the text is
    /// about two bytes for each byte of it.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateId`] if two documents share an id,
    /// [`Error::DocumentTooLong`] if one is longer than
    /// [`MAX_DOCUMENT_BYTES`], [`Error::TooManyDocuments`] beyond 2³² − 1.
    pub fn scan(&self, documents: &[Document]) -> Result<Report, Error> {
        self.scan_with(documents, Background::default(), &|_, _, _| {})
    }

    /// Scans a collection against a background and reports progress.
    ///
    /// ```
    /// use twicetold::{Background, Config, Detector, Document, Label};
    ///
    /// let release = "The mill will close in spring, and two hundred people will lose their work.";
    /// let old = [Document::new("release", release)];
    /// let new = [Document::new("article", format!("Bad news. {release}"))];
    /// let detector = Detector::new(Config::default())?;
    /// let background = Background { against: Some(&old), ..Background::default() };
    /// let report = detector.scan_with(&new, background, &|_, _, _| {})?;
    /// assert_eq!(report.documents.len(), 1);
    /// assert_eq!(report.spans[0].other_doc.as_deref(), Some("release"));
    ///
    /// let ignored = [release.to_owned()];
    /// let background = Background { ignored: &ignored, ..Background::default() };
    /// let report = detector.scan_with(&new, background, &|_, _, _| {})?;
    /// assert_eq!(report.spans[0].label, Label::Ignored);
    /// assert_eq!(report.documents[0].scores.originality, Some(1.0));
    /// # Ok::<(), twicetold::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Detector::scan`], of either collection.
    pub fn scan_with(
        &self,
        documents: &[Document],
        background: Background,
        progress: Progress,
    ) -> Result<Report, Error> {
        check_documents(documents)?;
        check_documents(background.against.unwrap_or_default())?;
        let ignored: Vec<Document> =
            background.ignored.iter().map(|text| Document::new("", text.as_str())).collect();
        let all = documents.len() + background.against.map_or(0, <[_]>::len) + ignored.len();
        if all >= u32::MAX as usize {
            return Err(Error::TooManyDocuments(all));
        }
        if let Some(text) = ignored.iter().find(|text| text.text.len() > MAX_DOCUMENT_BYTES) {
            return Err(Error::DocumentTooLong { id: "(ignored)".to_owned(), bytes: text.text.len() });
        }
        let texts = ignored.iter().chain(background.against.unwrap_or_default()).chain(documents);
        let bytes: usize = texts.map(|document| document.text.len()).sum();
        let pool = if bytes < ALONE { &self.alone } else { &self.pool };
        let range_bytes = bytes / (EACH * PARTS * pool.current_num_threads());
        let range_bytes = range_bytes.clamp(LEAST_RANGE, MOST_RANGE);
        let order = Order::new(&ignored, background.against, documents, range_bytes);
        let hashes: AHashSet<&str> = background.ignored_hashes.iter().map(String::as_str).collect();
        Ok(pool.install(|| Scan { config: &self.config, progress }.run(order, &hashes)))
    }

    /// Compares listed pairs of documents, given by their places in
    /// `documents`: the passages that stand in both, in the order of the pairs.
    ///
    /// As in a scan, every exact repeat of [`Config::guaranteed_tokens`] is
    /// found, and edited ones as far as they hold anchors. Set phrases are left
    /// out unless [`Config::count_formulas`] is set. What stands in one document
    /// twice is not looked for. Linear in the texts of each pair but for
    /// sorting.
    ///
    /// ```
    /// use twicetold::{Config, Detector, Document};
    ///
    /// let release = "The mill will close in spring, and two hundred people will lose their work, the owners said.";
    /// let documents = [
    ///     Document::new("release", release),
    ///     Document::new("article", format!("Bad news on Monday. {} Nobody was surprised.", release)),
    /// ];
    /// let found = Detector::new(Config::default())?.compare(&documents, &[(0, 1)])?;
    /// let passage = &found[0].passages[0];
    /// assert_eq!(passage.b_start_byte..passage.b_end_byte, 20..20 + release.len() as u32);
    /// assert_eq!(found[0].a_in_b, Some(1.0));
    /// # Ok::<(), twicetold::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Detector::scan`].
    ///
    /// # Panics
    ///
    /// If a pair names a place outside `documents`.
    pub fn compare(
        &self,
        documents: &[Document],
        pairs: &[(usize, usize)],
    ) -> Result<Vec<Comparison>, Error> {
        Ok(self.comparing(documents)?.pairs(pairs))
    }

    /// Prepares to compare pairs of these documents, a few at a time.
    ///
    /// # Errors
    ///
    /// As [`Detector::scan`].
    pub fn comparing<'a>(&'a self, documents: &'a [Document]) -> Result<Comparing<'a>, Error> {
        check_documents(documents)?;
        let split = self.config.unit == Unit::Char;
        let text = |document: &'a Document| TokenChunk::new(std::iter::once(&*document.text), split);
        let chunks = self.pool.install(|| documents.par_iter().map(text).collect());
        Ok(Comparing { detector: self, documents, chunks })
    }
}

/// Documents of which pairs are to be compared; made by
/// [`Detector::comparing`].
#[derive(Debug)]
pub struct Comparing<'a> {
    detector: &'a Detector,
    documents: &'a [Document],
    /// The tokens of each.
    chunks: Vec<TokenChunk>,
}

impl Comparing<'_> {
    /// Compares pairs, as [`Detector::compare`] does.
    ///
    /// # Panics
    ///
    /// If a pair names a place outside the documents.
    pub fn pairs(&self, pairs: &[(usize, usize)]) -> Vec<Comparison> {
        let one = |scratch: &mut compare::Scratch, &(a, b): &(usize, usize)| {
            let tokens = |at: usize| self.chunks[at].get(0, &self.documents[at].text);
            let (a_tokens, b_tokens) = (tokens(a), tokens(b));
            let (a, b) = ((&self.documents[a], &a_tokens), (&self.documents[b], &b_tokens));
            compare::compare(&self.detector.config, a, b, scratch)
        };
        self.detector.pool.install(|| pairs.par_iter().map_init(Default::default, one).collect())
    }
}

fn check_documents(documents: &[Document]) -> Result<(), Error> {
    if documents.len() >= u32::MAX as usize {
        return Err(Error::TooManyDocuments(documents.len()));
    }
    let mut ids = AHashSet::with_capacity(documents.len());
    for Document { id, text, .. } in documents {
        if !ids.insert(id) {
            return Err(Error::DuplicateId { id: id.clone() });
        }
        if text.len() > MAX_DOCUMENT_BYTES {
            return Err(Error::DocumentTooLong { id: id.clone(), bytes: text.len() });
        }
    }
    Ok(())
}

const BINS: usize = 128;
/// Bytes of text that are worth more than one thread.
const ALONE: usize = 1 << 16;
/// Bytes of text in documents that are worked on one after the other: as many as give each
/// thread some of every part, but within these bounds.
const LEAST_RANGE: usize = 1 << 18;
const MOST_RANGE: usize = 1 << 20;
/// Partitions that postings and anchors are scattered into.
const PARTITIONS: usize = 1 << 8;
/// Steps of finding anchors, and then of aligning along them.
const ALIGNING: u64 = 2 * PARTITIONS as u64;
/// Pairs of documents that are compared before others are made ready, at least.
const COMPARED: usize = 1 << 12;
/// Partitions of which something is made in one list, at most.
const CHUNK: usize = 16;

/// How far below the threshold an estimate may lie before the exact comparison
/// is saved: three standard deviations of the estimates at the threshold, which loses one
/// pair there in seven hundred; the bands lose four times as many.
fn margin(threshold: f64) -> f64 {
    3.0 * (threshold * (1.0 - threshold) / BINS as f64).sqrt()
}

/// The fingerprints that are read in one pass: those of each range of documents, and which keys
/// of each partition recur.
struct Pass {
    marked: Vec<Marked>,
    filters: Vec<TwiceFilter>,
}

/// The number of the partition of a key that begins so: its first byte.
fn partition(half: u32) -> usize {
    (half >> 24) as usize
}

/// The tokens of a range of documents.
fn tokens_in(collection: &Collection, range: &Range<usize>) -> usize {
    range.clone().map(|document| collection.tokens(document as u32).len()).sum()
}

struct Scan<'a> {
    config: &'a Config,
    progress: Progress<'a>,
}

impl Scan<'_> {
    fn run(&self, order: Order, ignored_hashes: &AHashSet<&str>) -> Report {
        let chunks = self.tokenise(&order);
        let collection = with_tokens(&order, &chunks);
        let originals = originals(&collection);
        let all: Vec<Words> = (0..collection.len() as u32)
            .map(|document| Words { words: collection.tokens(document).words.into(), numbers: Vec::new() })
            .collect();
        let near = |sketches: &[Sketch<BINS>]| match self.config.dedupe_on {
            DedupeOn::Text => self.near_duplicates(&collection, &originals, &all, sketches),
            // Not before it is known what the bodies are.
            DedupeOn::Body => Near::alone(collection.len() as u32, Bands::choose(BINS, 1.0)),
        };
        if self.config.only == Some(Only::Duplicates) {
            let near = near(&self.sketches(&collection, &originals, &all));
            return self.duplicates(&collection, originals, near);
        }
        let lengths: Vec<u32> =
            (0..collection.len() as u32).map(|document| collection.tokens(document).len() as u32).collect();
        let ignores = collection.roles.told > 0 || !ignored_hashes.is_empty();
        let ignored = ignores.then(|| Bits::new(lengths.iter().copied()));
        let (passes, mut sketches) = self.passes(&collection, &originals);
        let anchors = self.anchors(&collection, &originals, passes);
        let matched = Bits::new(lengths.iter().copied());
        let mut nearest = vec![NOBODY; collection.len()];
        // Copies are projected one after the other, while more passages are aligned.
        let mut projector = Projector::new(&lengths);
        let (batches, taken) = self.alignments(&collection, anchors, (&matched, ignored.as_ref()), |batch| {
            take_in(batch, &mut nearest, &mut projector)
        });
        // The last of them, and families joined, while documents are compared.
        let find_families = || {
            batches[taken..].iter().for_each(|batch| take_in(batch, &mut nearest, &mut projector));
            let families = self.families(&collection, &originals, batches, projector, &lengths, &matched);
            let placed = placed(&collection, &families);
            (families, placed)
        };
        // In this order where there is one thread: what is held for families is let go of first.
        let ((families, placed), near) = rayon::join(find_families, || near(&sketches));
        drop(all);
        if let Some(ignored) = &ignored {
            repeat_ignored_in_twins(&originals, &lengths, ignored);
        }
        let mut findings = Findings { originals, near, nearest, matched, ignored, families };
        if self.config.dedupe_on == DedupeOn::Body {
            let boilerplate = self.boilerplate(&collection, &findings, &sketches, &lengths);
            let bodies = bodies(&collection, &boilerplate);
            sketches = self.sketches(&collection, &findings.originals, &bodies);
            findings.near = self.near_duplicates(&collection, &findings.originals, &bodies, &sketches);
        }
        let wordings = wordings(&collection, &placed);
        // From here on it is only asked where tokens are.
        drop(collection);
        let chunks: Vec<TokenChunk> = chunks.into_par_iter().map(TokenChunk::without_words).collect();
        let collection = with_tokens(&order, &chunks);
        let sights = || sights(self.config, &collection, &placed, wordings);
        let (sights, ids) = rayon::join(sights, || assemble::ids(&order.documents));
        let context = Context::new(self.config, &collection, &findings, placed, ids);
        self.assemble(&context, &collection, &findings, (sights, sketches), ignored_hashes)
    }

    /// The report of near-duplicates alone.
    fn duplicates(&self, collection: &Collection, originals: Vec<u32>, near: Near) -> Report {
        let mut nearest = vec![NOBODY; collection.len()];
        for pair in &near.pairs {
            bring_near(&mut nearest, pair.b, pair.a, pair.tokens);
        }
        let matched = Bits::new(std::iter::empty());
        let findings = Findings { originals, near, nearest, matched, ignored: None, families: Vec::new() };
        let placed = placed(collection, &findings.families);
        let ids = assemble::ids(collection.documents);
        let context = Context::new(self.config, collection, &findings, placed, ids);
        self.assemble(&context, collection, &findings, Default::default(), &AHashSet::new())
    }

    /// Makes all rows. What is seen of occurrences, and the sketches of documents, are
    /// needed for families only.
    fn assemble(
        &self,
        context: &Context,
        collection: &Collection,
        findings: &Findings,
        (sights, sketches): (Vec<Sight>, Vec<Sketch<BINS>>),
        ignored_hashes: &AHashSet<&str>,
    ) -> Report {
        let (mut families, mut occurrences) = family_rows(context, findings, &sights, &sketches);
        // Documents need no more than this.
        let extents: Vec<(u32, u32)> = sights.iter().map(|sight| sight.bytes).collect();
        drop((sights, sketches));
        let kinds: Vec<_> = families.iter().map(|row| row.kind).collect();
        if let Some(ignored) = &findings.ignored {
            let named = families.iter().zip(&findings.families);
            let named = named.filter(|(row, _)| ignored_hashes.contains(row.text_hash.as_str()));
            for occurrence in named.flat_map(|(_, family)| &family.occurrences) {
                ignored.set(occurrence.document, occurrence.start, occurrence.end - occurrence.start);
            }
        }
        let total = collection.len() as u64;
        let first = collection.roles.judged as usize;
        let mut documents = Vec::with_capacity(collection.len());
        let mut spans = Vec::new();
        let mut labels = [0; 9];
        let rows = |range: &Range<usize>| {
            let range = range.start.max(first)..range.end.max(first);
            let places = range.clone().map(|document| context.places(document as u32)).sum();
            let (mut owner, mut spans) = (Vec::new(), Vec::with_capacity(places));
            let row = |document| context.document(document as u32, &kinds, &extents, &mut owner, &mut spans);
            let rows: Vec<_> = range.clone().map(row).collect();
            (self.progress)(Stage::Ledger, range.len() as u64, total);
            (rows, spans)
        };
        let all_rows = || {
            in_parts(
                collection.ranges.iter().collect(),
                |ranges| shared(ranges.into_par_iter()).map(rows).collect::<Vec<_>>(),
                |made, parts| {
                    let (rows, made): (Vec<Vec<_>>, Vec<Vec<SpanRow>>) = made.into_iter().unzip();
                    let take_spans = || {
                        make_room(&mut spans, made.iter().map(Vec::len).sum(), parts);
                        made.into_iter().for_each(|mut some| spans.append(&mut some));
                    };
                    let take_rows = || {
                        for (row, weights) in rows.into_iter().flatten() {
                            documents.push(row);
                            labels.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
                        }
                    };
                    rayon::join(take_spans, take_rows);
                },
            );
        };
        let others = || (context.pairs(), context.clusters(), context.counts());
        let ((), ((pairs, unlisted), clusters, counts)) = rayon::join(all_rows, others);
        if let Some(ignored) = &findings.ignored {
            strike(&mut families, &mut occurrences, &mut spans, &findings.families, ignored);
        }
        let counts = Counts { labels, pairs_unlisted: unlisted, ..counts };
        Report { documents, families, occurrences, spans, pairs, clusters, counts }
    }

    fn tokenise(&self, order: &Order) -> Vec<TokenChunk> {
        let total: usize = order.documents.iter().map(|document| document.text.len()).sum();
        let split = self.config.unit == Unit::Char;
        shared(order.ranges.par_iter())
            .map(|range| {
                let texts = order.texts(range.clone());
                let chunk = match self.config.only {
                    // Nobody asks where anything is.
                    Some(Only::Duplicates) => TokenChunk::unplaced(texts, split),
                    None => TokenChunk::new(texts, split),
                };
                let bytes: usize = order.texts(range.clone()).map(str::len).sum();
                (self.progress)(Stage::Tokens, bytes as u64, total as u64);
                chunk
            })
            .collect()
    }

    fn lengths(&self, tokens: &Tokens) -> Lengths {
        self.config.lengths(tokens.characters)
    }

    /// Tokens in passages that are boilerplate, and in those with the shape of a
    /// template, of which a document may have several: the rest of it differs
    /// once all are taken away.
    fn boilerplate(
        &self,
        collection: &Collection,
        findings: &Findings,
        sketches: &[Sketch<BINS>],
        lengths: &[u32],
    ) -> Bits {
        let placed = placed(collection, &findings.families);
        let sights = sights(self.config, collection, &placed, wordings(collection, &placed));
        let ids = assemble::ids(collection.documents);
        let context = Context::new(self.config, collection, findings, placed, ids);
        let (rows, _) = family_rows(&context, findings, &sights, sketches);
        let of = |is: &dyn Fn(&FamilyRow, &Family) -> bool| {
            let found = Bits::new(lengths.iter().copied());
            for (_, family) in rows.iter().zip(&findings.families).filter(|(row, family)| is(row, family)) {
                for o in &family.occurrences {
                    found.set(o.document, o.start, o.end - o.start);
                }
            }
            found
        };
        let templates = of(&|row, _| row.kind == Kind::Boilerplate || may_be_template(row));
        let rest = bodies(collection, &templates);
        let sketches = self.sketches(collection, &findings.originals, &rest);
        let differ = |family: &Family| {
            let mut documents: Vec<u32> =
                family.occurrences.iter().map(|o| findings.originals[o.document as usize]).collect();
            documents.sort_unstable();
            documents.dedup();
            let similarity =
                rest_similarity(&documents, 0, &sketches, |document| rest[document as usize].len());
            similarity.is_some_and(|similarity| similarity < DIFFERENT)
        };
        of(&|row, family| row.kind == Kind::Boilerplate || may_be_template(row) && differ(family))
    }

    /// The sketches of first copies, by the words they are compared by.
    fn sketches(&self, collection: &Collection, originals: &[u32], words: &[Words]) -> Vec<Sketch<BINS>> {
        let total = collection.len() as u64;
        shared(collection.ranges.par_iter())
            .flat_map_iter(|range| {
                let mut hashes = Vec::new();
                let sketched: Vec<_> = range
                    .clone()
                    .map(|document| {
                        hashes.clear();
                        if originals[document] == document as u32 {
                            let tokens = collection.tokens(document as u32);
                            shingles(&words[document], self.lengths(tokens).shingle, &mut hashes);
                        }
                        sketch(&hashes)
                    })
                    .collect();
                (self.progress)(Stage::Fingerprints, range.len() as u64, total);
                sketched
            })
            .collect()
    }

    /// The verified near-duplicate pairs among first copies, and the leaders,
    /// by the words that documents are compared by and their sketches.
    fn near_duplicates(
        &self,
        collection: &Collection,
        originals: &[u32],
        words: &[Words],
        sketches: &[Sketch<BINS>],
    ) -> Near {
        let bands = Bands::choose(BINS, self.config.similarity);
        let roles = collection.roles;
        let takes_part = |document: &u32| {
            originals[*document as usize] == *document
                && *document >= roles.told
                && !words[*document as usize].is_empty()
        };
        let passes = bands.passes(collection.len());
        let total = (collection.len() * passes.len()) as u64;
        let buckets = passes.map(|which| {
            let of_range = |range: &Range<usize>| {
                let documents = (range.start as u32..range.end as u32).filter(takes_part);
                let keys = |document| {
                    let keys = bands.keys(&sketches[document as usize], which.clone());
                    keys.map(move |key| entry(key, document))
                };
                let entries = documents.flat_map(keys).collect();
                (self.progress)(Stage::NearDuplicates, range.len() as u64, total);
                entries
            };
            shared(collection.ranges.par_iter()).map(of_range).collect()
        });
        let (candidates, crowded) = candidates(buckets, collection.len());
        let least = self.config.similarity - margin(self.config.similarity);
        let may_be = |&(a, b): &(u32, u32)| {
            roles.relates(b, a) && estimate(&sketches[a as usize], &sketches[b as usize]) >= least
        };
        let pairs = shared(candidates.into_par_iter()).filter(may_be).collect();

        let hashed = |document: u32| {
            let mut set = Vec::new();
            let k = self.lengths(collection.tokens(document)).shingle;
            shingles(&words[document as usize], k, &mut set);
            set
        };
        let mut verified = self.verify(collection, words, pairs, hashed);
        // Words can be made to share a hash: then their text decides.
        let secret = RandomState::new();
        let doubtful = doubtful(collection, &verified, &secret);
        if !doubtful.is_empty() {
            let is_doubtful = |pair: &Verified| doubtful.contains(&pair.a) && doubtful.contains(&pair.b);
            let pairs =
                verified.iter().filter(|pair| is_doubtful(pair)).map(|pair| (pair.a, pair.b)).collect();
            let spelled = |document: u32| {
                let tokens = collection.tokens(document);
                spelled(tokens, &words[document as usize], self.lengths(tokens).shingle, &secret)
            };
            verified.retain(|pair| !is_doubtful(pair));
            verified.extend(self.verify(collection, words, pairs, spelled));
            verified.sort_unstable_by_key(|pair| (pair.a, pair.b));
        }
        let leaders = leaders(collection.len(), &verified);
        Near { bands, crowded, pairs: verified, leaders }
    }

    /// Those of the pairs that are as alike as is asked for, by sets of shingles; sorted.
    ///
    /// Not all sets are held at once, but none is made twice: what is tied together is
    /// compared together.
    fn verify(
        &self,
        collection: &Collection,
        words: &[Words],
        mut pairs: Vec<(u32, u32)>,
        shingles: impl Fn(u32) -> Vec<u64> + Sync,
    ) -> Vec<Verified> {
        let tied = tied(collection.len(), &pairs);
        let group = |pair: &(u32, u32)| tied[pair.0 as usize];
        pairs.par_sort_unstable_by_key(|pair| (group(pair), *pair));
        let size = pairs.len().div_ceil(PARTS).max(COMPARED);
        let mut verified = Vec::new();
        let mut rest = &pairs[..];
        while !rest.is_empty() {
            let last = group(&rest[size.min(rest.len()) - 1]);
            let (part, others) = rest.split_at(rest.partition_point(|pair| group(pair) <= last));
            verified.append(&mut self.verify_part(collection, words, part, &shingles));
            rest = others;
        }
        verified.par_sort_unstable_by_key(|pair| (pair.a, pair.b));
        verified
    }

    /// The same of pairs of which those with the same earlier document follow each other;
    /// in their order.
    fn verify_part(
        &self,
        collection: &Collection,
        words: &[Words],
        pairs: &[(u32, u32)],
        shingles: &(impl Fn(u32) -> Vec<u64> + Sync),
    ) -> Vec<Verified> {
        // Sets are made only for documents that have a candidate.
        let involved = involved(pairs.iter().copied());
        let sets: Vec<(Vec<u64>, u32)> = shared(involved.par_iter())
            .map_init(Lookup::new, |lookup, &document| {
                let set = shingles(document);
                let distinct = lookup.fill(&set);
                (set, distinct)
            })
            .collect();
        let set = |document: u32| &sets[involved.binary_search(&document).expect("involved")];
        let of_one: Vec<&[(u32, u32)]> = pairs.chunk_by(|x, y| x.0 == y.0).collect();
        shared(of_one.par_iter())
            .map_init(Lookup::new, |lookup, pairs| {
                let a = pairs[0].0;
                lookup.fill(&set(a).0);
                let compare = |&(_, b): &(u32, u32)| {
                    let tokens = collection.tokens(b);
                    let (shingles, distinct) = set(b);
                    let extent = (self.lengths(tokens).shingle, words[b as usize].len());
                    lookup.compare(a, b, shingles, *distinct, extent, self.config.similarity)
                };
                pairs.iter().filter_map(compare).collect::<Vec<_>>()
            })
            .flatten_iter()
            .collect()
    }

    /// All anchors, by parts of the later documents.
    fn anchors(&self, collection: &Collection, originals: &[u32], passes: Vec<Pass>) -> Vec<Vec<Anchor>> {
        let roles = collection.roles;
        let words = |document: u32| collection.tokens(document).words;
        let lengths = |group: &[Posting]| lengths_of(group[0].key, self.config).of_runs();
        let anchors_of = |group: &[Posting], scratch: &mut anchors::Scratch, found: &mut Vec<Anchor>| {
            let lengths = lengths(group);
            // Ignored texts come first. What hangs on them changes nothing among the
            // others.
            let others = group.partition_point(|place| place.document < roles.told);
            if others > 0 {
                anchors(group, words, lengths, scratch, |anchor| {
                    if anchor.earlier() < roles.told && anchor.later() >= roles.told {
                        found.push(anchor);
                    }
                });
            }
            anchors(&group[others..], words, lengths, scratch, |anchor| {
                if roles.relates(anchor.later(), anchor.earlier()) {
                    found.push(anchor);
                }
            });
        };
        let of_some = |buffers: &mut (Vec<Posting>, anchors::Scratch), partitions: Vec<Vec<Posting>>| {
            let (spare, scratch) = buffers;
            let mut found = Vec::new();
            for mut partition in partitions {
                let groups = groups(&mut partition, spare);
                for group in ahead(groups, |group| anchors::fetch_words(group, words, lengths(group))) {
                    anchors_of(group, scratch, &mut found);
                }
                (self.progress)(Stage::Alignment, 1, ALIGNING);
            }
            found.shrink_to_fit();
            found
        };
        // Not all postings are held at once.
        let mut lists: Vec<Vec<Anchor>> = Vec::new();
        for pass in passes {
            let postings = self.postings(collection, originals, pass);
            lists.par_extend(in_chunks(postings).map_init(Default::default, of_some));
        }
        let documents = collection.len().max(1);
        partitioned(lists, |list| list, |anchor| anchor.later() as usize * PARTITIONS / documents)
    }

    /// All accepted alignments, in order of the later document; `matched` has the tokens in
    /// them. Those with ignored texts only set bits of `ignored`. Batches are given to `take`
    /// in this order while the next are made, but for the last of them: returns how many were.
    fn alignments(
        &self,
        collection: &Collection,
        anchors: Vec<Vec<Anchor>>,
        (matched, ignored): (&Bits, Option<&Bits>),
        mut take: impl FnMut(&Batch) + Send,
    ) -> (Vec<Batch>, usize) {
        let roles = collection.roles;
        let of_one = |mut anchors: Vec<Anchor>| {
            anchors.sort_unstable();
            let mut batch = Batch::default();
            let tokens = |document| collection.tokens(document);
            let min_tokens =
                |b: &Tokens, a: &Tokens, anchors: &[Anchor]| align::least_tokens(self.config, b, a, anchors);
            align_all(&anchors, roles.told, tokens, min_tokens, |later, earlier, runs| match ignored {
                Some(ignored) if earlier < roles.told => {
                    if 2 * align::matched(runs) as usize >= collection.tokens(earlier).len() {
                        runs.iter().for_each(|run| ignored.set(later, run.b, run.len));
                    }
                }
                _ => {
                    for run in runs {
                        matched.set(later, run.b, run.len);
                        // What a document repeats does not tell its first time.
                        if later != earlier {
                            matched.set(earlier, run.a, run.len);
                        }
                    }
                    batch.push(later, earlier, runs);
                }
            });
            (self.progress)(Stage::Alignment, 1, ALIGNING);
            batch
        };
        let mut batches = Vec::with_capacity(anchors.len());
        let mut taken = 0;
        in_parts(
            anchors,
            |some| shared(some.into_par_iter()).map(of_one).collect::<Vec<_>>(),
            |some, left| {
                if left > 1 {
                    some.iter().for_each(&mut take);
                    taken += some.len();
                }
                batches.extend(some);
            },
        );
        (batches, taken)
    }

    /// The fingerprints of all first copies, held in little; and the sketches of these, which
    /// have the same shingles.
    ///
    /// Most fingerprints stand once. So at first all are only marked, and their keys counted
    /// up to two.
    fn passes(&self, collection: &Collection, originals: &[u32]) -> (Vec<Pass>, Vec<Sketch<BINS>>) {
        let total = collection.len();
        let mark = |(range, sketches): (&Range<usize>, &mut [Sketch<BINS>])| {
            let tokens = tokens_in(collection, range);
            let mut marked = std::array::from_fn(|_| Marked::with_capacity(range.len(), tokens));
            let mut halves = Vec::with_capacity(tokens / 2);
            let (mut scratch, mut hashes, mut found) =
                (fingerprints::Scratch::default(), Vec::new(), Vec::new());
            for (document, sketched) in range.clone().zip(sketches) {
                hashes.clear();
                if originals[document] == document as u32 {
                    let tokens = collection.tokens(document as u32);
                    own_shingles(tokens, self.config, &mut hashes);
                    found.clear();
                    // No more than it takes, should one document be all.
                    found.reserve(tokens.len() / 2);
                    let own = add_fingerprints(
                        document as u32,
                        tokens,
                        &hashes,
                        self.config,
                        &mut scratch,
                        &mut found,
                    );
                    halves.extend(found.iter().map(Fingerprint::half));
                    Marked::add(&mut marked, tokens, &found, own);
                }
                *sketched = sketch(&hashes);
            }
            (self.progress)(Stage::Fingerprints, range.len() as u64, total as u64);
            (halves, marked)
        };
        let mut sketches = vec![[0; BINS]; total];
        let mut rest = &mut sketches[..];
        let mut sources = Vec::with_capacity(collection.ranges.len());
        for range in collection.ranges {
            sources.push((range, rest.split_off_mut(..range.len()).expect("one for each document")));
        }
        // Two of as many shingles as a window has, and one more, are chosen as a rule; windows
        // of words are the shortest.
        let tokens: usize = collection.ranges.iter().map(|range| tokens_in(collection, range)).sum();
        let expected = 2 * tokens / (self.config.lengths(false).window + 1) / PARTITIONS;
        let mut filters: Vec<TwiceFilter> =
            (0..PARTITIONS).map(|_| TwiceFilter::with_room(expected)).collect();
        let number = |half: &u32| partition(*half);
        let marked = divided(sources, mark, number, &mut filters, |filter, share| {
            share.each().for_each(|half| filter.add(half << 8));
        });
        const { assert!(PASSES.is_power_of_two() && PASSES <= PARTITIONS) };
        let mut passes: Vec<Pass> = Vec::with_capacity(PASSES);
        for _ in 0..PASSES {
            let filters = filters.drain(..PARTITIONS / PASSES).collect();
            passes.push(Pass { marked: Vec::with_capacity(marked.len()), filters });
        }
        for marked in marked {
            passes.iter_mut().zip(marked).for_each(|(pass, marked)| pass.marked.push(marked));
        }
        (passes, sketches)
    }

    /// The postings of fingerprints that recur, and some others, by partition of the key: of
    /// those that are read in a pass.
    fn postings(
        &self,
        collection: &Collection,
        originals: &[u32],
        Pass { marked, filters }: Pass,
    ) -> Vec<Vec<Posting>> {
        let list = |(range, marked): (&Range<usize>, Marked)| {
            // A little more than windows of words choose.
            let mut found = Vec::with_capacity(tokens_in(collection, range) * 9 / 20 / PASSES);
            let mut reader = marked.reader();
            for document in range.clone().filter(|&document| originals[document] == document as u32) {
                let tokens = collection.tokens(document as u32);
                reader.next(document as u32, tokens, self.config, |fingerprint| found.push(fingerprint));
            }
            (found, ())
        };
        let mut partitions: Vec<(TwiceFilter, Vec<Posting>)> =
            filters.into_iter().map(|filter| (filter, Vec::new())).collect();
        // The partitions of a pass follow each other.
        let number = |fingerprint: &Fingerprint| partition(fingerprint.half()) % (PARTITIONS / PASSES);
        let sources = collection.ranges.iter().zip(marked).collect();
        divided(sources, list, number, &mut partitions, |(filter, postings), share| {
            share.make_room(postings);
            let recurring = share.each().filter(|fingerprint| filter.recurs(fingerprint.half() << 8));
            postings.extend(recurring.map(|fingerprint| Posting::new(fingerprint, 8)));
        });
        partitions.into_iter().map(|(_, postings)| postings).collect()
    }

    /// Gathers alignments into families, in their final order.
    fn families(
        &self,
        collection: &Collection,
        originals: &[u32],
        batches: Vec<Batch>,
        projector: Projector,
        lengths: &[u32],
        matched: &Bits,
    ) -> Vec<Family> {
        let (known, runs) = projector.finish();
        let documents = known.len().max(1);
        let copies = |known: Vec<Known>| known.iter().flat_map(Known::copies).copied().collect();
        let root = |copy: &projection::Copy| copy.root as usize * PARTITIONS / documents;
        let mut copies = partitioned(in_lists(known), copies, root);
        shared(copies.par_iter_mut()).for_each(|some| some.sort_by_key(|copy| copy.root));
        let by_root: Vec<_> = copies.iter().flat_map(|some| some.chunk_by(|x, y| x.root == y.root)).collect();
        let total = by_root.len() as u64;
        let mut found: Vec<Family> = shared(by_root.par_iter())
            .map_init(families::Scratch::default, |scratch, list| {
                (self.progress)(Stage::Families, 1, total);
                let root = list[0].root;
                families(root, collection.tokens(root), &runs, list, scratch)
            })
            .flatten_iter()
            .collect();
        drop(by_root);
        drop((copies, runs));
        repeat_in_twins(&mut found, originals, lengths, matched);
        for compare in [Compare::Plain, Compare::DigitsMasked] {
            let tokens = |document| collection.tokens(document);
            let joined = joined(&found, tokens, compare, TOGETHER);
            found = merge(found, &joined);
            shared(found.par_iter_mut()).for_each(settle);
            found.retain(|family| family.occurrences.len() > 1);
        }
        let orphans = orphans(&batches, &found, lengths, matched, self.config.min_tokens as u32);
        found.extend(orphans);
        drop(batches);
        if collection.roles.against {
            // Exact copies within the other collection are of no interest.
            found.retain(|family| family.occurrences.iter().any(|o| o.document >= collection.roles.judged));
        }
        found.par_sort_by_cached_key(|family| {
            let first = family.occurrences[0];
            (Reverse((family.df(), family.len())), first.document, first.start, family.root, family.start)
        });
        found
    }
}

/// The documents with their tokens, which are in chunks by range.
fn with_tokens<'a>(order: &'a Order<'a>, chunks: &'a [TokenChunk]) -> Collection<'a> {
    let tokens = |document: usize| {
        let at = order.ranges.partition_point(|range| range.end <= document);
        chunks[at].get(document - order.ranges[at].start, &order.documents[document].text)
    };
    Collection::new(order, shared((0..order.documents.len()).into_par_iter()).map(tokens).collect())
}

/// For every document the first one with the same tokens, which may be itself.
fn originals(collection: &Collection) -> Vec<u32> {
    // Nobody outside knows how to make two of these equal.
    let secret = RandomState::new();
    let hash = |document: u32| (secret.hash_one(collection.tokens(document).words), document);
    let hashes = |range: &Range<usize>| (range.start as u32..range.end as u32).map(hash).collect();
    let hashes = partitioned(collection.ranges.iter().collect(), hashes, |(hash, _)| (hash >> 56) as usize);
    let repeats: Vec<_> = shared(hashes.into_par_iter()).map(|some| collection.repeats(some)).collect();
    let mut originals: Vec<u32> = (0..collection.len() as u32).collect();
    for (document, first) in repeats.into_iter().flatten() {
        originals[document as usize] = first;
    }
    originals
}

/// The candidate pairs `(earlier, later)` of those that share a bucket, by the later
/// and then the earlier, each once; and the number of buckets too full to pair all. All
/// are numbers below `count`. Those of one bucket are in lists that come together.
fn candidates(entries: impl Iterator<Item = Vec<Vec<u64>>>, count: usize) -> (Vec<(u32, u32)>, usize) {
    let mut found: Vec<(Vec<u64>, usize)> = Vec::new();
    for entries in entries {
        let entries = partitioned(entries, |list| list, |entry| (entry >> 56) as usize);
        let pairs = in_chunks(entries).map_init(TwiceFilter::default, |filter, partitions| {
            let (mut pairs, mut crowded) = (Vec::new(), 0);
            for mut entries in partitions {
                let (mut found, full) = bands::pairs(&mut entries, 8, filter);
                pairs.append(&mut found);
                crowded += full;
            }
            (pairs, crowded)
        });
        found.par_extend(pairs);
    }
    let crowded = found.iter().map(|(_, crowded)| crowded).sum();
    let later = |pair: &u64| (pair >> 32) as usize;
    let pairs = partitioned(found, |(pairs, _)| pairs, |pair| later(pair) * PARTITIONS / count);
    let pairs = shared(pairs.into_par_iter()).flat_map_iter(|mut pairs| {
        pairs.sort_unstable();
        pairs.dedup();
        pairs.into_iter().map(|pair| (pair as u32, (pair >> 32) as u32))
    });
    (pairs.collect(), crowded)
}

/// The families that are variants of others, each with the one it joins; so many are
/// asked together.
fn joined<'t>(
    families: &[Family],
    tokens: impl Fn(u32) -> &'t Tokens<'t> + Sync,
    compare: Compare,
    together: usize,
) -> Vec<(u32, u32)> {
    let made: Vec<(Outlines, Vec<Option<Keys>>)> = shared(families.par_chunks(LISTED))
        .map_init(variants::Scratch::default, |scratch, some| {
            let mut outlines = Outlines::default();
            let outline = |family: &Family| {
                outlines.add(tokens(family.root), (family.start, family.end), compare, scratch)
            };
            let keys = some.iter().map(outline).collect();
            (outlines, keys)
        })
        .collect();
    let keys = |family: u32| made[family as usize / LISTED].1[family as usize % LISTED].as_ref();
    let mut order: Vec<u32> = (0..families.len() as u32).filter(|&at| keys(at).is_some()).collect();
    order.par_sort_by_cached_key(|&at| Leaders::rank(&families[at as usize]));
    let ranks: Vec<u32> = (0..order.len() as u32).collect();
    let entries = ranks.par_chunks(together).map(|ranks| {
        let of_one = |&rank: &u32| {
            let keys = keys(order[rank as usize]).expect("takes part");
            keys.iter().map(move |&key| entry(key, rank))
        };
        ranks.iter().flat_map(of_one).collect()
    });
    let (pairs, _) = candidates(std::iter::once(entries.collect()), order.len());
    let mut compared = vec![false; order.len()];
    for rank in pairs.iter().flat_map(|&(earlier, later)| [earlier, later]) {
        compared[rank as usize] = true;
    }
    // Side by side, since those of similar ranks are compared.
    let ready = |ranks: &[u32]| {
        let mut outlines = Outlines::default();
        for &rank in ranks {
            let at = order[rank as usize] as usize;
            let outline = made[at / LISTED].0.get(at % LISTED);
            outlines.add_ready(if compared[rank as usize] { outline } else { &[] });
        }
        outlines
    };
    let outlines: Vec<Outlines> = shared(ranks.par_chunks(LISTED)).map(ready).collect();
    drop(made);
    let mut leaders = Leaders::new(families, compare, &order, &outlines);
    let by_later: Vec<&[(u32, u32)]> = pairs.chunk_by(|x, y| x.1 == y.1).collect();
    for some in by_later.chunks(together) {
        // Who leads of those before them is known; of the others it is told in turn.
        let first = some[0][0].1;
        let find = |pairs: &&[(u32, u32)]| {
            let (before, among) = pairs.split_at(pairs.partition_point(|pair| pair.0 < first));
            match leaders.of(before).next() {
                Some(leader) => vec![leader],
                None => leaders.of(among).collect(),
            }
        };
        let found: Vec<Vec<u32>> = shared(some.par_iter()).map(find).collect();
        for (pairs, found) in some.iter().zip(found) {
            if let Some(earlier) = found.into_iter().find(|&earlier| leaders.leads(earlier)) {
                leaders.join(pairs[0].1, earlier);
            }
        }
    }
    leaders.joined()
}

/// Families for alignments of which no other family accounts for `least` tokens, or
/// for all of a run of that length.
fn orphans(
    batches: &[Batch],
    families: &[Family],
    lengths: &[u32],
    matched: &Bits,
    least: u32,
) -> Vec<Family> {
    let mut found: Vec<Family> = Vec::new();
    // A family added for one alignment may come between a token and the neighbour it
    // would have gone with, so look again, in the documents where one was added,
    // until nothing is new.
    let mut again = vec![true; lengths.len()];
    loop {
        let asked = |&(later, earlier, _): &(u32, u32, _)| again[later as usize] || again[earlier as usize];
        // What stands in other documents need not be known.
        let mut needed = again.clone();
        let places = shared(batches.par_iter()).flat_map_iter(|batch| batch.alignments().filter(asked));
        for (later, earlier) in places.map(|(later, earlier, _)| (later, earlier)).collect::<Vec<_>>() {
            needed[later as usize] = true;
            needed[earlier as usize] = true;
        }
        let is_needed = |document: u32| needed[document as usize];
        let told = Told::new(lengths, matched);
        families.par_iter().chain(&found).for_each(|family| told.add(family, is_needed));
        let documents = shared((0..lengths.len() as u32).into_par_iter());
        documents.filter(|&document| is_needed(document)).for_each(|document| told.spread(document));
        // More is told as families are added, so it is these or fewer.
        let lacking = shared(batches.par_iter()).flat_map_iter(|batch| {
            let asked = batch.alignments().filter(asked);
            asked.filter(|&(later, earlier, runs)| told.lacks(later, earlier, runs, least))
        });
        let lacking: Vec<(u32, u32, &[Run])> = lacking.collect();
        let before = found.len();
        let mut added = vec![false; lengths.len()];
        for (later, earlier, runs) in lacking {
            if told.lacks(later, earlier, runs, least) {
                let family = alone(later, earlier, runs);
                told.add(&family, is_needed);
                found.push(family);
                added[later as usize] = true;
                added[earlier as usize] = true;
            }
        }
        if found.len() == before {
            return found;
        }
        again = added;
    }
}

/// Partitions, several at a time: one list that is made of them leaves larger stretches of
/// memory free where they were than one of each; but all threads are to have some.
fn in_chunks<T: Send>(partitions: Vec<T>) -> impl IndexedParallelIterator<Item = Vec<T>> {
    let size = (PARTITIONS / (SHARES * rayon::current_num_threads())).clamp(1, CHUNK);
    shared(partitions.into_par_iter().chunks(size))
}

/// Divides a list into some to be worked on together, so many that each thread has some of
/// every part.
fn in_lists<T>(list: Vec<T>) -> Vec<Vec<T>> {
    let size = list.len().div_ceil(EACH * PARTS * rayon::current_num_threads()).max(1);
    pieces(list, size).collect()
}

/// So many items of a list at a time; the last are fewer.
fn pieces<T>(list: Vec<T>, size: usize) -> impl Iterator<Item = Vec<T>> {
    let mut rest = list.into_iter();
    std::iter::from_fn(move || {
        Some(rest.by_ref().take(size).collect()).filter(|some: &Vec<T>| !some.is_empty())
    })
}

/// Makes a list of items of each source and lays the items out by partition: each list is
/// divided, and then the divisions of all are put together.
fn partitioned<S: Send, T: Copy + Send + Sync>(
    sources: Vec<S>,
    list: impl Fn(S) -> Vec<T> + Sync,
    number: impl Fn(&T) -> usize + Sync,
) -> Vec<Vec<T>> {
    let mut partitions: Vec<Vec<T>> = (0..PARTITIONS).map(|_| Vec::new()).collect();
    divided(
        sources,
        |source| (list(source), ()),
        number,
        &mut partitions,
        |partition, share| {
            share.make_room(partition);
            share.lists().for_each(|list| partition.extend_from_slice(list));
        },
    );
    partitions
}

/// Makes a list of items of each source, divides each list by partition, and gives every
/// partition its shares in order: those of some lists at a time, so that the items are not held
/// twice. Returns what else is made of each source.
fn divided<S: Send, T: Copy + Send + Sync, P: Send, E: Send>(
    sources: Vec<S>,
    list: impl Fn(S) -> (Vec<T>, E) + Sync,
    number: impl Fn(&T) -> usize + Sync,
    partitions: &mut [P],
    take: impl Fn(&mut P, Share<T>) + Sync,
) -> Vec<E> {
    let mut beside = Vec::with_capacity(sources.len());
    let count = partitions.len();
    let divide = |source| {
        let (items, other) = list(source);
        (Divided::new(&items, count, &number), other)
    };
    let mut done = 0;
    in_parts(
        sources,
        |some| some.into_par_iter().with_max_len(1).map(divide).unzip(),
        |(mut lists, others): (Vec<Divided<T>>, Vec<E>), left| {
            beside.extend(others);
            lists.retain(|list| list.len() > 0);
            shared(partitions.par_iter_mut()).enumerate().for_each(|(number, partition)| {
                take(partition, Share { lists: &lists, partitions: count, number, done, left });
            });
            done += 1;
        },
    );
    beside
}

/// What some lists have for a partition.
struct Share<'l, T> {
    lists: &'l [Divided<T>],
    partitions: usize,
    number: usize,
    /// How many such shares came before it, and how many are left with this one.
    done: usize,
    left: usize,
}

impl<'l, T: Copy> Share<'l, T> {
    fn lists(&self) -> impl Iterator<Item = &'l [T]> + use<'l, T> {
        let number = self.number;
        self.lists.iter().map(move |list| list.partition(number))
    }

    fn each(&self) -> impl Iterator<Item = &'l T> + use<'l, T> {
        self.lists().flatten()
    }

    /// Makes room for this share, and for those that are left if they are like those before.
    fn make_room<U>(&self, partition: &mut Vec<U>) {
        match partition.len().checked_div(self.done) {
            // At first as if items were spread evenly.
            None => {
                let all: usize = self.lists.iter().map(Divided::len).sum();
                make_room(partition, all / self.partitions, 1);
            }
            Some(each) => make_room(partition, each, self.left),
        }
    }
}

/// Makes room for so many items more in each of the steps to come, and a little more.
/// Left to itself a list would take up to twice as much, and all partitions would do so at
/// once.
fn make_room<T>(list: &mut Vec<T>, each: usize, steps: usize) {
    let each = each + each / 16;
    if list.capacity() - list.len() < each {
        list.reserve_exact(each * steps);
    }
}

/// Takes out families of which every occurrence is ignored, half of it or more,
/// and that no span speaks of; the others are numbered anew.
fn strike(
    rows: &mut Vec<FamilyRow>,
    occurrences: &mut Vec<OccurrenceRow>,
    spans: &mut [SpanRow],
    families: &[Family],
    ignored: &Bits,
) {
    let mut stays = vec![false; rows.len()];
    for number in spans.iter().filter_map(|span| span.family) {
        stays[number as usize - 1] = true;
    }
    for (stays, family) in stays.iter_mut().zip(families) {
        let counts =
            |o: &Occurrence| 2 * ignored.count(o.document, o.start, o.end - o.start) < o.end - o.start;
        *stays |= family.occurrences.iter().any(counts);
    }
    let mut numbers = vec![0; rows.len()];
    let mut next = 0;
    for (number, &stays) in numbers.iter_mut().zip(&stays) {
        next += u32::from(stays);
        *number = next;
    }
    rows.retain(|row| stays[row.family as usize - 1]);
    rows.iter_mut().for_each(|row| row.family = numbers[row.family as usize - 1]);
    occurrences.retain(|row| stays[row.family as usize - 1]);
    occurrences.iter_mut().for_each(|row| row.family = numbers[row.family as usize - 1]);
    for number in spans.iter_mut().filter_map(|span| span.family.as_mut()) {
        *number = numbers[*number as usize - 1];
    }
}

/// Exact duplicates took no part in the search, so what is ignored in the
/// original is ignored in each.
fn repeat_ignored_in_twins(originals: &[u32], lengths: &[u32], ignored: &Bits) {
    for (document, &original) in (0..).zip(originals).filter(|&(document, &original)| document != original) {
        for run in bits::runs(&ignored.packed(original, lengths[original as usize] as usize)) {
            ignored.set(document, run.start as u32, run.len() as u32);
        }
    }
}

/// Tokens shared with the nearest document, and its number, before any is known.
const NOBODY: (u32, u32) = (0, u32::MAX);

/// Takes note of the alignments of a batch.
fn take_in(batch: &Batch, nearest: &mut [(u32, u32)], projector: &mut Projector) {
    batch.each_pair(|later, earlier, tokens| bring_near(nearest, later, earlier, tokens));
    projector.add(batch);
}

/// Takes note that two documents share so many tokens.
fn bring_near(nearest: &mut [(u32, u32)], later: u32, earlier: u32, tokens: u32) {
    for (this, other) in [(later, earlier), (earlier, later)] {
        let best = &mut nearest[this as usize];
        if this != other && (tokens, Reverse(other)) > (best.0, Reverse(best.1)) {
            *best = (tokens, other);
        }
    }
}

/// The words by which a document is compared: all of it, or its body.
struct Words<'w> {
    words: Cow<'w, [u32]>,
    /// Which of its tokens they are, if not all.
    numbers: Vec<u32>,
}

impl Words<'_> {
    /// The number in its document of a token.
    fn number(&self, at: usize) -> usize {
        self.numbers.get(at).map_or(at, |number| *number as usize)
    }
}

impl Deref for Words<'_> {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.words
    }
}

/// The documents of pairs, each once, in order.
fn involved(pairs: impl Iterator<Item = (u32, u32)>) -> Vec<u32> {
    let documents: BTreeSet<u32> = pairs.flat_map(|(a, b)| [a, b]).collect();
    documents.into_iter().collect()
}

/// The documents of pairs in which a word stands that shares its 32 bits with
/// another word of these documents. Linear in their tokens but for sorting.
fn doubtful(collection: &Collection, pairs: &[Verified], secret: &RandomState) -> AHashSet<u32> {
    /// By the first bits of a word. Most words stand again before long.
    const SLOTS: usize = 1 << 12;
    let involved = involved(pairs.iter().map(|pair| (pair.a, pair.b)));
    // Words and how they are spelled, but for what was told a moment ago.
    let spellings = |documents: Vec<u32>| {
        let mut told = vec![(0, 0); SLOTS];
        // Of another slot, as all others are.
        told[0] = (u32::MAX, 0);
        let mut found = Vec::new();
        for document in documents {
            let tokens = collection.tokens(document);
            let mut words = tokens.words.iter();
            tokens.each_folded(|folded| {
                let word = *words.next().expect("one each");
                let one = (word, secret.hash_one(folded));
                let told = &mut told[(word >> (u32::BITS - SLOTS.ilog2())) as usize];
                if *told != one {
                    *told = one;
                    found.push(one);
                }
            });
        }
        found
    };
    let spellings = partitioned(in_lists(involved.clone()), spellings, |(word, _)| (word >> 24) as usize);
    let shared = shared(spellings.into_par_iter()).flat_map_iter(|mut some| {
        some.sort_unstable();
        some.dedup();
        let several = some.chunk_by(|x, y| x.0 == y.0).filter(|spellings| spellings.len() > 1);
        several.map(|spellings| spellings[0].0).collect::<Vec<u32>>()
    });
    let shared: AHashSet<u32> = shared.collect::<Vec<u32>>().into_iter().collect();
    if shared.is_empty() {
        return AHashSet::new();
    }
    let has = |document: &u32| collection.tokens(*document).words.iter().any(|word| shared.contains(word));
    involved.into_iter().filter(has).collect()
}

/// The shingles of a document by the text of its words, under hashes that nobody
/// outside knows.
fn spelled(tokens: &Tokens, words: &Words, k: usize, secret: &RandomState) -> Vec<u64> {
    let mut all = Vec::with_capacity(tokens.len());
    tokens.each_folded(|folded| all.push(secret.hash_one(folded)));
    let each: Vec<u64> = (0..words.len()).map(|at| all[words.number(at)]).collect();
    each.windows(k.min(each.len()).max(1)).map(|shingle| secret.hash_one(shingle)).collect()
}

/// The words of all documents that are not boilerplate.
fn bodies<'w>(collection: &'w Collection, boilerplate: &Bits) -> Vec<Words<'w>> {
    let body = |document| {
        let words = collection.tokens(document).words;
        let bits = boilerplate.packed(document, words.len());
        if bits.iter().all(|word| *word == 0) {
            return Words { words: words.into(), numbers: Vec::new() };
        }
        let stays = |at: &u32| !bits::is_set(&bits, *at as usize);
        let numbers: Vec<u32> = (0..words.len() as u32).filter(stays).collect();
        Words { words: numbers.iter().map(|&at| words[at as usize]).collect(), numbers }
    };
    shared((0..collection.len() as u32).into_par_iter()).map(body).collect()
}

/// Families that are compared with those before them at once.
const TOGETHER: usize = 1 << 10;
/// Families whose rows are made one after the other.
const FAMILIES: u32 = 1 << 7;
/// Parts in which rows are made, and lists laid out.
const PARTS: usize = 8;
/// Lists of documents in a part for each thread.
const EACH: usize = 4;
/// Shares of the work for each thread: what is left to one at the end is less than that.
const SHARES: usize = 16;

/// Deals items out in small shares, since rayon makes few large ones, and the last of them
/// keeps the others waiting. What is prepared once for many items is prepared for each share.
fn shared<I: IndexedParallelIterator>(items: I) -> MaxLen<I> {
    let threads = rayon::current_num_threads();
    let shares = if threads == 1 { 1 } else { SHARES * threads };
    let most = (items.len() / shares).max(1);
    items.with_max_len(most)
}

/// The rows of all families, numbered as they are found, and of their
/// occurrences.
fn family_rows(
    context: &Context,
    findings: &Findings,
    sights: &[Sight],
    sketches: &[Sketch<BINS>],
) -> (Vec<FamilyRow>, Vec<OccurrenceRow>) {
    let count = findings.families.len();
    let mut rows = Vec::with_capacity(count);
    let mut occurrences = Vec::with_capacity(sights.len());
    let of_some = |numbers: Range<u32>| {
        let own = &findings.families[numbers.start as usize..numbers.end as usize];
        let places = own.iter().map(|family| family.occurrences.len()).sum();
        let (mut scratch, mut occurrences) = (assemble::Scratch::default(), Vec::with_capacity(places));
        let row = |number| context.family(number, sights, sketches, &mut scratch, &mut occurrences);
        let rows: Vec<FamilyRow> = context.reading_ahead(numbers, sights, sketches).map(row).collect();
        (rows, occurrences)
    };
    // So many families, or fewer that occur often.
    let mut ranges = Vec::new();
    let (mut start, mut places) = (0, 0);
    for (number, family) in (0..).zip(&findings.families) {
        places += family.occurrences.len();
        let end = number + 1;
        if end - start == FAMILIES || places >= 8 * FAMILIES as usize || end as usize == count {
            ranges.push(start..end);
            (start, places) = (end, 0);
        }
    }
    in_parts(
        ranges,
        |ranges| shared(ranges.into_par_iter()).map(of_some).collect::<Vec<_>>(),
        |made, _| {
            let (made, places): (Vec<Vec<_>>, Vec<Vec<_>>) = made.into_iter().unzip();
            rayon::join(
                || made.into_iter().for_each(|mut some| rows.append(&mut some)),
                || places.into_iter().for_each(|mut some| occurrences.append(&mut some)),
            );
        },
    );
    (rows, occurrences)
}

/// Makes something of each part of a list and gives it to `take`, in order, while the next
/// is made: what is made of all of them is never held at once. Tells it too how many are
/// left, with this one.
fn in_parts<S: Send, T: Send>(
    list: Vec<S>,
    make: impl Fn(Vec<S>) -> T + Sync,
    mut take: impl FnMut(T, usize) + Send,
) {
    let size = list.len().div_ceil(PARTS).max(1);
    let mut left = list.len().div_ceil(size);
    let mut take = |made| {
        take(made, left);
        left -= 1;
    };
    let mut made = None;
    for part in pieces(list, size) {
        let before: Option<T> = made.take();
        let taken = || before.into_iter().for_each(&mut take);
        let ((), next) = rayon::join(taken, || make(part));
        made = Some(next);
    }
    made.into_iter().for_each(take);
}

/// Where the occurrences of all families are.
fn placed(collection: &Collection, families: &[Family]) -> Occurrences {
    let dates: Vec<Option<&Date>> = collection.documents.iter().map(|d| d.date.as_ref()).collect();
    let spreads: Vec<Spread> =
        shared(families.par_iter()).map(|family| Spread::new(family, &dates)).collect();
    Occurrences::new(families, &spreads, &dates, collection.roles.against)
}

/// A number for the wording of every occurrence, by range of documents.
fn wordings(collection: &Collection, placed: &Occurrences) -> Vec<Vec<u64>> {
    let of_one = |document| {
        let tokens = collection.tokens(document);
        placed
            .within(document)
            .iter()
            .map(move |Placed { occurrence, .. }| variants::wording(tokens, occurrence.start, occurrence.end))
    };
    let of_some = |range: &Range<usize>| (range.start as u32..range.end as u32).flat_map(of_one).collect();
    shared(collection.ranges.par_iter()).map(of_some).collect()
}

/// What is seen of all occurrences.
fn sights(
    config: &Config,
    collection: &Collection,
    placed: &Occurrences,
    wordings: Vec<Vec<u64>>,
) -> Vec<Sight> {
    let mut sights = Vec::with_capacity(placed.len());
    let of_some = |(range, wordings): (&Range<usize>, Vec<u64>)| {
        let mut wordings = wordings.into_iter();
        let documents = range.start as u32..range.end as u32;
        let of_one = |document| {
            assemble::sights(config, collection.tokens(document), placed.within(document), &mut wordings)
        };
        documents.flat_map(of_one).collect::<Vec<_>>()
    };
    in_parts(
        collection.ranges.iter().zip(wordings).collect(),
        |ranges| shared(ranges.into_par_iter()).map(of_some).collect::<Vec<_>>(),
        |made, _| made.into_iter().for_each(|mut some| sights.append(&mut some)),
    );
    sights
}

/// Exact duplicates took no part in the search: gives each the occurrences of
/// its original, and adds a family for every such text as a whole.
fn repeat_in_twins(families: &mut Vec<Family>, originals: &[u32], lengths: &[u32], matched: &Bits) {
    let mut twins: Vec<(u32, u32)> = (0..)
        .zip(originals)
        .filter(|&(document, &original)| document != original)
        .map(|(d, &o)| (o, d))
        .collect();
    if twins.is_empty() {
        return;
    }
    twins.sort_unstable();
    let of = |original: u32| {
        let from = twins.partition_point(|twin| twin.0 < original);
        twins[from..].iter().take_while(move |twin| twin.0 == original).map(|twin| twin.1)
    };
    shared(families.par_iter_mut()).for_each(|family| {
        let own = family.occurrences.len();
        for at in 0..own {
            let occurrence = family.occurrences[at];
            family
                .occurrences
                .extend(of(occurrence.document).map(|document| Occurrence { document, ..occurrence }));
        }
        family.occurrences.sort_unstable_by_key(|o| (o.document, o.start));
    });
    for group in twins.chunk_by(|x, y| x.0 == y.0) {
        let original = group[0].0;
        let end = lengths[original as usize];
        let occurrences = std::iter::once(original).chain(group.iter().map(|twin| twin.1)).map(|document| {
            matched.set(document, 0, end);
            Occurrence { document, start: 0, end, matched: end }
        });
        families.push(Family { root: original, start: 0, end, occurrences: occurrences.collect() });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash;

    /// Words may be made to share all bits of their hash; they are told apart by their
    /// text.
    #[test]
    fn documents_of_other_words_are_no_exact_duplicates() {
        let words = ["lxftsryxdpabfaap", "ieqetdppz6b89r63"];
        assert_eq!(hash::bytes(words[0].as_bytes()), hash::bytes(words[1].as_bytes()));
        let text =
            |word| format!("{word} stood in the paper of our town, and nobody could say what it meant");
        let documents = words.map(|word| Document::new(word, text(word)));
        for only in [None, Some(Only::Duplicates)] {
            let config = Config { only, similarity: 0.5, ..Config::default() };
            let report = Detector::new(config).expect("valid settings").scan(&documents).expect("unique ids");
            // One of eleven shingles is of other words.
            let resemblances: Vec<f64> = report.pairs.iter().map(|pair| pair.resemblance).collect();
            assert_eq!(resemblances, [10.0 / 12.0]);
        }
    }

    #[test]
    fn lists_that_grow_evenly_take_little_more_than_they_hold() {
        let (steps, each) = (8, 1000);
        let mut list = Vec::new();
        for done in 0..steps {
            make_room(&mut list, each, steps - done);
            list.extend(0..each);
        }
        assert!(list.capacity() * 16 <= list.len() * 17, "{}", list.capacity());
    }

    proptest! {
        #[test]
        fn what_is_made_of_parts_is_taken_in_order(list in prop::collection::vec(any::<u8>(), 0..40)) {
            let (mut taken, mut parts) = (Vec::new(), Vec::new());
            in_parts(list.clone(), |part| part, |part, left| {
                taken.extend(part);
                parts.push(left);
            });
            prop_assert_eq!(taken, list);
            prop_assert!(parts.len() <= PARTS);
            prop_assert_eq!(&parts, &(1..=parts.len()).rev().collect::<Vec<_>>());
        }

        #[test]
        fn items_are_laid_out_in_the_order_of_their_lists(lists in prop::collection::vec(prop::collection::vec(0usize..1000, 0..30), 0..40)) {
            let number = |item: &usize| item % PARTITIONS;
            let found = partitioned(lists.clone(), |list| list, number);
            prop_assert_eq!(found.len(), PARTITIONS);
            for (at, found) in found.into_iter().enumerate() {
                let expected: Vec<usize> = lists.iter().flatten().copied().filter(|item| number(item) == at).collect();
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn candidates_are_all_pairs_of_a_bucket_once(
            buckets in prop::collection::vec(prop::collection::btree_set(0u32..40, 0..6), 0..40),
            lists in 1usize..5,
            passes in 1usize..4,
        ) {
            let mut expected = BTreeSet::new();
            let mut entries = vec![vec![Vec::new(); lists]; passes];
            for (number, bucket) in (0u32..).zip(&buckets) {
                for &later in bucket {
                    entries[number as usize % passes][later as usize % lists].push(entry(number.wrapping_mul(0x9e37_79b9), later));
                    expected.extend(bucket.range(..later).map(|&earlier| (later, earlier)));
                }
            }
            let expected: Vec<(u32, u32)> = expected.into_iter().map(|(later, earlier)| (earlier, later)).collect();
            prop_assert_eq!(candidates(entries.into_iter(), 40), (expected, 0));
        }

        /// How many are asked together, and so what is asked in turn, is immaterial.
        #[test]
        fn families_join_the_same_however_many_are_asked_together(
            versions in prop::collection::vec((0usize..3, prop::collection::vec(0usize..12, 0..5)), 1..24),
            together in 1usize..12,
        ) {
            // Versions of a few texts, with some words of others in place of their own.
            let text = |(number, (text, edits)): (usize, &(usize, Vec<usize>))| -> String {
                let word = |at: usize| match edits.contains(&at) {
                    true => format!("edit{number} "),
                    false => format!("word{text}x{at} "),
                };
                (0..12).map(word).collect()
            };
            let texts: Vec<String> = versions.iter().enumerate().map(text).collect();
            let chunk = TokenChunk::new(texts.iter().map(String::as_str), false);
            let tokens = |at: usize| chunk.get(at, &texts[at]);
            let family = |at: usize| {
                let end = tokens(at).len() as u32;
                let here = Occurrence { document: at as u32, start: 0, end, matched: end };
                let there = Occurrence { document: 100 + at as u32, ..here };
                Family { root: at as u32, start: 0, end, occurrences: vec![here, there] }
            };
            let families: Vec<Family> = (0..texts.len()).map(family).collect();
            let all: Vec<Tokens> = (0..texts.len()).map(tokens).collect();
            let of = |document: u32| &all[document as usize];
            // One by one, all that come before are known.
            let expected = joined(&families, of, Compare::Plain, 1);
            prop_assert_eq!(&joined(&families, of, Compare::Plain, together), &expected);
            // Who leads joined nobody.
            for (_, leader) in &expected {
                prop_assert!(expected.iter().all(|(joined, _)| joined != leader));
            }
        }
    }
}
