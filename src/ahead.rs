//! Reading ahead: memory is slow to answer, but answers many questions at once.

/// Items between the one that is asked for and the one at hand. In their time memory
/// answers.
const FAR: usize = 8;
/// Bytes that are fetched together.
const LINE: usize = 64;

/// The items of an iterator, each shown to `ask` some items earlier: it is to [`fetch`]
/// what will be looked at. Of a chain of references every step takes an `ahead` of its
/// own, since to ask for what one leads to is to read it.
pub(crate) fn ahead<I: Iterator>(items: I, ask: impl FnMut(&I::Item)) -> impl Iterator<Item = I::Item> {
    let mut items = items.inspect(ask).fuse();
    let mut waiting: [Option<I::Item>; FAR] = std::array::from_fn(|_| items.next());
    let mut at = 0;
    std::iter::from_fn(move || {
        let item = std::mem::replace(&mut waiting[at], items.next());
        at = (at + 1) % FAR;
        item
    })
}

/// Asks for the memory of a value, without waiting for it. Changes nothing but how long
/// the next look at it takes, and nothing at all on processors that cannot be asked.
#[inline]
pub(crate) fn fetch<T: ?Sized>(value: &T) {
    lines(value).for_each(ask);
}

/// Where the memory begins that is fetched together and has some of a value.
#[inline]
fn lines<T: ?Sized>(value: &T) -> impl Iterator<Item = *const u8> {
    let first = std::ptr::from_ref(value).cast::<u8>();
    let before = first.addr() % LINE;
    (0..before + size_of_val(value)).step_by(LINE).map(move |at| first.wrapping_sub(before).wrapping_add(at))
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[expect(unsafe_code, reason = "the instruction takes an address")]
fn ask(line: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: it reads nothing into the program, and faults at no address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) }
}

#[cfg(not(target_arch = "x86_64"))]
fn ask(_: *const u8) {}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn items_come_in_order_and_are_asked_for_before(items in prop::collection::vec(any::<u8>(), 0..40)) {
            let asked = RefCell::new(Vec::new());
            let mut found = Vec::new();
            for item in ahead(items.iter(), |&item| asked.borrow_mut().push(item)) {
                found.push(*item);
                let due = (found.len() + FAR).min(items.len());
                prop_assert_eq!(&*asked.borrow(), &items[..due].iter().collect::<Vec<_>>());
            }
            prop_assert_eq!(found, items);
        }

        /// Of the fetching itself nothing is seen but that it changes nothing.
        #[test]
        fn all_of_a_value_is_fetched_and_nothing_else(items in prop::collection::vec(any::<u8>(), 1..300), from in 0usize..300) {
            let before = items.clone();
            let value = &items[from % items.len()..];
            fetch(value);
            let of_bytes: BTreeSet<usize> = value.iter().map(|byte| std::ptr::from_ref(byte).addr() / LINE * LINE).collect();
            prop_assert_eq!(lines(value).map(|line| line.addr()).collect::<Vec<_>>(), Vec::from_iter(of_bytes));
            prop_assert_eq!(items, before);
        }
    }
}
