//! Sketches: fixed-size summaries from which resemblance is estimated.
//!
//! Fast Similarity Sketching (Dahlgaard, Knudsen, Thorup, *Fast Similarity
//! Sketching*, FOCS 2017): one-permutation MinHash thrown again, with new
//! hashes, until every bin is full. Unlike densification by rotation the
//! estimate stays unbiased with a small variance for sets smaller than the
//! sketch. Linear in the set; about `BINS * ln BINS` throws for a small one.

use std::borrow::Cow;

use ahash::AHashSet;

use crate::hash;

/// A sketch of `BINS` values.
pub(crate) type Sketch<const BINS: usize> = [u32; BINS];

/// Elements for each bin among which repeats are taken out, if a bin is empty.
const OFTEN: usize = 32;

/// Sketches a set of 64-bit hashes, every bit of them as good as random; repeats change
/// nothing.
///
/// The sketch of the empty set is all ones and equals no other in practice;
/// callers never compare it.
pub(crate) fn sketch<const BINS: usize>(set: &[u64]) -> Sketch<BINS> {
    thrown(set, |element, round| match round {
        // Hashes are as good as thrown once, which for long sets is enough.
        0 => element,
        _ => throw::<BINS>(element, round),
    })
}

/// The same of numbers that need not be as good as random.
pub(crate) fn sketch_of_numbers<const BINS: usize>(set: &[u64]) -> Sketch<BINS> {
    thrown(set, throw::<BINS>)
}

/// Throws an element, by one multiplication: those of a small set are thrown many times.
#[inline]
fn throw<const BINS: usize>(element: u64, round: u64) -> u64 {
    // The first bits are the best, and the last ones choose the bin.
    element.wrapping_mul(hash::mix(round + 3) | 1).rotate_left(BINS.trailing_zeros())
}

/// Sketches a set by the throws of each element, one a round.
fn thrown<const BINS: usize>(set: &[u64], throw: impl Fn(u64, u64) -> u64) -> Sketch<BINS> {
    const { assert!(BINS.is_power_of_two() && BINS <= 128) };
    let mut least = [u64::MAX; BINS];
    if set.is_empty() {
        return [u32::MAX; BINS];
    }
    let mut set = Cow::Borrowed(set);
    let mut unchecked = 0;
    // The round goes into the top byte, so an early throw wins over a late one.
    for round in 0..2 * BINS as u64 {
        for &element in &*set {
            let thrown = throw(element, round);
            let bin = if round < BINS as u64 { thrown as usize % BINS } else { round as usize - BINS };
            least[bin] = least[bin].min(round << 56 | thrown >> 8);
        }
        // A look at all bins is worth some rounds, which change nothing if all are
        // full.
        unchecked += set.len();
        if unchecked < BINS {
            continue;
        }
        unchecked = 0;
        if least.iter().all(|&value| value != u64::MAX) {
            break;
        }
        // So long a list leaves a bin empty only where it says the same again and
        // again.
        if round == 0 && set.len() > OFTEN * BINS {
            set = set.iter().copied().collect::<AHashSet<u64>>().into_iter().collect();
        }
    }
    // Bits 8 to 39 of the winner: uniform still, where the top bits are not.
    least.map(|value| (value ^ (value >> 32)) as u32)
}

/// The share of bins in which two sketches agree, an unbiased estimate of the
/// resemblance of their sets with standard deviation about `sqrt(J(1-J)/BINS)`.
pub(crate) fn estimate<const BINS: usize>(a: &Sketch<BINS>, b: &Sketch<BINS>) -> f64 {
    let agreeing = a.iter().zip(b).filter(|(x, y)| x == y).count();
    agreeing as f64 / BINS as f64
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
        assert_eq!(sketch_of_numbers::<128>(&forward), sketch_of_numbers::<128>(&backward));
        // So many repeats are taken out.
        assert_eq!(sketch::<128>(&forward), sketch::<128>(&backward.repeat(OFTEN * 128 / 10)));
    }

    /// Mean and spread of the estimate over many pairs, for sets smaller and
    /// larger than the sketch, against the exact resemblance.
    #[test]
    fn estimates_are_unbiased_and_narrow() {
        narrow(sketch::<128>);
        narrow(sketch_of_numbers::<128>);
    }

    fn narrow(sketch: impl Fn(&[u64]) -> Sketch<128>) {
        for (size, allowed) in [(20u64, 0.045), (200, 0.045), (2000, 0.045)] {
            for tenth in [5u64, 8, 9] {
                // |A ∩ B| / |A ∪ B| = (size - moved) / (size + moved)
                let moved = size * (10 - tenth) / (10 + tenth);
                let exact = (size - moved) as f64 / (size + moved) as f64;
                let (mut sum, mut squares) = (0.0, 0.0);
                let trials = 200;
                for trial in 0..trials {
                    let from = trial * 1_000_000;
                    let a = sketch(&set(from..from + size));
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
