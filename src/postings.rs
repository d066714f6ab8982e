//! Postings: where each fingerprint stands, grouped.
//!
//! Most fingerprints stand once and are dropped by a filter before anything is
//! stored. The rest are scattered into partitions by the top bits of their key
//! and sorted there. Linear but for the sorting inside partitions, which fit
//! the cache.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One fingerprint of one document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Posting {
    pub key: u64,
    pub document: u32,
    pub position: u32,
}

impl Posting {
    /// Sorts by key, document and position.
    #[inline]
    pub(crate) fn order(&self) -> u128 {
        u128::from(self.key) << 64 | u128::from(self.document) << 32 | u128::from(self.position)
    }
}

/// Tells keys that were added twice from keys that were added once, with two
/// bits a slot. Keys that share a slot may pass without having been added
/// twice; none that was is ever held back. The order of additions is
/// immaterial, so threads may add together.
pub(crate) struct TwiceFilter {
    words: Vec<AtomicU64>,
    shift: u32,
}

impl TwiceFilter {
    /// A filter with at least four slots for each of the expected keys.
    pub(crate) fn new(expected: usize) -> Self {
        let slots = (4 * expected).next_power_of_two().max(64);
        TwiceFilter {
            words: (0..slots / 32).map(|_| AtomicU64::new(0)).collect(),
            shift: 64 - slots.trailing_zeros(),
        }
    }

    #[inline]
    fn slot(&self, key: u64) -> (usize, u32) {
        let slot = key >> self.shift;
        ((slot >> 5) as usize, 2 * (slot & 31) as u32)
    }

    #[inline]
    pub(crate) fn add(&self, key: u64) {
        let (word, bit) = self.slot(key);
        let word = &self.words[word];
        let seen = word.load(Relaxed) >> bit;
        // Both bits set: nothing left to record, and no write to share.
        if seen & 2 == 0 && word.fetch_or(1 << bit, Relaxed) >> bit & 1 != 0 {
            word.fetch_or(2 << bit, Relaxed);
        }
    }

    /// Adds many keys. Their slots are touched first, so that the memory is
    /// fetched for all of them at once.
    pub(crate) fn add_all(&self, keys: impl Iterator<Item = u64> + Clone) {
        let touched = keys.clone().fold(0, |sum, key| sum ^ self.words[self.slot(key).0].load(Relaxed));
        std::hint::black_box(touched);
        keys.for_each(|key| self.add(key));
    }

    #[inline]
    pub(crate) fn added_twice(&self, key: u64) -> bool {
        let (word, bit) = self.slot(key);
        self.words[word].load(Relaxed) >> bit & 2 != 0
    }
}

/// Items laid out by partition; inside a partition they keep their order.
pub(crate) struct Partitioned<T> {
    items: Vec<T>,
    ends: Vec<usize>,
}

impl<T: Copy + Default> Partitioned<T> {
    /// Scatters lists of items into partitions by number.
    pub(crate) fn new(lists: Vec<Vec<T>>, partitions: usize, number: impl Fn(&T) -> usize) -> Self {
        let mut ends = vec![0; partitions];
        for item in lists.iter().flatten() {
            ends[number(item)] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            (*end, total) = (total, total + *end);
        }
        let mut items = vec![T::default(); total];
        // `ends` hold the starts and move to the ends as items are placed.
        for list in lists {
            for item in list {
                let end = &mut ends[number(&item)];
                items[*end] = item;
                *end += 1;
            }
        }
        Partitioned { items, ends }
    }

    /// The partitions, in order.
    pub(crate) fn split(&mut self) -> Vec<&mut [T]> {
        let mut rest = &mut self.items[..];
        let mut start = 0;
        self.ends
            .iter()
            .map(|&end| {
                let (one, others) = std::mem::take(&mut rest).split_at_mut(end - start);
                (rest, start) = (others, end);
                one
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash::mix;

    proptest! {
        #[test]
        fn whatever_was_added_twice_passes(numbers in prop::collection::vec(0u64..300, 0..400)) {
            let filter = TwiceFilter::new(300);
            let mut count = std::collections::BTreeMap::new();
            filter.add_all(numbers.iter().map(|number| mix(number + 1)));
            for &number in &numbers {
                *count.entry(number).or_insert(0) += 1;
            }
            for (&number, &times) in &count {
                prop_assert!(times < 2 || filter.added_twice(mix(number + 1)));
            }
            let passed_once = count.iter().filter(|&(&n, &times)| times == 1 && filter.added_twice(mix(n + 1))).count();
            prop_assert!(passed_once < 100, "{passed_once} of {} pass", count.len());
        }

        #[test]
        fn partitions_keep_every_item_in_order(lists in prop::collection::vec(prop::collection::vec(0u32..1000, 0..20), 0..8)) {
            let number = |item: &u32| *item as usize % 7;
            let mut partitioned = Partitioned::new(lists.clone(), 7, number);
            for (at, found) in partitioned.split().into_iter().enumerate() {
                let expected: Vec<u32> = lists.iter().flatten().copied().filter(|item| number(item) == at).collect();
                prop_assert_eq!(&*found, &expected);
            }
        }
    }
}
