//! Occurrences: those of all families, by document.
//!
//! Families list their occurrences in order; here each is put where its document
//! finds it, with what the rest of its family says of it. Linear in the occurrences.

use crate::ahead::{ahead, fetch};
use crate::document::Date;
use crate::families::{Family, Occurrence};

/// An occurrence as its document sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Number of the family, from 0.
    pub family: u32,
    /// Documents of the family.
    pub df: u32,
    pub occurrence: Occurrence,
    /// Not the family's first occurrence in this document.
    pub again: bool,
    /// The family's earliest occurrence, every other document's being later.
    pub first: bool,
    /// No other document's occurrence is known to be earlier.
    pub maybe_first: bool,
    /// Where another occurrence of the family is; its own place if there is none.
    pub other: u32,
}

/// Where the occurrences of all families go. The *place* of one is its number among those of
/// all documents: by document, and then by family.
pub(crate) struct Layout {
    /// Where those of each document end.
    ends: Vec<usize>,
    /// The places of each family's, in their order.
    places: Vec<u32>,
    /// Where those of each family start in `places`, and where the last end.
    starts: Vec<usize>,
}

impl Layout {
    /// Of families, whose occurrences are sorted, in so many documents.
    pub(crate) fn new(families: &[Family], documents: usize) -> Self {
        let families =
            || ahead(families.iter(), |family| family.occurrences.first().into_iter().for_each(fetch));
        let mut next = vec![0; documents];
        for occurrence in families().flat_map(|family| &family.occurrences) {
            next[occurrence.document as usize] += 1;
        }
        let mut total = 0;
        for next in &mut next {
            (*next, total) = (total, total + *next);
        }
        let mut places = Vec::with_capacity(total);
        let mut starts = vec![0];
        for family in families() {
            for occurrence in &family.occurrences {
                let next = &mut next[occurrence.document as usize];
                places.push(*next as u32);
                *next += 1;
            }
            starts.push(places.len());
        }
        Layout { ends: next, places, starts }
    }

    /// The places of a family's, in their order.
    fn of(&self, family: u32) -> &[u32] {
        let at = family as usize;
        &self.places[self.starts[at]..self.starts[at + 1]]
    }

    /// Appends a family's occurrences as their documents see them, in documents with these
    /// dates. With `against` none may be the first.
    pub(crate) fn place(
        &self,
        (number, family): (u32, &Family),
        dates: &[Option<&Date>],
        against: bool,
        placed: &mut Vec<Placed>,
    ) {
        let (own, spread) = (self.of(number), Spread::new(family, dates));
        let mut start = 0;
        for of_one in family.occurrences.chunk_by(|x, y| x.document == y.document) {
            let end = start + of_one.len();
            let document = of_one[0].document;
            let first = start == 0 && end < own.len() && spread.first_is_earliest;
            let maybe_first = !against && spread.may_be_first(document, dates[document as usize]);
            let elsewhere = if start == 0 && end < own.len() { end } else { 0 };
            placed.extend(of_one.iter().enumerate().map(|(at, &occurrence)| Placed {
                family: number,
                df: spread.documents,
                occurrence,
                again: at > 0,
                first: first && at == 0,
                maybe_first: maybe_first && at == 0,
                other: own[if at > 0 { start } else { elsewhere }],
            }));
            start = end;
        }
    }

    /// For every place the list, if there is one for so many families each, and where in it
    /// the occurrence is that goes there.
    pub(crate) fn sources(&self, families: usize) -> Vec<(u32, u32)> {
        let mut sources = vec![(0, 0); self.places.len()];
        for (list, starts) in (0..).zip(self.starts.windows(2).step_by(families)) {
            let last = (list as usize + 1) * families;
            let end = self.starts.get(last).copied().unwrap_or(self.places.len());
            for (at, &place) in (0..).zip(&self.places[starts[0]..end]) {
                sources[place as usize] = (list, at);
            }
        }
        sources
    }
}

/// All occurrences, by their places.
pub(crate) struct Occurrences {
    placed: Vec<Placed>,
    layout: Layout,
}

impl Occurrences {
    /// `placed` are as laid out.
    pub(crate) fn new(layout: Layout, placed: Vec<Placed>) -> Self {
        Occurrences { placed, layout }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.placed.len()
    }

    /// What is in a place.
    pub(crate) fn at(&self, place: u32) -> &Placed {
        &self.placed[place as usize]
    }

    /// The places of those in a document.
    pub(crate) fn places_in(&self, document: u32) -> std::ops::Range<usize> {
        let ends = &self.layout.ends;
        let start = document.checked_sub(1).map_or(0, |before| ends[before as usize]);
        start..ends[document as usize]
    }

    /// Those in a document.
    pub(crate) fn within(&self, document: u32) -> &[Placed] {
        &self.placed[self.places_in(document)]
    }

    /// The places of a family's, in their order.
    pub(crate) fn places_of(&self, family: u32) -> &[u32] {
        self.layout.of(family)
    }
}

/// The documents of a family and their dates.
struct Spread {
    documents: u32,
    /// Every other document is dated later than the first.
    first_is_earliest: bool,
    /// The two earliest last seconds of dated documents, with their documents.
    earliest: [(i64, u32); 2],
}

impl Spread {
    fn new(family: &Family, dates: &[Option<&Date>]) -> Self {
        let date = |document: u32| dates[document as usize];
        let mut documents: Vec<u32> = family.occurrences.iter().map(|o| o.document).collect();
        documents.dedup();
        let mut earliest = [(i64::MAX, u32::MAX); 2];
        for &document in &documents {
            if let Some(date) = date(document) {
                let last = (date.seconds().1, document);
                if last < earliest[0] {
                    earliest = [last, earliest[0]];
                } else if last < earliest[1] {
                    earliest[1] = last;
                }
            }
        }
        // Documents are in the order of their dates.
        let before =
            |x: Option<&Date>, y: Option<&Date>| matches!((x, y), (Some(x), Some(y)) if x.is_before(y));
        let first = date(documents[0]);
        let dated = date(documents[documents.len() - 1]).is_some();
        let first_is_earliest = dated && documents.get(1).is_none_or(|&second| before(first, date(second)));
        Spread { documents: documents.len() as u32, first_is_earliest, earliest }
    }

    /// Whether no other document is dated before this one.
    fn may_be_first(&self, document: u32, date: Option<&Date>) -> bool {
        let other = if self.earliest[0].1 == document { self.earliest[1] } else { self.earliest[0] };
        date.is_none_or(|date| other.0 >= date.seconds().0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a look at all of a family for each of its occurrences.
        #[test]
        fn each_is_placed_as_its_family_says(
            families in prop::collection::vec(prop::collection::btree_set((0u32..5, 0u32..4), 1..8), 0..6),
            dates in prop::collection::vec(prop::sample::select(vec!["2020-01", "2020-01-02", "2020-01-03", "2020-02", "2021"]), 0..6),
            (against, lists) in (any::<bool>(), 1usize..8),
        ) {
            let mut dates: Vec<Date> = dates.iter().map(|date| date.parse().unwrap()).collect();
            dates.sort_by_key(Date::seconds);
            // Those without a date come last.
            let dates: Vec<Option<&Date>> = dates.iter().map(Some).chain(std::iter::repeat(None)).take(5).collect();
            let families: Vec<Family> = families.iter().map(|places| {
                let one = |&(document, start)| Occurrence { document, start, end: start + 1, ..Occurrence::default() };
                Family { root: 0, start: 0, end: 1, occurrences: places.iter().map(one).collect() }
            }).collect();
            let layout = Layout::new(&families, dates.len());
            let mut placed = vec![Vec::new(); families.len().div_ceil(lists)];
            for (number, family) in (0..).zip(&families) {
                layout.place((number, family), &dates, against, &mut placed[number as usize / lists]);
            }
            let placed = layout.sources(lists).into_iter().map(|(list, at)| placed[list as usize][at as usize]).collect();
            let found = Occurrences::new(layout, placed);
            let mut count = 0;
            for (number, family) in (0..).zip(&families) {
                let all = &family.occurrences;
                prop_assert_eq!(found.places_of(number).len(), all.len());
                for (at, &place) in found.places_of(number).iter().enumerate() {
                    let (own, placed) = (all[at], found.at(place));
                    prop_assert_eq!((placed.family, placed.occurrence), (number, own));
                    prop_assert!(found.places_in(own.document).contains(&(place as usize)));
                    let date = |o: &Occurrence| dates[o.document as usize];
                    let others: Vec<&Occurrence> = all.iter().filter(|o| o.document != own.document).collect();
                    let again = all[..at].iter().any(|o| o.document == own.document);
                    let before = |x: &Occurrence, y: &Occurrence| matches!((date(x), date(y)), (Some(x), Some(y)) if x.is_before(y));
                    let first = !again && !others.is_empty() && others.iter().all(|other| before(&own, other));
                    let maybe_first = !again && !against && !others.iter().any(|other| before(other, &own));
                    prop_assert_eq!((placed.again, placed.first, placed.maybe_first), (again, first, maybe_first));
                    let mut documents: Vec<u32> = all.iter().map(|o| o.document).collect();
                    documents.dedup();
                    prop_assert_eq!(placed.df as usize, documents.len());
                    let other = found.at(placed.other).occurrence;
                    prop_assert_eq!(found.at(placed.other).family, number);
                    prop_assert_eq!(other.document == own.document, again || others.is_empty());
                    count += 1;
                }
            }
            let in_order = |document| found.within(document).is_sorted_by_key(|placed| placed.family);
            prop_assert!((0..5).all(in_order));
            prop_assert_eq!((0..5).map(|document| found.within(document).len()).sum::<usize>(), count);
        }
    }
}
