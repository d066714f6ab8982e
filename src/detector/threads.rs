//! Work dealt out to threads, and lists laid out by them.
//!
//! What is made is collected in order, so that the number of threads changes nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::iter::MaxLen;
use rayon::prelude::*;

use crate::postings::Divided;

/// Partitions that postings and anchors are scattered into.
pub(super) const PARTITIONS: usize = 1 << 8;

/// Parts in which lists are laid out, at least.
pub(super) const PARTS: usize = 8;
/// Items of a part for each thread where lists are laid out, at most: what is in them is then in
/// memory twice, and of long lists the parts are more.
const LAID_OUT: usize = 8;

/// Lists of documents in a part for each thread.
pub(super) const EACH: usize = 4;

/// Deals items out in small shares, since rayon makes few large ones, and the last of them
/// keeps the others waiting. What is prepared once for many items is prepared for each share.
pub(super) fn shared<I: IndexedParallelIterator>(items: I) -> MaxLen<I> {
    let threads = rayon::current_num_threads();
    let shares = if threads == 1 { 1 } else { SHARES * threads };
    let most = (items.len() / shares).max(1);
    items.with_max_len(most)
}

/// Makes something of each item of a list, and gives it to `take`, in order, while the next are
/// made: all on one thread, which has what it needs at hand then, and makes some too where
/// nothing is to be taken. Returns what is not taken yet when the last are made.
pub(super) fn in_order<S: Send, T: Send>(
    list: Vec<S>,
    make: impl Fn(S) -> T + Sync,
    take: &mut impl FnMut(T),
) -> Vec<T> {
    let items = Mutex::new(list.into_iter().enumerate());
    // What waits to be taken, by number.
    let made: Mutex<BTreeMap<usize, T>> = Mutex::default();
    let make_one = || {
        let (number, item) = lock(&items).next()?;
        let item = make(item);
        lock(&made).insert(number, item);
        Some(())
    };
    rayon::in_place_scope(|scope| {
        for _ in 1..rayon::current_num_threads() {
            scope.spawn(|_| while make_one().is_some() {});
        }
        let mut next = 0;
        while lock(&items).len() > 0 {
            let ready = lock(&made).remove(&next);
            match ready {
                Some(item) => {
                    take(item);
                    next += 1;
                }
                None => make_one().unwrap_or_default(),
            }
        }
    });
    made.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// Whoever panicked holding it, the panic goes on where the threads meet.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes something of each part of a list and gives it to `take`, in order, while the next
/// is made: what is made of all of them is never held at once. Tells it too how many are
/// left, with this one.
fn in_parts<S: Send, T: Send>(
    most: usize,
    list: Vec<S>,
    make: impl Fn(Vec<S>) -> T + Sync,
    mut take: impl FnMut(T, usize) + Send,
) {
    let size = list.len().div_ceil(PARTS).clamp(1, most * rayon::current_num_threads());
    let mut left = list.len().div_ceil(size);
    let mut take = |made| {
        take(made, left);
        left -= 1;
    };
    let mut made = None;
    for part in pieces(list, size) {
        let before: Option<T> = made.take();
        let taken = || before.into_iter().for_each(&mut take);
        let ((), next) = rayon::join(taken, || make(part));
        made = Some(next);
    }
    made.into_iter().for_each(take);
}

/// Makes a list of items of each source and lays the items out by partition: each list is
/// divided, and then the divisions of all are put together.
pub(super) fn partitioned<S: Send, T: Copy + Send + Sync>(
    sources: Vec<S>,
    list: impl Fn(S) -> Vec<T> + Sync,
    number: impl Fn(&T) -> usize + Sync,
) -> Vec<Vec<T>> {
    let mut partitions: Vec<Vec<T>> = (0..PARTITIONS).map(|_| Vec::new()).collect();
    divided(
        sources,
        |source| (list(source), ()),
        number,
        &mut partitions,
        |partition, share| {
            share.make_room(partition);
            share.lists().for_each(|list| partition.extend_from_slice(list));
        },
    );
    partitions
}

/// Makes a list of items of each source, divides each list by partition, and gives every
/// partition its shares in order: those of some lists at a time, so that the items are not held
/// twice. Returns what else is made of each source.
pub(super) fn divided<S: Send, T: Copy + Send + Sync, P: Send, E: Send>(
    sources: Vec<S>,
    list: impl Fn(S) -> (Vec<T>, E) + Sync,
    number: impl Fn(&T) -> usize + Sync,
    partitions: &mut [P],
    take: impl Fn(&mut P, Share<T>) + Sync,
) -> Vec<E> {
    let mut beside = Vec::with_capacity(sources.len());
    let count = partitions.len();
    let divide = |source| {
        let (items, other) = list(source);
        (Divided::new(&items, count, &number), other)
    };
    let mut done = 0;
    in_parts(
        LAID_OUT,
        sources,
        |some| some.into_par_iter().with_max_len(1).map(divide).unzip(),
        |(mut lists, others): (Vec<Divided<T>>, Vec<E>), left| {
            beside.extend(others);
            lists.retain(|list| list.len() > 0);
            shared(partitions.par_iter_mut()).enumerate().for_each(|(number, partition)| {
                take(partition, Share { lists: &lists, partitions: count, number, done, left });
            });
            done += 1;
        },
    );
    beside
}

/// What some lists have for a partition.
pub(super) struct Share<'l, T> {
    lists: &'l [Divided<T>],
    partitions: usize,
    number: usize,
    /// How many such shares came before it, and how many are left with this one.
    done: usize,
    left: usize,
}

impl<'l, T: Copy> Share<'l, T> {
    pub(super) fn lists(&self) -> impl Iterator<Item = &'l [T]> + use<'l, T> {
        let number = self.number;
        self.lists.iter().map(move |list| list.partition(number))
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &'l T> + use<'l, T> {
        self.lists().flatten()
    }

    /// Makes room for this share, and for those that are left if they are like those before.
    pub(super) fn make_room<U>(&self, partition: &mut Vec<U>) {
        match partition.len().checked_div(self.done) {
            // At first as if items were spread evenly.
            None => {
                let all: usize = self.lists.iter().map(Divided::len).sum();
                make_room(partition, all / self.partitions, 1);
            }
            Some(each) => make_room(partition, each, self.left),
        }
    }
}

/// Makes room for so many items more in each of the steps to come, and a little more.
/// Left to itself a list would take up to twice as much, and all partitions would do so at
/// once.
pub(super) fn make_room<T>(list: &mut Vec<T>, each: usize, steps: usize) {
    let each = each + each / 16;
    if list.capacity() - list.len() < each {
        list.reserve_exact(each * steps);
    }
}

/// Partitions, several at a time: one list that is made of them leaves larger stretches of
/// memory free where they were than one of each; but all threads are to have some.
pub(super) fn in_chunks<T: Send>(partitions: Vec<T>) -> impl IndexedParallelIterator<Item = Vec<T>> {
    let size = (PARTITIONS / (SHARES * rayon::current_num_threads())).clamp(1, CHUNK);
    shared(partitions.into_par_iter().chunks(size))
}

/// Divides a list into some to be worked on together, so many that each thread has some of
/// every part.
pub(super) fn in_slices<T>(list: &[T]) -> Vec<&[T]> {
    list.chunks(list.len().div_ceil(EACH * PARTS * rayon::current_num_threads()).max(1)).collect()
}

/// Shares of the work for each thread: what is left to one at the end is less than that.
const SHARES: usize = 16;

/// Partitions of which something is made in one list, at most.
const CHUNK: usize = 16;

/// So many items of a list at a time; the last are fewer.
fn pieces<T>(list: Vec<T>, size: usize) -> impl Iterator<Item = Vec<T>> {
    let mut rest = list.into_iter();
    std::iter::from_fn(move || {
        Some(rest.by_ref().take(size).collect()).filter(|some: &Vec<T>| !some.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_that_grow_evenly_take_little_more_than_they_hold() {
        let (steps, each) = (8, 1000);
        let mut list = Vec::new();
        for done in 0..steps {
            make_room(&mut list, each, steps - done);
            list.extend(0..each);
        }
        assert!(list.capacity() * 16 <= list.len() * 17, "{}", list.capacity());
    }

    proptest! {
        #[test]
        fn what_is_made_is_taken_in_order(list in prop::collection::vec(any::<u8>(), 0..200), threads in 1usize..5) {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut taken = Vec::new();
            let mut take = |item: usize| taken.push(item);
            let make = |item: &u8| {
                (0..usize::from(*item)).for_each(|_| std::thread::yield_now());
                usize::from(*item)
            };
            let rest = pool.install(|| in_order(list.iter().collect(), make, &mut take));
            // One thread takes what it has made at once, but for the last.
            prop_assert!(threads > 1 || rest.len() <= 1);
            taken.extend(rest);
            prop_assert_eq!(taken, list.into_iter().map(usize::from).collect::<Vec<_>>());
        }

        #[test]
        fn parts_of_long_lists_are_no_longer_than_they_may_be(len in 0usize..200, most in 1usize..4) {
            let (mut taken, mut sizes) = (Vec::new(), Vec::new());
            let mut parts = Vec::new();
            in_parts(most, (0..len).collect(), |part| part, |part, left| {
                sizes.push(part.len());
                taken.extend(part);
                parts.push(left);
            });
            prop_assert_eq!(taken, (0..len).collect::<Vec<_>>());
            prop_assert_eq!(&parts, &(1..=parts.len()).rev().collect::<Vec<_>>());
            prop_assert!(sizes.iter().all(|&size| size <= most * rayon::current_num_threads()));
        }

        #[test]
        fn items_are_laid_out_in_the_order_of_their_lists(lists in prop::collection::vec(prop::collection::vec(0usize..1000, 0..30), 0..40)) {
            let number = |item: &usize| item % PARTITIONS;
            let found = partitioned(lists.clone(), |list| list, number);
            prop_assert_eq!(found.len(), PARTITIONS);
            for (at, found) in found.into_iter().enumerate() {
                let expected: Vec<usize> = lists.iter().flatten().copied().filter(|item| number(item) == at).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
