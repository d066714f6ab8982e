//! How many times each token of a text has been told, up to where it no longer
//! matters.

use crate::lanes::{LANES, Lanes};

/// A count for each token; the greatest stands for more too. Behind them is room for a look
/// at several: most stretches are shorter than that.
#[derive(Default)]
pub(crate) struct Depth(Vec<u8>);

/// The greatest count.
const MOST: u8 = i8::MAX as u8;

impl Depth {
    /// Makes ready for the tokens `start..end` of a text: none of them is told
    /// yet. Others are not to be asked for.
    pub(crate) fn begin(&mut self, start: u32, end: u32) {
        let (start, end) = (start as usize, end as usize);
        self.0.resize(self.0.len().max(end + LANES), 0);
        self.0[start..end].fill(0);
    }

    /// Tells stretches, each a token and a number of tokens, once more.
    pub(crate) fn tell(&mut self, stretches: impl Iterator<Item = (u32, u32)>) {
        for (from, len) in stretches {
            for (at, these) in some_of(from, len) {
                let counts = self.0[at..].first_chunk_mut().expect("room for so many");
                *counts = Lanes::of_bytes(counts).plus(these.and(Lanes::splat(1))).to_bytes();
            }
        }
    }

    /// How many tokens of such stretches were told fewer than `deep` times.
    pub(crate) fn shallow(&self, stretches: impl Iterator<Item = (u32, u32)>, deep: u8) -> u32 {
        let deep = Lanes::splat(deep.min(MOST) as i8);
        let of_some = |(at, these): (usize, Lanes)| {
            let counts = self.0[at..].first_chunk().expect("room for so many");
            deep.above(Lanes::of_bytes(counts)).and(these).set() as u32
        };
        stretches.flat_map(|(from, len)| some_of(from, len)).map(of_some).sum()
    }
}

/// The tokens of a stretch, several at a time: the first, and the mask of those that are of
/// it.
fn some_of(from: u32, len: u32) -> impl Iterator<Item = (usize, Lanes)> {
    let (from, len) = (from as usize, len as usize);
    (0..len).step_by(LANES).map(move |at| {
        let past = Lanes::from_lane(LANES.min(len - at));
        (from + at, Lanes::splat(-1).without(past))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counts_equal_a_look_at_each_stretch(
            before in prop::collection::vec((0u32..50, 0u32..20), 0..6),
            told in prop::collection::vec((10u32..30, 0u32..40), 0..12),
            asked in prop::collection::vec((10u32..30, 0u32..40), 0..4),
            deep in 1u8..6,
        ) {
            let mut depth = Depth::default();
            depth.begin(0, 70);
            depth.tell(before.into_iter());
            depth.begin(10, 70);
            depth.tell(told.iter().copied());
            let times = |token: u32| told.iter().filter(|(from, len)| (*from..from + len).contains(&token)).count();
            let expected = asked.iter().flat_map(|&(from, len)| from..from + len).filter(|&token| times(token) < deep as usize).count();
            prop_assert_eq!(depth.shallow(asked.iter().copied(), deep), expected as u32);
        }
    }

    #[test]
    fn many_times_are_not_few() {
        let mut depth = Depth::default();
        depth.begin(0, 1);
        (0..300).for_each(|_| depth.tell([(0, 1)].into_iter()));
        assert_eq!(depth.shallow([(0, 1)].into_iter(), u8::MAX), 0);
    }
}
