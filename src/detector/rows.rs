//! The rows of the report.

use std::ops::Range;

use ahash::AHashSet;
use rayon::prelude::*;

use super::near::bodies;
use super::scan::{BINS, Scan, Stage};
use super::threads::{in_parts, make_room, shared};
use crate::assemble::{self, Context, Findings, Sight, rest_similarity};
use crate::bits::Bits;
use crate::collection::Collection;
use crate::config::Config;
use crate::document::Date;
use crate::families::{Family, Occurrence};
use crate::kinds::{DIFFERENT, may_be_template};
use crate::occurrences::{Occurrences, Placed, Spread};
use crate::report::{Counts, FamilyRow, Kind, OccurrenceRow, Report, SpanRow};
use crate::sketch::Sketch;
use crate::variants;

impl Scan<'_> {
    /// Makes all rows. What is seen of occurrences, and the sketches of documents, are
    /// needed for families only.
    pub(super) fn assemble(
        &self,
        context: &Context,
        collection: &Collection,
        findings: &Findings,
        (sights, sketches): (Vec<Sight>, Vec<Sketch<BINS>>),
        ignored_hashes: &AHashSet<&str>,
    ) -> Report {
        let (mut families, mut occurrences) = family_rows(context, findings, &sights, &sketches);
        // Documents need no more than this.
        let extents: Vec<(u32, u32)> = sights.iter().map(|sight| sight.bytes).collect();
        drop((sights, sketches));
        let kinds: Vec<_> = families.iter().map(|row| row.kind).collect();
        if let Some(ignored) = &findings.ignored {
            let named = families.iter().zip(&findings.families);
            let named = named.filter(|(row, _)| ignored_hashes.contains(row.text_hash.as_str()));
            for occurrence in named.flat_map(|(_, family)| &family.occurrences) {
                ignored.set(occurrence.document, occurrence.start, occurrence.end - occurrence.start);
            }
        }
        let total = collection.len() as u64;
        let first = collection.roles.judged as usize;
        let mut documents = Vec::with_capacity(collection.len());
        let mut spans = Vec::new();
        let mut labels = [0; 9];
        let rows = |range: &Range<usize>| {
            let range = range.start.max(first)..range.end.max(first);
            let places = range.clone().map(|document| context.places(document as u32)).sum();
            let (mut owner, mut spans) = (Vec::new(), Vec::with_capacity(places));
            let row = |document| context.document(document as u32, &kinds, &extents, &mut owner, &mut spans);
            let rows: Vec<_> = range.clone().map(row).collect();
            (self.progress)(Stage::Ledger, range.len() as u64, total);
            (rows, spans)
        };
        let all_rows = || {
            in_parts(
                collection.ranges.iter().collect(),
                |ranges| shared(ranges.into_par_iter()).map(rows).collect::<Vec<_>>(),
                |made, parts| {
                    let (rows, made): (Vec<Vec<_>>, Vec<Vec<SpanRow>>) = made.into_iter().unzip();
                    let take_spans = || {
                        make_room(&mut spans, made.iter().map(Vec::len).sum(), parts);
                        made.into_iter().for_each(|mut some| spans.append(&mut some));
                    };
                    let take_rows = || {
                        for (row, weights) in rows.into_iter().flatten() {
                            documents.push(row);
                            labels.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
                        }
                    };
                    rayon::join(take_spans, take_rows);
                },
            );
        };
        let others = || (context.pairs(), context.clusters(), context.counts());
        let ((), ((pairs, unlisted), clusters, counts)) = rayon::join(all_rows, others);
        if let Some(ignored) = &findings.ignored {
            strike(&mut families, &mut occurrences, &mut spans, &findings.families, ignored);
        }
        let counts = Counts { labels, pairs_unlisted: unlisted, ..counts };
        Report { documents, families, occurrences, spans, pairs, clusters, counts }
    }

    /// Tokens in passages that are boilerplate, and in those with the shape of a
    /// template, of which a document may have several: the rest of it differs
    /// once all are taken away.
    pub(super) fn boilerplate(
        &self,
        collection: &Collection,
        findings: &Findings,
        sketches: &[Sketch<BINS>],
        lengths: &[u32],
    ) -> Bits {
        let placed = placed(collection, &findings.families);
        let sights = sights(self.config, collection, &placed, wordings(collection, &placed));
        let ids = assemble::ids(collection.documents);
        let context = Context::new(self.config, collection, findings, placed, ids);
        let (rows, _) = family_rows(&context, findings, &sights, sketches);
        let of = |is: &dyn Fn(&FamilyRow, &Family) -> bool| {
            let found = Bits::new(lengths.iter().copied());
            for (_, family) in rows.iter().zip(&findings.families).filter(|(row, family)| is(row, family)) {
                for o in &family.occurrences {
                    found.set(o.document, o.start, o.end - o.start);
                }
            }
            found
        };
        let templates = of(&|row, _| row.kind == Kind::Boilerplate || may_be_template(row));
        let rest = bodies(collection, &templates);
        let sketches = self.sketches(collection, &findings.originals, &rest);
        let differ = |family: &Family| {
            let mut documents: Vec<u32> =
                family.occurrences.iter().map(|o| findings.originals[o.document as usize]).collect();
            documents.sort_unstable();
            documents.dedup();
            let similarity =
                rest_similarity(&documents, 0, &sketches, |document| rest[document as usize].len());
            similarity.is_some_and(|similarity| similarity < DIFFERENT)
        };
        of(&|row, family| row.kind == Kind::Boilerplate || may_be_template(row) && differ(family))
    }
}

/// Where the occurrences of all families are.
pub(super) fn placed(collection: &Collection, families: &[Family]) -> Occurrences {
    let dates: Vec<Option<&Date>> = collection.documents.iter().map(|d| d.date.as_ref()).collect();
    let spreads: Vec<Spread> =
        shared(families.par_iter()).map(|family| Spread::new(family, &dates)).collect();
    Occurrences::new(families, &spreads, &dates, collection.roles.against)
}

/// A number for the wording of every occurrence, by range of documents.
pub(super) fn wordings(collection: &Collection, placed: &Occurrences) -> Vec<Vec<u64>> {
    let of_one = |document| {
        let tokens = collection.tokens(document);
        placed
            .within(document)
            .iter()
            .map(move |Placed { occurrence, .. }| variants::wording(tokens, occurrence.start, occurrence.end))
    };
    let of_some = |range: &Range<usize>| (range.start as u32..range.end as u32).flat_map(of_one).collect();
    shared(collection.ranges.par_iter()).map(of_some).collect()
}

/// What is seen of all occurrences.
pub(super) fn sights(
    config: &Config,
    collection: &Collection,
    placed: &Occurrences,
    wordings: Vec<Vec<u64>>,
) -> Vec<Sight> {
    let mut sights = Vec::with_capacity(placed.len());
    let of_some = |(range, wordings): (&Range<usize>, Vec<u64>)| {
        let mut wordings = wordings.into_iter();
        let documents = range.start as u32..range.end as u32;
        let of_one = |document| {
            assemble::sights(config, collection.tokens(document), placed.within(document), &mut wordings)
        };
        documents.flat_map(of_one).collect::<Vec<_>>()
    };
    in_parts(
        collection.ranges.iter().zip(wordings).collect(),
        |ranges| shared(ranges.into_par_iter()).map(of_some).collect::<Vec<_>>(),
        |made, _| made.into_iter().for_each(|mut some| sights.append(&mut some)),
    );
    sights
}

/// Families whose rows are made one after the other.
const FAMILIES: u32 = 1 << 7;

/// The rows of all families, numbered as they are found, and of their
/// occurrences.
fn family_rows(
    context: &Context,
    findings: &Findings,
    sights: &[Sight],
    sketches: &[Sketch<BINS>],
) -> (Vec<FamilyRow>, Vec<OccurrenceRow>) {
    let count = findings.families.len();
    let mut rows = Vec::with_capacity(count);
    let mut occurrences = Vec::with_capacity(sights.len());
    let of_some = |numbers: Range<u32>| {
        let own = &findings.families[numbers.start as usize..numbers.end as usize];
        let places = own.iter().map(|family| family.occurrences.len()).sum();
        let (mut scratch, mut occurrences) = (assemble::Scratch::default(), Vec::with_capacity(places));
        let row = |number| context.family(number, sights, sketches, &mut scratch, &mut occurrences);
        let rows: Vec<FamilyRow> = context.reading_ahead(numbers, sights, sketches).map(row).collect();
        (rows, occurrences)
    };
    // So many families, or fewer that occur often.
    let mut ranges = Vec::new();
    let (mut start, mut places) = (0, 0);
    for (number, family) in (0..).zip(&findings.families) {
        places += family.occurrences.len();
        let end = number + 1;
        if end - start == FAMILIES || places >= 8 * FAMILIES as usize || end as usize == count {
            ranges.push(start..end);
            (start, places) = (end, 0);
        }
    }
    in_parts(
        ranges,
        |ranges| shared(ranges.into_par_iter()).map(of_some).collect::<Vec<_>>(),
        |made, _| {
            let (made, places): (Vec<Vec<_>>, Vec<Vec<_>>) = made.into_iter().unzip();
            rayon::join(
                || made.into_iter().for_each(|mut some| rows.append(&mut some)),
                || places.into_iter().for_each(|mut some| occurrences.append(&mut some)),
            );
        },
    );
    (rows, occurrences)
}

/// Takes out families of which every occurrence is ignored, half of it or more,
/// and that no span speaks of; the others are numbered anew.
fn strike(
    rows: &mut Vec<FamilyRow>,
    occurrences: &mut Vec<OccurrenceRow>,
    spans: &mut [SpanRow],
    families: &[Family],
    ignored: &Bits,
) {
    let mut stays = vec![false; rows.len()];
    for number in spans.iter().filter_map(|span| span.family) {
        stays[number as usize - 1] = true;
    }
    for (stays, family) in stays.iter_mut().zip(families) {
        let counts =
            |o: &Occurrence| 2 * ignored.count(o.document, o.start, o.end - o.start) < o.end - o.start;
        *stays |= family.occurrences.iter().any(counts);
    }
    let mut numbers = vec![0; rows.len()];
    let mut next = 0;
    for (number, &stays) in numbers.iter_mut().zip(&stays) {
        next += u32::from(stays);
        *number = next;
    }
    rows.retain(|row| stays[row.family as usize - 1]);
    rows.iter_mut().for_each(|row| row.family = numbers[row.family as usize - 1]);
    occurrences.retain(|row| stays[row.family as usize - 1]);
    occurrences.iter_mut().for_each(|row| row.family = numbers[row.family as usize - 1]);
    for number in spans.iter_mut().filter_map(|span| span.family.as_mut()) {
        *number = numbers[*number as usize - 1];
    }
}
