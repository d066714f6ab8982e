//! One bit for every token of every document.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::ahead::fetch;

/// Bits that many threads may set together; none is ever cleared, so the order
/// is immaterial.
#[derive(Default)]
pub(crate) struct Bits {
    words: Vec<AtomicU64>,
    base: Vec<usize>,
}

impl Bits {
    /// All unset, for documents of these lengths.
    pub(crate) fn new(lengths: impl Iterator<Item = u32>) -> Self {
        let mut total = 0;
        let base = lengths
            .map(|length| {
                total += length as usize;
                total - length as usize
            })
            .collect();
        Bits { words: (0..total.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(), base }
    }

    /// The words that hold a range, each with the mask of its bits there.
    fn range(&self, document: u32, from: u32, len: u32) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let first = self.base[document as usize] + from as usize;
        let last = first + len as usize;
        let words = if len == 0 { 0..0 } else { first / 64..last.div_ceil(64) };
        words.map(move |word| {
            let low = first.saturating_sub(word * 64);
            let high = (last - word * 64).min(64);
            (&self.words[word], (u64::MAX >> (64 - (high - low))) << low)
        })
    }

    /// Fetches the bit of a token.
    pub(crate) fn fetch(&self, document: u32, token: u32) {
        fetch(&self.words[(self.base[document as usize] + token as usize) / 64]);
    }

    /// How many of `len` tokens of a document are not set.
    pub(crate) fn missing(&self, document: u32, from: u32, len: u32) -> u32 {
        // Of most stretches that are asked for none, which need not be counted.
        let unset = self.range(document, from, len).map(|(word, mask)| mask & !word.load(Relaxed));
        unset.filter(|unset| *unset != 0).map(u64::count_ones).sum()
    }

    /// The bits of a document's first `len` tokens, 64 to a word; the rest of
    /// the last word is unset.
    pub(crate) fn packed(&self, document: u32, len: usize) -> Vec<u64> {
        let first = self.base[document as usize];
        let shift = first % 64;
        let word = |at: usize| self.words.get(at).map_or(0, |word| word.load(Relaxed));
        let mut packed: Vec<u64> = (0..len.div_ceil(64))
            .map(|at| {
                let low = word(first / 64 + at);
                match shift {
                    0 => low,
                    shift => low >> shift | word(first / 64 + at + 1) << (64 - shift),
                }
            })
            .collect();
        if let (Some(last), 1..) = (packed.last_mut(), len % 64) {
            *last &= u64::MAX >> (64 - len % 64);
        }
        packed
    }

    /// Sets `len` tokens of a document.
    pub(crate) fn set(&self, document: u32, from: u32, len: u32) {
        for (word, mask) in self.range(document, from, len) {
            if word.load(Relaxed) & mask != mask {
                word.fetch_or(mask, Relaxed);
            }
        }
    }
}

/// Whether a bit is set.
#[inline]
pub(crate) fn is_set(words: &[u64], at: usize) -> bool {
    words[at / 64] >> (at % 64) & 1 != 0
}

/// The set bits of a word, in order.
#[inline]
pub(crate) fn ones(word: u64) -> impl Iterator<Item = usize> {
    let mut left = word;
    std::iter::from_fn(move || {
        let at = (left != 0).then(|| left.trailing_zeros() as usize);
        left &= left.wrapping_sub(1);
        at
    })
}

/// The stretches of set bits, in order.
pub(crate) fn runs(words: &[u64]) -> impl Iterator<Item = Range<usize>> {
    // The first place from `from` on whose bit, flipped or not, is set.
    let next = |from: usize, flip: u64| {
        let mut word = from / 64;
        let mut bits = (words.get(word)? ^ flip) & (u64::MAX << (from % 64));
        while bits == 0 {
            word += 1;
            bits = words.get(word)? ^ flip;
        }
        Some(64 * word + bits.trailing_zeros() as usize)
    };
    let mut reached = 0;
    std::iter::from_fn(move || {
        let start = next(reached, 0)?;
        reached = next(start, u64::MAX).unwrap_or(64 * words.len());
        Some(start..reached)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bit_ranges_equal_single_bits(lengths in prop::collection::vec(1u32..200, 1..4), ranges in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u32>()), 0..12)) {
            let bits = Bits::new(lengths.iter().copied());
            let mut naive: Vec<Vec<bool>> = lengths.iter().map(|&n| vec![false; n as usize]).collect();
            for (document, from, len) in ranges {
                let document = document % lengths.len() as u32;
                let from = from % lengths[document as usize];
                let len = len % (lengths[document as usize] - from + 1);
                let slice = &mut naive[document as usize][from as usize..(from + len) as usize];
                prop_assert_eq!(bits.missing(document, from, len) as usize, slice.iter().filter(|&&bit| !bit).count());
                slice.fill(true);
                bits.set(document, from, len);
                for (document, naive) in (0..).zip(&naive) {
                    let packed = bits.packed(document, naive.len());
                    prop_assert_eq!(packed.len(), naive.len().div_ceil(64));
                    let ones = (0..).step_by(64).zip(&packed).flat_map(|(from, &word)| ones(word).map(move |at| from + at));
                    prop_assert!(ones.eq((0..naive.len()).filter(|&at| naive[at])));
                    for at in 0..64 * packed.len() {
                        prop_assert_eq!(is_set(&packed, at), packed[at / 64] >> (at % 64) & 1 != 0);
                        prop_assert_eq!(packed[at / 64] >> (at % 64) & 1 != 0, naive.get(at).is_some_and(|bit| *bit));
                    }
                }
                let naive = &naive[document as usize];
                let packed = bits.packed(document, naive.len());
                let mut again = vec![false; naive.len()];
                let found: Vec<Range<usize>> = runs(&packed).collect();
                found.iter().for_each(|run| again[run.clone()].fill(true));
                prop_assert_eq!(&again, naive);
                prop_assert!(found.windows(2).all(|pair| pair[0].end < pair[1].start));
            }
        }
    }
}
