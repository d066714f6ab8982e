//! What recurs told from what stands alone, before anything is sorted.

use crate::ahead::fetch;

/// Counts keys up to two, with two bits a slot: of each word the lower half says what was
/// added, and the upper half what was added again. Keys that share a slot may pass once
/// each; none that comes several times is ever held back. The first bits of keys are to be
/// as good as random. Linear in the keys.
#[derive(Default)]
pub(crate) struct TwiceFilter {
    words: Vec<u64>,
    shift: u32,
}

/// Slots in a word.
const HALF: u32 = u64::BITS / 2;
/// Keys whose slots are fetched together, in more words than these.
const AT_ONCE: usize = 64;
const NEAR: usize = 4096;

impl TwiceFilter {
    /// Makes room for so many keys, and forgets all others.
    pub(crate) fn begin(&mut self, expected: usize) {
        // At least four slots for each, as long as keys tell so many apart.
        let bits = (4 * expected).next_power_of_two().ilog2().clamp(HALF.ilog2(), u32::BITS);
        self.words.clear();
        self.words.resize((1 << bits) / HALF as usize, 0);
        self.shift = u32::BITS - bits;
    }

    /// The filter in so many parts, of which each takes the keys that are its own.
    pub(crate) fn parts(&mut self, count: usize) -> impl Iterator<Item = Part<'_>> {
        let each = self.words.len().div_ceil(count.max(1));
        let shift = self.shift;
        let firsts = (0..).step_by(each);
        self.words.chunks_mut(each).zip(firsts).map(move |(words, first)| Part { words, first, shift })
    }

    /// Moves those items to the front, in their order, whose key was added several times
    /// or passes by accident, and returns them.
    pub(crate) fn passing<'i, T: Copy>(&self, items: &'i mut [T], key: impl Fn(&T) -> u32) -> &'i mut [T] {
        let slot = |item: &T| slot(key(item), self.shift);
        let mut kept = 0;
        for start in (0..items.len()).step_by(AT_ONCE) {
            let end = items.len().min(start + AT_ONCE);
            if self.words.len() > NEAR {
                items[start..end].iter().for_each(|item| fetch(&self.words[slot(item).0]));
            }
            for at in start..end {
                items[kept] = items[at];
                let (word, bit) = slot(&items[kept]);
                kept += (self.words[word] >> HALF >> bit & 1) as usize;
            }
        }
        &mut items[..kept]
    }

    /// Those of some items, moved to the front, whose key others of them have as well, or
    /// that pass by accident; what was added before is forgotten.
    pub(crate) fn recurring<'i, T: Copy>(
        &mut self,
        items: &'i mut [T],
        key: impl Fn(&T) -> u32,
    ) -> &'i mut [T] {
        self.begin(items.len());
        let mut all = Part { words: &mut self.words, first: 0, shift: self.shift };
        items.iter().for_each(|item| all.add_own(key(item)));
        self.passing(items, key)
    }
}

/// A part of a filter.
pub(crate) struct Part<'f> {
    words: &'f mut [u64],
    /// The number of the first word.
    first: usize,
    shift: u32,
}

impl Part<'_> {
    /// Adds those of some keys that are of this part.
    pub(crate) fn add(&mut self, keys: &[u32]) {
        let mut own = [0; AT_ONCE];
        for some in keys.chunks(AT_ONCE) {
            let mut count = 0;
            for &key in some {
                own[count % AT_ONCE] = key;
                let word = self.words.get(self.slot(key).0);
                count += usize::from(word.is_some());
                word.into_iter().for_each(fetch);
            }
            own[..count].iter().for_each(|&key| self.add_own(key));
        }
    }

    /// The word that has the slot of a key, if it is of this part, and the bit there.
    #[inline]
    fn slot(&self, key: u32) -> (usize, u32) {
        let (word, bit) = slot(key, self.shift);
        (word.wrapping_sub(self.first), bit)
    }

    #[inline]
    fn add_own(&mut self, key: u32) {
        let (word, bit) = self.slot(key);
        let word = &mut self.words[word];
        let bit = 1 << bit;
        *word |= bit | (*word & bit) << HALF;
    }
}

/// The number of the word that has the slot of a key, and the bit there.
#[inline]
fn slot(key: u32, shift: u32) -> (usize, u32) {
    let slot = key >> shift;
    ((slot / HALF) as usize, slot % HALF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash;

    proptest! {
        #[test]
        fn keys_of_several_pass(numbers in prop::collection::vec(0u64..300, 0..400)) {
            let items: Vec<(u32, usize)> = numbers.iter().map(|number| hash::mix(number + 1) as u32).zip(0..).collect();
            let count = |item: &(u32, usize)| items.iter().filter(|other| other.0 == item.0).count();
            let several = |items: &[(u32, usize)]| items.iter().copied().filter(|item| count(item) > 1).collect::<Vec<_>>();
            let mut filter = TwiceFilter::default();
            // What was filtered before is forgotten.
            filter.recurring(&mut items.clone(), |item| item.0);
            let mut found = items.clone();
            let found = filter.recurring(&mut found, |item| item.0);
            prop_assert_eq!(several(found), several(&items));
            let alone = found.len() - several(found).len();
            prop_assert!(alone < 100, "{alone} of {} pass", items.len());
        }

        #[test]
        fn parts_are_as_good_as_the_whole(keys in prop::collection::vec(any::<u32>(), 0..400), expected in 0usize..500, count in 1usize..9) {
            let keys: Vec<u32> = keys.iter().chain(keys.iter().step_by(3)).copied().collect();
            let pass = |count: usize, list: &[Vec<u32>]| {
                let mut filter = TwiceFilter::default();
                filter.begin(expected);
                filter.parts(count).for_each(|mut part| list.iter().for_each(|keys| part.add(keys)));
                filter.passing(&mut keys.clone(), |key| *key).to_vec()
            };
            let (front, back) = keys.split_at(keys.len() / 2);
            prop_assert_eq!(pass(count, &[front.to_vec(), back.to_vec()]), pass(1, std::slice::from_ref(&keys)));
        }
    }
}
