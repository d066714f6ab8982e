//! Sketches: fixed-size summaries from which resemblance is estimated.
//!
//! One-permutation MinHash (Li, Owen, Zhang, *One Permutation Hashing*, NIPS 2012): every
//! element falls into one bin, where the least of them stays. They are thrown twice; a bin
//! that is empty still gets the least of all elements by an order of its own. So does Fast
//! Similarity Sketching (Dahlgaard, Knudsen, Thorup, *Fast Similarity Sketching*, FOCS
//! 2017), which throws as often as there are bins before: that takes fewer steps, but one
//! after the other. Unlike densification by rotation the estimate stays unbiased with a
//! small variance for sets smaller than the sketch. Linear in the set, and once more in it for
//! every sixteen empty bins.

use std::borrow::Cow;

use ahash::AHashSet;

use crate::hash;
use crate::wide::{TOGETHER, Wide};

/// A sketch of `BINS` values: bits of the elements that were the least. What differs agrees
/// in them once in 65,536 times.
pub(crate) type Sketch<const BINS: usize> = [u16; BINS];

/// Elements for each bin among which repeats are taken out, if a bin is empty.
const OFTEN: usize = 32;

/// By which factors elements are multiplied to be thrown, in turn.
const THROWS: [u64; 2] = [1, hash::mix(1) | 1];

/// By which factor elements are multiplied that a bin orders.
const ORDERS: [u32; 256] = {
    let mut orders = [0; 256];
    let mut bin = 0;
    while bin < orders.len() {
        orders[bin] = hash::mix(bin as u64 + 1) as u32 | 1;
        bin += 1;
    }
    orders
};

/// Sketches a set of 64-bit hashes, every bit of them as good as random; repeats change
/// nothing.
///
/// The sketch of the empty set is all ones and equals no other in practice;
/// callers never compare it.
pub(crate) fn sketch<const BINS: usize>(set: &[u64]) -> Sketch<BINS> {
    const { assert!(BINS.is_power_of_two() && BINS >= TOGETHER && BINS <= ORDERS.len()) };
    if set.is_empty() {
        return [u16::MAX; BINS];
    }
    let mut least = [u64::MAX; BINS];
    let (mut empty, mut count) = ([0; BINS], 0);
    for (round, factor) in (0..).zip(THROWS) {
        for element in set {
            // The first bits choose the bin, and the others who is less. An early throw wins
            // over a late one.
            let thrown = element.wrapping_mul(factor).rotate_left(BINS.trailing_zeros());
            let bin = &mut least[thrown as usize % BINS];
            *bin = (*bin).min(round << 56 | thrown >> 8);
        }
        count = 0;
        for (bin, &least) in least.iter().enumerate() {
            empty[count] = bin as u8;
            count += usize::from(least == u64::MAX);
        }
        if count == 0 {
            break;
        }
    }
    let mut sketch = least.map(|element| element as u16);
    if count == 0 {
        return sketch;
    }
    // So long a list leaves a bin empty only where it says the same again and again.
    let set = match set.len() > OFTEN * BINS {
        true => Cow::Owned(set.iter().copied().collect::<AHashSet<u64>>().into_iter().collect()),
        false => Cow::Borrowed(set),
    };
    // Some more than there are, for a whole number of vectors.
    let mut products = empty.map(|bin| ORDERS[bin as usize]);
    let (vectors, _) = products.as_chunks_mut();
    Wide::best().least_products(&set, &mut vectors[..count.div_ceil(TOGETHER)]);
    for (bin, product) in empty[..count].iter().zip(products) {
        // The last bits are uniform still, where the first are not.
        sketch[*bin as usize] = product as u16;
    }
    sketch
}

/// The share of bins in which two sketches agree, an unbiased estimate of the
/// resemblance of their sets with standard deviation about `sqrt(J(1-J)/BINS)`.
pub(crate) fn estimate<const BINS: usize>(a: &Sketch<BINS>, b: &Sketch<BINS>) -> f64 {
    // In as few bits as the values have, many are counted at once.
    let agreeing: u16 = a.iter().zip(b).map(|(x, y)| u16::from(x == y)).sum();
    f64::from(agreeing) / BINS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: std::ops::Range<u64>) -> Vec<u64> {
        numbers.map(|n| hash::mix(n + 1)).collect()
    }

    #[test]
    fn order_and_repeats_change_nothing() {
        let forward = set(0..30);
        let mut backward = [set(0..30), set(10..20)].concat();
        backward.reverse();
        assert_eq!(sketch::<128>(&forward), sketch::<128>(&backward));
        // So many repeats are taken out.
        assert_eq!(sketch::<128>(&forward), sketch::<128>(&backward.repeat(OFTEN * 128 / 10)));
    }

    /// Mean and spread of the estimate over many pairs, for sets smaller and
    /// larger than the sketch, against the exact resemblance.
    #[test]
    fn estimates_are_unbiased_and_narrow() {
        for (size, allowed) in [(20u64, 0.045), (60, 0.045), (200, 0.045), (2000, 0.045)] {
            for tenth in [5u64, 8, 9] {
                // |A ∩ B| / |A ∪ B| = (size - moved) / (size + moved)
                let moved = size * (10 - tenth) / (10 + tenth);
                let exact = (size - moved) as f64 / (size + moved) as f64;
                let (mut sum, mut squares) = (0.0, 0.0);
                let trials = 200;
                for trial in 0..trials {
                    let from = trial * 1_000_000;
                    let a = sketch::<128>(&set(from..from + size));
                    let b = sketch(&set(from + moved..from + moved + size));
                    let error = estimate(&a, &b) - exact;
                    sum += error;
                    squares += error * error;
                }
                let mean = sum / trials as f64;
                let spread = (squares / trials as f64).sqrt();
                assert!(mean.abs() < 0.012, "size {size}, J {exact:.2}: bias {mean:.4}");
                assert!(spread < allowed, "size {size}, J {exact:.2}: spread {spread:.4}");
            }
        }
    }

    #[test]
    fn unlike_sets_do_not_agree() {
        assert!(estimate(&sketch::<64>(&set(0..40)), &sketch::<64>(&set(100..140))) < 0.05);
    }
}
