//! Passages of two documents each: fingerprints that recur, anchors, alignments.

use std::ops::Range;

use rayon::prelude::*;

use super::scan::{BINS, Scan, Stage};
use super::threads::{PARTITIONS, divided, in_chunks, in_order, partitioned};
use crate::ahead::ahead;
use crate::align::{self, align_all};
use crate::anchors::{self, Anchor, anchors};
use crate::bits::Bits;
use crate::collection::Collection;
use crate::fingerprints::{self, Fingerprint, Marked, PASSES, add_fingerprints, lengths_of, own_shingles};
use crate::nearest::Nearest;
use crate::postings::{Posting, groups};
use crate::projection::Batch;
use crate::sketch::{Sketch, sketch};
use crate::tokens::Tokens;
use crate::twice::{Counted, TwiceFilter};

/// The fingerprints that are read in one pass: those of each range of documents, and which keys
/// of each partition recur.
pub(super) struct Pass {
    marked: Vec<Marked>,
    filters: Vec<Counted>,
}

/// Where alignments are taken note of as they are made.
pub(super) struct Aligned<'a> {
    /// Tokens in any of them.
    pub matched: &'a Bits,
    /// Tokens in those with ignored texts.
    pub ignored: Option<&'a Bits>,
    pub nearest: &'a Nearest,
}

impl Scan<'_> {
    /// The fingerprints of all first copies, held in little; and the sketches of these, which
    /// have the same shingles.
    ///
    /// Most fingerprints stand once. So at first all are only marked, and their keys counted
    /// up to two.
    pub(super) fn passes(
        &self,
        collection: &Collection,
        originals: &[u32],
    ) -> (Vec<Pass>, Vec<Sketch<BINS>>) {
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
        let mut filters: Vec<Counted> = filters.into_par_iter().map(TwiceFilter::counted).collect();
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

    /// All anchors, by parts of the later documents.
    pub(super) fn anchors(
        &self,
        collection: &Collection,
        originals: &[u32],
        passes: Vec<Pass>,
    ) -> Vec<Vec<Anchor>> {
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

    /// All accepted alignments, in order of the later document; of those with ignored texts it
    /// is only taken note where they are. Batches are given to `take` in this order while the
    /// next are made, but for the last of them: returns how many were.
    pub(super) fn alignments(
        &self,
        collection: &Collection,
        anchors: Vec<Vec<Anchor>>,
        Aligned { matched, ignored, nearest }: Aligned,
        mut take: impl FnMut(&Batch),
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
            batch.each_pair(|later, earlier, tokens| nearest.bring(later, earlier, tokens));
            batch.arrange();
            (self.progress)(Stage::Alignment, 1, ALIGNING);
            batch
        };
        let mut batches = Vec::with_capacity(anchors.len());
        let mut take_one = |batch| {
            take(&batch);
            batches.push(batch);
        };
        let rest = in_order(anchors, of_one, &mut take_one);
        let taken = batches.len();
        batches.extend(rest);
        (batches, taken)
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
        let mut partitions: Vec<(Counted, Vec<Posting>)> =
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
}

/// Steps of finding anchors, and then of aligning along them.
const ALIGNING: u64 = 2 * PARTITIONS as u64;

/// The number of the partition of a key that begins so: its first byte.
fn partition(half: u32) -> usize {
    (half >> 24) as usize
}

/// The tokens of a range of documents.
fn tokens_in(collection: &Collection, range: &Range<usize>) -> usize {
    range.clone().map(|document| collection.tokens(document as u32).len()).sum()
}
