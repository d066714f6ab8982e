//! The measure of the PAN text alignment task: Potthast, Stein, Barrón-Cedeño,
//! Rosso, *An Evaluation Framework for Plagiarism Detection*, COLING 2010,
//! section 3, averaged over passages.

use std::collections::BTreeMap;
use std::ops::Range;

/// Characters of the two documents of a pair.
#[derive(Clone)]
pub struct Passage {
    pub pair: (usize, usize),
    pub a: Range<u64>,
    pub b: Range<u64>,
}

pub struct Plagdet {
    pub plagdet: f64,
    /// Passages found for each that is there, 1 at best.
    pub granularity: f64,
}

pub fn score(truth: &[Passage], found: &[Passage]) -> Plagdet {
    let (recall, precision) = (covered(truth, found), covered(found, truth));
    let of_pair = by_pair(found);
    let hits = truth.iter().map(|case| overlapping(case, &of_pair).count()).filter(|&hits| hits > 0);
    let (sum, cases) = hits.fold((0, 0), |(sum, cases), hits| (sum + hits, cases + 1));
    let granularity = if cases == 0 { 1.0 } else { sum as f64 / f64::from(cases) };
    let both = recall + precision;
    let f = if both == 0.0 { 0.0 } else { 2.0 * recall * precision / both };
    Plagdet { plagdet: f / (1.0 + granularity).log2(), granularity }
}

type ByPair<'a> = BTreeMap<(usize, usize), Vec<&'a Passage>>;

fn by_pair(passages: &[Passage]) -> ByPair<'_> {
    let mut by_pair = ByPair::new();
    passages.iter().for_each(|passage| by_pair.entry(passage.pair).or_default().push(passage));
    by_pair
}

fn overlapping<'a>(one: &'a Passage, by_pair: &'a ByPair) -> impl Iterator<Item = &'a Passage> {
    let overlap = |x: &Range<u64>, y: &Range<u64>| x.start < y.end && y.start < x.end;
    let others = by_pair.get(&one.pair).into_iter().flatten().copied();
    others.filter(move |other| overlap(&one.a, &other.a) && overlap(&one.b, &other.b))
}

/// The share of each passage's characters, on both sides, that overlapping
/// others cover; on average.
fn covered(passages: &[Passage], others: &[Passage]) -> f64 {
    let of_pair = by_pair(others);
    let share = |passage: &Passage| {
        let inside = |side: fn(&Passage) -> &Range<u64>| {
            let own = side(passage);
            let mut cuts: Vec<Range<u64>> = overlapping(passage, &of_pair)
                .map(|other| side(other).start.max(own.start)..side(other).end.min(own.end))
                .collect();
            cuts.sort_by_key(|cut| cut.start);
            let mut reached = 0;
            cuts.iter().fold(0, |sum, cut| {
                let new = cut.end.saturating_sub(cut.start.max(reached));
                reached = reached.max(cut.end);
                sum + new
            })
        };
        let all = passage.a.end - passage.a.start + passage.b.end - passage.b.start;
        (inside(|passage| &passage.a) + inside(|passage| &passage.b)) as f64 / all.max(1) as f64
    };
    match passages {
        [] if others.is_empty() => 1.0,
        [] => 0.0,
        _ => passages.iter().map(share).sum::<f64>() / passages.len() as f64,
    }
}
