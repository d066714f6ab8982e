//! Room for a list whose items are made at their places, by many threads.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A list that is to be filled.
pub(crate) struct Room<T> {
    list: Vec<T>,
    places: usize,
    filled: AtomicUsize,
}

impl<T> Room<T> {
    /// Room for so many items.
    pub(crate) fn new(places: usize) -> Self {
        Room { list: Vec::with_capacity(places), places, filled: AtomicUsize::new(0) }
    }

    /// Divides all of it into parts of these sizes, one after the other.
    ///
    /// # Panics
    ///
    /// If they come to another size.
    pub(crate) fn parts(&mut self, sizes: impl Iterator<Item = usize>) -> Vec<Part<'_, T>> {
        assert!(self.list.is_empty() && *self.filled.get_mut() == 0, "divided once");
        let mut rest = &mut self.list.spare_capacity_mut()[..self.places];
        let mut part = |size| {
            let places = rest.split_off_mut(..size).expect("as many as there is room for");
            Part { places, next: 0, filled: &self.filled }
        };
        let parts = sizes.map(&mut part).collect();
        assert!(rest.is_empty(), "all of it is divided");
        parts
    }

    /// The list.
    ///
    /// # Panics
    ///
    /// Unless all parts were filled and are gone.
    #[expect(unsafe_code, reason = "a list cannot be grown from several sides")]
    pub(crate) fn into_list(self) -> Vec<T> {
        let Room { mut list, places, filled } = self;
        assert_eq!(filled.into_inner(), places, "all of it is filled");
        // SAFETY: there is room for `places` items. Parts were made once, lie beside each other,
        // and each tells, when it goes, how many of its first places it wrote to, which are no
        // more than it has. Together they told of as many as there are, so each was filled.
        unsafe { list.set_len(places) };
        list
    }
}

/// Room for some items of a list. What it was given and never became part of the list is
/// forgotten.
pub(crate) struct Part<'r, T> {
    places: &'r mut [MaybeUninit<T>],
    next: usize,
    filled: &'r AtomicUsize,
}

impl<T> Part<'_, T> {
    /// Puts an item in the next place.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub(crate) fn push(&mut self, item: T) {
        self.places[self.next].write(item);
        self.next += 1;
    }
}

impl<T> Drop for Part<'_, T> {
    fn drop(&mut self) {
        self.filled.fetch_add(self.next, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a list that grows at its end. Miri follows these threads, but not Rayon's.
        #[test]
        fn a_list_made_in_parts_is_that_made_in_order(sizes in prop::collection::vec(0usize..9, 0..9)) {
            let texts: Vec<Vec<String>> = (0..).zip(&sizes).map(|(at, &size)| (0..size).map(|item| format!("{at} {item}")).collect()).collect();
            let mut room = Room::new(sizes.iter().sum());
            thread::scope(|scope| {
                for (mut part, texts) in room.parts(sizes.iter().copied()).into_iter().zip(&texts) {
                    scope.spawn(move || texts.iter().for_each(|text| part.push(text.clone())));
                }
            });
            prop_assert_eq!(room.into_list(), texts.concat());
        }
    }

    #[test]
    #[should_panic(expected = "all of it is filled")]
    fn a_list_that_is_not_filled_is_none() {
        let mut room = Room::new(3);
        for mut part in room.parts([1, 2].into_iter()) {
            part.push(1);
        }
        room.into_list();
    }

    #[test]
    #[should_panic(expected = "all of it is divided")]
    fn nothing_is_left_out() {
        Room::<u8>::new(3).parts([1, 1].into_iter());
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn a_part_takes_no_more_than_it_has_room_for() {
        let mut room = Room::new(2);
        let mut parts = room.parts([1, 1].into_iter());
        parts[0].push(1);
        parts[0].push(2);
    }
}
