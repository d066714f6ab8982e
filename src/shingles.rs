//! Shingles: runs of `k` consecutive tokens, known by a 64-bit hash.
//!
//! Broder, Glassman, Manasse, Zweig, *Syntactic Clustering of the Web*, 1997.

use crate::hash;
use crate::wide::Wide;

/// Writes the hash of every shingle of `k` tokens into `out`, in text order.
///
/// A text of 1 to `k - 1` tokens is one shingle as a whole; an empty one has
/// none.
pub(crate) fn shingles(words: &[u32], k: usize, out: &mut Vec<u64>) {
    out.clear();
    if words.len() < k {
        out.extend((!words.is_empty()).then(|| hash::words(words)));
        return;
    }
    Wide::best().hash_windows(words, k, out);
}

/// The number of values two sorted sets share.
pub(crate) fn shared<T: Ord + Copy>(a: &[T], b: &[T]) -> usize {
    let (mut at_a, mut at_b, mut found) = (0, 0, 0);
    while at_a < a.len() && at_b < b.len() {
        let (left, right) = (a[at_a], b[at_b]);
        found += usize::from(left == right);
        at_a += usize::from(left <= right);
        at_b += usize::from(right <= left);
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hashes_equal_hashes_of_each_window(words in prop::collection::vec(any::<u32>(), 0..40), k in 1usize..9) {
            let mut found = Vec::new();
            shingles(&words, k, &mut found);
            let expected: Vec<u64> = if words.len() < k {
                words.chunks(k).map(hash::words).collect()
            } else {
                words.windows(k).map(hash::words).collect()
            };
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn shared_equals_the_intersection(a in prop::collection::btree_set(0u64..50, 0..30), b in prop::collection::btree_set(0u64..50, 0..30)) {
            let list = |set: &BTreeSet<u64>| set.iter().copied().collect::<Vec<_>>();
            prop_assert_eq!(shared(&list(&a), &list(&b)), a.intersection(&b).count());
        }
    }
}
