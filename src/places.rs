//! Places: where the tokens of a text start, in little more than a byte each.
//!
//! Texts are read again from any token on, so a place is found at once: of each token it is
//! written how far it is from the one before, and before every sixteen of them the place of
//! the last one in full. What is too far for that, as behind a long stretch of signs, is in a
//! list of its own.

use crate::ahead::fetch;
use crate::lanes::{LANES, Lanes};

/// Where a token starts: its byte, and whether it begins a line or a block. A block begins
/// after a blank line, or after a line that was not broken just to fit a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u32);

impl Place {
    const LINE: u32 = 1 << 31;
    const BREAK: u32 = 1 << 30;

    /// The place of a token that starts at a byte, of a text below 2³⁰ bytes.
    #[inline]
    pub(crate) fn new(byte: usize) -> Self {
        Place(byte as u32)
    }

    /// The same place, where a line begins and perhaps a block.
    pub(crate) fn beginning(self, block: bool) -> Self {
        Place(self.0 | Place::LINE | if block { Place::BREAK } else { 0 })
    }

    /// The same place, so many bytes further on.
    #[inline]
    pub(crate) fn moved(self, bytes: usize) -> Self {
        Place(self.0 + bytes as u32)
    }

    /// Where it is.
    #[inline]
    pub(crate) fn byte(self) -> u32 {
        self.0 & (Place::BREAK - 1)
    }
}

/// Tokens from one before which a place is written in full to the next.
pub(crate) const FULL: usize = LANES;

/// How many bytes a token is behind the one before it, as far as 6 bits tell; before them
/// whether it begins a line or a block.
struct Step;

impl Step {
    const LINE: u8 = (Place::LINE >> 24) as u8;
    const BREAK: u8 = (Place::BREAK >> 24) as u8;
    /// Too far, or just so far.
    const FAR: u8 = Step::BREAK - 1;

    #[inline]
    fn to(before: u32, place: Place) -> u8 {
        let bytes = (place.byte() - before).min(Step::FAR.into()) as u8;
        bytes | (place.0 >> 24) as u8 & !Step::FAR
    }

    #[inline]
    fn bytes(step: u8) -> u8 {
        step & Step::FAR
    }
}

/// The places of the tokens of several texts, one after the other.
#[derive(Debug)]
pub(crate) struct PlaceList {
    steps: Vec<u8>,
    /// The byte of the token before each sixteen of a text, and 0 before the first.
    full: Vec<u32>,
    /// The numbers of tokens that are too far from the one before, and their bytes.
    far: Vec<(u32, u32)>,
    /// How many of the text at hand there are, and where the last is.
    number: u32,
    last: u32,
}

/// Where a text ends in a [`PlaceList`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct End {
    steps: usize,
    full: u32,
    far: u32,
}

impl PlaceList {
    /// Without any text, but with room for so many tokens.
    pub(crate) fn with_capacity(tokens: usize) -> Self {
        PlaceList {
            steps: Vec::with_capacity(tokens),
            full: Vec::with_capacity(tokens / FULL),
            far: Vec::new(),
            number: 0,
            last: 0,
        }
    }

    /// Adds the places of the next tokens of a text: sixteen or a multiple of it, or the last
    /// ones.
    #[inline]
    pub(crate) fn add(&mut self, some: &[Place]) {
        let (Some(first), Some(last)) = (some.first(), some.last()) else { return };
        let before = |sixteen: usize| sixteen.checked_sub(1).map_or(self.last, |at| some[at].byte());
        self.full.extend((0..some.len()).step_by(FULL).map(before));
        let from = self.steps.len();
        self.steps.push(Step::to(self.last, *first));
        self.steps.extend(some.windows(2).map(|two| Step::to(two[0].byte(), two[1])));
        let most = self.steps[from..].iter().fold(0, |most, step| Step::bytes(*step).max(most));
        if most == Step::FAR {
            let numbered = (self.number..).zip(some).zip(&self.steps[from..]);
            let far = numbered.filter(|(_, step)| Step::bytes(**step) == Step::FAR);
            self.far.extend(far.map(|((number, place), _)| (number, place.byte())));
        }
        self.number += some.len() as u32;
        self.last = last.byte();
    }

    /// Ends a text. What is added next is of another.
    pub(crate) fn end(&mut self) -> End {
        // So that all of them can be looked at sixteen at a time.
        self.steps.resize(self.steps.len().next_multiple_of(LANES), 0);
        (self.number, self.last) = (0, 0);
        End { steps: self.steps.len(), full: self.full.len() as u32, far: self.far.len() as u32 }
    }

    pub(crate) fn shrink_to_fit(&mut self) {
        self.steps.shrink_to_fit();
        self.full.shrink_to_fit();
        self.far.shrink_to_fit();
    }

    /// The places of the text of so many tokens that ends there, behind the one that ends
    /// `before`.
    pub(crate) fn between(&self, before: End, end: End, len: usize) -> Places<'_> {
        Places {
            len,
            steps: &self.steps[before.steps..end.steps],
            full: &self.full[before.full as usize..end.full as usize],
            far: &self.far[before.far as usize..end.far as usize],
        }
    }
}

/// The places of the tokens of one text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places<'a> {
    len: usize,
    /// Behind the last token are others, up to a multiple of sixteen.
    steps: &'a [u8],
    full: &'a [u32],
    far: &'a [(u32, u32)],
}

impl Places<'_> {
    /// The number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The first byte of a token.
    #[inline]
    pub(crate) fn byte(&self, number: usize) -> usize {
        const UP_TO: &[u8] = [[Step::FAR; LANES], [0; LANES]].as_flattened();
        let from = number / FULL * FULL;
        let full = self.full[number / FULL] as usize;
        let some = self.steps[from..].first_chunk().expect("a multiple of sixteen");
        let bytes = UP_TO[LANES - 1 - number % FULL..].first_chunk().expect("one more than lanes");
        let steps = Lanes::of_bytes(some).and(Lanes::of_bytes(bytes));
        if steps.alike(Lanes::splat(Step::FAR as i8)).bits() != 0 {
            return self.behind_far(number);
        }
        full + steps.total() as usize
    }

    /// The same where one of the sixteen up to the token is too far from the one before.
    #[cold]
    fn behind_far(&self, number: usize) -> usize {
        let is_far = |at: &usize| Step::bytes(self.steps[*at]) == Step::FAR;
        let last = (0..=number).rev().find(is_far).expect("one of them");
        let steps = self.steps[last + 1..=number].iter().map(|step| usize::from(Step::bytes(*step)));
        self.far(last) + steps.sum::<usize>()
    }

    /// The first byte of a token that is too far from the one before it.
    fn far(&self, number: usize) -> usize {
        let at = self.far.binary_search_by_key(&(number as u32), |far| far.0).expect("listed");
        self.far[at].1 as usize
    }

    /// The bytes from a token to the next one.
    #[inline]
    pub(crate) fn step(&self, number: usize) -> usize {
        match Step::bytes(self.steps[number + 1]) {
            Step::FAR => self.far(number + 1) - self.byte(number),
            bytes => bytes.into(),
        }
    }

    /// Whether a token begins a line; the end of the text counts as one.
    #[inline]
    pub(crate) fn starts_line(&self, number: usize) -> bool {
        number >= self.len || self.steps[number] & Step::LINE != 0
    }

    /// Whether a token begins a block; the end of the text counts as one.
    #[inline]
    pub(crate) fn starts_block(&self, number: usize) -> bool {
        number >= self.len || self.steps[number] & Step::BREAK != 0
    }

    /// The first token from a number on that begins a line, or the end of the text.
    pub(crate) fn next_line(&self, from: usize) -> usize {
        let mut at = from;
        // Many at once, since few begin one.
        while let Some(some) = self.steps[at..].first_chunk() {
            match Lanes::of_bytes(some).bits() {
                0 => at += LANES,
                lines => return at + lines.trailing_zeros() as usize,
            }
        }
        (at..self.len).find(|&at| self.starts_line(at)).unwrap_or(self.len)
    }

    /// Which of sixteen tokens from a number on may have less than so many bytes up to the
    /// first of the token that is `by` further on: all that do, and few others.
    #[inline]
    pub(crate) fn may_be_less(&self, number: usize, by: usize, least: usize) -> Lanes {
        let Ok(least) = i8::try_from(least) else { return Lanes::splat(-1) };
        let steps = |at: usize| {
            let some = self.steps[number + at..].first_chunk().expect("sixteen");
            Lanes::of_bytes(some).and(Lanes::splat(Step::FAR as i8))
        };
        // Almost always of four, which need no loop.
        let sums = match by {
            4 => steps(1).plus(steps(2)).plus(steps(3).plus(steps(4))),
            _ => (1..=by).fold(Lanes::splat(0), |sums, at| sums.plus(steps(at))),
        };
        Lanes::splat(least).above(sums)
    }

    /// Asks for what tells the place of a token.
    pub(crate) fn fetch(&self, number: usize) {
        fetch(&self.steps[number]);
        fetch(&self.full[number / FULL]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Steps from a token to the next, and whether that begins a line, and a block.
    fn texts() -> impl Strategy<Value = Vec<Vec<(u32, bool, bool)>>> {
        let step =
            prop_oneof![20 => 1u32..30, 1 => 200u32..20_000, 1 => Just(u32::from(Step::FAR)), 1 => 1u32..65];
        let text = prop::collection::vec((step, any::<bool>(), prop::bool::weighted(0.02)), 0..300);
        prop::collection::vec(text, 1..4)
    }

    proptest! {
        #[test]
        fn places_are_told_as_they_were_added(texts in texts()) {
            let mut list = PlaceList::with_capacity(0);
            let mut before = End::default();
            let (mut ends, mut expected) = (Vec::new(), Vec::new());
            for text in &texts {
                let mut byte = 0;
                let (mut added, mut places) = (Vec::new(), Vec::new());
                for &(step, block, line) in text {
                    byte += step as usize;
                    added.push((byte, line, block && line));
                    let place = Place::new(byte);
                    places.push(if line { place.beginning(block) } else { place });
                }
                places.chunks(4 * FULL).for_each(|some| list.add(some));
                let end = list.end();
                ends.push((before, end));
                before = end;
                expected.push(added);
            }
            for ((before, end), expected) in ends.into_iter().zip(expected) {
                let places = list.between(before, end, expected.len());
                prop_assert_eq!(places.len(), expected.len());
                for (at, &(byte, line, block)) in expected.iter().enumerate() {
                    prop_assert_eq!((places.byte(at), places.starts_line(at), places.starts_block(at)), (byte, line, block));
                    if let Some(next) = expected.get(at + 1) {
                        prop_assert_eq!(places.step(at), next.0 - byte);
                    }
                    let line = (at..expected.len()).find(|&at| expected[at].1);
                    prop_assert_eq!(places.next_line(at), line.unwrap_or(expected.len()));
                }
                prop_assert!(places.starts_line(places.len()) && places.starts_block(places.len()));
                prop_assert_eq!(places.next_line(places.len()), places.len());
                for by in [1, 4, 70] {
                    for from in 0..(expected.len() + 1).saturating_sub(LANES + by) {
                        for least in [25, i8::MAX as usize + 1] {
                            let told = places.may_be_less(from, by, least).bits();
                            for at in 0..LANES {
                                let bytes = expected[from + at + by].0 - expected[from + at].0;
                                // Beyond what steps tell all may be.
                                let known = least <= usize::from(Step::FAR);
                                prop_assert!(told >> at & 1 == u16::from(bytes < least) || !known && bytes >= least, "{from} {by} {at}");
                            }
                        }
                    }
                }
            }
        }
    }
}
