//! Extension: how far two texts go on alike from a place, edits allowed.
//!
//! X-drop (Altschul et al., *Basic local alignment search tool*, 1990): a table
//! of scores in a band around the diagonal, filled row by row until every score
//! of a row lies too far below the best so far. A row is worked on as a whole, in
//! vector code. A long exact run is followed without the table.
//!
//! Linear in what is looked at: a row of the table for every token.

use std::ops::Range;

use crate::lanes::{LANES, Lanes, common_end, common_start};

/// How far an extension may leave the diagonal.
const BAND: usize = 6;
const WIDTH: usize = 2 * BAND + 1;
/// Score of a matched token; every other step costs 2. A short one, likely an
/// article or a preposition, stands in any text.
const GAIN: i8 = 3;
const SHORT_GAIN: i8 = 2;
const COST: i8 = 2;
/// How far the score may fall below its best.
const DROP: i8 = 12;
/// As what the best score so far is kept, and the others as less by so much as they are.
const BEST: i8 = 100;
/// A cell that no path within the drop leads to; so far below that no match lifts it out of
/// the drop.
const DEAD: i8 = 0;
const _: () = assert!(DEAD + COST + GAIN < BEST - DROP && BEST <= i8::MAX - COST - GAIN);
/// Tokens of a run that is followed without the table: more than it takes any
/// other path to fall out of the drop.
const LONG: usize = 8;

/// Two texts from a place on, the later one as `b`: forwards or, with `BACK`,
/// backwards.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a, const BACK: bool> {
    /// The words of each, and where the way begins in them: at this word, or
    /// backwards at the one before.
    pub b: &'a [u32],
    pub b_from: usize,
    pub a: &'a [u32],
    pub a_from: usize,
    /// How many words of each it may take.
    pub b_len: usize,
    pub a_len: usize,
}

impl<const BACK: bool> Way<'_, BACK> {
    /// The way behind some words.
    fn after(self, b: usize, a: usize) -> Self {
        let on = |from: usize, by: usize| if BACK { from - by } else { from + by };
        let (b_from, a_from) = (on(self.b_from, b), on(self.a_from, a));
        Way { b_from, a_from, b_len: self.b_len - b, a_len: self.a_len - a, ..self }
    }

    /// Where a word of the way is in the text it is of.
    #[inline]
    fn place(from: usize, at: usize) -> usize {
        if BACK { from - 1 - at } else { from + at }
    }

    /// Its first words in both texts, so many of each, in the order of the text.
    #[inline]
    fn first(&self, b_len: usize, a_len: usize) -> (&[u32], &[u32]) {
        let (b, a) = (self.b_from, self.a_from);
        match BACK {
            false => (&self.b[b..b + b_len], &self.a[a..a + a_len]),
            true => (&self.b[b - b_len..b], &self.a[a - a_len..a]),
        }
    }

    /// With how many equal words it begins.
    fn common(&self) -> usize {
        let (b, a) = self.first(self.b_len, self.a_len);
        if BACK { common_end(b, a) } else { common_start(b, a) }
    }

    /// Whether it begins with a long run.
    #[inline]
    fn runs_on(&self) -> bool {
        self.b_len.min(self.a_len) >= LONG && {
            let (b, a) = self.first(LONG, LONG);
            b == a
        }
    }

    #[inline]
    fn equal(&self, i: usize, j: usize) -> bool {
        self.b[Self::place(self.b_from, i)] == self.a[Self::place(self.a_from, j)]
    }

    /// The lanes of row `i` that hold a word of `a`: word `i + lane - BAND`.
    #[inline]
    fn lanes(&self, i: usize) -> Range<usize> {
        BAND.saturating_sub(i)..WIDTH.min((self.a_len + BAND).saturating_sub(i))
    }

    /// Which of the words of `a` around the diagonal are word `i` of `b`: the
    /// mask of their lanes, and of no others than `lanes`.
    #[inline]
    fn matches(&self, i: usize, lanes: Range<usize>) -> Lanes {
        let word = self.b[Self::place(self.b_from, i)];
        // The first of the sixteen words in the order of the text.
        let first = match BACK {
            false => (self.a_from + i).checked_sub(BAND),
            true => (self.a_from + BAND).checked_sub(i + LANES),
        };
        let words: Option<&[u32; LANES]> = first.and_then(|first| self.a.get(first..)?.first_chunk());
        match words {
            Some(words) => Lanes::equal::<BACK>(words, word).and(mask(lanes)),
            None => {
                let mut found = [0; LANES];
                for d in lanes {
                    found[d] = -i8::from(self.equal(i, i + d - BAND));
                }
                Lanes::new(found)
            }
        }
    }

    /// Whether the extension can score above 0 anywhere: an upper bound, much
    /// cheaper than the table. A row can match at most one token and costs 2 if
    /// it does not; a match in the first row costs a gap as well, since the runs
    /// at hand are maximal.
    fn may_gain(&self, is_short: impl Fn(usize) -> bool) -> bool {
        let mut balance = 0;
        for i in 0..self.b_len {
            let lanes = self.lanes(i);
            if lanes.is_empty() {
                return false;
            }
            balance += match self.matches(i, lanes).bits() != 0 {
                true if i == 0 => gain(is_short(i)) - COST,
                true => gain(is_short(i)),
                false => -COST,
            };
            if balance > 0 {
                return true;
            }
            if balance < -DROP {
                return false;
            }
        }
        false
    }
}

/// What a match of a word is worth.
#[inline]
fn gain(is_short: bool) -> i8 {
    if is_short { SHORT_GAIN } else { GAIN }
}

/// The mask of some lanes.
#[inline]
fn mask(lanes: Range<usize>) -> Lanes {
    Lanes::from_lane(lanes.start).without(Lanes::from_lane(lanes.end))
}

/// How the best paths came to the cells of a row, a bit a cell.
#[derive(Clone, Copy)]
struct Steps {
    /// Over a word of `a` alone.
    only_a: u16,
    /// If not so, over a word of `b` alone.
    only_b: u16,
    /// If not so either, over two equal words; else over two that differ.
    equal: u16,
}

/// Equal words of a way: so many, in the order of the way, from these on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub b: u32,
    pub a: u32,
    pub len: u32,
}

/// A banded extension with a memory of its steps.
#[derive(Default)]
pub(crate) struct Extension {
    steps: Vec<Steps>,
    /// What was matched, the nearest first.
    pub matched: Vec<Stretch>,
}

impl Extension {
    /// Finds the best-scoring common beginning of a way, where a match of word `i` of `b`
    /// scores 3, or 2 if it `is_short`, a mismatch or a gap −2.
    ///
    /// A long exact run is followed without the table, which starts anew behind
    /// it: by then every other path has fallen out of the drop, unless the text
    /// repeats itself there.
    pub(crate) fn reach<const BACK: bool>(&mut self, whole: Way<BACK>, is_short: impl Fn(usize) -> bool) {
        self.matched.clear();
        let (mut b, mut a) = (0, 0);
        loop {
            let way = whole.after(b, a);
            let is_short = |i| is_short(b + i);
            if !way.may_gain(is_short) {
                return;
            }
            let known = self.matched.len();
            let runs_on = self.table(&way, is_short);
            for stretch in &mut self.matched[known..] {
                (stretch.b, stretch.a) = (stretch.b + b as u32, stretch.a + a as u32);
            }
            if !runs_on {
                return;
            }
            let last = self.matched.last_mut().expect("a run follows a match");
            (b, a) = ((last.b + last.len) as usize, (last.a + last.len) as usize);
            let run = whole.after(b, a).common();
            last.len += run as u32;
            (b, a) = (b + run, a + run);
        }
    }

    /// Fills the table and appends the best path's matches, the nearest first.
    /// Stops and returns true where the best path goes on with a long run.
    fn table<const BACK: bool>(&mut self, way: &Way<BACK>, is_short: impl Fn(usize) -> bool) -> bool {
        // Cell d of row i: i words of b and i + d - BAND of a are used up.
        let first = BAND..WIDTH.min(BAND + way.a_len + 1);
        let cost = |d: usize| if first.contains(&d) { BEST - COST * (d - BAND) as i8 } else { DEAD };
        let mut row = Lanes::new(std::array::from_fn(cost));
        self.steps.clear();
        self.steps.push(Steps { only_a: u16::MAX, only_b: 0, equal: 0 });
        let pay = [1, 2, 4].map(|steps| Lanes::splat(steps * COST));
        let floor = Lanes::splat(BEST - DROP - 1);
        let worth = [false, true].map(|is_short| Lanes::splat(gain(is_short) + COST));
        let mut best = (0, BAND);
        let mut runs_on = false;
        for i in 0..way.b_len {
            let lanes = way.lanes(i);
            // Nothing of a is left for the cells past the last lane.
            let room = mask(0..lanes.end);
            let is_short = is_short(i);
            let equal = way.matches(i, lanes);
            let diagonal = row.minus(pay[0]).plus(equal.and(worth[usize::from(is_short)]));
            let down = row.down().minus(pay[0]);
            let score = diagonal.max(down).and(room);
            // The best of all cells to the left, each step of the way paid for:
            // no more than six lead from the best out of the drop.
            let mut across = score;
            across = across.max(across.up::<1>().minus(pay[0]));
            across = across.max(across.up::<2>().minus(pay[1]));
            across = across.max(across.up::<4>().minus(pay[2]));
            let alive = across.above(floor).and(room);
            if alive.bits() == 0 {
                break;
            }
            let steps = Steps {
                only_a: across.above(score).bits(),
                only_b: down.above(diagonal).bits(),
                equal: equal.bits(),
            };
            self.steps.push(steps);
            row = across.and(alive);
            let reached = steps.equal & !steps.only_a & !steps.only_b;
            let above = |least: i8| row.above(Lanes::splat(BEST + least)).bits() & reached;
            if above(0) != 0 {
                // By what one match is worth at the most.
                let mut rises = (1..=gain(is_short)).rev().map(|by| (by, above(by - 1)));
                let (by, cells) = rises.find(|(_, cells)| *cells != 0).expect("by one at least");
                let d = cells.trailing_zeros() as usize;
                row = row.minus(Lanes::splat(by));
                best = (i + 1, d);
                runs_on = way.after(i + 1, d + i + 1 - BAND).runs_on();
                if runs_on {
                    break;
                }
            }
        }
        let (mut i, mut d) = best;
        let nearest = self.matched.len();
        while i > 0 || d != BAND {
            let Steps { only_a, only_b, equal } = self.steps[i];
            let is = |cells: u16| cells >> d & 1 != 0;
            match () {
                () if is(only_a) => d -= 1,
                () if is(only_b) => (i, d) = (i - 1, d + 1),
                () => {
                    if is(equal) {
                        let (b, a) = (i as u32 - 1, (i + d - BAND) as u32 - 1);
                        match self.matched[nearest..].last_mut() {
                            Some(next) if (next.b, next.a) == (b + 1, a + 1) => {
                                *next = Stretch { b, a, len: next.len + 1 };
                            }
                            _ => self.matched.push(Stretch { b, a, len: 1 }),
                        }
                    }
                    i -= 1;
                }
            }
        }
        self.matched[nearest..].reverse();
        runs_on
    }
}

/// What extensions are judged by.
#[cfg(any(test, fuzzing))]
pub(crate) mod twin {
    use super::*;

    /// Judges the extension of two texts, from their beginnings and, turned
    /// round, from their ends.
    ///
    /// It scores no more than the best of all, and no less than one found without
    /// short cuts in the same band and drop; but where a long run is followed at
    /// once, another path may do better in text that repeats itself.
    pub(crate) fn check(b: &[u32], a: &[u32]) {
        // The first tokens differ, or the run before would be longer.
        if b.first() == a.first() {
            return;
        }
        let is_short = |i: usize| b[i].is_multiple_of(3);
        let worth = |i: usize| gain(is_short(i));
        let mut extension = Extension::default();
        extension
            .reach(Way::<false> { b, b_from: 0, a, a_from: 0, b_len: b.len(), a_len: a.len() }, is_short);
        let mut from = (0, 0);
        let mut score = 0;
        let each = |stretch: &Stretch| {
            let Stretch { b, a, len } = *stretch;
            (0..len).map(move |step| (b + step, a + step))
        };
        for (i, j) in extension.matched.iter().flat_map(each) {
            assert!((i, j) >= from && i >= from.0 && j >= from.1 && b[i as usize] == a[j as usize]);
            score += i32::from(worth(i as usize)) - 2 * (i - from.0).max(j - from.1) as i32;
            from = (i + 1, j + 1);
        }
        let least = best(b, a, worth, BAND, DROP.into());
        let most = best(b, a, worth, usize::MAX, i32::MAX / 4);
        let is_run = b.windows(LONG).any(|run| a.windows(LONG).any(|other| run == other));
        assert!((is_run || least <= score) && score <= most, "{least} <= {score} <= {most}");

        // The way back is the way forth through texts turned round.
        let turned = |words: &[u32]| words.iter().rev().copied().collect::<Vec<u32>>();
        let (back_b, back_a) = (turned(b), turned(a));
        let forth = extension.matched.clone();
        let (b_from, a_from) = (back_b.len(), back_a.len());
        let way = Way::<true> { b: &back_b, b_from, a: &back_a, a_from, b_len: b.len(), a_len: a.len() };
        extension.reach(way, is_short);
        assert_eq!(extension.matched, forth);
    }

    /// The best score of a common beginning, by the whole table.
    fn best(b: &[u32], a: &[u32], worth: impl Fn(usize) -> i8, band: usize, drop: i32) -> i32 {
        const UNREACHABLE: i32 = i32::MIN / 2;
        let mut best = 0;
        let mut row: Vec<i32> =
            (0..=a.len()).map(|j| if j <= band { -2 * j as i32 } else { UNREACHABLE }).collect();
        for i in 1..=b.len() {
            let mut next = vec![UNREACHABLE; row.len()];
            let floor = best - drop;
            for j in 0..row.len() {
                if i.abs_diff(j) > band {
                    continue;
                }
                let mut score = row[j] - 2;
                if j > 0 {
                    let step = if b[i - 1] == a[j - 1] { worth(i - 1).into() } else { -2 };
                    score = score.max(row[j - 1] + step).max(next[j - 1] - 2);
                }
                if score >= floor {
                    next[j] = score;
                    best = best.max(score);
                }
            }
            row = next;
        }
        best
    }
}
