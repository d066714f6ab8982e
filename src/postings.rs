//! Postings: where each fingerprint stands, grouped.
//!
//! Most fingerprints stand once and are dropped by a filter before anything is
//! stored. The rest are scattered into partitions by the top bits of their key
//! and sorted there. Linear but for the sorting inside partitions, which fit
//! the cache.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::config::Config;
use crate::fingerprints::{Fingerprints, context, lengths_of};
use crate::tokens::Tokens;
use crate::touch::touch;

/// One fingerprint of one document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Posting {
    pub key: u64,
    /// A hash of what surrounds it.
    pub context: u64,
    pub document: u32,
    pub position: u32,
}

impl Posting {
    /// The posting of a fingerprint of a document.
    pub(crate) fn new(document: u32, tokens: &Tokens, config: &Config, key: u64, position: u32) -> Self {
        let context = context(tokens.words, lengths_of(key, config), position);
        Posting { key, context, document, position }
    }
}

/// Appends the postings of one document, whether or not they recur. `hashes` and
/// `found` are buffers.
pub(crate) fn add_postings(
    document: u32,
    tokens: &Tokens,
    config: &Config,
    hashes: &mut Vec<u64>,
    found: &mut Fingerprints,
    out: &mut Vec<Posting>,
) {
    found.clear();
    found.add(tokens, config, hashes);
    let places = found.keys.iter().zip(&found.positions);
    out.extend(places.map(|(&key, &position)| Posting::new(document, tokens, config, key, position)));
}

/// Sorts the postings of one partition by key, given in order of document and
/// position, which they keep. The first `skip` bits of all keys are equal.
///
/// By radix, the next bits of the key at a time from the last of them on; then
/// what these leave mixed, which is little.
pub(crate) fn sort_by_key(postings: &mut [Posting], skip: u32, spare: &mut Vec<Posting>) {
    /// Bits of a pass. After two of them the sorted ones are where they were.
    const BITS: u32 = 11;
    if postings.len() < 1 << BITS {
        return postings.sort_by_key(|posting| posting.key);
    }
    spare.clear();
    spare.resize(postings.len(), Posting::default());
    let pass = |from: &[Posting], to: &mut [Posting], after: u32| {
        let digit = |posting: &Posting| (posting.key << after >> (64 - BITS)) as usize;
        let mut starts = [0; 1 << BITS];
        from.iter().for_each(|posting| starts[digit(posting)] += 1);
        let mut total = 0;
        for start in &mut starts {
            (*start, total) = (total, total + *start);
        }
        for posting in from {
            let start = &mut starts[digit(posting)];
            to[*start] = *posting;
            *start += 1;
        }
    };
    pass(postings, spare, skip + BITS);
    pass(spare, postings, skip);
    let prefix = |posting: &Posting| posting.key >> (64 - skip - 2 * BITS);
    for alike in postings.chunk_by_mut(|x, y| prefix(x) == prefix(y)) {
        if alike.iter().any(|posting| posting.key != alike[0].key) {
            alike.sort_by_key(|posting| posting.key);
        }
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
    pub(crate) fn add_all(&self, keys: &[u64]) {
        for some in keys.chunks(64) {
            touch(some.iter().map(|&key| self.words[self.slot(key).0].load(Relaxed)));
            some.iter().for_each(|&key| self.add(key));
        }
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

/// Some of the partitions, one after the other, that are being filled.
pub(crate) struct Share<'p, T> {
    partitions: Range<usize>,
    items: &'p mut [T],
    /// Where the next item of each goes.
    next: Vec<usize>,
}

impl<T: Copy> Share<'_, T> {
    /// Takes from a list, after those before it, the items of these partitions.
    pub(crate) fn fill(&mut self, list: &[T], number: impl Fn(&T) -> usize) {
        let first = self.partitions.start;
        for item in list {
            // Below the first the difference is too large as well.
            if let Some(next) = self.next.get_mut(number(item).wrapping_sub(first)) {
                self.items[*next] = *item;
                *next += 1;
            }
        }
    }
}

impl<T: Copy + Default> Partitioned<T> {
    /// Room for so many items of each partition.
    pub(crate) fn new(counts: &[usize]) -> Self {
        let mut total = 0;
        let ends = counts.iter().map(|count| {
            total += count;
            total
        });
        let ends = ends.collect();
        Partitioned { items: vec![T::default(); total], ends }
    }

    /// At most so many shares of about as many items, each to be filled from the same
    /// lists in the same order.
    pub(crate) fn shares(&mut self, most: usize) -> Vec<Share<'_, T>> {
        let each = self.items.len().div_ceil(most.max(1)).max(1);
        let mut shares = Vec::with_capacity(most);
        let mut rest = &mut self.items[..];
        let (mut first, mut start) = (0, 0);
        for (number, &end) in self.ends.iter().enumerate() {
            let full = end - start >= each && shares.len() + 1 < most;
            if !full && number + 1 < self.ends.len() {
                continue;
            }
            let (items, others) = std::mem::take(&mut rest).split_at_mut(end - start);
            let partitions = first..number + 1;
            let starts = std::iter::once(start).chain(self.ends[first..number].iter().copied());
            shares.push(Share { partitions, items, next: starts.map(|from| from - start).collect() });
            (rest, first, start) = (others, number + 1, end);
        }
        shares
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
            filter.add_all(&numbers.iter().map(|number| mix(number + 1)).collect::<Vec<u64>>());
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
        fn sorting_equals_a_stable_sort(keys in prop::collection::vec(prop_oneof![0u64..4, any::<u64>(), (0u64..9).prop_map(|high| high << 40)], 0..60), times in prop::sample::select(vec![1, 99])) {
            // Few are sorted otherwise than many.
            let keys = keys.repeat(times);
            let mut postings: Vec<Posting> = keys.iter().zip(0..)
                .map(|(&key, document)| Posting { key: key & (u64::MAX >> 8), document, ..Posting::default() }).collect();
            let mut expected = postings.clone();
            expected.sort_by_key(|posting| posting.key);
            sort_by_key(&mut postings, 8, &mut Vec::new());
            prop_assert_eq!(postings, expected);
        }

        #[test]
        fn partitions_keep_every_item_in_order(lists in prop::collection::vec(prop::collection::vec(0u32..1000, 0..20), 0..8), most in 1usize..10) {
            let number = |item: &u32| *item as usize % 7;
            let of = |at: usize| lists.iter().flatten().copied().filter(|item| number(item) == at).collect::<Vec<u32>>();
            let mut partitioned = Partitioned::new(&[0, 1, 2, 3, 4, 5, 6].map(|at| of(at).len()));
            let mut shares = partitioned.shares(most);
            prop_assert!(shares.len() <= most);
            for list in &lists {
                shares.iter_mut().for_each(|share| share.fill(list, number));
            }
            let found = partitioned.split();
            prop_assert_eq!(found.len(), 7);
            for (at, found) in found.into_iter().enumerate() {
                prop_assert_eq!(&*found, &of(at));
            }
        }
    }
}
