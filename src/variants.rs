//! Variants: families whose texts are versions of one another become one.
//!
//! Two wordings of a passage may have no run in common that is long enough to
//! align, or may have been first seen in different documents. The texts of all
//! families are sketched over pairs of tokens (passage MinHash) and those that
//! share a bucket are compared exactly. A second pass masks digits, so that a
//! template whose slots hold numbers ("page 3 of 7") is one family. Linear in
//! the families: buckets pair a bounded number.

use std::cmp::Reverse;

use crate::bands::{Bands, candidates, entry};
use crate::families::{Family, Occurrence};
use crate::hash;
use crate::shingles::{shared, shingles};
use crate::sketch::{Sketch, sketch};
use crate::tokens::Tokens;

/// What a family's text is compared by.
pub(crate) struct Outline {
    /// Sorted distinct hashes of its pairs of tokens.
    set: Vec<u32>,
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
                if tokens.text.as_bytes()[tokens.places[at].byte()].is_ascii_alphabetic() {
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
        let mut set: Vec<u32> = pairs.iter().map(|pair| *pair as u32).collect();
        set.sort_unstable();
        set.dedup();
        if set.len() < SHARED {
            return None;
        }
        let sketch: Sketch<BINS> = sketch(pairs);
        let mut keys = [0; BANDS.bands];
        keys.iter_mut().zip(BANDS.keys(&sketch)).for_each(|(key, found)| *key = found);
        Some(Outline { set, keys })
    }

    fn is_variant_of(&self, other: &Outline, compare: Compare) -> bool {
        let both = shared(&self.set, &other.set);
        let (less, more) = (self.set.len().min(other.set.len()), self.set.len().max(other.set.len()));
        let union = less + more - both;
        both >= SHARED
            && match compare {
                Compare::Plain => both * 2 >= union || both * 5 >= less * 4 && less * 5 >= more * 2,
                Compare::DigitsMasked => both * 5 >= union * 4,
            }
    }
}

/// Merges families whose outlines make them variants of one text. The one with
/// the highest document frequency leads, then the longest, then the first seen;
/// each other joins the first leader it is a variant of.
pub(crate) fn merge(families: Vec<Family>, outlines: &[Option<Outline>], compare: Compare) -> Vec<Family> {
    let mut order: Vec<u32> =
        (0..families.len() as u32).filter(|&at| outlines[at as usize].is_some()).collect();
    order.sort_by_cached_key(|&at| {
        let family = &families[at as usize];
        (Reverse(family.df()), Reverse(family.len()), family.root, family.start)
    });
    let outline = |rank: u32| outlines[order[rank as usize] as usize].as_ref().expect("takes part");
    let buckets = (0..order.len() as u32)
        .flat_map(|rank| outline(rank).keys.iter().map(move |&key| entry(key, rank)))
        .collect();
    let (pairs, _) = candidates(buckets);
    let mut by_later = pairs;
    by_later.sort_unstable_by_key(|&(earlier, later)| (later, earlier));
    let mut leader: Vec<u32> = (0..families.len() as u32).collect();
    for of_one in by_later.chunk_by(|x, y| x.1 == y.1) {
        let later = of_one[0].1;
        let joins = of_one.iter().map(|&(earlier, _)| earlier).find(|&earlier| {
            let number = order[earlier as usize];
            leader[number as usize] == number
                && outline(later).is_variant_of(outline(earlier), compare)
                && !is_nested(&families[order[later as usize] as usize], &families[number as usize])
        });
        if let Some(earlier) = joins {
            leader[order[later as usize] as usize] = order[earlier as usize];
        }
    }
    let mut merged: Vec<Option<Family>> = families.into_iter().map(Some).collect();
    let mut changed = Vec::new();
    for (at, &leader) in leader.iter().enumerate().filter(|&(at, &leader)| at as u32 != leader) {
        let variant = merged[at].take().expect("merged once");
        let leading = merged[leader as usize].as_mut().expect("a leader stays");
        let reworded = variant.occurrences.into_iter().map(|o| Occurrence { verbatim: false, ..o });
        leading.occurrences.extend(reworded);
        changed.push(leader);
    }
    changed.sort_unstable();
    changed.dedup();
    for leader in changed {
        let family = merged[leader as usize].as_mut().expect("a leader stays");
        family.occurrences = disjoint(std::mem::take(&mut family.occurrences));
    }
    merged.into_iter().flatten().filter(|family| family.occurrences.len() > 1).collect()
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

/// Sorts occurrences and joins those that overlap.
fn disjoint(mut occurrences: Vec<Occurrence>) -> Vec<Occurrence> {
    occurrences.sort_unstable_by_key(|o| (o.document, o.start, Reverse(o.end)));
    let mut joined: Vec<Occurrence> = Vec::new();
    for next in occurrences {
        match joined.last_mut() {
            Some(last) if last.document == next.document && next.start < last.end => {
                let before = last.end - last.start;
                last.end = last.end.max(next.end);
                last.matched = last.matched.max(next.matched);
                last.verbatim &= last.end - last.start == before;
            }
            _ => joined.push(next),
        }
    }
    joined
}

/// A number for a sequence of words, to count distinct wordings.
pub(crate) fn wording(tokens: &Tokens, start: u32, end: u32) -> u64 {
    hash::words(&tokens.words[start as usize..end as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::TokenChunk;

    fn merged(texts: &[&str], compare: Compare) -> usize {
        let chunk = TokenChunk::new(texts.iter().copied(), false);
        let tokens = |doc: usize| chunk.get(doc, texts[doc]);
        let families: Vec<Family> = (0..texts.len())
            .map(|doc| {
                let end = tokens(doc).len() as u32;
                let here = Occurrence { document: doc as u32, start: 0, end, matched: end, verbatim: true };
                let there = Occurrence { document: 100 + doc as u32, ..here };
                Family { root: doc as u32, start: 0, end, occurrences: vec![here, there] }
            })
            .collect();
        let outlines: Vec<_> = {
            let outline = |f: &Family| {
                Outline::new(&tokens(f.root as usize), (0, f.end), compare, &mut Scratch::default())
            };
            families.iter().map(outline).collect()
        };
        let found = merge(families, &outlines, compare);
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
