//! Variants: families whose texts are versions of one another become one.
//!
//! Two wordings of a passage may have no run in common that is long enough to
//! align, or may have been first seen in different documents. The texts of all
//! families are sketched over pairs of tokens (passage MinHash) and those that
//! share a bucket are compared exactly. A second pass masks digits, so that a
//! template whose slots hold numbers ("page 3 of 7") is one family. Last, families
//! become one that read the same in most of their places, whatever the wordings
//! that were seen first. Linear in the families, sorting apart: buckets pair a
//! bounded number.

use std::cmp::Reverse;
use std::ops::Range;

use crate::ahead::{ahead, fetch};
use crate::bands::Bands;
use crate::families::{Family, Occurrence};
use crate::hash;
use crate::shingles::{shared, shingles};
use crate::sketch::{Sketch, sketch};
use crate::tokens::Tokens;

/// What the texts of some families are compared by, one after the other: hashes of their
/// pairs of tokens, sorted, each once.
#[derive(Default)]
pub(crate) struct Outlines {
    pairs: Vec<u32>,
    /// Where those of each end.
    ends: Vec<usize>,
}

/// The buckets that a text is in, and how many these are.
pub(crate) type Keys = [u32; KEYS];
pub(crate) const KEYS: usize = BANDS.bands;

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
/// Outlines in a list of those that are compared.
pub(crate) const LISTED: usize = 64;
/// Pairs of tokens two texts share at least.
const SHARED: usize = 4;
/// Stands for a number.
const MASK: u32 = 0;

/// The buckets of a stretch of text, or nothing if it does not take part.
pub(crate) fn keys(
    tokens: &Tokens,
    range: (u32, u32),
    compare: Compare,
    scratch: &mut Scratch,
) -> Option<Keys> {
    let takes_part = outlined(tokens, range, compare, scratch) && has_enough(&scratch.pairs);
    takes_part.then(|| {
        let sketch: Sketch<BINS> = sketch(&scratch.pairs);
        let mut keys = [0; KEYS];
        keys.iter_mut().zip(BANDS.keys(&sketch, 0..KEYS)).for_each(|(key, found)| *key = found);
        keys
    })
}

impl Outlines {
    /// Adds the outline of a stretch of text that takes part.
    pub(crate) fn add(
        &mut self,
        tokens: &Tokens,
        range: (u32, u32),
        compare: Compare,
        scratch: &mut Scratch,
    ) {
        outlined(tokens, range, compare, scratch);
        self.add_pairs(scratch.pairs.iter().map(|pair| *pair as u32));
    }

    /// Adds one of a text that is compared with none.
    pub(crate) fn add_none(&mut self) {
        self.ends.push(self.pairs.len());
    }

    fn add_pairs(&mut self, pairs: impl Iterator<Item = u32>) {
        let from = self.pairs.len();
        self.pairs.extend(pairs);
        self.pairs[from..].sort_unstable();
        let mut kept = from;
        for at in from..self.pairs.len() {
            self.pairs[kept] = self.pairs[at];
            kept += usize::from(self.pairs.get(at + 1) != Some(&self.pairs[at]));
        }
        self.pairs.truncate(kept);
        self.ends.push(kept);
    }

    /// The one with a number.
    pub(crate) fn get(&self, number: usize) -> &[u32] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.pairs[start..self.ends[number]]
    }
}

/// Writes the pairs of words of a stretch of text as they are compared; `false` if it stays out.
fn outlined(tokens: &Tokens, (start, end): (u32, u32), compare: Compare, scratch: &mut Scratch) -> bool {
    let Scratch { words, pairs } = scratch;
    let range = start as usize..end as usize;
    words.clear();
    words.extend_from_slice(&tokens.words[range.clone()]);
    if compare == Compare::DigitsMasked && !mask(tokens, range, words) {
        return false;
    }
    shingles(words, 2, pairs);
    true
}

/// Masks the numbers among the words of a stretch of text; `false` if there is none.
fn mask(tokens: &Tokens, range: Range<usize>, words: &mut [u32]) -> bool {
    let is_number = |at: usize| {
        // Most tokens begin with a letter and need no second look.
        if tokens.text.as_bytes()[tokens.places.byte(at)].is_ascii_alphabetic() {
            return false;
        }
        let token = tokens.token(at);
        tokens.text[token.start..token.end].chars().all(char::is_numeric)
    };
    let mut has_numbers = false;
    for (at, word) in range.zip(words) {
        if is_number(at) {
            *word = MASK;
            has_numbers = true;
        }
    }
    has_numbers
}

/// Whether of two outlines one is a variant of the other.
fn are_variants(one: &[u32], other: &[u32], compare: Compare) -> bool {
    let both = shared(one, other);
    let (less, more) = (one.len().min(other.len()), one.len().max(other.len()));
    let union = less + more - both;
    both >= SHARED
        && match compare {
            Compare::Plain => both * 2 >= union || both * 5 >= less * 4 && less * 5 >= more * 2,
            Compare::DigitsMasked => both * 5 >= union * 4,
        }
}

/// Whether there are as many distinct pairs as two texts share at least.
fn has_enough(pairs: &[u64]) -> bool {
    let mut distinct = [0; SHARED];
    let mut known = 0;
    for pair in pairs.iter().map(|pair| *pair as u32) {
        if !distinct[..known].contains(&pair) {
            distinct[known] = pair;
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
    /// Their outlines, so many to a list.
    outlines: &'a [Outlines],
    /// The rank of each one's leader.
    leaders: Vec<u32>,
}

impl<'a> Leaders<'a> {
    /// Sorts families into the order in which they lead.
    pub(crate) fn rank(family: &Family) -> impl Ord + Send + use<> {
        (Reverse(family.df()), Reverse(family.len()), family.root, family.start)
    }

    /// Before any joined another. `order` are the families that have outlines, by
    /// [`rank`](Self::rank), and `outlines` theirs, [`LISTED`] to a list.
    pub(crate) fn new(
        families: &'a [Family],
        compare: Compare,
        order: &'a [u32],
        outlines: &'a [Outlines],
    ) -> Self {
        Leaders { families, compare, order, outlines, leaders: (0..order.len() as u32).collect() }
    }

    /// The earlier ones of these candidate pairs with the same later family that lead, as far
    /// as is known, and have the later as a variant.
    pub(crate) fn of(&self, pairs: &[(u32, u32)]) -> impl Iterator<Item = u32> {
        let family = |rank: u32| &self.families[self.order[rank as usize] as usize];
        let outline = |rank: u32| self.outlines[rank as usize / LISTED].get(rank as usize % LISTED);
        let fits = move |&&(earlier, later): &&(u32, u32)| {
            self.leads(earlier)
                && are_variants(outline(later), outline(earlier), self.compare)
                && !is_nested(family(later), family(earlier))
                && !is_nested(family(earlier), family(later))
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

/// Fewest tokens of a wording by which families are the same: a line of two words may be a
/// part of anything.
const TELLING: u32 = 5;

/// The wording that most occurrences of each family have, the first of equals, by its number;
/// nothing if all have another, or if it is short.
pub(crate) fn most_frequent<'t>(
    families: &[Family],
    tokens: impl Fn(u32) -> &'t Tokens<'t> + Copy,
) -> Vec<Option<u64>> {
    let places = families.iter().flat_map(|family| &family.occurrences);
    let places = ahead(places, |o| fetch(tokens(o.document)));
    let words = |o: &Occurrence| &tokens(o.document).words[o.start as usize..o.end as usize];
    let mut wordings =
        ahead(places, |o| fetch(words(o))).map(|o| wording(tokens(o.document), o.start, o.end));
    let mut all: Vec<(u64, usize)> = Vec::new();
    let most_frequent = |family: &Family| {
        all.clear();
        all.extend(wordings.by_ref().take(family.occurrences.len()).zip(0..));
        // Most families have one.
        let first = if all.iter().all(|one| one.0 == all[0].0) {
            all[0]
        } else {
            all.sort_unstable();
            let several = all.chunk_by(|x, y| x.0 == y.0).filter(|same| same.len() > 1);
            several.max_by_key(|same| (same.len(), Reverse(same[0].1)))?[0]
        };
        let one = &family.occurrences[first.1];
        (one.end - one.start >= TELLING).then_some(first.0)
    };
    families.iter().map(most_frequent).collect()
}

/// Those of some families that join another of them, which leads, if all may be one.
pub(crate) fn as_one(families: &[Family], same: &[u32]) -> Vec<(u32, u32)> {
    let leader = same.iter().copied().min_by_key(|&at| Leaders::rank(&families[at as usize]));
    match leader.filter(|_| may_be_one(families, same)) {
        Some(leader) => same.iter().filter(|&&at| at != leader).map(|&at| (at, leader)).collect(),
        None => Vec::new(),
    }
}

/// Whether nothing is lost if some families become one, [`settle`]d. In several documents all
/// of it is told; what only one document repeats is told from its second occurrence on, so no
/// two of one family may come to be one.
fn may_be_one(families: &[Family], same: &[u32]) -> bool {
    let mut all = Vec::new();
    for (which, &at) in same.iter().enumerate() {
        all.extend(families[at as usize].occurrences.iter().map(|occurrence| (occurrence, which)));
    }
    if all.iter().any(|one| one.0.document != all[0].0.document) {
        return true;
    }
    all.sort_unstable_by_key(|one| one.0.start);
    // The number of what becomes one occurrence, where it ends so far, and the last that holds
    // one of each family.
    let (mut number, mut until, mut last) = (0, 0, vec![0; same.len()]);
    all.iter().all(|&(&Occurrence { start, end, .. }, which)| {
        number += usize::from(start >= until);
        until = until.max(end);
        std::mem::replace(&mut last[which], number) != number
    })
}

/// Gives the occurrences of families to those that they joined, where some are not in order then.
pub(crate) fn merge(families: &mut [Family], joined: &[(u32, u32)]) {
    for &(at, leader) in joined {
        let occurrences = std::mem::take(&mut families[at as usize].occurrences);
        families[leader as usize].occurrences.extend(occurrences);
    }
}

/// Whether a family stands inside another, much longer one, as its first
/// occurrences tell: a set phrase in a paragraph is not a version of it, nor is the
/// paragraph one of the phrase.
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
    use crate::tokens::TokenChunk;
    use crate::{Config, Detector, Document};

    proptest! {
        #[test]
        fn outlines_are_sorted_and_distinct(lists in prop::collection::vec(prop::collection::vec(0u32..9, 0..12), 0..6)) {
            let mut outlines = Outlines::default();
            lists.iter().for_each(|list| outlines.add_pairs(list.iter().copied()));
            for (at, list) in lists.iter().enumerate() {
                let expected: Vec<u32> = list.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
                prop_assert_eq!(outlines.get(at), expected);
            }
        }

        #[test]
        fn settled_occurrences_are_in_order_and_hold_the_same_tokens(places in prop::collection::vec((0u32..3, 0u32..40, 1u32..9), 0..12)) {
            let occurrences: Vec<Occurrence> = places.iter().map(|&(document, start, len)| Occurrence { document, start, end: start + len, matched: len }).collect();
            let tokens = |list: &[Occurrence]| list.iter().flat_map(|o| (o.start..o.end).map(|at| (o.document, at))).collect::<BTreeSet<_>>();
            let mut family = Family { root: 0, start: 0, end: 9, occurrences: occurrences.clone() };
            settle(&mut family);
            let found = &family.occurrences;
            prop_assert_eq!(tokens(found), tokens(&occurrences));
            prop_assert!(found.is_sorted_by(|x, y| (x.document, x.end) <= (y.document, y.start)));
            // What only touches stays as it is.
            let starts: BTreeSet<(u32, u32)> = occurrences.iter().map(|o| (o.document, o.start)).collect();
            let begins = |&&(document, start): &&(u32, u32)| !occurrences.iter().any(|o| o.document == document && o.start < start && o.end > start);
            prop_assert!(found.iter().map(|o| (o.document, o.start)).eq(starts.iter().filter(begins).copied()));
        }

        #[test]
        fn the_most_frequent_wording_is_that_of_most_and_stands_first(lists in prop::collection::vec(prop::collection::vec((0u32..2, 0u32..9, 4u32..7), 2..12), 0..4)) {
            let texts = ["a b a b a b a b a b a b a b a b a b", "b a b a b a b a b a b c a b a b a b"];
            let chunk = TokenChunk::new(texts.into_iter(), false);
            let all: Vec<Tokens> = (0..2).map(|at| chunk.get(at, texts[at])).collect();
            let words = |o: &Occurrence| &all[o.document as usize].words[o.start as usize..o.end as usize];
            let of_one = |places: &Vec<(u32, u32, u32)>| {
                let occurrences: Vec<Occurrence> = places.iter().map(|&(document, start, len)| Occurrence { document, start, end: start + len, matched: len }).collect();
                let count = |one: &Occurrence| occurrences.iter().filter(|other| words(other) == words(one)).count();
                let most = occurrences.iter().map(count).max();
                let first = occurrences.iter().find(|one| Some(count(one)) == most).unwrap();
                let tells = most > Some(1) && first.end - first.start >= TELLING;
                let expected = tells.then(|| wording(&all[first.document as usize], first.start, first.end));
                (Family { root: 0, start: 0, end: 1, occurrences }, expected)
            };
            let (families, expected): (Vec<Family>, Vec<Option<u64>>) = lists.iter().map(of_one).unzip();
            prop_assert_eq!(most_frequent(&families, |document| &all[document as usize]), expected);
        }

        #[test]
        fn families_may_be_one_that_keeps_what_a_document_repeats(documents in 1u32..3, made in prop::collection::vec(prop::collection::vec((0u32..2, 0u32..60, 1u32..6), 1..5), 1..4)) {
            let of_one = |places: &Vec<(u32, u32, u32)>| {
                let occurrences = places.iter().map(|&(document, start, len)| Occurrence { document: document % documents, start, end: start + len, matched: len });
                let mut family = Family { root: 0, start: 0, end: 9, occurrences: occurrences.collect() };
                settle(&mut family);
                family
            };
            let families: Vec<Family> = made.iter().map(of_one).collect();
            let all = of_one(&made.concat());
            let holds = |around: &Occurrence, one: &&Occurrence| around.document == one.document && around.start <= one.start && one.end <= around.end;
            let expected = all.df() > 1 || families.iter().all(|family| all.occurrences.iter().all(|around| family.occurrences.iter().filter(|one| holds(around, one)).count() < 2));
            prop_assert_eq!(may_be_one(&families, &(0..families.len() as u32).collect::<Vec<_>>()), expected);
        }

        #[test]
        fn all_but_the_one_that_leads_join_it(counts in prop::collection::vec(1u32..4, 1..9)) {
            let family = |(root, &count): (u32, &u32)| Family {
                root,
                start: 0,
                end: 9,
                occurrences: (0..=count).map(|document| Occurrence { document, start: 0, end: 9, matched: 9 }).collect(),
            };
            let families: Vec<Family> = (0..).zip(&counts).map(family).collect();
            let most = counts.iter().position(|count| Some(count) == counts.iter().max()).unwrap() as u32;
            let all: Vec<u32> = (0..counts.len() as u32).collect();
            let expected: Vec<(u32, u32)> = all.iter().filter(|&&at| at != most).map(|&at| (at, most)).collect();
            prop_assert_eq!(as_one(&families, &all), expected);
        }

        #[test]
        fn there_are_enough_pairs_if_so_many_are_distinct(pairs in prop::collection::vec(0u64..6, 0..12)) {
            let distinct: BTreeSet<u64> = pairs.iter().copied().collect();
            prop_assert_eq!(has_enough(&pairs), distinct.len() >= SHARED);
        }
    }

    fn merged(texts: &[&str], compare: Compare) -> usize {
        let chunk = TokenChunk::new(texts.iter().copied(), false);
        let tokens = |doc: usize| chunk.get(doc, texts[doc]);
        let mut families: Vec<Family> = (0..texts.len())
            .map(|doc| {
                let end = tokens(doc).len() as u32;
                let here = Occurrence { document: doc as u32, start: 0, end, matched: end };
                let there = Occurrence { document: 100 + doc as u32, ..here };
                Family { root: doc as u32, start: 0, end, occurrences: vec![here, there] }
            })
            .collect();
        let scratch = &mut Scratch::default();
        let text = |at: u32| {
            let family = &families[at as usize];
            (tokens(family.root as usize), (family.start, family.end))
        };
        let mut order = Vec::new();
        for at in 0..families.len() as u32 {
            let (tokens, range) = text(at);
            order.extend(keys(&tokens, range, compare, scratch).map(|_| at));
        }
        order.sort_by_key(|&at| Leaders::rank(&families[at as usize]));
        let mut outlines = Outlines::default();
        for &at in &order {
            let (tokens, range) = text(at);
            outlines.add(&tokens, range, compare, scratch);
        }
        let outlines = [outlines];
        let mut leaders = Leaders::new(&families, compare, &order, &outlines);
        for later in 0..order.len() as u32 {
            let pairs: Vec<(u32, u32)> = (0..later).map(|earlier| (earlier, later)).collect();
            let first = leaders.of(&pairs).next();
            if let Some(earlier) = first {
                leaders.join(later, earlier);
            }
        }
        let joined = leaders.joined();
        merge(&mut families, &joined);
        assert_eq!(families.iter().map(|f| f.occurrences.len()).sum::<usize>(), 2 * texts.len());
        families.iter().filter(|family| !family.occurrences.is_empty()).count()
    }

    #[test]
    fn an_edited_wording_is_a_variant_and_another_text_is_not() {
        let one = "the senator serves on the committee on finance and lives with his family in the capital";
        let two = "the senator serves on a committee on finance and lives with his wife in the capital";
        let three = "for more information on how to apply please contact the office by telephone or by mail";
        assert_eq!(merged(&[one, two, three], Compare::Plain), 2);
    }

    /// Else the passage would count as the phrase that it holds, which is told in more
    /// documents and leads. Whether they are compared at all depends on their words.
    #[test]
    fn a_set_phrase_does_not_take_in_a_passage_around_it() {
        for number in 0..20 {
            let words = |what: &str, count: usize| -> String {
                (0..count).map(|at| format!("{what}{number}x{at} ")).collect()
            };
            let phrase = words("phrase", 9);
            let passage = words("before", 6) + &phrase + &words("after", 6);
            let mut documents: Vec<Document> = (0..4)
                .map(|own| words(&format!("head{own}"), 30) + &phrase + &words(&format!("tail{own}"), 30))
                .zip(["a", "b", "c", "d"])
                .map(|(text, id)| Document::new(id, text))
                .collect();
            let twice = words("one", 30) + &passage + &words("two", 30) + &passage + &words("three", 30);
            documents.push(Document::new("e", twice));
            let report = Detector::new(Config::default()).unwrap().scan(&documents).unwrap();
            let found: Vec<(&str, u32)> =
                report.families.iter().map(|row| (row.text.as_str(), row.occurrences)).collect();
            assert_eq!(found, [(phrase.trim(), 6), (passage.trim(), 2)]);
        }
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
