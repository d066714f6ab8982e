//! Families: all occurrences of one recurring passage, with common boundaries.
//!
//! A family is a segment of a root text. The stretches of the root that were
//! copied propose segments; the commonest boundaries win, a longer stretch is
//! cut where a commoner one begins or ends at a natural boundary (a line, a
//! sentence, its own edge), and a much shorter one inside it becomes a nested
//! family, so that a set phrase never shatters the paragraph around it. Every
//! copy that holds enough of a segment is an occurrence. Sorts aside, linear in
//! the copies.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;

use crate::ahead::{ahead, fetch};
use crate::align::Run;
use crate::intervals::{Intervals, NESTING};
use crate::projection::{Copy, Runs};
use crate::tokens::{Tokens, is_stop};

/// A stretch of a document in which a family stands. Numbers count tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Occurrence {
    pub document: u32,
    pub start: u32,
    pub end: u32,
    /// Tokens that match the family's text.
    pub matched: u32,
}

impl Occurrence {
    /// Share of its tokens that match the family's text.
    pub(crate) fn identity(&self) -> f64 {
        f64::from(self.matched) / f64::from(self.end - self.start)
    }
}

/// A recurring passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Family {
    /// Where its text was first seen.
    pub root: u32,
    pub start: u32,
    pub end: u32,
    /// Sorted by document and start; those of one document do not overlap.
    pub occurrences: Vec<Occurrence>,
}

impl Family {
    /// The number of documents it occurs in.
    pub(crate) fn df(&self) -> usize {
        self.occurrences.chunk_by(|x, y| x.document == y.document).count()
    }

    /// Its length in tokens.
    pub(crate) fn len(&self) -> u32 {
        self.end - self.start
    }
}

/// Boundaries this close, in tokens, are one.
const JITTER: u32 = 3;
/// Fewest tokens of what is left when a stretch is cut, and of a part of a
/// passage that may be joined to others.
const PIECE: u32 = 5;
/// Longest stretch between two parts of one occurrence, in tokens; neither is it
/// longer than the shorter of them.
const EDITED: i64 = 48;
/// Percent of a family's text that an occurrence holds at least.
const HELD: u32 = 40;

/// Buffers that live as long as their worker.
#[derive(Default)]
pub(crate) struct Scratch {
    /// What copies hold of segments.
    parts: Vec<Part>,
    joined: Vec<(Part, u32)>,
}

/// The families of one root text, from all copies of it, in any order.
pub(crate) fn families(
    root: u32,
    tokens: &Tokens,
    runs: &Runs,
    list: &[Copy],
    scratch: &mut Scratch,
) -> Vec<Family> {
    let segments = segments(root, tokens, list);
    let index = Intervals::new(segments.iter().copied());
    let Scratch { parts, joined } = scratch;
    // Each segment has room for the root itself and for every copy that touches it.
    let mut room = vec![1; segments.len()];
    for copy in list {
        index.overlapping(copy.root_start, copy.root_end).for_each(|(at, _)| room[at] += 1);
    }
    let mut total = 0;
    let mut filled = vec![0..0; segments.len()];
    for (filled, room) in filled.iter_mut().zip(room) {
        *filled = total..total;
        total += room;
    }
    parts.clear();
    parts.resize(total, Part::default());
    let mut add = |at: usize, part| {
        parts[filled[at].end] = part;
        filled[at].end += 1;
    };
    (0..).zip(&segments).for_each(|(at, &(start, end))| add(at, Part::whole(root, start, end)));
    for copy in ahead(list.iter(), |copy| runs.of(copy).iter().take(1).for_each(fetch)) {
        for (at, &(start, end)) in index.overlapping(copy.root_start, copy.root_end) {
            Part::new(copy, runs.of(copy), start, end).into_iter().for_each(|part| add(at, part));
        }
    }
    let family = |(&(start, end), filled): (&(u32, u32), Range<usize>)| {
        let parts = &mut parts[filled];
        // Stable, since they are almost sorted, as copies are by document.
        parts.sort();
        join(parts, joined);
        // What holds too little of the family is left out.
        joined.retain(|(_, held)| held * 100 >= (end - start) * HELD);
        let occurrences: Vec<Occurrence> = joined.iter().map(|(part, _)| part.occurrence()).collect();
        (occurrences.len() > 1).then_some(Family { root, start, end, occurrences })
    };
    segments.iter().zip(filled).filter_map(family).collect()
}

/// What a copy holds of a segment.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    document: u32,
    start: u32,
    end: u32,
    matched: u32,
    root_start: u32,
    root_end: u32,
}

impl Part {
    fn whole(root: u32, start: u32, end: u32) -> Self {
        Part { document: root, start, end, matched: end - start, root_start: start, root_end: end }
    }

    fn occurrence(&self) -> Occurrence {
        let &Part { document, start, end, matched, .. } = self;
        Occurrence { document, start, end, matched: matched.min(end - start) }
    }

    /// Whether this part goes on where an earlier one of the same document
    /// stopped, in both texts, with an edited gap between them.
    fn continues(&self, earlier: &Part) -> bool {
        let gap = i64::from(self.start) - i64::from(earlier.end);
        let root_gap = i64::from(self.root_start) - i64::from(earlier.root_end);
        let shorter = (self.end - self.start).min(earlier.end - earlier.start);
        let near = -i64::from(JITTER)..=EDITED.min(shorter.into());
        near.contains(&gap) && near.contains(&root_gap) && (gap - root_gap).abs() <= EDITED / 4
    }

    /// The part of a copy, with its runs, on `start..end` of its root, if it is worth a
    /// look.
    fn new(copy: &Copy, runs: &[Run], start: u32, end: u32) -> Option<Part> {
        let from = runs.partition_point(|run| run.a_end() <= start);
        let to = runs.partition_point(|run| run.a < end);
        let runs = runs.get(from..to)?;
        let (first, last) = (runs.first()?, runs.last()?);
        let (root_start, root_end) = (first.a.max(start), last.a_end().min(end));
        if root_start >= root_end || root_end - root_start < PIECE.min(end - start) {
            return None;
        }
        let within = |run: &Run| run.a_end().min(end).saturating_sub(run.a.max(start));
        Some(Part {
            document: copy.document,
            start: first.b + (root_start - first.a),
            end: last.b + (root_end - last.a),
            matched: runs.iter().map(within).sum(),
            root_start,
            root_end,
        })
    }
}

/// Joins the parts of one family, sorted: overlapping parts of a document, and
/// parts that continue each other across an edited gap. Writes them with how much
/// of the family they hold.
fn join(parts: &[Part], joined: &mut Vec<(Part, u32)>) {
    joined.clear();
    for &part in parts {
        let size = part.root_end - part.root_start;
        if let Some((last, held)) = joined.last_mut()
            && last.document == part.document
        {
            let overlap = last.end.saturating_sub(part.start);
            if overlap > 0 || part.continues(last) {
                let both = (last.matched + part.matched).saturating_sub(overlap);
                *held = (last.root_end.max(part.root_end) - last.root_start.min(part.root_start))
                    .min(*held + size);
                last.matched = both.max(last.matched).max(part.matched);
                last.end = last.end.max(part.end);
                last.root_start = last.root_start.min(part.root_start);
                last.root_end = last.root_end.max(part.root_end);
                continue;
            }
        }
        joined.push((part, size));
    }
}

/// Chooses the segments of a root text, sorted.
fn segments(root: u32, tokens: &Tokens, list: &[Copy]) -> Vec<(u32, u32)> {
    let stretches = stretches(root, list);
    let starts = settle(stretches.iter().map(|stretch| stretch.0), tokens);
    let ends = settle(stretches.iter().map(|stretch| stretch.1), tokens);
    let span = |(start, end): (u32, u32)| {
        let settled = (of(&starts, start), of(&ends, end));
        if settled.0 + PIECE.min(end - start) <= settled.1 { settled } else { (start, end) }
    };
    let mut spans: Vec<(u32, u32)> = stretches.into_iter().map(span).collect();
    spans.sort_unstable();
    let mut proposals: BinaryHeap<(u32, u32, Reverse<u32>)> = spans
        .chunk_by(|x, y| x == y)
        .map(|same| (same.len() as u32, same[0].1 - same[0].0, Reverse(same[0].0)))
        .collect();
    let mut chosen = Chosen::default();
    while let Some((count, len, Reverse(start))) = proposals.pop() {
        let end = start + len;
        let mut cut: Option<(u32, u32)> = None;
        let mut member = false;
        for ((from, to), commoner) in chosen.overlapping(start, end) {
            let shared = to.min(end) - from.max(start);
            if shared * 5 >= len * 4 && shared * 100 >= (to - from) * HELD {
                member = true;
                break;
            }
            let natural = |edge: u32, own: u32| {
                edge.abs_diff(own) <= JITTER
                    || tokens.starts_block(edge as usize)
                    || ends_sentence(tokens, edge as usize)
            };
            if shared * 5 >= (to - from) * 4
                && commoner > count
                && natural(from, start)
                && natural(to, end)
                && cut.is_none_or(|(from_before, to_before)| to - from > to_before - from_before)
            {
                cut = Some((from, to));
            }
        }
        if member {
            continue;
        }
        match cut {
            None => chosen.insert(start, end, count),
            Some((from, to)) => {
                for (left, right) in [(start, from), (to, end)] {
                    if right >= left + PIECE {
                        proposals.push((count, right - left, Reverse(left)));
                    }
                }
            }
        }
    }
    chosen.spans.into_keys().collect()
}

/// The stretches of the root that were copied; fragments of one edited copy
/// count as one stretch.
fn stretches(root: u32, list: &[Copy]) -> Vec<(u32, u32)> {
    let mut parts: Vec<Part> = list
        .iter()
        .map(|copy| Part {
            document: copy.document,
            start: copy.start,
            end: copy.end,
            matched: 0,
            root_start: copy.root_start,
            root_end: copy.root_end,
        })
        .collect();
    // Almost sorted already.
    parts.sort();
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        match joined.last_mut() {
            // Inside the root itself a stretch could come to overlap its copy.
            Some(last) if last.document == part.document && part.document != root && part.continues(last) => {
                last.end = part.end;
                last.root_end = part.root_end.max(last.root_end);
            }
            _ => joined.push(part),
        }
    }
    joined.into_iter().map(|part| (part.root_start, part.root_end)).collect()
}

/// Every boundary, sorted, with the commonest one near it; of equals, with one that
/// begins a line.
fn settle(boundaries: impl Iterator<Item = u32>, tokens: &Tokens) -> Vec<(u32, u32)> {
    const UNSETTLED: u32 = u32::MAX;
    let mut boundaries: Vec<u32> = boundaries.collect();
    boundaries.sort_unstable();
    let mut order: Vec<(Reverse<usize>, bool, u32)> = boundaries
        .chunk_by(|x, y| x == y)
        .map(|same| (Reverse(same.len()), !tokens.starts_line(same[0] as usize), same[0]))
        .collect();
    boundaries.dedup();
    order.sort_unstable();
    let mut settled: Vec<(u32, u32)> = boundaries.into_iter().map(|at| (at, UNSETTLED)).collect();
    for (_, _, mode) in order {
        if of(&settled, mode) != UNSETTLED {
            continue;
        }
        let from = settled.partition_point(|&(at, _)| at < mode.saturating_sub(JITTER));
        for (_, near) in settled[from..].iter_mut().take_while(|&&mut (at, _)| at <= mode + JITTER) {
            if *near == UNSETTLED {
                *near = mode;
            }
        }
    }
    settled
}

/// What a boundary settled on.
fn of(settled: &[(u32, u32)], boundary: u32) -> u32 {
    settled[settled.partition_point(|&(at, _)| at < boundary)].1
}

/// Segments chosen so far, with their counts.
#[derive(Default)]
struct Chosen {
    spans: BTreeMap<(u32, u32), u32>,
    longest: u32,
}

impl Chosen {
    fn insert(&mut self, start: u32, end: u32, count: u32) {
        self.longest = self.longest.max(end - start);
        self.spans.insert((start, end), count);
    }

    fn overlapping(&self, start: u32, end: u32) -> impl Iterator<Item = ((u32, u32), u32)> {
        self.spans
            .range((start.saturating_sub(self.longest), 0)..(end, 0))
            .rev()
            .take(NESTING)
            .map(|(&span, &count)| (span, count))
            .filter(move |&((_, to), _)| to > start)
    }
}

/// Whether a sentence ends before a token.
fn ends_sentence(tokens: &Tokens, number: usize) -> bool {
    let Some(before) = number.checked_sub(1) else { return true };
    let end = tokens.token(before).end;
    let mut after = tokens.text[end..].chars().take(3);
    after.any(is_stop)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::projection::{Batch, Known, Projector};
    use crate::tokens::TokenChunk;

    /// Families found when each `(later, earlier, b, a, len)` is an alignment
    /// of one run and document 0 is the only root. Two tokens make a line.
    fn found(alignments: &[(u32, u32, u32, u32)]) -> Vec<((u32, u32), Vec<(u32, u32, u32)>)> {
        let text = "one two\n\n".repeat(100);
        let chunk = TokenChunk::new(std::iter::once(text.as_str()), false);
        let mut batch = Batch::default();
        for &(later, b, a, len) in alignments {
            batch.push(later, 0, &[Run { b, a, len }]);
        }
        let mut projector = Projector::new(&[200; 20]);
        projector.add(&batch);
        let (known, runs) = projector.finish();
        let mut copies: Vec<Copy> = known.iter().flat_map(Known::copies).copied().collect();
        let scratch = &mut Scratch::default();
        let found = families(0, &chunk.get(0, &text), &runs, &copies, scratch);
        // In whatever order copies are given.
        copies.reverse();
        assert_eq!(families(0, &chunk.get(0, &text), &runs, &copies, scratch), found);
        found
            .into_iter()
            .map(|family| {
                let places = family.occurrences.iter().map(|o| (o.document, o.start, o.end));
                ((family.start, family.end), places.collect())
            })
            .collect()
    }

    proptest! {
        /// One after the other, the commonest first.
        #[test]
        fn boundaries_settle_as_in_a_map(boundaries in prop::collection::vec(0u32..40, 0..30)) {
            let text = "one two three\n".repeat(20);
            let chunk = TokenChunk::new(std::iter::once(text.as_str()), false);
            let tokens = chunk.get(0, &text);
            let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
            boundaries.iter().for_each(|&boundary| *counts.entry(boundary).or_insert(0) += 1);
            let mut order: Vec<u32> = counts.keys().copied().collect();
            order.sort_by_key(|at| (Reverse(counts[at]), !tokens.starts_line(*at as usize)));
            let mut settled: BTreeMap<u32, u32> = BTreeMap::new();
            for mode in order {
                if !settled.contains_key(&mode) {
                    for &near in counts.keys().filter(|&&at| at.abs_diff(mode) <= JITTER) {
                        settled.entry(near).or_insert(mode);
                    }
                }
            }
            let expected: Vec<(u32, u32)> = settled.into_iter().collect();
            let found = settle(boundaries.iter().copied(), &tokens);
            prop_assert!(boundaries.iter().all(|&at| (at, of(&found, at)) == expected[expected.partition_point(|x| x.0 < at)]));
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn boundaries_settle_on_the_commonest() {
        let families = found(&[(1, 0, 20, 40), (2, 10, 20, 40), (3, 5, 22, 37)]);
        assert_eq!(families, [((20, 60), vec![(0, 20, 60), (1, 0, 40), (2, 10, 50), (3, 5, 42)])]);
    }

    /// Its ends are near commoner ones, which would leave three tokens of it.
    #[test]
    fn a_short_stretch_keeps_its_own_ends() {
        let mut alignments = vec![(1, 0, 41, 5)];
        alignments.extend((2..5).map(|later| (later, 0, 20, 23)));
        alignments.extend((5..8).map(|later| (later, 0, 40, 20)));
        let families = found(&alignments);
        assert!(families.iter().all(|family| family.0.1 - family.0.0 >= PIECE), "{families:?}");
    }

    #[test]
    fn a_set_phrase_is_nested_in_the_paragraph() {
        // Odd boundaries lie inside a line and no sentence ends there.
        let mut alignments = vec![(1, 0, 20, 60)];
        alignments.extend((2..8).map(|later| (later, 3, 41, 8)));
        let families = found(&alignments);
        assert_eq!(families.len(), 2);
        assert_eq!(families[0], ((20, 80), vec![(0, 20, 80), (1, 0, 60)]));
        assert_eq!(families[1].0, (41, 49));
        assert_eq!(families[1].1.len(), 8, "both documents of the paragraph and six more");
    }

    #[test]
    fn distant_copies_are_not_one_stretch() {
        let families = found(&[(1, 0, 20, 20), (1, 100, 120, 30)]);
        assert_eq!(families.iter().map(|f| f.0).collect::<Vec<_>>(), [(20, 40), (120, 150)]);
    }

    #[test]
    fn a_story_is_cut_where_a_commoner_footer_begins() {
        let mut alignments = vec![(1, 0, 20, 80)];
        alignments.extend((2..8).map(|later| (later, 3, 80, 20)));
        let families = found(&alignments);
        assert_eq!(
            families.iter().map(|f| (f.0, f.1.len())).collect::<Vec<_>>(),
            [((20, 80), 2), ((80, 100), 8)]
        );
    }

    #[test]
    fn fragments_of_one_copy_are_one_occurrence() {
        let families = found(&[(1, 0, 20, 60), (2, 100, 20, 20), (2, 134, 52, 28)]);
        assert_eq!(families[0].1, [(0, 20, 80), (1, 0, 60), (2, 100, 162)]);
    }
}
