//! Projection: every copied stretch traced to where its text was first seen.
//!
//! An alignment says that a stretch of one document stands in an earlier one,
//! which may have copied it too. Documents are taken in order, and each
//! alignment is followed through what is already known of the earlier document,
//! run by run, until it lands on text that was first seen there. The outcome is
//! a list of *copies*: stretches of documents mapped onto a root. Where the
//! earlier document's stretch is itself mostly a copy (70 %), only its parts
//! are projected; otherwise the stretch is first-seen text as a whole and what
//! it copied is nested in it.

use std::cmp::Reverse;

use crate::ahead::fetch;
use crate::align::{Run, in_b, matched};
use crate::bits::Bits;
use crate::depth::Depth;
use crate::intervals::{Interval, Intervals};

/// An alignment in the arena of its batch: document `later` copies `earlier`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alignment {
    pub later: u32,
    pub earlier: u32,
    first_run: u32,
    last_run: u32,
    /// Whether it tells of the later document what no alignment before it does.
    tells: bool,
}

/// A place in a list of runs, of which 50 GB would be too many.
fn number(at: usize) -> u32 {
    u32::try_from(at).expect("fewer than 4,294,967,296 runs in a part of the collection")
}

/// The alignments of a range of later documents, in their order.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    list: Vec<Alignment>,
    runs: Vec<Run>,
}

impl Batch {
    pub(crate) fn push(&mut self, later: u32, earlier: u32, runs: &[Run]) {
        let first_run = number(self.runs.len());
        self.runs.extend_from_slice(runs);
        let last_run = number(self.runs.len());
        self.list.push(Alignment { later, earlier, first_run, last_run, tells: true });
    }

    /// Makes ready to be projected: sorts the alignments of each document into that order, those
    /// with others first, from the longest, so that a set phrase never cuts the text around it,
    /// then those with itself, of which the earlier part must be known first; and finds out
    /// which tell something new.
    pub(crate) fn arrange(&mut self) {
        let mut list = std::mem::take(&mut self.list);
        let runs = |alignment: &Alignment| self.runs(alignment);
        let (mut order, mut before, mut depth) = (Vec::new(), Vec::new(), Depth::default());
        for of_one in list.chunk_by_mut(|x, y| x.later == y.later).filter(|of_one| of_one.len() > 1) {
            order.clear();
            order.extend((0u32..).zip(&*of_one).map(|(at, alignment)| {
                let runs = runs(alignment);
                let (size, start) = (u32::MAX - matched(runs), runs[0].b);
                match alignment.earlier == alignment.later {
                    false => (false, size, alignment.earlier, start, at),
                    true => (true, start, size, 0, at),
                }
            }));
            order.sort_unstable();
            before.clear();
            before.extend_from_slice(of_one);
            of_one.iter_mut().zip(&order).for_each(|(alignment, of)| *alignment = before[of.4 as usize]);

            let end = of_one.iter().map(|alignment| runs(alignment).last().map_or(0, Run::b_end)).max();
            depth.begin(0, end.unwrap_or_default());
            for alignment in of_one {
                let runs = runs(alignment);
                alignment.tells = depth.shallow(in_b(runs), 1) >= piece(runs);
                if alignment.tells {
                    depth.tell(in_b(runs));
                    if alignment.earlier == alignment.later {
                        depth.tell(in_a(runs));
                    }
                }
            }
        }
        self.list = list;
    }

    fn runs(&self, alignment: &Alignment) -> &[Run] {
        &self.runs[alignment.first_run as usize..alignment.last_run as usize]
    }

    /// The alignments: later document, earlier document, matching runs.
    pub(crate) fn alignments(&self) -> impl Iterator<Item = (u32, u32, &[Run])> {
        self.list.iter().map(|alignment| (alignment.later, alignment.earlier, self.runs(alignment)))
    }

    /// For every later document and every earlier one, the number of tokens
    /// matched between them: `found(later, earlier, tokens)`. Asked before they are arranged.
    pub(crate) fn each_pair(&self, mut found: impl FnMut(u32, u32, u32)) {
        for pair in self.list.chunk_by(|x, y| (x.later, x.earlier) == (y.later, y.earlier)) {
            let tokens = pair.iter().map(|alignment| matched(self.runs(alignment))).sum();
            found(pair[0].later, pair[0].earlier, tokens);
        }
    }
}

/// A stretch `start..end` of `document` that copies `root_start..root_end` of
/// the text first seen in document `root`. Numbers count tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copy {
    pub root: u32,
    pub root_start: u32,
    pub root_end: u32,
    pub document: u32,
    pub start: u32,
    pub end: u32,
    first_run: u32,
    last_run: u32,
}

/// The runs of all copies.
#[derive(Debug, Default)]
pub(crate) struct Runs(Vec<Run>);

impl Runs {
    /// The matching runs of a copy: `b` in the document, `a` in the root.
    pub(crate) fn of(&self, copy: &Copy) -> &[Run] {
        &self.0[copy.first_run as usize..copy.last_run as usize]
    }
}

/// Fewest tokens of a part that is projected by itself.
const PIECE: u32 = 5;

/// Where runs are in the earlier document: a token and a number of tokens each.
fn in_a(runs: &[Run]) -> impl Iterator<Item = (u32, u32)> {
    runs.iter().map(|run| (run.a, run.len))
}

/// The matched tokens of some runs, but no more than a piece. Each run has one at
/// least.
fn piece(runs: &[Run]) -> u32 {
    matched(&runs[..runs.len().min(PIECE as usize)]).min(PIECE)
}

/// Copies through which a token is followed at most: what is nested deeper, as in
/// a text that goes round and round, is told already.
const DEEP: u8 = 4;

/// Alignments between the one whose memory is asked for and the next step to it.
const FAR: usize = 8;

/// Copies found late that may wait to be sorted.
const LATE: usize = 256;

/// What is known of one document's copies. Those found late are gathered into
/// sorted levels, each at least twice as large as the next, so that many of them
/// are neither sorted again and again nor searched one by one.
#[derive(Default)]
pub(crate) struct Known {
    /// By start, then end.
    levels: Vec<Intervals<Copy>>,
    /// Found after the document was finished.
    late: Vec<Copy>,
}

impl Interval for Copy {
    fn span(&self) -> (u32, u32) {
        (self.start, self.end)
    }
}

impl Known {
    /// Takes all that were found.
    fn add(&mut self, found: &mut Vec<Copy>) {
        if found.is_empty() {
            return;
        }
        while let Some(last) = self.levels.pop_if(|last| last.len() <= 2 * found.len()) {
            found.extend(last.iter());
        }
        // Stable, since that takes advantage of what is sorted already.
        found.sort_by_key(|c| (c.start, c.end, c.root, c.root_start, c.first_run));
        // Almost all documents have one, or none.
        self.levels.reserve_exact(1);
        self.levels.push(Intervals::new(found.drain(..)));
    }

    /// Adds copies found after the others; they are sorted in now and then.
    fn add_late(&mut self, found: &mut Vec<Copy>) {
        self.late.append(found);
        if self.late.len() >= LATE {
            let mut late = std::mem::take(&mut self.late);
            self.add(&mut late);
        }
    }

    fn overlapping(&self, from: u32, to: u32, out: &mut Vec<Copy>) {
        out.clear();
        for level in &self.levels {
            out.extend(level.overlapping(from, to).map(|(_, copy)| copy));
        }
        out.extend(self.late.iter().filter(|copy| copy.start < to && copy.end > from));
    }

    /// The copies that stand in the document.
    pub(crate) fn copies(&self) -> impl Iterator<Item = &Copy> {
        self.levels.iter().flat_map(Intervals::iter).chain(&self.late)
    }
}

/// Projects alignments, batch by batch.
#[derive(Default)]
pub(crate) struct Projector<'l> {
    /// The documents' tokens.
    lengths: &'l [u32],
    known: Vec<Known>,
    runs: Runs,
    covered: Bits,
    /// How many copies of the stretch at hand were followed to each token.
    depth: Depth,
    found: Vec<Copy>,
    // Buffers.
    overlapping: Vec<Copy>,
    /// What of an earlier stretch are copies.
    projected: Vec<(u32, u32)>,
}

impl<'l> Projector<'l> {
    /// `lengths` are the documents' tokens.
    pub(crate) fn new(lengths: &'l [u32]) -> Self {
        Projector {
            lengths,
            known: lengths.iter().map(|_| Known::default()).collect(),
            covered: Bits::new(lengths.iter().copied()),
            ..Projector::default()
        }
    }

    /// Takes in the alignments of a batch, which is arranged. Batches come in the order of the
    /// later document.
    pub(crate) fn add(&mut self, batch: &Batch) {
        let mut at = 0;
        for of_one in batch.list.chunk_by(|x, y| x.later == y.later) {
            for _ in of_one {
                self.read_ahead(batch, at);
                at += 1;
            }
            self.document(batch, of_one);
        }
    }

    /// Fetches what is known of the earlier documents of alignments that come after the one
    /// with a number, step by step.
    fn read_ahead(&self, batch: &Batch, at: usize) {
        let known = |by: usize| batch.list.get(at + by).map(|one| (one, &self.known[one.earlier as usize]));
        if let Some((_, known)) = known(3 * FAR) {
            fetch(known);
        }
        if let Some(level) = known(2 * FAR).and_then(|(_, known)| known.levels.first()) {
            fetch(level);
        }
        if let Some((alignment, known)) = known(FAR) {
            known.levels.first().into_iter().for_each(Intervals::fetch);
            batch.runs(alignment).iter().take(1).for_each(|run| self.covered.fetch(alignment.earlier, run.a));
        }
    }

    /// What is known of each document, and the runs of all copies.
    pub(crate) fn finish(mut self) -> (Vec<Known>, Runs) {
        self.runs.0.shrink_to_fit();
        (self.known, self.runs)
    }

    /// Takes in the alignments of one document, which are arranged.
    fn document(&mut self, batch: &Batch, alignments: &[Alignment]) {
        let document = alignments[0].later;
        self.depth.begin(0, self.lengths[document as usize]);
        let others = alignments.partition_point(|alignment| alignment.earlier != document);
        let (cross, own) = alignments.split_at(others);
        let mut backwards = Vec::new();
        for alignment in cross {
            let runs = batch.runs(alignment);
            if alignment.tells {
                self.forward(alignment, runs);
            } else if self.news(alignment.earlier, in_a(runs)) >= piece(runs) {
                backwards.push(alignment);
            }
        }
        self.known[document as usize].add(&mut self.found);
        for alignment in own {
            if alignment.tells {
                self.forward(alignment, batch.runs(alignment));
                self.known[document as usize].add_late(&mut self.found);
            }
        }
        for alignment in backwards {
            let turned: Vec<Run> =
                batch.runs(alignment).iter().map(|run| Run { b: run.a, a: run.b, len: run.len }).collect();
            let alignment = Alignment { later: alignment.earlier, earlier: document, ..*alignment };
            self.depth.begin(turned[0].b, turned[turned.len() - 1].b_end());
            self.parts(&alignment, &turned);
            self.cover(&alignment, &turned);
            self.known[alignment.later as usize].add_late(&mut self.found);
        }
    }

    /// How many of these tokens no copy accounts for yet.
    fn news(&self, document: u32, stretches: impl Iterator<Item = (u32, u32)>) -> u32 {
        stretches.map(|(from, len)| self.covered.missing(document, from, len)).sum()
    }

    fn cover(&mut self, alignment: &Alignment, runs: &[Run]) {
        for run in runs {
            self.covered.set(alignment.later, run.b, run.len);
            self.covered.set(alignment.earlier, run.a, run.len);
        }
    }

    /// Projects one alignment; the copies go to `found`.
    fn forward(&mut self, alignment: &Alignment, runs: &[Run]) {
        self.parts(alignment, runs);
        let projected = std::mem::take(&mut self.projected);
        let (from, to) = (runs[0].a, runs[runs.len() - 1].a_end());
        let known: u32 = projected.iter().map(|&(start, end)| end - start).sum();
        if known * 10 < (to - from) * 7 {
            self.first_seen(alignment, runs, from, to);
        } else {
            let mut at = from;
            for &(start, end) in projected.iter().chain([&(to, to)]) {
                if start - at >= PIECE {
                    self.first_seen(alignment, runs, at, start);
                }
                at = end;
            }
        }
        self.projected = projected;
        self.cover(alignment, runs);
    }

    /// Follows an alignment through the copies known of the earlier document.
    /// Which parts of the earlier stretch are such copies goes to `projected`:
    /// disjoint, sorted.
    fn parts(&mut self, alignment: &Alignment, runs: &[Run]) {
        let (from, to) = (runs[0].a, runs[runs.len() - 1].a_end());
        let mut overlapping = std::mem::take(&mut self.overlapping);
        self.known[alignment.earlier as usize].overlapping(from, to, &mut overlapping);
        // Some may be dropped: then the longest come first.
        if overlapping.len() > DEEP as usize {
            overlapping.sort_unstable_by_key(|c| {
                (Reverse(c.end - c.start), c.start, c.root, c.root_start, c.first_run)
            });
        }
        self.projected.clear();
        let least = piece(runs);
        for through in &overlapping {
            let first_run = self.runs.0.len();
            self.compose(runs, through);
            let kept = piece(&self.runs.0[first_run..]);
            if kept < piece(self.runs.of(through)).min(least) {
                self.runs.0.truncate(first_run);
                continue;
            }
            if !self.lies_deep(first_run) {
                self.push(alignment.later, through.root, first_run);
            }
            self.projected.push((through.start.max(from), through.end.min(to)));
        }
        self.overlapping = overlapping;
        self.projected.sort_unstable();
        self.projected.dedup_by(|next, last| {
            let goes_on = next.0 <= last.1;
            if goes_on {
                last.1 = last.1.max(next.1);
            }
            goes_on
        });
    }

    /// Appends what runs onto a copy are onto the copy's root. Linear in the runs
    /// of both that overlap.
    fn compose(&mut self, runs: &[Run], through: &Copy) {
        let (first, last) = (through.first_run as usize, through.last_run as usize);
        let runs = &runs[runs.partition_point(|run| run.a_end() <= through.start)..];
        let from = runs.first().map_or(0, |run| run.a);
        let mut at = first + self.runs.0[first..last].partition_point(|known| known.b_end() <= from);
        for run in runs.iter().take_while(|run| run.a < through.end) {
            while at < last && self.runs.0[at].b_end() <= run.a {
                at += 1;
            }
            for at in at..last {
                let known = self.runs.0[at];
                if known.b >= run.a_end() {
                    break;
                }
                let from = known.b.max(run.a);
                let to = known.b_end().min(run.a_end());
                self.runs.0.push(Run {
                    b: run.b + (from - run.a),
                    a: known.a + (from - known.b),
                    len: to - from,
                });
            }
        }
    }

    /// Whether enough copies hold most of the tokens of the runs from this one on,
    /// or all but a piece; then these runs are dropped. If not, one more does.
    fn lies_deep(&mut self, first_run: usize) -> bool {
        let runs = &self.runs.0[first_run..];
        let is_deep = 2 * self.depth.shallow(in_b(runs), DEEP) < (2 * piece(runs)).max(matched(runs));
        if is_deep {
            self.runs.0.truncate(first_run);
        } else {
            self.depth.tell(in_b(runs));
        }
        is_deep
    }

    /// Records the part of an alignment that lands on `from..to` of the earlier
    /// document as first-seen text.
    fn first_seen(&mut self, alignment: &Alignment, runs: &[Run], from: u32, to: u32) {
        let first_run = self.runs.0.len();
        for run in runs {
            let (start, end) = (run.a.max(from), run.a_end().min(to));
            if start < end {
                self.runs.0.push(Run { b: run.b + (start - run.a), a: start, len: end - start });
            }
        }
        // Of an edited stretch a few words may be all that is equal.
        if piece(&self.runs.0[first_run..]) >= piece(runs) {
            self.push(alignment.later, alignment.earlier, first_run);
        } else {
            self.runs.0.truncate(first_run);
        }
    }

    fn push(&mut self, document: u32, root: u32, first_run: usize) {
        let (first, last) = (self.runs.0[first_run], self.runs.0[self.runs.0.len() - 1]);
        self.found.push(Copy {
            root,
            root_start: first.a,
            root_end: last.a_end(),
            document,
            start: first.b,
            end: last.b_end(),
            first_run: number(first_run),
            last_run: number(self.runs.0.len()),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn copies(
        lengths: &[u32],
        alignments: &[(u32, u32, &[(u32, u32, u32)])],
    ) -> Vec<(u32, u32, u32, u32, u32)> {
        let mut batch = Batch::default();
        for (later, earlier, runs) in alignments {
            let runs: Vec<Run> = runs.iter().map(|&(b, a, len)| Run { b, a, len }).collect();
            batch.push(*later, *earlier, &runs);
        }
        batch.arrange();
        let mut projector = Projector::new(lengths);
        projector.add(&batch);
        let (known, _) = projector.finish();
        let mut found: Vec<&Copy> = known.iter().flat_map(Known::copies).collect();
        found.sort_unstable_by_key(|c| (c.root, c.root_start, c.root_end, c.document, c.start));
        found.into_iter().map(|c| (c.document, c.start, c.end, c.root, c.root_start)).collect()
    }

    proptest! {
        /// Against a set of all tokens told so far.
        #[test]
        fn what_tells_anew_is_as_with_a_look_at_each_token(
            alignments in prop::collection::vec((0u32..3, prop::collection::vec((0u32..20, 1u32..9), 1..3)), 1..9),
        ) {
            const LATER: u32 = 2;
            let mut batch = Batch::default();
            for (earlier, steps) in &alignments {
                let (mut runs, mut at) = (Vec::new(), 0);
                for &(gap, len) in steps {
                    runs.push(Run { b: 60 + at + gap, a: at + gap, len });
                    at += gap + len;
                }
                batch.push(LATER, *earlier, &runs);
            }
            batch.arrange();
            let key = |alignment: &Alignment| {
                let runs = batch.runs(alignment);
                match alignment.earlier == LATER {
                    true => (1, runs[0].b, Reverse(matched(runs)), 0, 0),
                    false => (0, 0, Reverse(matched(runs)), alignment.earlier, runs[0].b),
                }
            };
            prop_assert!(batch.list.is_sorted_by_key(key));
            let mut told = BTreeSet::new();
            for alignment in &batch.list {
                let runs = batch.runs(alignment);
                let tokens = |at: fn(&Run) -> u32| runs.iter().flat_map(move |run| at(run)..at(run) + run.len);
                let new = tokens(|run| run.b).filter(|token| !told.contains(token)).count();
                let tells = new as u32 >= matched(runs).min(PIECE);
                prop_assert_eq!(alignment.tells, tells);
                if tells {
                    told.extend(tokens(|run| run.b));
                    if alignment.earlier == LATER {
                        told.extend(tokens(|run| run.a));
                    }
                }
            }
        }
    }

    #[test]
    fn a_copy_of_a_copy_lands_on_the_root() {
        let found = copies(&[100; 3], &[(1, 0, &[(50, 10, 30)]), (2, 1, &[(0, 50, 30)])]);
        assert_eq!(found, [(1, 50, 80, 0, 10), (2, 0, 30, 0, 10)]);
    }

    #[test]
    fn a_small_copy_inside_new_text_is_nested() {
        // Document 1 copies 10 tokens into a paragraph of 50 that 2 copies.
        let found = copies(&[100; 3], &[(1, 0, &[(20, 0, 10)]), (2, 1, &[(0, 0, 50)])]);
        assert_eq!(found, [(1, 20, 30, 0, 0), (2, 20, 30, 0, 0), (2, 0, 50, 1, 0)]);
    }

    #[test]
    fn what_is_left_of_a_known_copy_is_first_seen() {
        let found = copies(&[100; 3], &[(1, 0, &[(0, 0, 40)]), (2, 1, &[(0, 0, 50)])]);
        assert_eq!(found, [(1, 0, 40, 0, 0), (2, 0, 40, 0, 0), (2, 40, 50, 1, 40)]);
    }

    /// Document 2 shares two words more with 1 than 1 has of 0, between edits: they are no
    /// passage by themselves.
    #[test]
    fn a_few_words_beside_a_known_copy_are_left_out() {
        let found = copies(&[100; 3], &[(1, 0, &[(0, 0, 40)]), (2, 1, &[(0, 0, 40), (44, 44, 2)])]);
        assert_eq!(found, [(1, 0, 40, 0, 0), (2, 0, 40, 0, 0)]);
        let found = copies(&[100; 3], &[(1, 0, &[(0, 0, 40)]), (2, 1, &[(0, 0, 40), (44, 44, 5)])]);
        assert_eq!(found[2], (2, 44, 49, 1, 44));
    }

    /// A text of ten words again and again, aligned with itself at sixteen
    /// distances: without an end to it each copy is followed through all others.
    #[test]
    fn a_text_that_goes_round_and_round_has_a_bounded_number_of_copies() {
        const ROUNDS: u32 = 1_000;
        let runs: Vec<(u32, u32, [(u32, u32, u32); 1])> = (1..=16)
            .flat_map(|step| (1..ROUNDS / step).map(move |at| (0, 0, [(10 * step * at, 0, 10 * step)])))
            .collect();
        let alignments: Vec<(u32, u32, &[(u32, u32, u32)])> =
            runs.iter().map(|(later, earlier, runs)| (*later, *earlier, &runs[..])).collect();
        let found = copies(&[10 * ROUNDS], &alignments);
        assert!(found.len() as u32 <= u32::from(DEEP) * ROUNDS, "{} copies", found.len());
        let mut told = vec![false; 10 * ROUNDS as usize];
        found.iter().for_each(|&(_, start, end, ..)| told[start as usize..end as usize].fill(true));
        assert!(told[10..].iter().all(|told| *told));
    }

    #[test]
    fn an_earlier_document_joins_what_a_later_one_found() {
        // 2 copies 0; it also matches 1, which nothing tied to 0.
        let found = copies(&[100; 3], &[(2, 0, &[(0, 10, 40)]), (2, 1, &[(0, 60, 38)])]);
        assert_eq!(found, [(1, 60, 98, 0, 10), (2, 0, 40, 0, 10)]);
    }
}
