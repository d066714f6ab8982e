//! What recurs told from what stands alone, before anything is sorted.

/// Counts keys up to two, with two bits a slot: of each word the lower half says what was
/// added, and the upper half what was added again. Keys that share a slot may pass once
/// each; none that comes several times is ever held back. The first bits of keys are to be
/// as good as random. Linear in the keys.
#[derive(Default)]
pub(crate) struct TwiceFilter {
    words: Vec<u64>,
}

/// Slots in a word.
const HALF: u32 = u64::BITS / 2;
/// Slots for each key that is expected, as long as keys tell so many apart: of those that
/// stand alone one in seven passes.
const EACH: usize = 6;
/// Words with a slot for every key there can be.
const MOST: usize = 1 << (u32::BITS - HALF.ilog2());

impl TwiceFilter {
    /// Moves those items to the front, in their order, whose key has several or passes
    /// by accident, and returns them.
    pub(crate) fn recurring<'i, T: Copy>(
        &mut self,
        items: &'i mut [T],
        key: impl Fn(&T) -> u32,
    ) -> &'i mut [T] {
        self.begin(items.len());
        items.iter().for_each(|item| self.add(key(item)));
        let mut kept = 0;
        for at in 0..items.len() {
            items[kept] = items[at];
            kept += usize::from(self.recurs(key(&items[kept])));
        }
        &mut items[..kept]
    }

    /// Without any key, with room for so many.
    pub(crate) fn with_room(expected: usize) -> Self {
        let mut filter = TwiceFilter::default();
        filter.begin(expected);
        filter
    }

    /// What was counted several times, in half of the memory: nothing is counted from now on.
    pub(crate) fn counted(self) -> Counted {
        let slots = self.slots();
        let TwiceFilter { mut words } = self;
        words.resize(words.len().next_multiple_of(2), 0);
        for at in 0..words.len() / 2 {
            words[at] = words[2 * at] >> HALF | words[2 * at + 1] >> HALF << HALF;
        }
        words.truncate(words.len() / 2);
        words.shrink_to_fit();
        Counted { words, slots }
    }

    /// Makes room for so many keys, and forgets all others.
    fn begin(&mut self, expected: usize) {
        let words = (EACH * expected).div_ceil(HALF as usize).clamp(1, MOST);
        self.words.clear();
        self.words.resize(words, 0);
    }

    #[inline]
    fn slots(&self) -> u64 {
        self.words.len() as u64 * u64::from(HALF)
    }

    /// The number of the word that has the slot of a key, and the bit there.
    #[inline]
    fn slot(&self, key: u32) -> (usize, u32) {
        let slot = slot(key, self.slots());
        ((slot / u64::from(HALF)) as usize, slot as u32 % HALF)
    }

    /// Counts a key.
    #[inline]
    pub(crate) fn add(&mut self, key: u32) {
        let (word, bit) = self.slot(key);
        let word = &mut self.words[word];
        let bit = 1 << bit;
        *word |= bit | (*word & bit) << HALF;
    }

    /// Whether a key was counted several times, or passes by accident.
    #[inline]
    pub(crate) fn recurs(&self, key: u32) -> bool {
        let (word, bit) = self.slot(key);
        self.words[word] >> HALF >> bit & 1 != 0
    }
}

/// The keys that a [`TwiceFilter`] counted several times: a bit a slot.
pub(crate) struct Counted {
    words: Vec<u64>,
    slots: u64,
}

impl Counted {
    /// Whether a key was counted several times, or passes by accident.
    #[inline]
    pub(crate) fn recurs(&self, key: u32) -> bool {
        let slot = slot(key, self.slots);
        self.words[(slot / u64::from(u64::BITS)) as usize] >> (slot % u64::from(u64::BITS)) & 1 != 0
    }
}

/// Where a key is among so many slots, as it is among all keys.
#[inline]
fn slot(key: u32, slots: u64) -> u64 {
    (u64::from(key) * slots) >> u32::BITS
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
        fn one_by_one_as_a_list(keys in prop::collection::vec(any::<u32>(), 0..400), step in 1usize..9) {
            let keys: Vec<u32> = keys.iter().chain(keys.iter().step_by(step)).copied().collect();
            let mut filter = TwiceFilter::with_room(keys.len());
            keys.iter().for_each(|&key| filter.add(key));
            let found: Vec<u32> = keys.iter().copied().filter(|&key| filter.recurs(key)).collect();
            let mut list = keys.clone();
            prop_assert_eq!(&found, TwiceFilter::default().recurring(&mut list, |key| *key));
            let counted = filter.counted();
            prop_assert_eq!(found, keys.into_iter().filter(|&key| counted.recurs(key)).collect::<Vec<_>>());
        }
    }
}
