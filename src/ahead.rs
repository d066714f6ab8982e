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
#[expect(unsafe_code, reason = "the instruction takes an address")]
pub(crate) fn fetch<T: ?Sized>(value: &T) {
    let first = std::ptr::from_ref(value).cast::<u8>();
    let end = first.wrapping_add(size_of_val(value));
    let mut line = first.wrapping_sub(first.addr() % LINE);
    while line < end {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: it reads nothing into the program, and faults at no address.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(line.cast());
        }
        line = line.wrapping_add(LINE);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

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

        /// Nothing to see but that it comes to an end and changes nothing.
        #[test]
        fn any_value_can_be_fetched(items in prop::collection::vec(any::<u8>(), 0..300), from in 0usize..300) {
            let before = items.clone();
            fetch(&items[from.min(items.len())..]);
            prop_assert_eq!(items, before);
        }
    }
}
