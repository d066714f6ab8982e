//! Near-duplicate documents: verified pairs, and clusters around leaders.
//!
//! Every pair is confirmed on the exact shingle sets, and where words of
//! different spelling share a hash on sets of their text, so precision is 1 by
//! construction. A cluster gathers around its first document, the leader; each
//! member is verified against it, so two members are at least `2t - 1` alike
//! and no chain of small changes joins what is not alike. Linear in the
//! candidate pairs.

use std::ops::Range;

use ahash::RandomState;

use crate::bands::Bands;

/// Two near-duplicate documents, by number, `a < b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub a: u32,
    pub b: u32,
    /// Shingles in both.
    pub shared: u32,
    /// Distinct shingles of `a` and of `b`.
    pub sizes: (u32, u32),
    /// Tokens of `b` that stand in shingles of `a`.
    pub tokens: u32,
}

impl Verified {
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

/// Near-duplicates among first copies.
pub(crate) struct Near {
    pub bands: Bands,
    pub crowded: usize,
    pub pairs: Vec<Verified>,
    /// The leader of every document; a later copy is its own.
    pub leaders: Vec<u32>,
}

impl Near {
    /// Every document by itself.
    pub(crate) fn alone(documents: u32, bands: Bands) -> Self {
        Near { bands, crowded: 0, pairs: Vec::new(), leaders: (0..documents).collect() }
    }
}

/// The shingles of one document, to be compared with many others: an open-addressed
/// table of the first place of each. Shingles are hashes already; a secret multiplier
/// spreads them, so that no text can be written to make them collide here.
pub(crate) struct Lookup {
    slots: Vec<Slot>,
    shift: u32,
    secret: u64,
    /// All of them, in text order.
    shingles: Vec<u64>,
    /// The places of those that came before, and where each came first.
    repeats: Vec<(u32, u32)>,
    /// The last comparison in which each place was met, from 1.
    met: Vec<u32>,
    /// Comparisons so far.
    compared: u32,
}

#[derive(Clone, Copy)]
struct Slot {
    shingle: u64,
    /// Where it comes first, or [`FREE`].
    first: u32,
}

const FREE: u32 = u32::MAX;

impl Lookup {
    pub(crate) fn new() -> Self {
        let secret = RandomState::new().hash_one(0) | 1;
        let (slots, shingles, repeats, met) = Default::default();
        Lookup { slots, shift: 0, secret, shingles, repeats, met, compared: 0 }
    }

    /// Takes the shingles of one document, instead of those it had. Returns how
    /// many are distinct.
    pub(crate) fn fill(&mut self, shingles: &[u64]) -> u32 {
        let size = (2 * shingles.len()).next_power_of_two().max(2);
        self.slots.clear();
        self.slots.resize(size, Slot { shingle: 0, first: FREE });
        self.shift = 64 - size.trailing_zeros();
        self.shingles.clear();
        self.shingles.extend_from_slice(shingles);
        self.met.clear();
        self.met.resize(shingles.len(), 0);
        self.compared = 0;
        self.repeats.clear();
        for (at, &shingle) in (0..).zip(shingles) {
            let slot = self.slot(shingle);
            let found = &mut self.slots[slot];
            match found.first {
                FREE => *found = Slot { shingle, first: at },
                first => self.repeats.push((at, first)),
            }
        }
        self.distinct()
    }

    fn distinct(&self) -> u32 {
        (self.shingles.len() - self.repeats.len()) as u32
    }

    /// The slot of a shingle, or the free one where it belongs.
    #[inline]
    fn slot(&self, shingle: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (shingle.wrapping_mul(self.secret) >> self.shift) as usize;
        while self.slots[at].first != FREE && self.slots[at].shingle != shingle {
            at = (at + 1) & mask;
        }
        at
    }

    /// Compares document `a`, whose shingles these are, with document `b`:
    /// its shingles of `k` tokens in text order, how many of them are distinct,
    /// and its length in tokens. `None` as soon as their resemblance is sure to be
    /// below `least`.
    ///
    /// What is alike in both is mostly alike for long, so that a shingle is looked up
    /// only where it does not follow on the last.
    pub(crate) fn compare(
        &mut self,
        a: u32,
        b: u32,
        shingles: &[u64],
        distinct: u32,
        (k, len): (usize, usize),
        least: f64,
    ) -> Option<Verified> {
        self.compared += 1;
        let sizes = (self.distinct(), distinct);
        // shared / (sum of sizes - shared) >= least
        let needed = least / (1.0 + least) * (f64::from(sizes.0) + f64::from(sizes.1));
        // One less, whatever the rounding; what passes is judged exactly.
        let needed = (needed as usize).saturating_sub(1);
        let (mut shared, mut tokens, mut reached) = (0, 0, 0);
        let mut at = 0;
        while let Some(&shingle) = shingles.get(at) {
            let Slot { first, .. } = self.slots[self.slot(shingle)];
            if first != FREE {
                let first = first as usize;
                let follow = common_shingles(&self.shingles[first..], &shingles[at..]);
                shared += self.meet(first..first + follow);
                let end = (at + follow - 1 + k).min(len);
                tokens += (end - at.max(reached)) as u32;
                reached = end;
                at += follow;
            } else if shared as usize + shingles.len() - at <= needed {
                return None;
            } else {
                at += 1;
            }
        }
        let shared = shared - self.met_again();
        let verified = Verified { a, b, shared, sizes, tokens };
        (verified.resemblance() >= least).then_some(verified)
    }

    /// How many of these places this comparison did not meet before.
    #[inline]
    fn meet(&mut self, places: Range<usize>) -> u32 {
        let compared = self.compared;
        let new = |met: &mut u32| u32::from(std::mem::replace(met, compared) != compared);
        self.met[places].iter_mut().map(new).sum()
    }

    /// How many places this comparison met besides another with the same shingle.
    fn met_again(&mut self) -> u32 {
        let mut again = 0;
        for &(place, first) in &self.repeats {
            if self.met[place as usize] == self.compared {
                let first = &mut self.met[first as usize];
                again += u32::from(*first == self.compared);
                *first = self.compared;
            }
        }
        again
    }
}

/// With how many equal shingles two lists begin.
#[inline]
fn common_shingles(x: &[u64], y: &[u64]) -> usize {
    const SOME: usize = 8;
    let (x_chunks, y_chunks) = (x.as_chunks::<SOME>().0, y.as_chunks::<SOME>().0);
    let at = SOME * x_chunks.iter().zip(y_chunks).take_while(|(x, y)| x == y).count();
    at + x[at..].iter().zip(&y[at..]).take_while(|(x, y)| x == y).count()
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

/// For every document the first of those that it is tied to by one pair after another,
/// which may be itself. Nearly linear.
pub(crate) fn tied(documents: usize, pairs: &[(u32, u32)]) -> Vec<u32> {
    // Sets of documents (Tarjan, *Efficiency of a good but not linear set union algorithm*,
    // 1975), the first of each at its top.
    let mut above: Vec<u32> = (0..documents as u32).collect();
    let top = |above: &mut [u32], mut at: u32| {
        while above[at as usize] != at {
            above[at as usize] = above[above[at as usize] as usize];
            at = above[at as usize];
        }
        at
    };
    for &(a, b) in pairs {
        let (a, b) = (top(&mut above, a), top(&mut above, b));
        above[a.max(b) as usize] = a.min(b);
    }
    // Those before a document are at their top already.
    for document in 0..documents {
        above[document] = above[above[document] as usize];
    }
    above
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::shingles::shingles;

    fn pair(a: u32, b: u32, shared: u32) -> Verified {
        Verified { a, b, shared, sizes: (100, 100), tokens: shared }
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

    fn compare(a: &[u32], b: &[u32], k: usize) -> Verified {
        let of = |words: &[u32]| {
            let mut hashes = Vec::new();
            shingles(words, k, &mut hashes);
            hashes
        };
        let mut lookup = Lookup::new();
        let distinct = lookup.fill(&of(b));
        lookup.fill(&of(a));
        let mut compare = |least| lookup.compare(0, 1, &of(b), distinct, (k, b.len()), least);
        let verified = compare(0.0).expect("at least nothing");
        // What an earlier comparison met makes no difference, and what is asked for
        // none but whether there is an answer.
        for least in [0.1, 0.5, 0.8, 1.0, verified.resemblance()] {
            let found = compare(least);
            assert_eq!(found.is_some(), verified.resemblance() >= least);
            assert!(
                found.is_none_or(|found| found.tokens == verified.tokens && found.shared == verified.shared)
            );
        }
        verified
    }

    #[test]
    fn shared_tokens_count_each_token_once() {
        assert_eq!(compare(&[1, 2, 3, 4], &[9, 1, 2, 3, 4, 9, 2, 3, 9], 3).tokens, 4);
        assert_eq!(compare(&[1, 2, 3, 4], &[1, 2, 3, 9, 2, 3, 4], 3).tokens, 6);
        assert_eq!(compare(&[1, 2], &[1, 2], 3).tokens, 2, "a text shorter than a shingle");
    }

    #[test]
    fn resemblance_and_containment_by_hand() {
        let verified = compare(&[1, 2, 3, 4], &[2, 3, 4, 5, 6, 7, 2, 3], 2);
        assert_eq!((verified.shared, verified.sizes), (2, (3, 6)));
        assert_eq!(verified.resemblance(), 2.0 / 7.0);
        assert_eq!(verified.containments(), (2.0 / 3.0, 2.0 / 6.0));
    }

    proptest! {
        #[test]
        fn documents_are_tied_to_the_first_that_pairs_lead_to(pairs in prop::collection::vec((0u32..30, 0u32..30), 0..40)) {
            let mut expected: Vec<u32> = (0..30).collect();
            // The least number goes round until nothing changes.
            for _ in 0..30 {
                for &(a, b) in &pairs {
                    let least = expected[a as usize].min(expected[b as usize]);
                    (expected[a as usize], expected[b as usize]) = (least, least);
                }
            }
            prop_assert_eq!(tied(30, &pairs), expected);
        }

        #[test]
        fn comparisons_equal_those_of_sets(
            a in prop::collection::vec(0u32..6, 0..30),
            b in prop::collection::vec(0u32..6, 1..30),
        ) {
            let set = |words: &[u32]| words.windows(2).map(<[u32]>::to_vec).collect::<BTreeSet<_>>();
            prop_assume!(a.len() > 1 && b.len() > 1);
            let (of_a, of_b) = (set(&a), set(&b));
            let found = compare(&a, &b, 2);
            prop_assert_eq!(found.shared as usize, of_a.intersection(&of_b).count());
            prop_assert_eq!(found.sizes, (of_a.len() as u32, of_b.len() as u32));
            let told = (0..b.len()).filter(|&at| {
                (at.saturating_sub(1)..=at).any(|from| b.get(from..from + 2).is_some_and(|pair| of_a.contains(pair)))
            });
            prop_assert_eq!(found.tokens as usize, told.count());
        }
    }
}
