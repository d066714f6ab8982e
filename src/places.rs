//! Places: where the tokens of a text start, in little more than two bytes each.
//!
//! Texts are read again from any token on, so a place is found at once: that of every
//! 64th token is written in full, and of the others how far behind it they are. What is too
//! far for that, as behind a long stretch of signs, is in a list of its own.

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

/// Tokens from one whose place is written in full to the next.
pub(crate) const FULL: usize = 64;

/// How many bytes a token is behind the last full one, as far as 14 bits tell; before
/// them whether it begins a line or a block.
#[derive(Clone, Copy, Debug)]
struct Behind(u16);

impl Behind {
    const LINE: u16 = (Place::LINE >> 16) as u16;
    const BREAK: u16 = (Place::BREAK >> 16) as u16;
    /// Too far, or just so far.
    const FAR: u16 = Behind::BREAK - 1;

    #[inline]
    fn new(place: Place, full: u32) -> Self {
        let bytes = (place.byte() - full).min(Behind::FAR.into()) as u16;
        Behind(bytes | (place.0 >> 16) as u16 & !Behind::FAR)
    }

    #[inline]
    fn bytes(self) -> u16 {
        self.0 & Behind::FAR
    }
}

/// The places of the tokens of several texts, one after the other.
#[derive(Debug)]
pub(crate) struct PlaceList {
    behind: Vec<Behind>,
    /// The byte of every 64th token of a text.
    full: Vec<u32>,
    /// The numbers of tokens that are too far behind it, and their bytes.
    far: Vec<(u32, u32)>,
    /// How many of the text at hand there are.
    number: u32,
}

/// Where a text ends in a [`PlaceList`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct End {
    behind: usize,
    full: u32,
    far: u32,
}

impl PlaceList {
    /// Without any text, but with room for so many tokens.
    pub(crate) fn with_capacity(tokens: usize) -> Self {
        PlaceList {
            behind: Vec::with_capacity(tokens),
            full: Vec::with_capacity(tokens / FULL),
            far: Vec::new(),
            number: 0,
        }
    }

    /// Adds the places of the next tokens of a text: of [`FULL`], or of the last ones.
    #[inline]
    pub(crate) fn add(&mut self, some: &[Place]) {
        let [first, ..] = some else { return };
        let full = first.byte();
        self.full.push(full);
        self.behind.extend(some.iter().map(|&place| Behind::new(place, full)));
        let reach = full + u32::from(Behind::FAR);
        if some[some.len() - 1].byte() >= reach {
            let numbered = (self.number..).zip(some).map(|(number, place)| (number, place.byte()));
            self.far.extend(numbered.filter(|(_, byte)| *byte >= reach));
        }
        self.number += some.len() as u32;
    }

    /// Ends a text. What is added next is of another.
    pub(crate) fn end(&mut self) -> End {
        self.number = 0;
        End { behind: self.behind.len(), full: self.full.len() as u32, far: self.far.len() as u32 }
    }

    pub(crate) fn shrink_to_fit(&mut self) {
        self.behind.shrink_to_fit();
        self.full.shrink_to_fit();
        self.far.shrink_to_fit();
    }

    /// The places of the text that ends there, behind the one that ends `before`.
    pub(crate) fn between(&self, before: End, end: End) -> Places<'_> {
        Places {
            behind: &self.behind[before.behind..end.behind],
            full: &self.full[before.full as usize..end.full as usize],
            far: &self.far[before.far as usize..end.far as usize],
        }
    }
}

/// The places of the tokens of one text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places<'a> {
    behind: &'a [Behind],
    full: &'a [u32],
    far: &'a [(u32, u32)],
}

impl Places<'_> {
    /// The number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.behind.len()
    }

    /// The first byte of a token.
    #[inline]
    pub(crate) fn byte(&self, number: usize) -> usize {
        let bytes = self.behind[number].bytes();
        if bytes == Behind::FAR {
            return self.far(number);
        }
        self.full[number / FULL] as usize + usize::from(bytes)
    }

    #[cold]
    fn far(&self, number: usize) -> usize {
        let at = self.far.binary_search_by_key(&(number as u32), |far| far.0).expect("listed");
        self.far[at].1 as usize
    }

    /// The bytes from a token to the next one.
    #[inline]
    pub(crate) fn step(&self, number: usize) -> usize {
        let [here, next] = [number, number + 1].map(|number| self.behind[number].bytes());
        // The next full one is not behind itself.
        if here < next && next < Behind::FAR {
            return usize::from(next - here);
        }
        self.byte(number + 1) - self.byte(number)
    }

    /// Whether a token begins a line; the end of the text counts as one.
    #[inline]
    pub(crate) fn starts_line(&self, number: usize) -> bool {
        self.behind.get(number).is_none_or(|behind| behind.0 & Behind::LINE != 0)
    }

    /// Whether a token begins a block; the end of the text counts as one.
    #[inline]
    pub(crate) fn starts_block(&self, number: usize) -> bool {
        self.behind.get(number).is_none_or(|behind| behind.0 & Behind::BREAK != 0)
    }

    /// The first token from a number on that begins a line, or the end of the text.
    pub(crate) fn next_line(&self, from: usize) -> usize {
        let mut at = from;
        // Many at once, since few begin one.
        while let Some(some) = self.behind[at..].first_chunk::<LANES>()
            && some.iter().fold(0, |all, behind| all | behind.0) & Behind::LINE == 0
        {
            at += some.len();
        }
        (at..self.len()).find(|&at| self.starts_line(at)).unwrap_or(self.len())
    }

    /// Which of sixteen tokens from a number on may have less than so many bytes up to the
    /// first of the token that is `by` further on: all that do, and few others.
    #[inline]
    pub(crate) fn may_be_less(&self, number: usize, by: usize, bytes: u16) -> Lanes {
        let (firsts, lasts) = (self.sixteen(number), self.sixteen(number + by));
        // The last is the farthest, if there is no full one among them.
        let is_far = |behind: &[Behind; LANES]| behind[LANES - 1].bytes() == Behind::FAR;
        if number % FULL + by + LANES <= FULL && !is_far(lasts) {
            let lengths: [i16; LANES] =
                std::array::from_fn(|at| (lasts[at].bytes() - firsts[at].bytes()) as i16);
            if lengths.into_iter().fold(i16::MAX, i16::min) >= bytes as i16 {
                return Lanes::splat(0);
            }
        }
        if firsts.iter().any(|first| first.bytes() == Behind::FAR) {
            return Lanes::splat(-1);
        }
        let (firsts, lasts) = (self.bytes(number), self.bytes(number + by));
        let lengths = std::array::from_fn(|at| lasts[at] - firsts[at]);
        Lanes::less_each(&lengths, &[bytes.into(); LANES])
    }

    #[inline]
    fn sixteen(&self, number: usize) -> &[Behind; LANES] {
        self.behind[number..].first_chunk().expect("sixteen")
    }

    /// The first bytes of sixteen tokens; of those too far behind a full one, one before it.
    #[inline]
    fn bytes(&self, number: usize) -> [u32; LANES] {
        let some = self.sixteen(number);
        let full = &self.full[number / FULL..];
        let next = (FULL - number % FULL) as u32;
        let here = full[0];
        let more = full.get(1).map_or(0, |there| there - here);
        std::array::from_fn(|at| {
            here + u32::from(some[at].bytes()) + if at as u32 >= next { more } else { 0 }
        })
    }

    /// Asks for what tells the place of a token.
    pub(crate) fn fetch(&self, number: usize) {
        fetch(&self.behind[number]);
        fetch(&self.full[number / FULL]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Steps from a token to the next, and whether that begins a line, and a block.
    fn texts() -> impl Strategy<Value = Vec<Vec<(u32, bool, bool)>>> {
        let step = prop_oneof![20 => 1u32..30, 1 => 200u32..20_000, 1 => Just(u32::from(Behind::FAR))];
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
                places.chunks(FULL).for_each(|some| list.add(some));
                let end = list.end();
                ends.push((before, end));
                before = end;
                expected.push(added);
            }
            for ((before, end), expected) in ends.into_iter().zip(expected) {
                let places = list.between(before, end);
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
                        let told = places.may_be_less(from, by, 25).bits();
                        let is_far = (from..from + LANES + by).any(|at| places.behind[at].bytes() == Behind::FAR);
                        for at in 0..LANES {
                            let less = expected[from + at + by].0 - expected[from + at].0 < 25;
                            prop_assert!(told >> at & 1 == u16::from(less) || is_far && !less, "{from} {by} {at}");
                        }
                    }
                }
            }
        }
    }
}
