//! The ledger: one label for every token of a document.
//!
//! Only tokens in matching runs of accepted alignments are accounted for, so a
//! word changed inside a passage stays unique and costs one word. Where several
//! families cover a token, boilerplate wins; then a family in which an earlier
//! copy may exist over one of which this is the first occurrence; then the one
//! with more matched tokens here; then the smaller family number. Shares weigh
//! tokens by their letters and digits and are kept as integers. Linear in the
//! document and the occurrences in it.

use crate::bits;
use crate::families::Occurrence;
use crate::occurrences::Placed;
use crate::report::{Kind, Label};

/// The label that an occurrence of a family of this kind gives.
fn label(placed: &Placed, kind: Kind, count_formulas: bool) -> Label {
    match kind {
        Kind::Boilerplate => Label::Boilerplate,
        Kind::Formula if !count_formulas => Label::Unique,
        _ if placed.again => Label::Repeat,
        _ if placed.first => Label::First,
        Kind::Repeat => Label::Unique,
        Kind::Formula | Kind::Shared => Label::Shared,
        Kind::Syndicated => Label::Syndicated,
        Kind::Quotation => Label::Quotation,
        Kind::Stock => Label::Stock,
    }
}

/// Orders occurrences from the one that gives way to the one that wins.
fn rank(placed: &Placed, label: Label) -> impl Ord + use<> {
    let strength = match label {
        Label::Unique => 0,
        Label::First => 1,
        Label::Boilerplate => 3,
        _ => 2,
    };
    (strength, placed.occurrence.matched, std::cmp::Reverse(placed.family))
}

/// A stretch of tokens with one label and the occurrence that gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub start: u32,
    pub end: u32,
    pub label: Label,
    /// Number of the occurrence in its document; none has that of what is ignored.
    pub occurrence: u32,
}

/// Takes what is ignored, by its bits, out of the stretches and puts it between
/// them. The others keep their labels.
pub(crate) fn ignoring(stretches: &[Stretch], ignored: &[u64]) -> Vec<Stretch> {
    let mut found = Vec::with_capacity(stretches.len());
    let mut rest = stretches.iter().copied().peekable();
    for run in bits::runs(ignored) {
        let (start, end) = (run.start as u32, run.end as u32);
        while let Some(stretch) = rest.next_if(|stretch| stretch.end <= start) {
            found.push(stretch);
        }
        if let Some(stretch) = rest.peek().filter(|stretch| stretch.start < start) {
            found.push(Stretch { end: start, ..*stretch });
        }
        found.push(Stretch { start, end, label: Label::Ignored, occurrence: u32::MAX });
        while rest.next_if(|stretch| stretch.end <= end).is_some() {}
        if let Some(stretch) = rest.peek_mut() {
            stretch.start = stretch.start.max(end);
        }
    }
    found.extend(rest);
    found
}

/// Labels the tokens of a document by the occurrences in it and the kinds of their
/// families, which the function tells; what lies between the stretches is unique.
/// The bits of `matched` say of each token whether it stands in a matching run
/// with another document or with an earlier place. `owner` is a buffer. The
/// result is sorted and disjoint.
pub(crate) fn stretches(
    matched: &[u64],
    placed: &[Placed],
    kind: impl Fn(u32) -> Kind,
    count_formulas: bool,
    owner: &mut Vec<u32>,
) -> Vec<Stretch> {
    let label = |placed: &Placed| label(placed, kind(placed.family), count_formulas);
    let mut order: Vec<(Label, u32)> = placed.iter().map(label).zip(0..).collect();
    order.sort_by_key(|&(label, at)| rank(&placed[at as usize], label));
    // The number of the winning occurrence, or nobody.
    const NOBODY: u32 = u32::MAX;
    owner.clear();
    owner.resize(64 * matched.len(), NOBODY);
    let mut labels = vec![Label::Unique; placed.len()];
    for &(label, at) in &order {
        let Occurrence { start, end, .. } = placed[at as usize].occurrence;
        owner[start as usize..end as usize].fill(at);
        labels[at as usize] = label;
    }
    let told = |at: u32| at != NOBODY && labels[at as usize] != Label::Unique;
    let mut found: Vec<Stretch> = Vec::new();
    for run in bits::runs(matched) {
        // A matched token at the edge of an alignment may lie outside every
        // occurrence, whose boundaries are common ones: it goes with its
        // neighbour.
        if owner[run.clone()].contains(&NOBODY) {
            for at in run.start + 1..run.end {
                if owner[at] == NOBODY && told(owner[at - 1]) {
                    owner[at] = owner[at - 1];
                }
            }
            for at in (run.start + 1..run.end).rev() {
                if owner[at - 1] == NOBODY && told(owner[at]) {
                    owner[at - 1] = owner[at];
                }
            }
        }
        let mut start = run.start as u32;
        for stretch in owner[run].chunk_by(|x, y| x == y) {
            let (occurrence, end) = (stretch[0], start + stretch.len() as u32);
            if told(occurrence) {
                found.push(Stretch { start, end, label: labels[occurrence as usize], occurrence });
            }
            start = end;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Entry = (Kind, Placed);

    fn entry(family: u32, kind: Kind, start: u32, end: u32) -> Entry {
        let occurrence = Occurrence { document: 0, start, end, matched: end - start };
        let placed =
            Placed { family, df: 2, occurrence, again: false, first: false, maybe_first: false, other: 0 };
        (kind, placed)
    }

    /// The kind of a family is that of its number.
    fn judged(matched: &[bool], entries: &[Entry]) -> Vec<Stretch> {
        let word = |bits: &[bool]| bits.iter().rev().fold(0, |word, &bit| word << 1 | u64::from(bit));
        let packed: Vec<u64> = matched.chunks(64).map(word).collect();
        let placed: Vec<Placed> = entries.iter().map(|entry| entry.1).collect();
        let kind = |family| entries.iter().find(|entry| entry.1.family == family).map(|entry| entry.0);
        stretches(&packed, &placed, |family| kind(family).expect("a family"), false, &mut vec![7; 3])
    }

    fn labels(len: usize, entries: &[Entry], unmatched: &[u32]) -> Vec<(u32, u32, Label)> {
        let matched: Vec<bool> = (0..len as u32).map(|at| !unmatched.contains(&at)).collect();
        judged(&matched, entries)
            .into_iter()
            .map(|stretch| (stretch.start, stretch.end, stretch.label))
            .collect()
    }

    #[test]
    fn a_changed_word_costs_one_word() {
        let found = labels(30, &[entry(0, Kind::Stock, 5, 25)], &[0, 1, 2, 3, 4, 12, 25, 26, 27, 28, 29]);
        assert_eq!(found, [(5, 12, Label::Stock), (13, 25, Label::Stock)]);
    }

    #[test]
    fn precedence() {
        let everything = |entries: &[Entry]| labels(10, entries, &[]);
        let with = |(kind, placed): Entry, again, first| (kind, Placed { again, first, ..placed });
        let first = with(entry(0, Kind::Shared, 0, 10), false, true);
        let again = with(entry(0, Kind::Stock, 0, 10), true, false);
        assert_eq!(everything(&[first]), [(0, 10, Label::First)]);
        assert_eq!(everything(&[again]), [(0, 10, Label::Repeat)]);
        assert_eq!(everything(&[entry(0, Kind::Formula, 0, 10)]), []);
        assert_eq!(everything(&[entry(0, Kind::Repeat, 0, 10)]), [], "the first time is no repeat");
        // An earlier text accounts for the middle of what was first here.
        let found = everything(&[first, entry(1, Kind::Quotation, 3, 6)]);
        assert_eq!(found, [(0, 3, Label::First), (3, 6, Label::Quotation), (6, 10, Label::First)]);
        let found = everything(&[entry(0, Kind::Syndicated, 0, 10), entry(1, Kind::Boilerplate, 8, 10)]);
        assert_eq!(found, [(0, 8, Label::Syndicated), (8, 10, Label::Boilerplate)]);
        let found = everything(&[entry(0, Kind::Stock, 0, 4), entry(1, Kind::Shared, 2, 10)]);
        assert_eq!(found, [(0, 2, Label::Stock), (2, 10, Label::Shared)], "more matched tokens win");
    }

    proptest! {
        /// Against a judgement of each token by itself.
        #[test]
        fn ignoring_changes_only_what_is_ignored(bounds in prop::collection::btree_set(0u32..84, 0..12), bits in prop::collection::vec(any::<bool>(), 84)) {
            let bounds: Vec<u32> = bounds.into_iter().collect();
            let stretches: Vec<Stretch> = bounds.chunks_exact(2).zip(0..)
                .map(|(pair, occurrence)| Stretch { start: pair[0], end: pair[1], label: Label::Shared, occurrence }).collect();
            let word = |bits: &[bool]| bits.iter().rev().fold(0, |word, &bit| word << 1 | u64::from(bit));
            let packed: Vec<u64> = bits.chunks(64).map(word).collect();
            let found = ignoring(&stretches, &packed);
            prop_assert!(found.iter().all(|s| s.start < s.end) && found.windows(2).all(|pair| pair[0].end <= pair[1].start));
            for at in 0..84u32 {
                let of = |list: &[Stretch]| list.iter().find(|s| (s.start..s.end).contains(&at)).map(|s| (s.label, s.occurrence));
                let expected = if bits[at as usize] { Some((Label::Ignored, u32::MAX)) } else { of(&stretches) };
                prop_assert_eq!(of(&found), expected, "{}", at);
            }
        }
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        prop::sample::select(vec![Kind::Boilerplate, Kind::Stock, Kind::Formula, Kind::Repeat, Kind::Shared])
    }

    proptest! {
        /// Against a judgement of each token by itself.
        #[test]
        fn each_token_gets_the_label_of_its_strongest_entry(
            places in prop::collection::vec((0u32..72, 1u32..12, kinds(), any::<bool>(), any::<bool>()), 0..8),
            bits in prop::collection::vec(any::<bool>(), 84),
        ) {
            let entries: Vec<Entry> = places.into_iter().zip(0..).map(|((start, len, kind, again, first), family)| {
                let (kind, placed) = entry(family, kind, start, start + len);
                (kind, Placed { again, first: first && !again, ..placed })
            }).collect();
            let found = judged(&bits, &entries);
            for at in 0..84u32 {
                let holds = |o: Occurrence| (o.start..o.end).contains(&at);
                let best = entries.iter().filter(|(_, placed)| holds(placed.occurrence))
                    .max_by_key(|(kind, placed)| rank(placed, label(placed, *kind, false)));
                let given = found.iter().find(|s| (s.start..s.end).contains(&at)).map(|s| s.label);
                match best {
                    Some((kind, placed)) => {
                        let expected = Some(label(placed, *kind, false)).filter(|&l| l != Label::Unique && bits[at as usize]);
                        prop_assert_eq!(given, expected);
                    }
                    None => prop_assert!(given.is_none() || bits[at as usize]),
                }
            }
            prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
}
