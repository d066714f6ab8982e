//! Postings: where each fingerprint stands, grouped.
//!
//! All are scattered into partitions by the top bits of their key. There most
//! are dropped by a filter, since they stand once, and the rest are sorted.
//! Linear but for the sorting inside partitions, which fit the cache.

use crate::config::Config;
use crate::fingerprints::Fingerprints;
use crate::tokens::Tokens;

/// One fingerprint of one document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Posting {
    pub key: u64,
    pub document: u32,
    pub position: u32,
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
    out.extend(places.map(|(&key, &position)| Posting { key, document, position }));
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
/// twice; none that was is ever held back.
#[derive(Default)]
pub(crate) struct TwiceFilter {
    words: Vec<u64>,
    shift: u32,
}

impl TwiceFilter {
    /// Moves those items to the front, in their order, whose key stands twice or
    /// passes by accident, and returns them. The first `skip` bits of all keys are
    /// equal; those after them should be evenly spread.
    pub(crate) fn recurring<'i, T: Copy>(
        &mut self,
        items: &'i mut [T],
        skip: u32,
        key: impl Fn(&T) -> u64,
    ) -> &'i mut [T] {
        self.begin(items.len());
        items.iter().for_each(|item| self.add(key(item) << skip));
        let mut kept = 0;
        for at in 0..items.len() {
            items[kept] = items[at];
            kept += usize::from(self.added_twice(key(&items[kept]) << skip));
        }
        &mut items[..kept]
    }

    /// Makes room for so many keys, at least four slots for each.
    fn begin(&mut self, expected: usize) {
        let slots = (4 * expected).next_power_of_two().max(64);
        self.words.clear();
        self.words.resize(slots / 32, 0);
        self.shift = 64 - slots.trailing_zeros();
    }

    #[inline]
    fn slot(&self, key: u64) -> (usize, u32) {
        let slot = key >> self.shift;
        ((slot >> 5) as usize, 2 * (slot & 31) as u32)
    }

    #[inline]
    fn add(&mut self, key: u64) {
        let (word, bit) = self.slot(key);
        let word = &mut self.words[word];
        // The lower bit of a slot becomes the higher when it is set again.
        *word |= 1 << bit | (*word & 1 << bit) << 1;
    }

    #[inline]
    fn added_twice(&self, key: u64) -> bool {
        let (word, bit) = self.slot(key);
        self.words[word] >> bit & 2 != 0
    }
}

/// Takes out of a list the items of some partitions, from the `first` on, and appends
/// them there in their order.
pub(crate) fn scatter<T: Copy>(
    list: &[T],
    number: impl Fn(&T) -> usize,
    first: usize,
    partitions: &mut [Vec<T>],
) {
    for item in list {
        // Below the first the difference is too large as well.
        if let Some(partition) = partitions.get_mut(number(item).wrapping_sub(first)) {
            partition.push(*item);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash::mix;

    proptest! {
        #[test]
        fn whatever_stands_twice_passes(numbers in prop::collection::vec(0u64..300, 0..400)) {
            let key = |number: &u64| mix(number + 1) >> 8 | 7 << 56;
            let count = |number: &u64| numbers.iter().filter(|other| *other == number).count();
            let mut filter = TwiceFilter::default();
            // What was filtered before is forgotten.
            filter.recurring(&mut [1, 1, 2, 2], 8, key);
            let mut found = numbers.clone();
            let found = filter.recurring(&mut found, 8, key);
            let passed_once = found.iter().filter(|number| count(number) == 1).count();
            prop_assert!(passed_once < 100, "{passed_once} of {} pass", numbers.len());
            let twice = |numbers: &[u64]| numbers.iter().copied().filter(|number| count(number) > 1).collect::<Vec<u64>>();
            prop_assert_eq!(twice(found), twice(&numbers));
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
        fn partitions_keep_every_item_in_order(list in prop::collection::vec(0u32..1000, 0..60), first in 0usize..7, count in 0usize..4) {
            let number = |item: &u32| *item as usize % 7;
            let mut found = vec![Vec::new(); count];
            scatter(&list, number, first, &mut found);
            for (at, found) in (first..).zip(found) {
                let expected: Vec<u32> = list.iter().copied().filter(|item| number(item) == at).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
