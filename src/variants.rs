//! Variants: families whose texts are versions of one another become one.
//!
//! Two wordings of a passage may have no run in common that is long enough to
//! align, or may have been first seen in different documents. The texts of all
//! families are sketched over pairs of tokens (passage MinHash) and those that
//! share a bucket are compared exactly. A second pass masks digits, so that a
//! template whose slots hold numbers ("page 3 of 7") is one family. Linear in
//! the families: buckets pair a bounded number.

use std::cmp::Reverse;

use crate::bands::{Bands, entry};
use crate::families::Family;
use crate::hash;
use crate::shingles::{shared, shingles};
use crate::sketch::{Sketch, sketch_of_numbers};
use crate::tokens::Tokens;

/// What a family's text is compared by.
pub(crate) struct Outline {
    /// Hashes of its pairs of tokens; sorted and distinct once it is ready.
    pairs: Vec<u32>,
    /// Its buckets.
    keys: [u32; BANDS.bands],
}

/// Buffers that live as long as their worker.
#[derive(Default)]
pub(crate) struct Scratch {
    words: Vec<u32>,
    pairs: Vec<u64>,
}

/// How two texts are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compare {
    /// As they are.
    Plain,
    /// With every number replaced by one and the same; texts without numbers
    /// stay out.
    DigitsMasked,
}

const BINS: usize = 64;
/// A pair of resemblance 0.6 is compared with probability 0.99, one of 0.5 with
/// 0.94; two rows would add little but compare ten times as many pairs.
const BANDS: Bands = Bands { bands: 21, rows: 3 };
/// Pairs of tokens two texts share at least.
const SHARED: usize = 4;
/// Stands for a number.
const MASK: u32 = 0;

impl Outline {
    /// The outline of a stretch of text; `None` if it does not take part.
    pub(crate) fn new(
        tokens: &Tokens,
        (start, end): (u32, u32),
        compare: Compare,
        scratch: &mut Scratch,
    ) -> Option<Outline> {
        let (start, end) = (start as usize, end as usize);
        let Scratch { words, pairs } = scratch;
        words.clear();
        words.extend_from_slice(&tokens.words[start..end]);
        if compare == Compare::DigitsMasked {
            let is_number = |&at: &usize| {
                // Most tokens begin with a letter and need no second look.
                if tokens.text.as_bytes()[tokens.places.byte(at)].is_ascii_alphabetic() {
                    return false;
                }
                let token = tokens.token(at);
                tokens.text[token.start..token.end].chars().all(char::is_numeric)
            };
            let numbers: Vec<usize> = (start..end).filter(is_number).collect();
            if numbers.is_empty() {
                return None;
            }
            numbers.iter().for_each(|&at| words[at - start] = MASK);
        }
        shingles(words, 2, pairs);
        let short: Vec<u32> = pairs.iter().map(|pair| *pair as u32).collect();
        if !has_enough(&short) {
            return None;
        }
        let sketch: Sketch<BINS> = sketch_of_numbers(pairs);
        let mut keys = [0; BANDS.bands];
        keys.iter_mut().zip(BANDS.keys(&sketch)).for_each(|(key, found)| *key = found);
        Some(Outline { pairs: short, keys })
    }

    /// Its buckets, as a family of this rank.
    pub(crate) fn entries(&self, rank: u32) -> impl Iterator<Item = u64> {
        self.keys.iter().map(move |&key| entry(key, rank))
    }

    /// Makes ready to be compared, which many never are.
    pub(crate) fn get_ready(&mut self) {
        self.pairs.sort_unstable();
        self.pairs.dedup();
    }

    /// Of two that are ready.
    fn is_variant_of(&self, other: &Outline, compare: Compare) -> bool {
        let both = shared(&self.pairs, &other.pairs);
        let (one, two) = (self.pairs.len(), other.pairs.len());
        let (less, more) = (one.min(two), one.max(two));
        let union = less + more - both;
        both >= SHARED
            && match compare {
                Compare::Plain => both * 2 >= union || both * 5 >= less * 4 && less * 5 >= more * 2,
                Compare::DigitsMasked => both * 5 >= union * 4,
            }
    }
}

/// Whether there are as many distinct pairs as two texts share at least.
fn has_enough(pairs: &[u32]) -> bool {
    let mut distinct = [0; SHARED];
    let mut known = 0;
    for pair in pairs {
        if !distinct[..known].contains(pair) {
            distinct[known] = *pair;
            known += 1;
        }
        if known == SHARED {
            return true;
        }
    }
    false
}

/// Who leads whom: the family with the highest document frequency leads, then the
/// longest, then the first seen; each other joins the first leader it is a variant
/// of. Families are known by their rank in that order.
pub(crate) struct Leaders<'a> {
    families: &'a [Family],
    compare: Compare,
    /// The family of each rank.
    order: &'a [u32],
    outlines: &'a [Outline],
    /// The rank of each one's leader.
    leaders: Vec<u32>,
}

impl<'a> Leaders<'a> {
    /// Sorts families into the order in which they lead.
    pub(crate) fn rank(family: &Family) -> impl Ord + Send + use<> {
        (Reverse(family.df()), Reverse(family.len()), family.root, family.start)
    }

    /// Before any joined another. `order` are the families that have outlines, by
    /// [`rank`](Self::rank), and `outlines` theirs.
    pub(crate) fn new(
        families: &'a [Family],
        compare: Compare,
        order: &'a [u32],
        outlines: &'a [Outline],
    ) -> Self {
        Leaders { families, compare, order, outlines, leaders: (0..order.len() as u32).collect() }
    }

    /// The earlier ones of these candidate pairs with the same later family that lead, as far
    /// as is known, and have the later as a variant.
    pub(crate) fn of(&self, pairs: &[(u32, u32)]) -> impl Iterator<Item = u32> {
        let family = |rank: u32| &self.families[self.order[rank as usize] as usize];
        let fits = move |&&(earlier, later): &&(u32, u32)| {
            self.leads(earlier)
                && self.outlines[later as usize].is_variant_of(&self.outlines[earlier as usize], self.compare)
                && !is_nested(family(later), family(earlier))
        };
        pairs.iter().filter(fits).map(|pair| pair.0)
    }

    /// Whether one has joined no other yet.
    pub(crate) fn leads(&self, rank: u32) -> bool {
        self.leaders[rank as usize] == rank
    }

    /// One family joins another.
    pub(crate) fn join(&mut self, later: u32, earlier: u32) {
        self.leaders[later as usize] = earlier;
    }

    /// Every family that joined another, and which.
    pub(crate) fn joined(&self) -> Vec<(u32, u32)> {
        let joined = (0..).zip(&self.leaders).filter(|&(rank, &leader)| rank != leader);
        let mut joined: Vec<(u32, u32)> =
            joined.map(|(rank, &leader)| (self.order[rank as usize], self.order[leader as usize])).collect();
        joined.sort_unstable();
        joined
    }
}

/// Gives families to those that they joined. Some occurrences are not in order then.
pub(crate) fn merge(families: Vec<Family>, joined: &[(u32, u32)]) -> Vec<Family> {
    let mut merged: Vec<Option<Family>> = families.into_iter().map(Some).collect();
    for &(at, leader) in joined {
        let variant = merged[at as usize].take().expect("merged once");
        let leading = merged[leader as usize].as_mut().expect("a leader stays");
        leading.occurrences.extend(variant.occurrences);
    }
    merged.into_iter().flatten().collect()
}

/// Whether a family stands inside another, much longer one, as its first
/// occurrences tell: a set phrase in a paragraph is not a version of it.
fn is_nested(inner: &Family, outer: &Family) -> bool {
    inner.occurrences.iter().take(8).any(|one| {
        let after = outer.occurrences.partition_point(|o| (o.document, o.start) <= (one.document, one.start));
        let before = after.checked_sub(1).map(|at| &outer.occurrences[at]);
        before.is_some_and(|around| {
            let inside = around.document == one.document && one.start < around.end;
            inside && (one.end - one.start) * 10 < (around.end - around.start) * 7
        })
    })
}

/// Sorts the occurrences of a family, and joins those that overlap.
pub(crate) fn settle(family: &mut Family) {
    let occurrences = &mut family.occurrences;
    // Most families were joined by none.
    if occurrences.is_sorted_by(|x, y| (x.document, x.end) <= (y.document, y.start)) {
        return;
    }
    occurrences.sort_unstable_by_key(|o| (o.document, o.start, Reverse(o.end)));
    occurrences.dedup_by(|next, last| {
        let overlaps = last.document == next.document && next.start < last.end;
        if overlaps {
            last.end = last.end.max(next.end);
            last.matched = last.matched.max(next.matched);
        }
        overlaps
    });
}

/// A number for a sequence of words, to count distinct wordings.
pub(crate) fn wording(tokens: &Tokens, start: u32, end: u32) -> u64 {
    hash::words(&tokens.words[start as usize..end as usize])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::families::Occurrence;
    use crate::tokens::TokenChunk;

    proptest! {
        #[test]
        fn there_are_enough_pairs_if_so_many_are_distinct(pairs in prop::collection::vec(0u32..6, 0..12)) {
            let distinct: BTreeSet<u32> = pairs.iter().copied().collect();
            prop_assert_eq!(has_enough(&pairs), distinct.len() >= SHARED);
        }
    }

    fn merged(texts: &[&str], compare: Compare) -> usize {
        let chunk = TokenChunk::new(texts.iter().copied(), false);
        let tokens = |doc: usize| chunk.get(doc, texts[doc]);
        let families: Vec<Family> = (0..texts.len())
            .map(|doc| {
                let end = tokens(doc).len() as u32;
                let here = Occurrence { document: doc as u32, start: 0, end, matched: end };
                let there = Occurrence { document: 100 + doc as u32, ..here };
                Family { root: doc as u32, start: 0, end, occurrences: vec![here, there] }
            })
            .collect();
        let outline = |f: &Family| {
            let mut outline =
                Outline::new(&tokens(f.root as usize), (0, f.end), compare, &mut Scratch::default())?;
            outline.get_ready();
            Some(outline)
        };
        let outlines =
            (0..).zip(families.iter().map(outline)).filter_map(|(at, outline)| Some((at, outline?)));
        let mut outlines: Vec<(u32, Outline)> = outlines.collect();
        outlines.sort_by_key(|&(at, _)| Leaders::rank(&families[at as usize]));
        let (order, outlines): (Vec<u32>, Vec<Outline>) = outlines.into_iter().unzip();
        let mut leaders = Leaders::new(&families, compare, &order, &outlines);
        for later in 0..order.len() as u32 {
            let pairs: Vec<(u32, u32)> = (0..later).map(|earlier| (earlier, later)).collect();
            let first = leaders.of(&pairs).next();
            if let Some(earlier) = first {
                leaders.join(later, earlier);
            }
        }
        let joined = leaders.joined();
        let found = merge(families, &joined);
        assert_eq!(found.iter().map(|f| f.occurrences.len()).sum::<usize>(), 2 * texts.len());
        found.len()
    }

    #[test]
    fn an_edited_wording_is_a_variant_and_another_text_is_not() {
        let one = "the senator serves on the committee on finance and lives with his family in the capital";
        let two = "the senator serves on a committee on finance and lives with his wife in the capital";
        let three = "for more information on how to apply please contact the office by telephone or by mail";
        assert_eq!(merged(&[one, two, three], Compare::Plain), 2);
    }

    #[test]
    fn masked_numbers_make_a_template() {
        let one = "page 3 of 7 printed on 12 may 2019 at 10 30";
        let two = "page 5 of 9 printed on 28 may 2020 at 11 45";
        assert_eq!(merged(&[one, two], Compare::Plain), 2);
        assert_eq!(merged(&[one, two], Compare::DigitsMasked), 1);
        let rows = ["1 2 3 4 5 6 7 8", "9 10 11 12 13 14 15 16"];
        assert_eq!(merged(&rows, Compare::DigitsMasked), 2, "a table of figures is no template");
    }
}
