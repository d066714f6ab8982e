//! The nearest document of each: the one that it shares most tokens with.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What is known so far, which many threads may add to: the order is immaterial.
pub(crate) struct Nearest(Vec<AtomicU64>);

impl Nearest {
    /// Nobody is near any of so many documents.
    pub(crate) fn new(documents: usize) -> Self {
        Nearest((0..documents).map(|_| AtomicU64::new(0)).collect())
    }

    /// Takes note that two documents share so many tokens. A document is not near itself.
    pub(crate) fn bring(&self, one: u32, other: u32, tokens: u32) {
        if one == other {
            return;
        }
        for (this, other) in [(one, other), (other, one)] {
            // Of those that share as many the first is nearest.
            let near = u64::from(tokens) << 32 | u64::from(!other);
            let nearest = &self.0[this as usize];
            if near > nearest.load(Relaxed) {
                nearest.fetch_max(near, Relaxed);
            }
        }
    }

    /// Tokens shared with the nearest of each document, and its number: 0 and `u32::MAX` where
    /// nobody is.
    pub(crate) fn list(self) -> Vec<(u32, u32)> {
        self.0
            .into_iter()
            .map(AtomicU64::into_inner)
            .map(|near| ((near >> 32) as u32, !(near as u32)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_nearest_shares_most_and_comes_first(pairs in prop::collection::vec((0u32..6, 0u32..6, 1u32..4), 0..20)) {
            let nearest = Nearest::new(6);
            pairs.iter().for_each(|&(one, other, tokens)| nearest.bring(one, other, tokens));
            let of_one = |this: u32| {
                let sides = pairs.iter().flat_map(|&(one, other, tokens)| [(one, other, tokens), (other, one, tokens)]);
                let others = sides.filter(|&(one, other, _)| one == this && other != this);
                let most = others.map(|(_, other, tokens)| (tokens, Reverse(other))).max();
                most.map_or((0, u32::MAX), |(tokens, Reverse(other))| (tokens, other))
            };
            prop_assert_eq!(nearest.list(), (0..6).map(of_one).collect::<Vec<_>>());
        }
    }
}
