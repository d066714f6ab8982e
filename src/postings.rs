//! Postings: where each fingerprint stands, grouped.
//!
//! Most stand once and are passed over; the others are scattered into partitions by the
//! top bits of their key, and sorted. Linear but for what keys that begin alike leave to
//! be sorted.

use crate::fingerprints::Fingerprint;

/// Where a fingerprint stands, put with others whose keys begin alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Posting {
    /// The bits of the key after those, and its last one.
    pub key: u32,
    pub document: u32,
    pub position: u32,
}

impl Posting {
    /// That of a fingerprint, with the bits of its key after the first `skip`.
    #[inline]
    pub(crate) fn new(fingerprint: &Fingerprint, skip: u32) -> Self {
        let &Fingerprint { key, document, position } = fingerprint;
        Posting { key: (key << skip >> 32) as u32 & !1 | key as u32 & 1, document, position }
    }
}

/// The postings of every key of several, by key and then in the order in which they are
/// given. `spare` is a buffer.
pub(crate) fn groups<'p>(
    postings: &'p mut [Posting],
    spare: &mut Vec<Posting>,
) -> impl Iterator<Item = &'p [Posting]> + use<'p> {
    sort_by_key(postings, spare);
    let postings: &'p [Posting] = postings;
    postings.chunk_by(|x, y| x.key == y.key).filter(|group| group.len() > 1)
}

/// Sorts postings by key, and those of one key as they were.
///
/// By radix, some bits of the key at a time, from the last of them on; then what these
/// leave mixed, which is little.
fn sort_by_key(postings: &mut [Posting], spare: &mut Vec<Posting>) {
    /// Bits of a pass. After two of them the sorted ones are where they were.
    const BITS: u32 = 11;
    if postings.len() < 1 << BITS {
        return postings.sort_by_key(|posting| posting.key);
    }
    if spare.len() < postings.len() {
        spare.resize(postings.len(), Posting::default());
    }
    let spare = &mut spare[..postings.len()];
    let pass = |from: &[Posting], to: &mut [Posting], after: u32| {
        let digit = |posting: &Posting| (posting.key << after >> (u32::BITS - BITS)) as usize;
        let mut starts = [0; 1 << BITS];
        from.iter().for_each(|posting| starts[digit(posting)] += 1);
        starts_of(&mut starts);
        for posting in from {
            let start = &mut starts[digit(posting)];
            to[*start] = *posting;
            *start += 1;
        }
    };
    pass(postings, spare, BITS);
    pass(spare, postings, 0);
    let prefix = |posting: &Posting| posting.key >> (u32::BITS - 2 * BITS);
    for alike in postings.chunk_by_mut(|x, y| prefix(x) == prefix(y)) {
        if alike.iter().any(|posting| posting.key != alike[0].key) {
            alike.sort_by_key(|posting| posting.key);
        }
    }
}

/// Turns the sizes of parts into where they start.
fn starts_of(sizes: &mut [usize]) {
    let mut total = 0;
    for size in sizes {
        (*size, total) = (total, total + *size);
    }
}

/// A list by partition.
pub(crate) struct Divided<T> {
    items: Vec<T>,
    /// Where each partition ends.
    ends: Vec<usize>,
}

impl<T: Copy> Divided<T> {
    /// Divides a list into so many partitions, by their number; the items of each stay in
    /// their order.
    ///
    /// # Panics
    ///
    /// If a number is not below the number of partitions.
    pub(crate) fn new(list: &[T], partitions: usize, number: impl Fn(&T) -> usize) -> Self {
        let mut ends = vec![0; partitions];
        list.iter().for_each(|item| ends[number(item)] += 1);
        starts_of(&mut ends);
        // Here an end is where the next item goes.
        let mut items = list.to_vec();
        for item in list {
            let end = &mut ends[number(item)];
            items[*end] = *item;
            *end += 1;
        }
        Divided { items, ends }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The items of a partition.
    pub(crate) fn partition(&self, number: usize) -> &[T] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[start..self.ends[number]]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn groups_are_those_of_a_stable_sort(keys in prop::collection::vec(prop_oneof![0u32..4, any::<u32>(), (0u32..9).prop_map(|high| high << 24)], 0..60), times in prop::sample::select(vec![1, 99])) {
            // Few are sorted otherwise than many.
            let keys = keys.repeat(times);
            let mut postings: Vec<Posting> = keys.iter().zip(0..)
                .map(|(&key, document)| Posting { key, document, ..Posting::default() }).collect();
            let mut sorted = postings.clone();
            sorted.sort_by_key(|posting| posting.key);
            let expected: Vec<&[Posting]> = sorted.chunk_by(|x, y| x.key == y.key).filter(|group| group.len() > 1).collect();
            let found: Vec<&[Posting]> = groups(&mut postings, &mut Vec::new()).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn postings_have_the_bits_that_tell_keys_apart(key in any::<u64>(), skip in 0u32..9) {
            let posting = Posting::new(&Fingerprint { key, document: 1, position: 2 }, skip);
            prop_assert_eq!((posting.document, posting.position, u64::from(posting.key & 1)), (1, 2, key & 1));
            prop_assert_eq!(u64::from(posting.key >> 1), key >> (33 - skip) & (u64::MAX >> 33));
        }

        #[test]
        fn partitions_keep_every_item_in_order(list in prop::collection::vec(0u32..1000, 0..60)) {
            let number = |item: &u32| *item as usize % 7;
            let found = Divided::new(&list, 7, number);
            prop_assert_eq!(found.len(), list.len());
            for at in 0..7 {
                let expected: Vec<u32> = list.iter().copied().filter(|item| number(item) == at).collect();
                prop_assert_eq!(found.partition(at), expected);
            }
        }
    }
}
