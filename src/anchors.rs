//! Anchors: pairs of places that share a fingerprint, from which alignments
//! grow.
//!
//! A fingerprint that stands in n places has n² pairs; anchoring every place to
//! a few earlier ones keeps the work linear however frequent a text is, so
//! nothing frequent ever has to be dropped. Each place is anchored
//!
//! - to the first document that has the fingerprint, and to the previous one if
//!   its surroundings are new;
//! - to its previous occurrence in the same document;
//! - and, for every run of the guaranteed length around it, to the first place
//!   that shares it; beyond a number of places in one document, only to the
//!   previous one there with the same surroundings, if there is one.
//!
//! The last makes the guarantee hold whatever else a fingerprint stands in:
//! each place of an exact repeat of that length is anchored to an earlier one.
//! Places with the same surroundings share their runs, so these are looked for
//! once for each kind of surroundings.

use std::ops::Range;

use ahash::AHashMap;

use crate::ahead::fetch;
use crate::hash;
use crate::lanes::{common_end, common_start};
use crate::postings::Posting;

/// Two places with one fingerprint: position `b` of document `later` and
/// position `a` of document `earlier`. Inside one document, `a < b`.
///
/// Sorted, they come pair by pair, and in a pair those beside each other that one run may
/// hold: by the later and the earlier document, by how far the positions are apart, and by
/// `b`. All four are one number, which is compared without a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Anchor(u128);

impl Anchor {
    pub(crate) fn new(later: u32, earlier: u32, b: u32, a: u32) -> Self {
        let parts = [later, earlier, b.wrapping_sub(a), b];
        Anchor(parts.iter().fold(0, |all, &part| all << 32 | u128::from(part)))
    }

    #[inline]
    pub(crate) fn later(self) -> u32 {
        (self.0 >> 96) as u32
    }

    #[inline]
    pub(crate) fn earlier(self) -> u32 {
        (self.0 >> 64) as u32
    }

    #[inline]
    pub(crate) fn b(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub(crate) fn a(self) -> u32 {
        self.b().wrapping_sub((self.0 >> 32) as u32)
    }
}

/// Occurrences of one fingerprint in two documents up to which all are paired.
const ALL_PAIRS: usize = 4;
/// Beyond it, the first so many are paired by their order.
const ORDINALS: usize = 16;

/// Buffers that live as long as their worker.
#[derive(Default)]
pub(crate) struct Scratch {
    /// All places of the fingerprint.
    places: Vec<Place>,
    /// The kinds of surroundings met so far, in order of their first place.
    classes: Vec<Class>,
    /// The class of each kind of surroundings, once they are many.
    by_context: AHashMap<u64, usize>,
    /// The first class of each run, by its hash and the offset of the
    /// fingerprint in it, once they are many.
    by_run: AHashMap<(u64, usize), usize>,
    /// For each class the classes that had one of its runs first.
    targets: Vec<usize>,
    /// Places of one document whose surroundings were new.
    fresh: Vec<Place>,
}

/// Where a fingerprint stands.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    document: u32,
    position: u32,
    /// A hash of what surrounds it.
    context: u64,
}

/// One kind of surroundings of a fingerprint.
struct Class {
    /// The first place that has them, and the last so far.
    leader: Place,
    last: Place,
    targets: Range<usize>,
}

/// Places of a fingerprint whose surroundings are fetched together.
const AT_ONCE: usize = 16;
/// Classes up to which they are compared one by one.
const FEW: usize = 8;

/// Fetches what [`anchors`] will look at.
pub(crate) fn fetch_words<'a>(group: &[Posting], words: impl Fn(u32) -> &'a [u32], lengths: (usize, usize)) {
    // Of two nothing is asked.
    if group.len() > 2 {
        for place in group.iter().take(AT_ONCE) {
            fetch(surroundings(words(place.document), lengths, place.position));
        }
    }
}

/// Calls `found` for every anchor of one fingerprint's postings, which are
/// sorted. `words` gives a document's tokens, `lengths` are the length of its
/// shingles and how many runs of the guaranteed length hold one.
pub(crate) fn anchors<'a>(
    group: &[Posting],
    words: impl Fn(u32) -> &'a [u32],
    lengths: (usize, usize),
    scratch: &mut Scratch,
    mut found: impl FnMut(Anchor),
) {
    match group {
        [] | [_] => return,
        // Most are of two places.
        [x, y] => {
            return found(Anchor::new(y.document, x.document, y.position, x.position));
        }
        _ => (),
    }
    scratch.begin(group, &words, lengths);
    let places = std::mem::take(&mut scratch.places);
    let (mut first, mut previous): (&[Place], &[Place]) = (&[], &[]);
    for here in places.chunk_by(|x, y| x.document == y.document) {
        for pair in here.windows(2) {
            found(anchor(&pair[0], &pair[1]));
        }
        cross(first, here, &mut found);
        let all = !first.is_empty() && pairs_all(first, here);
        scratch.fresh.clear();
        for (at, place) in here.iter().enumerate() {
            let class = match scratch.class(place) {
                Some(class) => class,
                None => {
                    scratch.fresh.push(*place);
                    scratch.add(place, &words, lengths)
                }
            };
            // What one document repeats often hangs on its own places, or a
            // periodic text would be aligned anew at every period.
            let last = std::mem::replace(&mut scratch.classes[class].last, *place);
            if at >= ORDINALS && last.document == place.document && last != *place {
                found(anchor(&last, place));
                continue;
            }
            for &target in &scratch.targets[scratch.classes[class].targets.clone()] {
                let leader = &scratch.classes[target].leader;
                let done = all && leader.document == first[0].document;
                if !done && leader != place {
                    found(anchor(leader, place));
                }
            }
        }
        if previous.first().map(|place| place.document) != first.first().map(|place| place.document) {
            cross(previous, &scratch.fresh, &mut found);
        }
        if first.is_empty() {
            first = here;
        }
        previous = here;
    }
    scratch.places = places;
}

impl Scratch {
    /// Makes ready for other places, and looks at what surrounds them.
    fn begin<'a>(&mut self, group: &[Posting], words: &impl Fn(u32) -> &'a [u32], lengths: (usize, usize)) {
        self.classes.clear();
        self.by_context.clear();
        self.by_run.clear();
        self.targets.clear();
        self.places.clear();
        for (at, &Posting { document, position, .. }) in group.iter().enumerate() {
            if let Some(farther) = group.get(at + AT_ONCE) {
                fetch(surroundings(words(farther.document), lengths, farther.position));
            }
            self.places.push(Place {
                document,
                position,
                context: context(words(document), lengths, position),
            });
        }
    }

    /// The class of a place, if its surroundings were met before.
    fn class(&self, place: &Place) -> Option<usize> {
        match self.classes.len() <= FEW {
            true => self.classes.iter().position(|class| class.leader.context == place.context),
            false => self.by_context.get(&place.context).copied(),
        }
    }

    /// Adds the class of a place with new surroundings, and finds which class
    /// was the first with each of the runs of `k + w - 1` tokens that hold the
    /// fingerprint, at one of `w` offsets.
    fn add<'a>(&mut self, place: &Place, words: &impl Fn(u32) -> &'a [u32], (k, w): (usize, usize)) -> usize {
        let new = self.classes.len();
        if new == FEW {
            // From here on by tables.
            let known = self.targets.len();
            for at in 0..new {
                let leader = self.classes[at].leader;
                self.by_context.insert(leader.context, at);
                self.look_up(at, &leader, words, (k, w));
            }
            self.targets.truncate(known);
        }
        let start = self.targets.len();
        if new < FEW {
            self.compare(place, words, (k, w));
        } else {
            self.by_context.insert(place.context, new);
            self.look_up(new, place, words, (k, w));
        }
        let targets = start..self.targets.len();
        self.classes.push(Class { leader: *place, last: *place, targets });
        new
    }

    fn push_target(&mut self, start: usize, target: usize) {
        if !self.targets[start..].contains(&target) {
            self.targets.push(target);
        }
    }

    /// Finds the targets of a new class by a table of all runs.
    fn look_up<'a>(
        &mut self,
        number: usize,
        place: &Place,
        words: &impl Fn(u32) -> &'a [u32],
        (k, w): (usize, usize),
    ) {
        let start = self.targets.len();
        let text = words(place.document);
        for offset in 0..w {
            let Some(from) = (place.position as usize).checked_sub(offset) else { break };
            let Some(run) = text.get(from..from + k + w - 1) else { continue };
            let earliest = *self.by_run.entry((hash::words(run), offset)).or_insert(number);
            self.push_target(start, earliest);
        }
    }

    /// The same by comparing with each class, which for a few is quicker.
    fn compare<'a>(&mut self, place: &Place, words: &impl Fn(u32) -> &'a [u32], (k, w): (usize, usize)) {
        let start = self.targets.len();
        let text = words(place.document);
        let here = place.position as usize;
        // How far the same tokens reach from a place of each class.
        let mut reach = [(0, 0); FEW];
        for (class, reach) in self.classes.iter().zip(&mut reach) {
            let other = words(class.leader.document);
            let there = class.leader.position as usize;
            let before = common_end(
                &text[here.saturating_sub(w - 1)..here],
                &other[there.saturating_sub(w - 1)..there],
            );
            let after = common_start(&text[here..text.len().min(here + k + w - 1)], &other[there..]);
            *reach = (before, after);
        }
        let new = self.classes.len();
        for offset in 0..w {
            let shares = |&(before, after): &(usize, usize)| offset <= before && k + w - 1 - offset <= after;
            if offset <= here && here - offset + k + w - 1 <= text.len() {
                let earliest = reach[..new].iter().position(shares).unwrap_or(new);
                self.push_target(start, earliest);
            }
        }
    }
}

/// The tokens around a fingerprint: all that a run of the guaranteed length which holds
/// it could hold besides.
fn surroundings(words: &[u32], (k, w): (usize, usize), at: u32) -> &[u32] {
    let at = at as usize;
    &words[at.saturating_sub(w - 1)..(at + k + w - 1).min(words.len())]
}

/// A hash of the surroundings of a fingerprint.
fn context(words: &[u32], lengths: (usize, usize), at: u32) -> u64 {
    // Where the text begins, some are missing.
    let before = (at as usize).min(lengths.1 - 1);
    hash::mix(hash::words(surroundings(words, lengths, at)) ^ before as u64)
}

fn anchor(earlier: &Place, later: &Place) -> Anchor {
    Anchor::new(later.document, earlier.document, later.position, earlier.position)
}

/// Whether [`cross`] anchors every place of one document to every one of
/// another.
fn pairs_all(earlier: &[Place], later: &[Place]) -> bool {
    earlier.len() <= ALL_PAIRS && later.len() <= ALL_PAIRS
}

fn cross(earlier: &[Place], later: &[Place], found: &mut impl FnMut(Anchor)) {
    if pairs_all(earlier, later) {
        for y in later {
            earlier.iter().for_each(|x| found(anchor(x, y)));
        }
    } else {
        earlier.iter().zip(later).take(ORDINALS).for_each(|(x, y)| found(anchor(x, y)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(places: &[(u32, u32)], texts: &[Vec<u32>]) -> Vec<(u32, u32, u32, u32)> {
        let posting = |&(document, position): &(u32, u32)| Posting { key: 1, document, position };
        let places: Vec<Posting> = places.iter().map(posting).collect();
        let mut found = Vec::new();
        anchors(
            &places,
            |doc| &texts[doc as usize],
            (5, 4),
            &mut Scratch::default(),
            |x| {
                found.push((x.later(), x.b(), x.earlier(), x.a()));
            },
        );
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn a_place_hangs_on_the_first_and_a_new_kind_on_the_previous_too() {
        let same: Vec<u32> = (0..20).collect();
        let with = |before: u32| -> Vec<u32> { (before..before + 5).chain(5..20).collect() };
        let texts = [same.clone(), with(100), with(100), same, with(200)];
        let found = run(&[(0, 5), (1, 5), (2, 5), (3, 5), (4, 5)], &texts);
        assert_eq!(
            found,
            [(1, 5, 0, 5), (2, 5, 0, 5), (2, 5, 1, 5), (3, 5, 0, 5), (4, 5, 0, 5), (4, 5, 3, 5)]
        );
    }

    #[test]
    fn inside_a_document_each_place_hangs_on_the_one_before_and_the_first_ones_on_the_first() {
        let text: Vec<u32> = (0..10).cycle().take(400).collect();
        let places: Vec<(u32, u32)> = (0..30).map(|at| (0, 5 + 10 * at)).collect();
        let found = run(&places, &[text]);
        let after =
            |b: u32| found.iter().filter(|anchor| anchor.1 == b).map(|anchor| anchor.3).collect::<Vec<_>>();
        assert_eq!(after(15), [5]);
        assert_eq!(after(25), [5, 15]);
        assert_eq!(after(155), [5, 145]);
        assert_eq!(after(165), [155], "so many that only the one before is left");
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

    proptest! {
        /// Both ways to find the first place of each run agree.
        #[test]
        fn few_classes_are_compared_as_many_are_looked_up(texts in prop::collection::vec((0u32..3, 0u32..3, 0usize..4, 0usize..4), 1..FEW)) {
            // The shingle 10..15 with up to three tokens to each side.
            let texts: Vec<(Vec<u32>, u32)> = texts.into_iter().map(|(left, right, before, after)| {
                let words = (0..before as u32).map(|at| at.max(left)).chain(10..15).chain((0..after as u32).map(|at| 20 + at.max(right)));
                (words.collect(), before as u32)
            }).collect();
            let words = |document: u32| &texts[document as usize].0[..];
            let (mut few, mut many) = (Scratch::default(), Scratch::default());
            for (document, (_, position)) in (0..).zip(&texts) {
                let place = Place { document, position: *position, context: 0 };
                few.add(&place, &words, (5, 4));
                many.look_up(document as usize, &place, &words, (5, 4));
                prop_assert_eq!(&few.targets, &many.targets);
                few.targets.clear();
                many.targets.clear();
            }
        }
    }

    #[test]
    fn a_frequent_fingerprint_costs_a_bounded_number_each() {
        let texts: Vec<Vec<u32>> = (0..500).map(|_| (0..20).collect()).collect();
        let places: Vec<(u32, u32)> = (0..500).flat_map(|doc| (0..6).map(move |at| (doc, at))).collect();
        assert!(run(&places, &texts).len() <= places.len() * 8);
    }
}
