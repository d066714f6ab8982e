//! Near-duplicate documents: verified pairs, and clusters around leaders.
//!
//! Every pair is confirmed on the exact shingle sets, so precision is 1 by
//! construction. A cluster gathers around its first document, the leader; each
//! member is verified against it, so two members are at least `2t - 1` alike
//! and no chain of small changes joins what is not alike. Linear in the
//! candidate pairs.

use crate::shingles::{shared, shingles};

/// Two near-duplicate documents, by number, `a < b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub a: u32,
    pub b: u32,
    /// Shingles in both.
    pub shared: u32,
    /// Distinct shingles of `a` and of `b`.
    pub sizes: (u32, u32),
}

impl Verified {
    /// Compares two shingle sets exactly.
    pub(crate) fn new((a, a_set): (u32, &[u64]), (b, b_set): (u32, &[u64])) -> Self {
        let sizes = (a_set.len() as u32, b_set.len() as u32);
        Verified { a, b, shared: shared(a_set, b_set) as u32, sizes }
    }

    /// Broder's resemblance, `|A ∩ B| / |A ∪ B|`.
    pub(crate) fn resemblance(&self) -> f64 {
        let union = u64::from(self.sizes.0) + u64::from(self.sizes.1) - u64::from(self.shared);
        f64::from(self.shared) / union as f64
    }

    /// The share of `a`'s shingles that also occur in `b`, and the reverse.
    pub(crate) fn containments(&self) -> (f64, f64) {
        let shared = f64::from(self.shared);
        (shared / f64::from(self.sizes.0), shared / f64::from(self.sizes.1))
    }
}

/// How many of these words stand in a shingle of `k` that is in a sorted set.
pub(crate) fn shared_tokens(words: &[u32], k: usize, set: &[u64]) -> u64 {
    let mut own = Vec::new();
    shingles(words, k, &mut own);
    let (mut count, mut reached) = (0, 0);
    for (at, shingle) in own.iter().enumerate() {
        if set.binary_search(shingle).is_ok() {
            let end = (at + k).min(words.len());
            count += end - at.max(reached);
            reached = end;
        }
    }
    count as u64
}

/// The leader of every document, which may be itself.
///
/// Documents are taken in order; each joins the leader it resembles most (the
/// earliest of several), or becomes one. `pairs` are the verified pairs at or
/// above the threshold.
pub(crate) fn leaders(documents: usize, pairs: &[Verified]) -> Vec<u32> {
    let mut by_later: Vec<&Verified> = pairs.iter().collect();
    by_later.sort_unstable_by_key(|pair| (pair.b, pair.a));
    let mut leader: Vec<u32> = (0..documents as u32).collect();
    for of_one in by_later.chunk_by(|x, y| x.b == y.b) {
        let mut best: Option<&Verified> = None;
        for &pair in of_one.iter().filter(|pair| leader[pair.a as usize] == pair.a) {
            if best.is_none_or(|best| pair.resemblance() > best.resemblance()) {
                best = Some(pair);
            }
        }
        if let Some(best) = best {
            leader[best.b as usize] = best.a;
        }
    }
    leader
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(a: u32, b: u32, shared: u32) -> Verified {
        Verified { a, b, shared, sizes: (100, 100) }
    }

    #[test]
    fn chains_are_not_clusters() {
        // 0–1 and 1–2 are alike, 0–2 is not: 2 leads its own cluster.
        assert_eq!(leaders(3, &[pair(0, 1, 90), pair(1, 2, 90)]), [0, 0, 2]);
    }

    #[test]
    fn the_best_leader_wins_and_ties_go_to_the_first() {
        let pairs = [pair(0, 2, 90), pair(1, 2, 95), pair(0, 3, 92), pair(1, 3, 92)];
        assert_eq!(leaders(4, &pairs), [0, 1, 1, 0]);
    }

    #[test]
    fn shared_tokens_count_each_token_once() {
        let mut set = Vec::new();
        shingles(&[1, 2, 3, 4], 3, &mut set);
        set.sort_unstable();
        assert_eq!(shared_tokens(&[9, 1, 2, 3, 4, 9, 2, 3, 9], 3, &set), 4);
        assert_eq!(shared_tokens(&[1, 2, 3, 9, 2, 3, 4], 3, &set), 6);
    }

    #[test]
    fn resemblance_and_containment_by_hand() {
        let verified = Verified::new((0, &[1, 2, 3]), (1, &[2, 3, 4, 5, 6]));
        assert_eq!(verified.resemblance(), 2.0 / 6.0);
        assert_eq!(verified.containments(), (2.0 / 3.0, 2.0 / 5.0));
    }
}
