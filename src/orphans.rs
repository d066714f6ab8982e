//! Orphans: alignments that no family accounts for.
//!
//! Where passages overlap in many ways, the segments chosen for families may leave
//! a piece out, or join a text with its own repetition. What is missed so becomes a
//! family by itself. Linear in the alignments and the tokens.

use crate::align::{self, Run};
use crate::bits::{Bits, ones};
use crate::families::{Family, Occurrence};

/// What the ledgers will count as told before or elsewhere.
pub(crate) struct Told<'a> {
    lengths: &'a [u32],
    matched: &'a Bits,
    /// In any occurrence.
    covered: Bits,
    /// In an occurrence that is not the first of what one document repeats.
    told: Bits,
}

impl<'a> Told<'a> {
    /// Nothing, of documents of these lengths; `matched` are the tokens of all
    /// alignments.
    pub(crate) fn new(lengths: &'a [u32], matched: &'a Bits) -> Self {
        let none = || Bits::new(lengths.iter().copied());
        Told { lengths, matched, covered: none(), told: none() }
    }

    /// Takes in what a family tells of some documents. Threads may add together.
    pub(crate) fn add(&self, family: &Family, of: impl Fn(u32) -> bool) {
        let documents = || family.occurrences.iter().map(|occurrence| occurrence.document);
        let shared = documents().next() != documents().next_back();
        for (at, &Occurrence { document, start, end, .. }) in family.occurrences.iter().enumerate() {
            if !of(document) {
                continue;
            }
            self.covered.set(document, start, end - start);
            if shared || at > 0 {
                self.told.set(document, start, end - start);
            }
        }
    }

    /// Whether an alignment has `least` tokens in one of its documents that are not
    /// told, or a run of that length of which any is not.
    pub(crate) fn lacks(&self, later: u32, earlier: u32, runs: &[Run], least: u32) -> bool {
        let mut missing = 0;
        for run in runs {
            let mut of_run = self.told.missing(later, run.b, run.len);
            if later != earlier {
                of_run = of_run.max(self.told.missing(earlier, run.a, run.len));
            }
            // What is missing of a passage by itself is always added.
            missing += if run.len >= least { of_run * least } else { of_run };
        }
        missing >= least
    }

    /// Extends what is told of a document over matched tokens beside it that no
    /// occurrence covers: they go with it in the ledger.
    pub(crate) fn spread(&self, document: u32) {
        let len = self.lengths[document as usize] as usize;
        let [matched, covered, told] =
            [self.matched, &self.covered, &self.told].map(|bits| bits.packed(document, len));
        let joins: Vec<u64> =
            matched.iter().zip(&covered).map(|(matched, covered)| matched & !covered).collect();
        let mut seeds: Vec<u64> = told.iter().zip(&matched).map(|(told, matched)| told & matched).collect();
        let before = seeds.clone();
        let mut carry = 0;
        for (seeds, &joins) in seeds.iter_mut().zip(&joins) {
            *seeds = flood(*seeds, carry, joins);
            carry = *seeds >> 63;
        }
        carry = 0;
        for (seeds, &joins) in seeds.iter_mut().zip(&joins).rev() {
            *seeds = flood(seeds.reverse_bits(), carry, joins.reverse_bits()).reverse_bits();
            carry = *seeds & 1;
        }
        for (at, (after, before)) in seeds.iter().zip(&before).enumerate() {
            ones(after & !before).for_each(|bit| self.told.set(document, (64 * at + bit) as u32, 1));
        }
    }
}

/// Adds to `seeds` the bits of `joins` that follow one of them, and so on;
/// `carry` is the bit before the first.
fn flood(seeds: u64, carry: u64, joins: u64) -> u64 {
    let mut flooded = seeds;
    loop {
        let more = flooded | (flooded << 1 | carry) & joins;
        if more == flooded {
            return flooded;
        }
        flooded = more;
    }
}

/// The family of one alignment by itself.
pub(crate) fn alone(later: u32, earlier: u32, runs: &[Run]) -> Family {
    let (first, last) = (runs[0], runs[runs.len() - 1]);
    let (start, end) = (first.a, last.a_end());
    let matched = align::matched(runs);
    let there = Occurrence { document: earlier, start, end, matched: end - start };
    let here = Occurrence { document: later, start: first.b, end: last.b_end(), matched };
    Family { root: earlier, start, end, occurrences: vec![there, here] }
}
