//! Extension: how far two texts go on alike from a place, edits allowed.
//!
//! X-drop (Altschul et al., *Basic local alignment search tool*, 1990): a table
//! of scores in a band around the diagonal, filled row by row until every score
//! of a row lies too far below the best so far. A row is worked on as a whole, in
//! vector code. A long exact run is followed without the table.
//!
//! Linear in what is looked at: a row of the table for every token.

use std::ops::Range;

use crate::lanes::{LANES, Lanes};

/// How far an extension may leave the diagonal.
const BAND: usize = 6;
const WIDTH: usize = 2 * BAND + 1;
/// Score of a matched token; every other step costs 2. A short one, likely an
/// article or a preposition, stands in any text.
pub(crate) const GAIN: i8 = 3;
pub(crate) const SHORT_GAIN: i8 = 2;
const COST: i8 = 2;
/// How far the score may fall below its best.
const DROP: i8 = 12;
/// A cell that no path within the drop leads to; so far below that no step of
/// a row lifts it above the drop.
const DEAD: i8 = -100;
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
    fn may_gain(&self, gain: impl Fn(usize) -> i8) -> bool {
        let mut balance = 0;
        for i in 0..self.b_len {
            let lanes = self.lanes(i);
            if lanes.is_empty() {
                return false;
            }
            balance += match self.matches(i, lanes).bits() != 0 {
                true if i == 0 => gain(i) - COST,
                true => gain(i),
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

/// The mask of some lanes.
#[inline]
fn mask(lanes: Range<usize>) -> Lanes {
    const NUMBERS: [i8; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    let numbers = Lanes::new(NUMBERS);
    let from = numbers.above(Lanes::splat(lanes.start as i8 - 1));
    from.and(Lanes::splat(lanes.end as i8).above(numbers))
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

/// A banded extension with a memory of its steps.
#[derive(Default)]
pub(crate) struct Extension {
    steps: Vec<Steps>,
    /// The matched positions, the nearest first.
    pub pairs: Vec<(u32, u32)>,
}

impl Extension {
    /// Finds the best-scoring common beginning of a way, where a match of word
    /// `i` of `b` scores `gain(i)`, a mismatch or a gap −2.
    ///
    /// A long exact run is followed without the table, which starts anew behind
    /// it: by then every other path has fallen out of the drop, unless the text
    /// repeats itself there.
    pub(crate) fn reach<const BACK: bool>(&mut self, whole: Way<BACK>, gain: impl Fn(usize) -> i8) {
        self.pairs.clear();
        let (mut b, mut a) = (0, 0);
        loop {
            let way = whole.after(b, a);
            let gain = |i| gain(b + i);
            if !way.may_gain(gain) {
                return;
            }
            let known = self.pairs.len();
            let runs_on = self.table(&way, gain);
            self.pairs[known..].iter_mut().for_each(|pair| *pair = (pair.0 + b as u32, pair.1 + a as u32));
            if !runs_on {
                return;
            }
            let &(last_b, last_a) = self.pairs.last().expect("a run follows a match");
            (b, a) = (last_b as usize + 1, last_a as usize + 1);
            while b < whole.b_len && a < whole.a_len && whole.equal(b, a) {
                self.pairs.push((b as u32, a as u32));
                (b, a) = (b + 1, a + 1);
            }
        }
    }

    /// Fills the table and appends the best path's matches, the nearest first.
    /// Stops and returns true where the best path goes on with a long run.
    fn table<const BACK: bool>(&mut self, way: &Way<BACK>, gain: impl Fn(usize) -> i8) -> bool {
        // Cell d of row i: i words of b and i + d - BAND of a are used up. Scores
        // are kept as differences from the best so far.
        let first = BAND..WIDTH.min(BAND + way.a_len + 1);
        let cost = |d: usize| if first.contains(&d) { -COST * (d - BAND) as i8 } else { DEAD };
        let mut row = Lanes::new(std::array::from_fn(cost));
        self.steps.clear();
        self.steps.push(Steps { only_a: u16::MAX, only_b: 0, equal: 0 });
        let dead = Lanes::splat(DEAD);
        let pay = Lanes::splat(-COST);
        let floor = Lanes::splat(-DROP - 1);
        let mut best = (0, BAND);
        let mut runs_on = false;
        for i in 0..way.b_len {
            let lanes = way.lanes(i);
            // Nothing of a is left for the cells past the last lane.
            let room = mask(0..lanes.end);
            let gain = gain(i);
            let equal = way.matches(i, lanes);
            let diagonal = row.plus(pay).plus(equal.and(Lanes::splat(gain + COST)));
            let down = row.down().plus(pay);
            let score = diagonal.max(down).or_else(room, dead);
            // The best of all cells to the left, each step of the way paid for:
            // no more than six lead from the best out of the drop.
            let mut across = score;
            across = across.max(across.up::<1>().plus(from_left(1)));
            across = across.max(across.up::<2>().plus(from_left(2)));
            across = across.max(across.up::<4>().plus(from_left(4)));
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
            row = across.or_else(alive, dead);
            let reached = steps.equal & !steps.only_a & !steps.only_b;
            // The best rises by what one match is worth at the most.
            let risen = (1..=gain).rev().find_map(|by| {
                let cells = row.above(Lanes::splat(by - 1)).bits() & reached;
                (cells != 0).then_some((by, cells.trailing_zeros() as usize))
            });
            if let Some((by, d)) = risen {
                row = row.plus(Lanes::splat(-by));
                best = (i + 1, d);
                let (b, a) = (i + 1, d + i + 1 - BAND);
                let room = (way.b_len - b).min(way.a_len - a);
                runs_on = room >= LONG && (0..LONG).all(|step| way.equal(b + step, a + step));
                if runs_on {
                    break;
                }
            }
        }
        let (mut i, mut d) = best;
        let nearest = self.pairs.len();
        while i > 0 || d != BAND {
            let Steps { only_a, only_b, equal } = self.steps[i];
            let is = |cells: u16| cells >> d & 1 != 0;
            match () {
                () if is(only_a) => d -= 1,
                () if is(only_b) => (i, d) = (i - 1, d + 1),
                () => {
                    if is(equal) {
                        self.pairs.push((i as u32 - 1, (i + d - BAND) as u32 - 1));
                    }
                    i -= 1;
                }
            }
        }
        self.pairs[nearest..].reverse();
        runs_on
    }
}

/// What it costs to come from so many lanes below; where none is, a cell that is
/// dead comes in.
#[inline]
fn from_left(lanes: usize) -> Lanes {
    Lanes::new(std::array::from_fn(|d| if d < lanes { DEAD } else { -COST * lanes as i8 }))
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
        let worth = |i: usize| if b[i].is_multiple_of(3) { SHORT_GAIN } else { GAIN };
        let mut extension = Extension::default();
        extension.reach(Way::<false> { b, b_from: 0, a, a_from: 0, b_len: b.len(), a_len: a.len() }, worth);
        let mut from = (0, 0);
        let mut score = 0;
        for &(i, j) in &extension.pairs {
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
        let forth = extension.pairs.clone();
        let (b_from, a_from) = (back_b.len(), back_a.len());
        let way = Way::<true> { b: &back_b, b_from, a: &back_a, a_from, b_len: b.len(), a_len: a.len() };
        extension.reach(way, worth);
        assert_eq!(extension.pairs, forth);
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
