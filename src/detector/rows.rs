//! The rows of the report.

use std::ops::Range;

use ahash::AHashSet;
use rayon::prelude::*;

use super::near::bodies;
use super::scan::{BINS, Scan, Stage};
use super::threads::{in_order, make_room, shared};
use crate::assemble::{self, Asked, Context, Findings, Passages, Sight, Totals, rest_similarity};
use crate::bits::Bits;
use crate::collection::{Collection, Order};
use crate::config::Config;
use crate::document::Date;
use crate::families::{Family, Occurrence};
use crate::kinds::{DIFFERENT, may_be_template};
use crate::occurrences::{Layout, Occurrences, Placed};
use crate::report::{Counts, DocumentRow, FamilyRow, Kind, OccurrenceRow, Report, SpanRow};
use crate::room::{Part, Room};
use crate::sketch::Sketch;
use crate::tokens::TokenChunk;
use crate::variants;

/// The rows of all families and of their occurrences.
#[derive(Default)]
pub(super) struct FamilyRows {
    rows: Vec<FamilyRow>,
    occurrences: Vec<OccurrenceRow>,
    /// What the documents ask of each family.
    asked: Vec<Asked>,
}

impl Scan<'_> {
    /// Makes all rows that are left. `extents` are the bytes of all occurrences. The tokens of
    /// documents are let go of as their rows are made.
    pub(super) fn assemble(
        &self,
        context: &Context,
        (order, chunks): (&Order, Vec<TokenChunk>),
        findings: &Findings,
        (families, rows): (Vec<Family>, FamilyRows),
        extents: &[(u32, u32)],
        ignored_hashes: &AHashSet<&str>,
    ) -> Report {
        let FamilyRows { rows: mut family_rows, mut occurrences, asked } = rows;
        if let Some(ignored) = &findings.ignored {
            let named = family_rows.iter().zip(&families);
            let named = named.filter(|(row, _)| ignored_hashes.contains(row.text_hash.as_str()));
            for occurrence in named.flat_map(|(_, family)| &family.occurrences) {
                ignored.set(occurrence.document, occurrence.start, occurrence.end - occurrence.start);
            }
        }
        let total = order.documents.len() as u64;
        let first = order.roles.judged as usize;
        let judged = |range: &Range<usize>| range.start.max(first)..range.end.max(first);
        let mut documents = Room::new(order.documents.len() - first);
        let mut spans = Vec::new();
        let mut totals = Totals::default();
        let rows = |((range, chunk), mut rows): ((&Range<usize>, TokenChunk), Part<DocumentRow>)| {
            let judged = judged(range);
            let places = judged.clone().map(|document| context.places(document as u32)).sum();
            let (mut owner, mut spans) = (Vec::new(), Vec::with_capacity(places));
            let mut totals = Totals::default();
            for document in judged {
                let tokens = chunk.get(document - range.start, &order.documents[document].text);
                let (row, weights) =
                    context.document(document as u32, &tokens, &asked, extents, &mut owner, &mut spans);
                totals.count(&row, weights);
                rows.push(row);
            }
            (self.progress)(Stage::Ledger, range.len() as u64, total);
            (totals, spans)
        };
        let mut left = order.ranges.len();
        let mut take = |(some, mut made): (Totals, Vec<SpanRow>)| {
            // As many as in each range so far, or in this one.
            let ranges = (order.ranges.len() - left).max(1);
            let each = made.len().max(spans.len() / ranges);
            make_room(&mut spans, each, left);
            left -= 1;
            spans.append(&mut made);
            totals.add(&some);
        };
        let parts = documents.parts(order.ranges.iter().map(|range| judged(range).len()));
        let all_rows = || {
            let sources = order.ranges.iter().zip(chunks).zip(parts).collect();
            in_order(sources, rows, &mut take).into_iter().for_each(&mut take);
        };
        let others = || (context.pairs(), context.clusters());
        let ((), ((pairs, pairs_unlisted), clusters)) = rayon::join(all_rows, others);
        if let Some(ignored) = &findings.ignored {
            strike(&mut family_rows, &mut occurrences, &mut spans, &families, ignored);
        }
        let documents = documents.into_list();
        let counts = Counts { pairs_unlisted, ..context.counts(documents.len(), totals) };
        Report { documents, families: family_rows, occurrences, spans, pairs, clusters, counts }
    }

    /// Tokens in passages that are boilerplate, and in those with the shape of a
    /// template, of which a document may have several: the rest of it differs
    /// once all are taken away.
    pub(super) fn boilerplate(
        &self,
        order: &Order,
        collection: &Collection,
        findings: &Findings,
        families: &[Family],
        sketches: &[Sketch<BINS>],
    ) -> Bits {
        let placed = placed(collection, families);
        let sights = sights(self.config, collection, &placed, wordings(collection, &placed));
        let context = Context::new(self.config, order, findings, &placed);
        let passages = Passages { families, collection, sights: &sights, sketches };
        let FamilyRows { rows, .. } = family_rows(&context, &passages);
        let of = |is: &dyn Fn(&FamilyRow, &Family) -> bool| {
            let found = Bits::new(findings.lengths.iter().copied());
            for (_, family) in rows.iter().zip(families).filter(|(row, family)| is(row, family)) {
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
    let layout = Layout::new(families, dates.len());
    let list = |(number, some): (usize, &[Family])| {
        let mut placed = Vec::with_capacity(some.iter().map(|family| family.occurrences.len()).sum());
        for numbered in ((number * SOME) as u32..).zip(some) {
            layout.place(numbered, &dates, collection.roles.against, &mut placed);
        }
        placed
    };
    let (lists, sources) = rayon::join(
        || shared(families.par_chunks(SOME)).enumerate().map(list).collect::<Vec<Vec<Placed>>>(),
        || layout.sources(SOME),
    );
    let placed = |&(list, at): &(u32, u32)| lists[list as usize][at as usize];
    let placed = shared(sources.par_iter()).map(placed).collect();
    Occurrences::new(layout, placed)
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
    let mut all = Room::new(placed.len());
    let documents = |range: &Range<usize>| range.start as u32..range.end as u32;
    let parts = all.parts(
        collection
            .ranges
            .iter()
            .map(|range| documents(range).map(|document| placed.within(document).len()).sum()),
    );
    let of_some = |((range, wordings), mut sights): ((&Range<usize>, Vec<u64>), Part<Sight>)| {
        let mut wordings = wordings.into_iter();
        for document in documents(range) {
            let tokens = collection.tokens(document);
            let own = assemble::sights(config, tokens, placed.within(document), &mut wordings);
            own.into_iter().for_each(|sight| sights.push(sight));
        }
    };
    shared(collection.ranges.par_iter().zip(wordings).zip(parts)).for_each(of_some);
    all.into_list()
}

/// Families whose occurrences are in one list.
const SOME: usize = 1 << 10;
/// Families whose rows are made one after the other.
const FAMILIES: u32 = 1 << 7;

/// Makes the rows of families, numbered in their order.
pub(super) fn family_rows(context: &Context, passages: &Passages<BINS>) -> FamilyRows {
    let count = passages.families.len();
    // So many families, or fewer that occur often.
    let mut ranges = Vec::new();
    let (mut start, mut places) = (0, 0);
    for (number, family) in (0..).zip(passages.families) {
        places += family.occurrences.len();
        let end = number + 1;
        if end - start == FAMILIES || places >= 8 * FAMILIES as usize || end as usize == count {
            ranges.push(start..end);
            (start, places) = (end, 0);
        }
    }
    let places = |numbers: &Range<u32>| {
        let own = &passages.families[numbers.start as usize..numbers.end as usize];
        own.iter().map(|family| family.occurrences.len()).sum()
    };
    let (mut rows, mut asked) = (Room::new(count), Room::new(count));
    let mut occurrences = Room::new(passages.sights.len());
    let of_some =
        |(numbers, mut rows, mut asked, mut occurrences): (Range<u32>, Part<_>, Part<_>, Part<_>)| {
            let mut scratch = assemble::Scratch::default();
            for number in context.reading_ahead(numbers, passages) {
                let (row, of_row) = context.family(number, passages, &mut scratch, &mut occurrences);
                rows.push(row);
                asked.push(of_row);
            }
        };
    let families = || ranges.iter().map(ExactSizeIterator::len);
    let parts = rows.parts(families()).into_iter().zip(asked.parts(families()));
    let parts = parts.zip(occurrences.parts(ranges.iter().map(places)));
    let sources = ranges.iter().cloned().zip(parts);
    let sources: Vec<_> =
        sources.map(|(numbers, ((rows, asked), occurrences))| (numbers, rows, asked, occurrences)).collect();
    shared(sources.into_par_iter()).for_each(of_some);
    FamilyRows { rows: rows.into_list(), occurrences: occurrences.into_list(), asked: asked.into_list() }
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
            |o: &Occurrence| 2 * ignored.missing(o.document, o.start, o.end - o.start) > o.end - o.start;
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
