//! Sorted intervals that can be asked which of them overlap a range.

use crate::ahead::fetch;

/// Most intervals looked at for one question. Reached only where intervals are
/// nested or stacked hundreds deep; those that start farthest back are then not
/// seen.
pub(crate) const NESTING: usize = 512;

/// What has a start and an end, half-open.
pub(crate) trait Interval {
    /// The two.
    fn span(&self) -> (u32, u32);
}

impl Interval for (u32, u32) {
    fn span(&self) -> (u32, u32) {
        *self
    }
}

/// Half-open intervals, sorted by start.
#[derive(Debug)]
pub(crate) struct Intervals<T> {
    /// Each with the farthest end of those up to it, side by side: a question about few is
    /// answered by one look at memory.
    list: Box<[(T, u32)]>,
}

impl<T: Interval> Intervals<T> {
    /// Takes intervals that are sorted by start.
    pub(crate) fn new(sorted: impl Iterator<Item = T>) -> Self {
        let mut reach = 0;
        let list: Box<[(T, u32)]> = sorted
            .map(|item| {
                reach = item.span().1.max(reach);
                (item, reach)
            })
            .collect();
        debug_assert!(list.is_sorted_by_key(|(item, _)| item.span().0));
        Intervals { list }
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Fetches what is looked at first to find those that overlap a range.
    pub(crate) fn fetch(&self) {
        self.list.get(self.list.len() / 2).into_iter().for_each(fetch);
    }

    /// All of them, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.list.iter().map(|(item, _)| item)
    }

    /// The intervals that share a point with `from..to`, the last first, each with its number.
    pub(crate) fn overlapping(&self, from: u32, to: u32) -> impl Iterator<Item = (usize, &T)> + '_ {
        let after = self.list.partition_point(|(item, _)| item.span().0 < to);
        let before = self.list[..after].iter().enumerate().rev().take(NESTING);
        before
            .take_while(move |(_, (_, reach))| *reach > from)
            .filter(move |(_, (item, _))| item.span().1 > from)
            .map(|(at, (item, _))| (at, item))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn overlaps_equal_a_look_at_each(mut spans in prop::collection::vec((0u32..60, 1u32..30), 0..40), from in 0u32..60, len in 1u32..20) {
            spans.iter_mut().for_each(|span| span.1 += span.0);
            spans.sort_unstable();
            let to = from + len;
            let intervals = Intervals::new(spans.iter().copied());
            let mut found: Vec<(usize, &(u32, u32))> = intervals.overlapping(from, to).collect();
            found.reverse();
            let overlaps = |&(_, span): &(usize, &(u32, u32))| span.0 < to && span.1 > from;
            let expected: Vec<(usize, &(u32, u32))> = spans.iter().enumerate().filter(overlaps).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
