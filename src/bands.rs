//! Bands: which sketches to compare at all.
//!
//! A sketch is cut into bands of `rows` values; documents that agree in one
//! whole band share a bucket and become a candidate pair (Leskovec, Rajaraman,
//! Ullman, *Mining of Massive Datasets*, section 3.4). Linear in documents:
//! a bucket of more than [`BUCKET`] documents pairs each with a bounded number
//! of others.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::hash;
use crate::sketch::Sketch;
use crate::twice::TwiceFilter;

/// The recall promised at the threshold itself.
const RECALL: f64 = 0.995;

/// Most documents of a bucket that are all paired with each other. In a larger
/// one each is paired with the first half as many and the half as many before
/// it.
pub(crate) const BUCKET: usize = 64;

/// How many documents may be in buckets at once, of eight bytes each; one counts as often as
/// it is in a bucket.
const ENTRIES: usize = 1 << 22;

/// How a sketch is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bands {
    /// Number of bands.
    pub bands: usize,
    /// Values in each.
    pub rows: usize,
}

impl Bands {
    /// The largest number of rows with which a pair of resemblance `threshold`
    /// still shares a bucket with probability at least 0.995; one row if none
    /// has that.
    ///
    /// More rows mean fewer false candidates. Choosing the rows by equal
    /// weights of both errors instead, as is common, loses more than half of
    /// the pairs that lie at the threshold.
    pub(crate) fn choose(bins: usize, threshold: f64) -> Bands {
        let rows = (1..=bins)
            .rev()
            .find(|&rows| Bands { bands: bins / rows, rows }.probability(threshold) >= RECALL)
            .unwrap_or(1);
        Bands { bands: bins / rows, rows }
    }

    /// The probability that two documents of a resemblance become a candidate
    /// pair: `1 - (1 - J^rows)^bands`.
    pub fn probability(&self, resemblance: f64) -> f64 {
        1.0 - (1.0 - resemblance.powi(self.rows as i32)).powi(self.bands as i32)
    }

    /// The bucket of a sketch in each of some bands, by a hash of 32 bits: what shares
    /// one by accident is told apart when candidates are compared.
    pub(crate) fn keys<const BINS: usize>(
        self,
        sketch: &Sketch<BINS>,
        which: Range<usize>,
    ) -> impl Iterator<Item = u32> {
        which.map(move |band| {
            let values = &sketch[band * self.rows..][..self.rows];
            let two = |values: &[u16]| values.iter().fold(0, |two, &value| two << 16 | u32::from(value));
            let start = hash::push(0, band as u32);
            let sum = values.chunks(2).fold(start, |sum, values| hash::push(sum, two(values)));
            (hash::mix(sum) >> 32) as u32
        })
    }

    /// All bands, so many at a time that not too many documents are in their buckets, but one
    /// at least.
    pub(crate) fn passes(self, documents: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
        let together = (ENTRIES / documents.max(1)).max(1);
        (0..self.bands).step_by(together).map(move |first| first..self.bands.min(first + together))
    }
}

/// A document in a bucket, as one number that sorts by both.
pub(crate) fn entry(bucket: u32, document: u32) -> u64 {
    u64::from(bucket) << 32 | u64::from(document)
}

/// The candidate pairs of documents, each as often as they share a bucket, as one number
/// that sorts by the later document and then by the earlier one; and the number of
/// buckets too full to pair all.
///
/// `entries` are those of [`entry`], each once; the first `skip` bits of all are equal.
/// `filter` is a buffer.
pub(crate) fn pairs(entries: &mut [u64], skip: u32, filter: &mut TwiceFilter) -> (Vec<u64>, usize) {
    let bucket = |entry: u64| entry >> 32;
    // Most buckets hold one document.
    let entries = filter.recurring(entries, |&entry| (entry << skip >> 32) as u32);
    entries.sort_unstable();
    let mut pairs: Vec<u64> = Vec::new();
    let mut crowded = 0;
    for bucket in entries.chunk_by(|&a, &b| bucket(a) == bucket(b)) {
        crowded += usize::from(bucket.len() > BUCKET);
        for (at, &later) in bucket.iter().enumerate() {
            let all = bucket.len() <= BUCKET || at <= BUCKET;
            let (head, tail) = if all { (at, at) } else { (BUCKET / 2, at - BUCKET / 2) };
            let earlier = bucket[..head].iter().chain(&bucket[tail..at]);
            pairs.extend(earlier.map(|&earlier| later << 32 | (earlier & u64::from(u32::MAX))));
        }
    }
    (pairs, crowded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_from_the_stated_recall() {
        assert_eq!(Bands::choose(128, 0.8), Bands { bands: 21, rows: 6 });
        for threshold in [0.3, 0.5, 0.7, 0.9, 1.0] {
            let chosen = Bands::choose(128, threshold);
            assert!(chosen.probability(threshold) >= RECALL, "{threshold}: {chosen:?}");
            let next = Bands { bands: 128 / (chosen.rows + 1), rows: chosen.rows + 1 };
            assert!(next.bands == 0 || next.probability(threshold) < RECALL, "{threshold}");
        }
    }

    #[test]
    fn passes_are_all_bands_in_turn() {
        let bands = Bands::choose(128, 0.8);
        for documents in [0, 1, 5_000, 1_000_000, 10_000_000, u32::MAX as usize] {
            let passes: Vec<_> = bands.passes(documents).collect();
            assert!(passes.iter().cloned().flatten().eq(0..bands.bands), "{documents}: {passes:?}");
            let most = |pass: &Range<usize>| pass.len() == 1 || pass.len() * documents <= ENTRIES;
            assert!(passes.iter().all(most), "{documents}: {passes:?}");
        }
    }

    #[test]
    fn small_buckets_pair_all_and_large_ones_a_bounded_number() {
        let pair = |a: u64, b: u64| b << 32 | a;
        let small: Vec<_> = (0..5).map(|doc| entry(7, doc)).collect();
        let pairs = |entries: &[u64]| pairs(&mut entries.to_vec(), 8, &mut TwiceFilter::default());
        assert_eq!(pairs(&small), ((0..5).flat_map(|b| (0..b).map(move |a| pair(a, b))).collect(), 0));
        let crowd: Vec<_> = (0..1000).map(|doc| entry(7, doc)).collect();
        let (found, crowded) = pairs(&crowd);
        assert_eq!(crowded, 1);
        assert!(found.len() <= 1000 * BUCKET);
        for doc in 1..1000 {
            assert!(found.contains(&pair(0, doc)) && found.contains(&pair(doc - 1, doc)));
        }
    }
}
