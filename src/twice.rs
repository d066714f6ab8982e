//! What recurs told from what stands alone, before anything is sorted.

/// Counts keys up to two, with two bits a slot. Keys that share a slot may pass with one
/// item each; none with several is ever held back. Linear in the items.
#[derive(Default)]
pub(crate) struct TwiceFilter {
    words: Vec<u64>,
    shift: u32,
}

impl TwiceFilter {
    /// Moves those items to the front, in their order, whose key has several or passes
    /// by accident, and returns them. The first bits of keys are to be as good as random.
    pub(crate) fn recurring<'i, T: Copy>(
        &mut self,
        items: &'i mut [T],
        key: impl Fn(&T) -> u64,
    ) -> &'i mut [T] {
        self.begin(items.len());
        items.iter().for_each(|item| self.add(key(item)));
        let mut kept = 0;
        for at in 0..items.len() {
            items[kept] = items[at];
            kept += usize::from(self.added_twice(key(&items[kept])));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash;

    proptest! {
        #[test]
        fn keys_of_several_pass(numbers in prop::collection::vec(0u64..300, 0..400)) {
            let items: Vec<(u64, usize)> = numbers.iter().map(|number| hash::mix(number + 1)).zip(0..).collect();
            let count = |item: &(u64, usize)| items.iter().filter(|other| other.0 == item.0).count();
            let several = |items: &[(u64, usize)]| items.iter().copied().filter(|item| count(item) > 1).collect::<Vec<_>>();
            let mut filter = TwiceFilter::default();
            // What was filtered before is forgotten.
            filter.recurring(&mut items.clone(), |item| item.0);
            let mut found = items.clone();
            let found = filter.recurring(&mut found, |item| item.0);
            prop_assert_eq!(several(found), several(&items));
            let alone = found.len() - several(found).len();
            prop_assert!(alone < 100, "{alone} of {} pass", items.len());
        }
    }
}
