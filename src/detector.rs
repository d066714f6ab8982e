//! The pipeline: joins the stages, and is the only file that knows of threads.
//!
//! Each stage is a plain function of one document, one group or one range.
//! Here they are mapped over all of them, and the results are collected in
//! order, so that the number of threads changes nothing.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::align::{self, align};
use crate::anchors::{self, Anchor, anchors};
use crate::assemble::{Context, Findings};
use crate::bands::{Bands, candidates, entry};
use crate::bits::Bits;
use crate::clusters::{Lookup, Verified, leaders};
use crate::collection::{Collection, Order};
use crate::compare;
use crate::config::{Config, Lengths, Unit};
use crate::document::{Document, MAX_DOCUMENT_BYTES};
use crate::error::Error;
use crate::families::{Family, Occurrence, families, orphans};
use crate::fingerprints::{context, fingerprints, select};
use crate::postings::{Partitioned, Posting, TwiceFilter, sort_by_key};
use crate::projection::{Batch, project};
use crate::report::{Comparison, Report};
use crate::shingles::shingles;
use crate::sketch::{Sketch, estimate, sketch};
use crate::tokens::{TokenChunk, Tokens};
use crate::variants::{self, Compare, Outline, merge};

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
}

/// A part of the work, for progress displays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Splitting texts into tokens.
    Tokens,
    /// Sketching documents and comparing candidates.
    NearDuplicates,
    /// Collecting fingerprints that recur.
    Fingerprints,
    /// Aligning passages.
    Alignment,
    /// Gathering passages into families.
    Families,
    /// Writing the ledgers.
    Ledger,
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
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(config.threads)
            .thread_name(|number| format!("twicetold-{number}"))
            .build()
            .map_err(|error| Error::Threads(error.to_string()))?;
        Ok(Detector { config, pool })
    }

    /// The settings it was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Scans a collection.
    ///
    /// The order of `documents` and the number of threads change nothing in the
    /// report. Time is linear in the text but for sorting; memory is about two
    /// to four bytes for each byte of text.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateId`] if two documents share an id,
    /// [`Error::DocumentTooLong`] if one is longer than
    /// [`MAX_DOCUMENT_BYTES`], [`Error::TooManyDocuments`] beyond 2³² − 1.
    pub fn scan(&self, documents: &[Document]) -> Result<Report, Error> {
        self.scan_with(documents, &|_, _, _| {})
    }

    /// Scans a collection and reports progress.
    ///
    /// # Errors
    ///
    /// As [`Detector::scan`].
    pub fn scan_with(&self, documents: &[Document], progress: Progress) -> Result<Report, Error> {
        check_documents(documents)?;
        Ok(self.pool.install(|| Scan { config: &self.config, progress }.run(documents)))
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
    /// assert_eq!(passage.b_start_byte..passage.b_end_byte, 20..20 + release.len() as u64);
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
    let mut ids = ahash::AHashSet::with_capacity(documents.len());
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
/// Partitions that postings and anchors are scattered into.
const PARTITIONS: usize = 1 << 8;
/// How far below the threshold an estimate may lie before the exact comparison
/// is saved: five standard deviations at the worst.
const MARGIN: f64 = 0.22;

struct Scan<'a> {
    config: &'a Config,
    progress: Progress<'a>,
}

impl Scan<'_> {
    fn run(&self, documents: &[Document]) -> Report {
        let order = Order::new(documents);
        let chunks = self.tokenise(&order);
        let collection = Collection::new(order, &chunks);
        let hashes: Vec<u64> =
            (0..collection.len() as u32).into_par_iter().map(|document| collection.hash(document)).collect();
        let originals = collection.originals(&hashes);
        let near = self.near_duplicates(&collection, &originals);
        let batches = self.alignments(&collection, &originals);

        let lengths: Vec<u32> =
            (0..collection.len() as u32).map(|document| collection.tokens(document).len() as u32).collect();
        let matched = Bits::new(lengths.iter().copied());
        batches.par_iter().for_each(|batch| {
            for (later, earlier, runs) in batch.alignments() {
                for run in runs {
                    matched.set(later, run.b, run.len);
                    // What a document repeats does not tell its first time.
                    if later != earlier {
                        matched.set(earlier, run.a, run.len);
                    }
                }
            }
        });
        let mut nearest = vec![(0, u32::MAX); collection.len()];
        for batch in &batches {
            batch.each_pair(|later, earlier, tokens| {
                for (this, other) in [(later, earlier), (earlier, later)] {
                    let best = &mut nearest[this as usize];
                    if this != other
                        && (tokens, std::cmp::Reverse(other)) > (best.0, std::cmp::Reverse(best.1))
                    {
                        *best = (tokens, other);
                    }
                }
            });
        }
        let families = self.families(&collection, &originals, batches, &lengths, &matched);
        let findings = Findings { originals, near, nearest, matched, families };
        self.assemble(&Context::new(self.config, &collection, &findings), &collection, &findings)
    }

    /// Makes all rows.
    fn assemble(&self, context: &Context, collection: &Collection, findings: &Findings) -> Report {
        let sights: Vec<_> = (0..collection.len() as u32)
            .into_par_iter()
            .flat_map_iter(|document| context.sights(document))
            .collect();
        let families: Vec<_> = (0..findings.families.len() as u32)
            .into_par_iter()
            .map_init(Vec::new, |folded, number| context.family(number, &sights, folded))
            .collect();
        let kinds: Vec<_> = families.iter().map(|row| row.kind).collect();
        let total = collection.len() as u64;
        let made: Vec<_> = collection
            .ranges
            .par_iter()
            .map(|range| {
                let mut owner = Vec::new();
                let row = |document| context.document(document as u32, &kinds, &sights, &mut owner);
                let rows: Vec<_> = range.clone().map(row).collect();
                (self.progress)(Stage::Ledger, range.len() as u64, total);
                rows
            })
            .collect();
        let mut documents = Vec::with_capacity(collection.len());
        let mut spans = Vec::new();
        let mut labels = [0; 9];
        for (row, mut of_one, weights) in made.into_iter().flatten() {
            documents.push(row);
            spans.append(&mut of_one);
            labels.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
        }
        let (pairs, unlisted) = context.pairs();
        let clusters = context.clusters();
        let counts = context.counts(labels, unlisted);
        Report { documents, families, spans, pairs, clusters, counts }
    }

    fn tokenise(&self, order: &Order) -> Vec<TokenChunk> {
        let total: usize = order.documents.iter().map(|document| document.text.len()).sum();
        let split = self.config.unit == Unit::Char;
        order
            .ranges
            .par_iter()
            .map(|range| {
                let chunk = TokenChunk::new(order.texts(range.clone()), split);
                let bytes: usize = order.texts(range.clone()).map(str::len).sum();
                (self.progress)(Stage::Tokens, bytes as u64, total as u64);
                chunk
            })
            .collect()
    }

    fn lengths(&self, tokens: &Tokens) -> Lengths {
        self.config.lengths(tokens.characters)
    }

    /// The verified near-duplicate pairs among first copies, and the leaders.
    fn near_duplicates(&self, collection: &Collection, originals: &[u32]) -> Near {
        let total = collection.len() as u64;
        let bands = Bands::choose(BINS, self.config.similarity);
        let sketches: Vec<Sketch<BINS>> = collection
            .ranges
            .par_iter()
            .flat_map_iter(|range| {
                let mut hashes = Vec::new();
                let sketched: Vec<_> = range
                    .clone()
                    .map(|document| {
                        hashes.clear();
                        if originals[document] == document as u32 {
                            let tokens = collection.tokens(document as u32);
                            shingles(tokens.words, self.lengths(tokens).shingle, &mut hashes);
                        }
                        sketch(&hashes)
                    })
                    .collect();
                (self.progress)(Stage::NearDuplicates, range.len() as u64, total);
                sketched
            })
            .collect();
        let takes_part = |document: &u32| {
            originals[*document as usize] == *document && collection.tokens(*document).len() > 0
        };
        let buckets = (0..collection.len() as u32)
            .filter(takes_part)
            .flat_map(|document| {
                bands.keys(&sketches[document as usize]).map(move |key| entry(key, document))
            })
            .collect();
        let (mut pairs, crowded) = candidates(buckets);
        let least = self.config.similarity - MARGIN;
        pairs.retain(|&(a, b)| estimate(&sketches[a as usize], &sketches[b as usize]) >= least);

        // Sets are made only for documents that have a candidate.
        let involved: Vec<u32> = {
            let set: BTreeSet<u32> = pairs.iter().flat_map(|&(a, b)| [a, b]).collect();
            set.into_iter().collect()
        };
        let sets: Vec<(Vec<u64>, u32)> = involved
            .par_iter()
            .map_init(Lookup::new, |lookup, &document| {
                let tokens = collection.tokens(document);
                let mut set = Vec::new();
                shingles(tokens.words, self.lengths(tokens).shingle, &mut set);
                let distinct = lookup.fill(&set);
                (set, distinct)
            })
            .collect();
        let set = |document: u32| &sets[involved.binary_search(&document).expect("involved")];
        let of_one: Vec<&[(u32, u32)]> = pairs.chunk_by(|x, y| x.0 == y.0).collect();
        let verified: Vec<Verified> = of_one
            .par_iter()
            .map_init(Lookup::new, |lookup, pairs| {
                let a = pairs[0].0;
                lookup.fill(&set(a).0);
                let compare = |&(_, b): &(u32, u32)| {
                    let tokens = collection.tokens(b);
                    let (shingles, distinct) = set(b);
                    let extent = (self.lengths(tokens).shingle, tokens.len());
                    lookup.compare(a, b, shingles, *distinct, extent)
                };
                let found = pairs.iter().map(compare);
                found.filter(|pair| pair.resemblance() >= self.config.similarity).collect::<Vec<_>>()
            })
            .flatten_iter()
            .collect();
        let leaders = leaders(collection.len(), &verified);
        Near { bands, crowded, sketches, pairs: verified, leaders }
    }

    /// All accepted alignments, in order of the later document.
    fn alignments(&self, collection: &Collection, originals: &[u32]) -> Vec<Batch> {
        let mut postings = self.postings(collection, originals);
        let words = |document: u32| collection.tokens(document).words;
        let lengths = |document: u32| {
            let lengths = self.lengths(collection.tokens(document));
            (lengths.shingle, lengths.window)
        };
        let found: Vec<Vec<Anchor>> = postings
            .split()
            .into_par_iter()
            .map_init(Default::default, |(scratch, spare): &mut (anchors::Scratch, Vec<_>), partition| {
                // The first byte of the key is the number of the partition.
                sort_by_key(partition, 1, spare);
                let mut found = Vec::new();
                for group in partition.chunk_by(|x, y| x.key == y.key) {
                    anchors(group, words, lengths, scratch, |anchor| found.push(anchor));
                }
                found.shrink_to_fit();
                found
            })
            .collect();
        drop(postings);
        let documents = collection.len().max(1);
        let mut by_later = Partitioned::new(found, PARTITIONS, |anchor: &Anchor| {
            anchor.later as usize * PARTITIONS / documents
        });
        let partitions = by_later.split();
        let total = partitions.len() as u64;
        partitions
            .into_par_iter()
            .map(|partition| {
                partition.sort_unstable_by_key(|anchor| (anchor.later, anchor.earlier));
                let mut batch = Batch::default();
                let mut scratch = align::Scratch::default();
                for pair in partition.chunk_by_mut(|x, y| (x.later, x.earlier) == (y.later, y.earlier)) {
                    let Anchor { later, earlier, .. } = pair[0];
                    let (b, a) = (collection.tokens(later), collection.tokens(earlier));
                    let min_tokens = self.lengths(a).min_tokens.max(self.lengths(b).min_tokens);
                    align(b, a, later == earlier, min_tokens, pair, &mut scratch, |runs| {
                        batch.push(later, earlier, runs);
                    });
                }
                (self.progress)(Stage::Alignment, 1, total);
                batch
            })
            .collect()
    }

    /// The postings of fingerprints that occur twice, by partition of the key.
    fn postings(&self, collection: &Collection, originals: &[u32]) -> Partitioned<Posting> {
        let bytes: usize = collection.documents.iter().map(|document| document.text.len()).sum();
        // About one fingerprint for twelve bytes of running text.
        let filter = TwiceFilter::new(bytes / 12);
        let total = collection.len() as u64;
        // What is selected is kept, not its hashes: they are quickly made again.
        let selected: Vec<(Vec<u32>, Vec<usize>)> = collection
            .ranges
            .par_iter()
            .map(|range| {
                let (mut selected, mut ends) = (Vec::new(), Vec::with_capacity(range.len()));
                let (mut hashes, mut keys) = (Vec::new(), Vec::new());
                for document in range.clone() {
                    let from = selected.len();
                    if originals[document] == document as u32 {
                        let tokens = collection.tokens(document as u32);
                        let lengths = self.lengths(tokens);
                        select(tokens, lengths, &mut hashes, &mut selected);
                        keys.clear();
                        fingerprints(tokens, lengths, &selected[from..], |key, _| keys.push(key));
                        filter.add_all(keys.iter().copied());
                    }
                    ends.push(selected.len());
                }
                (self.progress)(Stage::Fingerprints, range.len() as u64, total);
                (selected, ends)
            })
            .collect();
        let found: Vec<Vec<Posting>> = collection
            .ranges
            .par_iter()
            .zip(selected)
            .map(|(range, (selected, ends))| {
                let (mut found, mut keys) = (Vec::new(), Vec::new());
                let mut from = 0;
                for (document, to) in range.clone().zip(ends) {
                    let selected = &selected[std::mem::replace(&mut from, to)..to];
                    if originals[document] != document as u32 {
                        continue;
                    }
                    let tokens = collection.tokens(document as u32);
                    let lengths = self.lengths(tokens);
                    keys.clear();
                    fingerprints(tokens, lengths, selected, |key, position| keys.push((key, position)));
                    keys.retain(|&(key, _)| filter.added_twice(key));
                    found.extend(keys.iter().map(|&(key, position)| {
                        let context = context(tokens.words, lengths, position);
                        Posting { key, context, document: document as u32, position }
                    }));
                }
                found
            })
            .collect();
        Partitioned::new(found, PARTITIONS, |posting| (posting.key >> 56) as usize)
    }

    /// Gathers alignments into families, in their final order.
    fn families(
        &self,
        collection: &Collection,
        originals: &[u32],
        batches: Vec<Batch>,
        lengths: &[u32],
        matched: &Bits,
    ) -> Vec<Family> {
        let copies = project(&batches, lengths);
        let by_root: Vec<_> = copies.list.chunk_by(|x, y| x.root == y.root).collect();
        let total = by_root.len() as u64;
        let mut found: Vec<Family> = by_root
            .par_iter()
            .flat_map_iter(|list| {
                (self.progress)(Stage::Families, 1, total);
                families(list[0].root, collection.tokens(list[0].root), &copies, list)
            })
            .collect();
        drop(by_root);
        drop(copies);
        repeat_in_twins(&mut found, originals, lengths, matched);
        for compare in [Compare::Plain, Compare::DigitsMasked] {
            let outlines: Vec<Option<Outline>> = found
                .par_iter()
                .map_init(variants::Scratch::default, |scratch, family| {
                    let text = collection.tokens(family.root);
                    Outline::new(text, (family.start, family.end), compare, scratch)
                })
                .collect();
            found = merge(found, &outlines, compare);
        }
        found.extend(orphans(&batches, &found, lengths, matched, self.config.min_tokens as u32));
        drop(batches);
        found.par_sort_by_cached_key(|family| {
            let first = family.occurrences[0];
            (
                std::cmp::Reverse((family.df(), family.len())),
                first.document,
                first.start,
                family.root,
                family.start,
            )
        });
        found
    }
}

/// Near-duplicates among first copies.
pub(crate) struct Near {
    pub bands: Bands,
    pub crowded: usize,
    pub sketches: Vec<Sketch<BINS>>,
    pub pairs: Vec<Verified>,
    /// The leader of every document; a later copy is its own.
    pub leaders: Vec<u32>,
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
    for family in families.iter_mut() {
        let own = family.occurrences.len();
        for at in 0..own {
            let occurrence = family.occurrences[at];
            family
                .occurrences
                .extend(of(occurrence.document).map(|document| Occurrence { document, ..occurrence }));
        }
        family.occurrences.sort_unstable_by_key(|o| (o.document, o.start));
    }
    for group in twins.chunk_by(|x, y| x.0 == y.0) {
        let original = group[0].0;
        let end = lengths[original as usize];
        let occurrences = std::iter::once(original).chain(group.iter().map(|twin| twin.1)).map(|document| {
            matched.set(document, 0, end);
            Occurrence { document, start: 0, end, matched: end, verbatim: true }
        });
        families.push(Family { root: original, start: 0, end, occurrences: occurrences.collect() });
    }
}
