//! Sorted intervals that can be asked which of them overlap a range.

use crate::ahead::fetch;

/// Most intervals looked at for one question. Reached only where intervals are
/// nested or stacked hundreds deep; those that start farthest back are then not
/// seen.
pub(crate) const NESTING: usize = 512;

/// Half-open intervals, sorted by start.
#[derive(Debug, Default)]
pub(crate) struct Intervals {
    spans: Vec<(u32, u32)>,
    /// The farthest end of the intervals up to each.
    reach: Vec<u32>,
}

impl Intervals {
    /// Takes intervals that are sorted by start.
    pub(crate) fn new(sorted: impl Iterator<Item = (u32, u32)>) -> Self {
        let spans: Vec<(u32, u32)> = sorted.collect();
        debug_assert!(spans.is_sorted_by_key(|span| span.0));
        let farthest = spans.iter().scan(0, |reach, span| {
            *reach = span.1.max(*reach);
            Some(*reach)
        });
        Intervals { reach: farthest.collect(), spans }
    }

    /// Fetches what is looked at first to find those that overlap a range.
    pub(crate) fn fetch(&self) {
        let middle = self.spans.len() / 2;
        self.spans.get(middle).into_iter().for_each(fetch);
        self.reach.get(middle).into_iter().for_each(fetch);
    }

    /// The numbers of the intervals that share a point with `from..to`, the
    /// last first.
    pub(crate) fn overlapping(&self, from: u32, to: u32) -> impl Iterator<Item = usize> + '_ {
        let after = self.spans.partition_point(|span| span.0 < to);
        (0..after)
            .rev()
            .take(NESTING)
            .take_while(move |&at| self.reach[at] > from)
            .filter(move |&at| self.spans[at].1 > from)
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
            let mut found: Vec<usize> = Intervals::new(spans.iter().copied()).overlapping(from, to).collect();
            found.reverse();
            let expected: Vec<usize> = (0..spans.len()).filter(|&at| spans[at].0 < to && spans[at].1 > from).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
