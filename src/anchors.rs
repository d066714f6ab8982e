//! Anchors: pairs of places that share a fingerprint, from which alignments
//! grow.
//!
//! A fingerprint that stands in n places has n² pairs; anchoring every place to
//! a few earlier ones keeps the work linear however frequent a text is, so
//! nothing frequent ever has to be dropped. Each place is anchored
//!
//! - to the first document that has the fingerprint, and to the previous one
//!   where what surrounds it is not as in the first,
//! - to its previous occurrence in the same document,
//! - and, for every run of the guaranteed length around it which none of these
//!   shares, to the first place that does.
//!
//! The last makes the guarantee hold whatever else a fingerprint stands in:
//! each place of an exact repeat of that length is anchored to an earlier one.

use ahash::AHashMap;

use crate::hash;
use crate::postings::Posting;

/// Two places with one fingerprint: position `b` of document `later` and
/// position `a` of document `earlier`. Inside one document, `a < b`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Anchor {
    pub later: u32,
    pub earlier: u32,
    pub b: u32,
    pub a: u32,
}

/// Occurrences of one fingerprint in two documents up to which all are paired.
const ALL_PAIRS: usize = 4;
/// Beyond it, the first so many are paired by their order.
const ORDINALS: usize = 16;

/// A table to look runs up in, kept from one fingerprint to the next: the first
/// place of each run, by its hash and the offset of the fingerprint in it.
pub(crate) type Runs = AHashMap<(u64, usize), usize>;

/// Calls `found` for every anchor of one fingerprint's postings, which are
/// sorted. `words` gives a document's tokens, `lengths` the shingle length and
/// window of each document.
pub(crate) fn anchors<'a>(
    group: &[Posting],
    words: impl Fn(u32) -> &'a [u32],
    lengths: impl Fn(u32) -> (usize, usize),
    runs: &mut Runs,
    mut found: impl FnMut(Anchor),
) {
    match group {
        [] | [_] => return,
        // Most are of two places; what surrounds them is not looked at yet.
        [x, y] => return found(anchor(x, y)),
        _ => (),
    }
    let mut by_document = group.chunk_by(|x, y| x.document == y.document);
    let first = by_document.next().expect("three places");
    let text = words(first[0].document);
    let as_first = |here: &[Posting]| {
        let (k, w) = lengths(here[0].document);
        let of_here = words(here[0].document);
        here.iter().all(|posting| alike(text, first[0].position, of_here, posting.position, k, w))
    };
    chain(first, &mut found);
    let mut all_alike = first.len() == 1 || as_first(first);
    let mut previous = first;
    for here in by_document {
        chain(here, &mut found);
        cross(first, here, &mut found);
        if !as_first(here) {
            all_alike = false;
            if previous[0].document != first[0].document {
                cross(previous, here, &mut found);
            }
        }
        previous = here;
    }
    // The usual case of stock text: every place hangs on the first, directly or
    // by the chain of previous occurrences.
    if !all_alike {
        complete(group, words, lengths, runs, found);
    }
}

fn anchor(earlier: &Posting, later: &Posting) -> Anchor {
    Anchor { later: later.document, earlier: earlier.document, b: later.position, a: earlier.position }
}

/// Anchors each place in one document to the one before.
fn chain(here: &[Posting], found: &mut impl FnMut(Anchor)) {
    here.windows(2).for_each(|pair| found(anchor(&pair[0], &pair[1])));
}

fn cross(earlier: &[Posting], later: &[Posting], found: &mut impl FnMut(Anchor)) {
    if earlier.len() <= ALL_PAIRS && later.len() <= ALL_PAIRS {
        for y in later {
            earlier.iter().for_each(|x| found(anchor(x, y)));
        }
    } else {
        earlier.iter().zip(later).take(ORDINALS).for_each(|(x, y)| found(anchor(x, y)));
    }
}

/// Anchors what the star above may have missed. Every run of `k + w - 1` tokens
/// that holds this fingerprint as its own has it at one of `w` offsets; for
/// each such run around each place, the first place with the same run is
/// remembered and later ones are anchored to it.
fn complete<'a>(
    group: &[Posting],
    words: impl Fn(u32) -> &'a [u32],
    lengths: impl Fn(u32) -> (usize, usize),
    runs: &mut Runs,
    mut found: impl FnMut(Anchor),
) {
    if group.len() <= FEW {
        return complete_few(group, words, lengths, found);
    }
    runs.clear();
    for (at, posting) in group.iter().enumerate() {
        let text = words(posting.document);
        let (k, w) = lengths(posting.document);
        let mut last = None;
        for offset in 0..w {
            let Some(from) = (posting.position as usize).checked_sub(offset) else { break };
            let Some(run) = text.get(from..from + k + w - 1) else { continue };
            let earliest = *runs.entry((hash::words(run), offset)).or_insert(at);
            if earliest != at && last != Some(earliest) {
                found(anchor(&group[earliest], posting));
                last = Some(earliest);
            }
        }
    }
}

/// Places up to which each is compared with each earlier one.
const FEW: usize = 8;

/// The same by comparing the surroundings of each two places, which for a few
/// is quicker than a table.
fn complete_few<'a>(
    group: &[Posting],
    words: impl Fn(u32) -> &'a [u32],
    lengths: impl Fn(u32) -> (usize, usize),
    mut found: impl FnMut(Anchor),
) {
    for (at, posting) in group.iter().enumerate().skip(1) {
        let text = words(posting.document);
        let (k, w) = lengths(posting.document);
        let here = posting.position as usize;
        // The offsets whose run was met at an earlier place.
        let mut met = vec![false; w];
        for earlier in &group[..at] {
            let other = words(earlier.document);
            let there = earlier.position as usize;
            let before = text[..here].iter().rev().zip(other[..there].iter().rev());
            let before = before.take(w - 1).take_while(|(x, y)| x == y).count();
            let after = text[here..].iter().zip(&other[there..]);
            let after = after.take(k + w - 1).take_while(|(x, y)| x == y).count();
            let mut new = false;
            for (offset, met) in met.iter_mut().enumerate() {
                if offset <= before && k + w - 1 - offset <= after && !*met {
                    (*met, new) = (true, true);
                }
            }
            if new {
                found(anchor(earlier, posting));
            }
        }
    }
}

/// Whether two places agree in all that a run of the guaranteed length around
/// their fingerprint could hold.
fn alike(a: &[u32], at_a: u32, b: &[u32], at_b: u32, k: usize, w: usize) -> bool {
    let (at_a, at_b) = (at_a as usize, at_b as usize);
    let before = at_b.min(w - 1);
    let after = (b.len() - at_b).min(k + w - 1);
    at_a >= before && a.get(at_a - before..at_a + after) == b.get(at_b - before..at_b + after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postings(places: &[(u32, u32)]) -> Vec<Posting> {
        places.iter().map(|&(document, position)| Posting { key: 1, document, position }).collect()
    }

    fn run(places: &[(u32, u32)], texts: &[Vec<u32>]) -> Vec<(u32, u32, u32, u32)> {
        let mut found = Vec::new();
        anchors(
            &postings(places),
            |doc| &texts[doc as usize],
            |_| (5, 4),
            &mut Runs::new(),
            |x| {
                found.push((x.later, x.b, x.earlier, x.a));
            },
        );
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn the_first_and_if_it_differs_the_previous() {
        let same: Vec<u32> = (0..20).collect();
        let other: Vec<u32> = [90, 91, 92].into_iter().chain(3..20).collect();
        let texts = [same.clone(), other.clone(), other, same];
        let found = run(&[(0, 5), (1, 5), (2, 5), (3, 5)], &texts);
        assert_eq!(found, [(1, 5, 0, 5), (2, 5, 0, 5), (2, 5, 1, 5), (3, 5, 0, 5)]);
    }

    #[test]
    fn inside_a_document_each_place_hangs_on_the_one_before() {
        let text: Vec<u32> = (0..10).cycle().take(40).collect();
        assert_eq!(run(&[(0, 5), (0, 15), (0, 25)], &[text]), [(0, 15, 0, 5), (0, 25, 0, 15)]);
    }

    /// The shingle 5..10 stands in four documents, but the eight tokens around
    /// it only in the second and the last.
    #[test]
    fn a_run_hidden_behind_other_contexts_is_anchored() {
        let with = |before: u32| -> Vec<u32> { (before..before + 5).chain(5..10).chain(50..60).collect() };
        let texts = [with(100), (0..20).collect(), with(200), (0..20).collect()];
        let places = [(0, 5), (1, 5), (2, 5), (3, 5)];
        assert!(run(&places, &texts).contains(&(3, 5, 1, 5)));
    }

    /// Both ways to complete a group find anchors for the same runs.
    #[test]
    fn few_places_are_completed_as_many_are() {
        let with = |before: u32, after: u32| -> Vec<u32> {
            (before..before + 5).chain(5..10).chain(after..after + 5).collect()
        };
        let texts = [with(0, 10), with(100, 10), with(0, 200), with(100, 10), with(300, 400), with(100, 200)];
        let group = postings(&[(0, 5), (1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
        let words = |doc: u32| &texts[doc as usize][..];
        let mut few = Vec::new();
        complete_few(&group, words, |_| (5, 4), |anchor| few.push(anchor));
        let mut many = Vec::new();
        let padded: Vec<Posting> =
            group.iter().chain(group[4..5].iter().cycle().take(FEW)).copied().collect();
        complete(&padded, words, |_| (5, 4), &mut Runs::new(), |anchor| many.push(anchor));
        many.retain(|anchor| anchor.later != 4);
        few.sort_unstable();
        many.sort_unstable();
        assert_eq!(few, many);
        assert!(!few.is_empty());
    }

    #[test]
    fn a_frequent_fingerprint_costs_a_bounded_number_each() {
        let texts: Vec<Vec<u32>> = (0..500).map(|_| (0..20).collect()).collect();
        let places: Vec<(u32, u32)> = (0..500).flat_map(|doc| (0..6).map(move |at| (doc, at))).collect();
        assert!(run(&places, &texts).len() <= places.len() * 8);
    }
}
