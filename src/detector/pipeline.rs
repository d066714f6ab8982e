//! Joins the stages.

use std::ops::Range;

use ahash::{AHashSet, RandomState};
use rayon::prelude::*;

use super::gather::repeat_ignored_in_twins;
use super::near::{Words, bodies};
use super::passages::Aligned;
use super::rows::{family_rows, placed, sights, wordings};
use super::scan::{BINS, Scan, Stage};
use super::threads::{partitioned, shared};
use crate::assemble::{Context, Findings, Passages};
use crate::bands::Bands;
use crate::bits::Bits;
use crate::clusters::Near;
use crate::collection::{Collection, Order};
use crate::config::{DedupeOn, Only, Unit};
use crate::nearest::Nearest;
use crate::projection::Projector;
use crate::report::Report;
use crate::tokens::TokenChunk;

impl Scan<'_> {
    /// From documents to the report.
    pub(super) fn run(&self, order: Order, ignored_hashes: &AHashSet<&str>) -> Report {
        let chunks = self.tokenise(&order);
        let collection = with_tokens(&order, &chunks);
        let originals = originals(&collection);
        if self.config.only == Some(Only::Duplicates) {
            let findings = self.duplicates(&collection, originals);
            let placed = placed(&collection, &[]);
            drop(collection);
            let context = Context::new(self.config, &order, &findings, &placed);
            let none = Default::default();
            return self.assemble(&context, (&order, chunks), &findings, none, &[], ignored_hashes);
        }
        let lengths = lengths(&collection);
        let ignores = collection.roles.told > 0 || !ignored_hashes.is_empty();
        let ignored = ignores.then(|| Bits::new(lengths.iter().copied()));
        let (passes, mut sketches) = self.passes(&collection, &originals);
        let anchors = self.anchors(&collection, &originals, passes);
        let matched = Bits::new(lengths.iter().copied());
        let nearest = Nearest::new(collection.len());
        // Copies are projected one after the other, while more passages are aligned.
        let mut projector = Projector::new(&lengths);
        let to = Aligned { matched: &matched, ignored: ignored.as_ref(), nearest: &nearest };
        let (batches, taken) = self.alignments(&collection, anchors, to, |batch| projector.add(batch));
        // The last of them, and families joined, while documents are compared.
        let find_families = || {
            batches[taken..].iter().for_each(|batch| projector.add(batch));
            let families = self.families(&collection, &originals, batches, projector, &lengths, &matched);
            let placed = placed(&collection, &families);
            (families, placed)
        };
        let find_near = || match self.config.dedupe_on {
            DedupeOn::Text => self.near_duplicates(&collection, &originals, &all(&collection), &sketches),
            // Not before it is known what the bodies are.
            DedupeOn::Body => Near::alone(collection.len() as u32, Bands::choose(BINS, 1.0)),
        };
        // In this order where there is one thread: what is held for families is let go of first.
        let ((families, placed), near) = rayon::join(find_families, find_near);
        if let Some(ignored) = &ignored {
            repeat_ignored_in_twins(&originals, &lengths, ignored);
        }
        let nearest = nearest.list();
        let mut findings = Findings { originals, lengths, near, nearest, matched, ignored };
        if self.config.dedupe_on == DedupeOn::Body {
            let boilerplate = self.boilerplate(&order, &collection, &findings, &families, &sketches);
            let bodies = bodies(&collection, &boilerplate);
            sketches = self.sketches(&collection, &findings.originals, &bodies);
            findings.near = self.near_duplicates(&collection, &findings.originals, &bodies, &sketches);
        }
        let wordings = wordings(&collection, &placed);
        // From here on it is only asked where tokens are.
        drop(collection);
        let chunks: Vec<TokenChunk> = chunks.into_par_iter().map(TokenChunk::without_words).collect();
        let collection = with_tokens(&order, &chunks);
        (self.progress)(Stage::Ledger, 0, order.documents.len() as u64);
        let (sights, context) = rayon::join(
            || sights(self.config, &collection, &placed, wordings),
            || Context::new(self.config, &order, &findings, &placed),
        );
        let passages =
            Passages { families: &families, collection: &collection, sights: &sights, sketches: &sketches };
        let rows = family_rows(&context, &passages);
        // Documents need no more than this.
        let extents: Vec<(u32, u32)> = sights.par_iter().map(|sight| sight.bytes).collect();
        drop((sights, sketches, collection));
        // Asked again only of what is ignored.
        let families = if findings.ignored.is_some() {
            families
        } else {
            shared(families.into_par_iter()).for_each(drop);
            Vec::new()
        };
        self.assemble(&context, (&order, chunks), &findings, (families, rows), &extents, ignored_hashes)
    }

    /// What is found where only near-duplicates are looked for.
    fn duplicates(&self, collection: &Collection, originals: Vec<u32>) -> Findings {
        let words = all(collection);
        let sketches = self.sketches(collection, &originals, &words);
        let near = self.near_duplicates(collection, &originals, &words, &sketches);
        let nearest = Nearest::new(collection.len());
        near.pairs.iter().for_each(|pair| nearest.bring(pair.a, pair.b, pair.tokens));
        let nearest = nearest.list();
        let matched = Bits::new(std::iter::empty());
        Findings { originals, lengths: lengths(collection), near, nearest, matched, ignored: None }
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
}

/// The documents with their tokens, which are in chunks by range.
fn with_tokens<'a>(order: &'a Order<'a>, chunks: &'a [TokenChunk]) -> Collection<'a> {
    let tokens = |document: usize| {
        let at = order.ranges.partition_point(|range| range.end <= document);
        chunks[at].get(document - order.ranges[at].start, &order.documents[document].text)
    };
    Collection::new(order, shared((0..order.documents.len()).into_par_iter()).map(tokens).collect())
}

/// The tokens of each document.
fn lengths(collection: &Collection) -> Vec<u32> {
    (0..collection.len() as u32).map(|document| collection.tokens(document).len() as u32).collect()
}

/// All words of each document.
fn all<'c>(collection: &'c Collection) -> Vec<Words<'c>> {
    (0..collection.len() as u32).map(|document| Words::all(collection.tokens(document).words)).collect()
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
