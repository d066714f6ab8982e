//! Near-duplicates: candidates, and whether they are.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::{Deref, Range};

use ahash::{AHashSet, RandomState};
use rayon::prelude::*;

use super::scan::{BINS, Scan, Stage};
use super::threads::{PARTITIONS, PARTS, in_chunks, in_slices, partitioned, shared};
use crate::bands::{self, Bands, entry};
use crate::bits::{self, Bits};
use crate::clusters::{Lookup, Near, Verified, leaders, tied};
use crate::collection::Collection;
use crate::shingles::shingles;
use crate::sketch::{Sketch, estimate, sketch};
use crate::tokens::Tokens;
use crate::twice::TwiceFilter;

/// The words by which a document is compared: all of it, or its body.
pub(super) struct Words<'w> {
    words: Cow<'w, [u32]>,
    /// Which of its tokens they are, if not all.
    numbers: Vec<u32>,
}

impl<'w> Words<'w> {
    pub(super) fn all(words: &'w [u32]) -> Self {
        Words { words: words.into(), numbers: Vec::new() }
    }

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

/// The words of all documents that are not boilerplate.
pub(super) fn bodies<'w>(collection: &'w Collection, boilerplate: &Bits) -> Vec<Words<'w>> {
    let body = |document| {
        let words = collection.tokens(document).words;
        let bits = boilerplate.packed(document, words.len());
        if bits.iter().all(|word| *word == 0) {
            return Words::all(words);
        }
        let stays = |at: &u32| !bits::is_set(&bits, *at as usize);
        let numbers: Vec<u32> = (0..words.len() as u32).filter(stays).collect();
        Words { words: numbers.iter().map(|&at| words[at as usize]).collect(), numbers }
    };
    shared((0..collection.len() as u32).into_par_iter()).map(body).collect()
}

impl Scan<'_> {
    /// The sketches of first copies, by the words they are compared by.
    pub(super) fn sketches(
        &self,
        collection: &Collection,
        originals: &[u32],
        words: &[Words],
    ) -> Vec<Sketch<BINS>> {
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
    pub(super) fn near_duplicates(
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
}

/// The candidate pairs `(earlier, later)` of those that share a bucket, by the later
/// and then the earlier, each once; and the number of buckets too full to pair all. All
/// are numbers below `count`. Those of one bucket are in lists that come together.
pub(super) fn candidates(
    entries: impl Iterator<Item = Vec<Vec<u64>>>,
    count: usize,
) -> (Vec<(u32, u32)>, usize) {
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

/// Pairs of documents that are compared before others are made ready, at least.
const COMPARED: usize = 1 << 12;

/// How far below the threshold an estimate may lie before the exact comparison
/// is saved: three standard deviations of the estimates at the threshold, which loses one
/// pair there in seven hundred; the bands lose four times as many.
fn margin(threshold: f64) -> f64 {
    3.0 * (threshold * (1.0 - threshold) / BINS as f64).sqrt()
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
    let spellings = |documents: &[u32]| {
        let mut told = vec![(0, 0); SLOTS];
        // Of another slot, as all others are.
        told[0] = (u32::MAX, 0);
        let mut found = Vec::new();
        for &document in documents {
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
    let spellings = partitioned(in_slices(&involved), spellings, |(word, _)| (word >> 24) as usize);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Config, Detector, Document, Only, hash};

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

    proptest! {
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
    }
}
