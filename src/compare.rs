//! Comparison: the passages that two given documents share.
//!
//! As in a scan, fingerprints give anchors and these grow into alignments; but
//! with two documents alone nothing has to be gathered into families. Fragments
//! of one edited copy are joined, and what adds nothing to longer passages is
//! left out. Linear in the two texts but for sorting.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use crate::align::{self, Run, align, least_tokens, matched};
use crate::anchors::{self, Anchor, anchors};
use crate::config::Config;
use crate::cursor::Cursor;
use crate::document::Document;
use crate::fingerprints::{self, Fingerprint, add_fingerprints, lengths_of, own_shingles};
use crate::intervals::Intervals;
use crate::postings::{Posting, groups};
use crate::report::{Comparison, PassageRow};
use crate::sentences::{Reworded, reworded};
use crate::tokens::Tokens;
use crate::twice::TwiceFilter;

/// Buffers that live as long as their worker.
#[derive(Default)]
pub(crate) struct Scratch {
    /// The shingles of a document.
    own: Vec<u64>,
    of_fingerprints: fingerprints::Scratch,
    fingerprints: Vec<Fingerprint>,
    filter: TwiceFilter,
    postings: Vec<Posting>,
    spare: Vec<Posting>,
    anchors: anchors::Scratch,
    align: align::Scratch,
}

/// A passage of two documents. Numbers count tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Passage {
    a: Range<u32>,
    b: Range<u32>,
    /// Tokens of `b` that stand in `a`.
    matched: u32,
}

impl Passage {
    fn new(runs: &[Run]) -> Passage {
        let (first, last) = (runs[0], runs[runs.len() - 1]);
        Passage { a: first.a..last.a_end(), b: first.b..last.b_end(), matched: matched(runs) }
    }

    /// The tokens of its longer side.
    fn longest(&self) -> u32 {
        self.a.len().max(self.b.len()) as u32
    }

    /// Where it stands, the place in `b` first.
    fn place(&self) -> (u32, u32, u32, u32) {
        (self.b.start, self.a.start, self.b.end, self.a.end)
    }

    /// Grows to hold another passage.
    fn take_in(&mut self, other: Passage) {
        self.a = self.a.start.min(other.a.start)..self.a.end.max(other.a.end);
        self.b = self.b.start.min(other.b.start)..self.b.end.max(other.b.end);
        self.matched += other.matched;
    }

    fn overlaps(&self, other: &Passage) -> bool {
        let overlap = |x: &Range<u32>, y: &Range<u32>| x.start < y.end && y.start < x.end;
        overlap(&self.a, &other.a) && overlap(&self.b, &other.b)
    }
}

/// Compares two documents.
pub(crate) fn compare(
    config: &Config,
    (a_document, a): (&Document, &Tokens),
    (b_document, b): (&Document, &Tokens),
    scratch: &mut Scratch,
) -> Comparison {
    let all = candidates(config, a, b, scratch);
    let a_in_b = share(a, all.iter().flat_map(|passage| told(a, &passage.a, b, &passage.b)));
    let b_in_a = share(b, all.iter().flat_map(|passage| told(b, &passage.b, a, &passage.a)));
    let passages = one_to_one(all, a.len(), b.len());
    let places = |tokens: &Tokens, place: fn(&Passage) -> &Range<u32>| {
        let range = |passage| {
            let place = place(passage);
            let bytes = tokens.bytes(place.start as usize, place.end as usize, 0);
            [bytes.start, bytes.end]
        };
        let bytes: Vec<usize> = passages.iter().flat_map(range).collect();
        let chars = Cursor::chars(tokens.text, tokens.chars, &bytes);
        (bytes, chars)
    };
    let (a_bytes, a_chars) = places(a, |passage| &passage.a);
    let (b_bytes, b_chars) = places(b, |passage| &passage.b);
    let (a_id, b_id) = (a_document.id.as_str().into(), b_document.id.as_str().into());
    let row = |(at, passage): (usize, &Passage)| PassageRow {
        a: Arc::clone(&a_id),
        b: Arc::clone(&b_id),
        a_start_byte: a_bytes[2 * at] as u32,
        a_end_byte: a_bytes[2 * at + 1] as u32,
        a_start_char: a_chars[2 * at],
        a_end_char: a_chars[2 * at + 1],
        b_start_byte: b_bytes[2 * at] as u32,
        b_end_byte: b_bytes[2 * at + 1] as u32,
        b_start_char: b_chars[2 * at],
        b_end_char: b_chars[2 * at + 1],
        tokens: passage.matched.into(),
        identity: f64::from(passage.matched) / f64::from(passage.longest()),
    };
    let passages = passages.iter().enumerate().map(row).collect();
    Comparison { a: a_id, b: b_id, a_in_b, b_in_a, passages }
}

/// The tokens of a passage that stand in its other side.
fn told<'t>(
    tokens: &'t Tokens,
    here: &Range<u32>,
    other: &Tokens,
    there: &Range<u32>,
) -> impl Iterator<Item = u32> + use<'t> {
    let mut known = other.words[there.start as usize..there.end as usize].to_vec();
    known.sort_unstable();
    let words = &tokens.words[here.start as usize..here.end as usize];
    let here = here.clone();
    here.zip(words).filter(move |(_, word)| known.binary_search(word).is_ok()).map(|(at, _)| at)
}

/// The share of a document's letters and digits in some of its tokens.
fn share(tokens: &Tokens, told: impl Iterator<Item = u32>) -> Option<f64> {
    let mut is_told = vec![false; tokens.len()];
    told.for_each(|at| is_told[at as usize] = true);
    let stretches = is_told.chunk_by(|x, y| x == y).scan(0, |reached, same| {
        let start = std::mem::replace(reached, *reached + same.len());
        Some(if same[0] { tokens.weight_of(start, *reached) } else { 0 })
    });
    (tokens.weight > 0).then(|| stretches.sum::<u64>() as f64 / f64::from(tokens.weight))
}

/// All passages, those that stand in one document twice as often as they do.
fn candidates(config: &Config, a: &Tokens, b: &Tokens, scratch: &mut Scratch) -> Vec<Passage> {
    let anchors = anchors_of(config, a, b, scratch);
    let min_tokens = least_tokens(config, b, a, &anchors);
    let mut found: Vec<Passage> = Vec::new();
    scratch.align.begin(b.len());
    align(b, a, false, min_tokens, &anchors, &mut scratch.align, |runs| {
        found.push(Passage::new(runs));
    });
    found.sort_by_key(Passage::place);
    let mut found = join(found);
    if config.rewording {
        found = gather(absorb(found, reworded(a, b)));
        for passage in &mut found {
            passage.matched = told(b, &passage.b, a, &passage.a).count() as u32;
        }
    }
    if !config.count_formulas {
        found.retain(|passage| !is_formula(config, a, b, passage));
    }
    found
}

/// Tokens and identity from which an exact passage stands by itself, whatever
/// alike sentences are near it.
const VERBATIM: u32 = 40;
const IDENTICAL: f64 = 0.9;
/// Share of a reworded passage from which exact ones are the better account of
/// it.
const MOSTLY: f64 = 0.9;
/// Fewest tokens of a reworded passage, on either side.
const REWORDED: usize = 25;

/// Adds each reworded passage together with the exact ones that it overlaps,
/// unless these are most of it or stand by themselves.
fn absorb(mut exact: Vec<Passage>, reworded: Vec<Reworded>) -> Vec<Passage> {
    exact.sort_by_key(Passage::place);
    let index = Intervals::new(exact.iter().map(|passage| (passage.b.start, passage.b.end)));
    let mut exact: Vec<Option<Passage>> = exact.into_iter().map(Some).collect();
    let mut found = Vec::new();
    for Reworded { a, b } in reworded {
        // Its tokens are counted when it has its final extent.
        let mut reworded = Passage { a, b, matched: 0 };
        let overlapping = |&at: &usize| exact[at].as_ref().is_some_and(|passage| passage.overlaps(&reworded));
        let inside: Vec<usize> = index
            .overlapping(reworded.b.start, reworded.b.end)
            .map(|(at, _)| at)
            .filter(overlapping)
            .collect();
        let passages = || inside.iter().filter_map(|&at| exact[at].as_ref());
        let sum: u32 = passages().map(|passage| passage.matched).sum();
        let small = reworded.a.len().min(reworded.b.len()) < REWORDED;
        let verbatim = |passage: &Passage| {
            passage.matched >= VERBATIM
                && f64::from(passage.matched) >= IDENTICAL * f64::from(passage.longest())
        };
        if small || f64::from(sum) >= MOSTLY * f64::from(reworded.longest()) || passages().any(verbatim) {
            continue;
        }
        inside.into_iter().filter_map(|at| exact[at].take()).for_each(|passage| reworded.take_in(passage));
        found.push(reworded);
    }
    found.extend(exact.into_iter().flatten());
    found
}

/// Most tokens between two parts of a passage whose sentences were put in
/// another order.
const BETWEEN: u32 = 40;

/// Joins passages that are close to each other on both sides, in any order.
fn gather(mut found: Vec<Passage>) -> Vec<Passage> {
    found.sort_by_key(Passage::place);
    let mut gathered: Vec<Passage> = Vec::new();
    for passage in found {
        let near = gathered.len().saturating_sub(LOOK_BACK);
        let apart =
            |x: &Range<u32>, y: &Range<u32>| y.start.saturating_sub(x.end).max(x.start.saturating_sub(y.end));
        let close = |earlier: &&mut Passage| {
            apart(&earlier.a, &passage.a).max(apart(&earlier.b, &passage.b)) <= BETWEEN
        };
        match gathered[near..].iter_mut().rev().find(close) {
            Some(earlier) => earlier.take_in(passage),
            None => gathered.push(passage),
        }
    }
    gathered
}

/// All anchors between two documents.
fn anchors_of(config: &Config, a: &Tokens, b: &Tokens, scratch: &mut Scratch) -> Vec<Anchor> {
    let Scratch { own, of_fingerprints, fingerprints, filter, postings, spare, anchors: buffers, .. } =
        scratch;
    fingerprints.clear();
    for (document, tokens) in (0..).zip([a, b]) {
        own_shingles(tokens, config, own);
        add_fingerprints(document, tokens, own, config, of_fingerprints, fingerprints);
    }
    let of = |document: u32| if document == 0 { a } else { b };
    let mut found = Vec::new();
    let recurring = filter.recurring(fingerprints, Fingerprint::half);
    postings.clear();
    postings.extend(recurring.iter().map(|one| Posting::new(one, 0)));
    for group in groups(postings, spare) {
        let between = |anchor: Anchor| {
            if anchor.later() != anchor.earlier() {
                found.push(anchor);
            }
        };
        let lengths = lengths_of(group[0].key, config).of_runs();
        anchors(group, |document| of(document).words, lengths, buffers, between);
    }
    found.sort_unstable();
    found
}

/// Longest stretch, in tokens, between two fragments of one edited copy.
const EDITED: i64 = 48;
/// How many fragments back a fragment looks for the one that it continues.
const LOOK_BACK: usize = 16;

/// Joins fragments that continue each other in both documents. `found` is
/// sorted.
fn join(found: Vec<Passage>) -> Vec<Passage> {
    let mut joined: Vec<Passage> = Vec::new();
    for passage in found {
        let near = joined.len().saturating_sub(LOOK_BACK);
        match joined[near..].iter_mut().rev().find(|earlier| continues(earlier, &passage)) {
            Some(earlier) => earlier.take_in(passage),
            None => joined.push(passage),
        }
    }
    joined
}

/// Whether one fragment goes on where another stopped, in both documents, with a
/// gap between them that is no longer than either.
fn continues(earlier: &Passage, later: &Passage) -> bool {
    let gap = |x: &Range<u32>, y: &Range<u32>| i64::from(y.start) - i64::from(x.end);
    let (b_gap, a_gap) = (gap(&earlier.b, &later.b), gap(&earlier.a, &later.a));
    let shorter = i64::from(earlier.longest().min(later.longest()));
    let near = 0..=EDITED.min(shorter);
    near.contains(&b_gap) && near.contains(&a_gap) && (b_gap - a_gap).abs() <= EDITED / 4
}

/// Leaves out what mostly stands in longer passages already, on either side, so
/// that each stretch of one document is told of one of the other. Sorted by
/// place in `b`.
fn one_to_one(mut found: Vec<Passage>, a_len: usize, b_len: usize) -> Vec<Passage> {
    // Long ones first, but what is word for word before what is only alike.
    let weight = |passage: &Passage| u64::from(passage.matched).pow(2) / u64::from(passage.longest());
    found.sort_by_key(|passage| (Reverse(weight(passage)), passage.place()));
    let (mut a_told, mut b_told) = (vec![false; a_len], vec![false; b_len]);
    found.retain(|Passage { a, b, .. }| {
        let a = &mut a_told[a.start as usize..a.end as usize];
        let b = &mut b_told[b.start as usize..b.end as usize];
        let new = |told: &[bool]| 2 * told.iter().filter(|told| !**told).count() >= told.len();
        let kept = new(a) && new(b);
        if kept {
            a.fill(true);
            b.fill(true);
        }
        kept
    });
    found.sort_by_key(Passage::place);
    found
}

/// Whether a passage is a set phrase inside other text.
fn is_formula(config: &Config, a: &Tokens, b: &Tokens, passage: &Passage) -> bool {
    let lines = |tokens: &Tokens, place: &Range<u32>| {
        tokens.starts_line(place.start as usize) && tokens.starts_line(place.end as usize)
    };
    (passage.matched as usize) < config.formula_tokens && !(lines(a, &passage.a) && lines(b, &passage.b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Detector;
    use crate::config::Sensitivity;

    const STORY: &str = "The old mill by the river will close in spring, and two hundred people will lose \
        their work, the owners told a crowded meeting in the town hall on Monday night.";

    fn compared(config: Config, a: &str, b: &str) -> Comparison {
        let documents = [Document::new("a", a), Document::new("b", b)];
        let detector = Detector::new(config).expect("valid");
        detector.compare(&documents, &[(0, 1)]).expect("two ids").remove(0)
    }

    fn texts<'t>(found: &Comparison, a: &'t str, b: &'t str) -> Vec<(&'t str, &'t str)> {
        let slice = |row: &PassageRow| {
            let in_a = &a[row.a_start_byte as usize..row.a_end_byte as usize];
            let in_b = &b[row.b_start_byte as usize..row.b_end_byte as usize];
            for (text, part, chars) in
                [(a, in_a, row.a_start_char..row.a_end_char), (b, in_b, row.b_start_char..row.b_end_char)]
            {
                let skip = text.chars().skip(chars.start as usize);
                assert!(skip.take((chars.end - chars.start) as usize).eq(part.chars()));
            }
            (in_a, in_b)
        };
        found.passages.iter().map(slice).collect()
    }

    #[test]
    fn bytes_and_characters_on_both_sides() {
        let (a, b) = (format!("Čas: “Zítra.” {STORY}"), format!("Früher. {STORY} Später."));
        let found = compared(Config::default(), &a, &b);
        assert_eq!(texts(&found, &a, &b), [(STORY, STORY)]);
        assert_eq!(found.passages[0].identity, 1.0);
        assert!(found.a_in_b > Some(0.9) && found.a_in_b < Some(1.0));
    }

    #[test]
    fn an_edited_copy_is_one_passage() {
        let edited =
            STORY.replace("in spring", "at the end of May, after long talks").replace("Monday", "Friday");
        let found = compared(Config::default(), STORY, &edited);
        assert_eq!(texts(&found, STORY, &edited), [(STORY, &*edited)]);
        assert!(found.passages[0].identity > 0.7 && found.passages[0].identity < 1.0);
    }

    #[test]
    fn what_stands_twice_is_listed_once_and_counted_twice() {
        let twice = format!("{STORY} So it was said. {STORY}");
        let found = compared(Config::default(), STORY, &twice);
        assert_eq!(texts(&found, STORY, &twice), [(STORY, STORY)]);
        assert!(found.b_in_a > Some(0.9), "{:?}", found.b_in_a);
    }

    #[test]
    fn set_phrases_are_left_out() {
        let (a, b) = (
            "One said that he is a member of the House of Lords now.",
            "It is a member of the House of Lords that wrote.",
        );
        assert_eq!(compared(Config::default(), a, b).passages, []);
        let config = Config { count_formulas: true, ..Config::default() };
        assert_eq!(compared(config, a, b).passages.len(), 1);
    }

    #[test]
    fn nothing_in_common_and_nothing_at_all() {
        for (a, b) in [("", ""), ("", STORY), (STORY, "Quite another text."), ("…", "—")] {
            let found = compared(Config::with_sensitivity(Sensitivity::High), a, b);
            assert_eq!(found.passages, []);
            assert!(found.a_in_b.is_none_or(|share| share == 0.0));
        }
    }

    #[test]
    fn reworded_sentences_are_found_only_when_asked_for() {
        let own = "A new bridge was opened by the mayor after years of quarrels about its colour. \
            Nobody knows how much money it took to build or who signed the papers.";
        let a = format!("{own} {STORY}");
        let b = "Harvest fairs will line Market Street with forty stalls from Saturday on. \
            By the river two hundred will lose work in spring: the old mill, its owners told people on Monday, \
            will close, and their meeting in the town hall that night was crowded. Rain is expected.";
        assert_eq!(compared(Config::default(), &a, b).passages, []);
        let found = compared(Config::with_sensitivity(Sensitivity::High), &a, b);
        let [(in_a, in_b)] = texts(&found, &a, b)[..] else { panic!("{found:?}") };
        assert_eq!(in_a, STORY);
        assert!(in_b.starts_with("By the river") && in_b.contains("that night was crowded"));
    }
}
