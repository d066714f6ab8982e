//! Alignments gathered into families.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::near::candidates;
use super::scan::{Scan, Stage};
use super::threads::{PARTITIONS, in_slices, partitioned, shared};
use crate::ahead::{ahead, fetch};
use crate::align::Run;
use crate::bands::entry;
use crate::bits::{self, Bits};
use crate::collection::Collection;
use crate::families::{self, Family, Occurrence, families};
use crate::orphans::{Told, alone};
use crate::projection::{self, Batch, Known, Projector};
use crate::tokens::Tokens;
use crate::variants::{
    self, Compare, KEYS, Keys, LISTED, Leaders, Outlines, as_one, keys, merge, most_frequent, settle,
};

impl Scan<'_> {
    /// Gathers alignments into families, in their final order.
    pub(super) fn families(
        &self,
        collection: &Collection,
        originals: &[u32],
        batches: Vec<Batch>,
        projector: Projector,
        lengths: &[u32],
        matched: &Bits,
    ) -> Vec<Family> {
        let (known, runs) = projector.finish();
        let documents = known.len().max(1);
        let copies = |known: &[Known]| known.iter().flat_map(Known::copies).copied().collect();
        let root = |copy: &projection::Copy| copy.root as usize * PARTITIONS / documents;
        let mut copies = partitioned(in_slices(&known), copies, root);
        let sort = || shared(copies.par_iter_mut()).for_each(|some| some.sort_by_key(|copy| copy.root));
        // What one thread has made many would wait for each other to let go of.
        rayon::join(sort, || drop(known));
        let by_root: Vec<_> = copies.iter().flat_map(|some| some.chunk_by(|x, y| x.root == y.root)).collect();
        let total = by_root.len() as u64;
        let mut found: Vec<Family> = shared(by_root.par_iter())
            .map_init(families::Scratch::default, |scratch, list| {
                (self.progress)(Stage::Families, 1, total);
                let root = list[0].root;
                families(root, collection.tokens(root), &runs, list, scratch)
            })
            .flatten_iter()
            .collect();
        drop(by_root);
        drop((copies, runs));
        repeat_in_twins(&mut found, originals, lengths, matched);
        for compare in [Compare::Plain, Compare::DigitsMasked] {
            let tokens = |document| collection.tokens(document);
            let joined = joined(&found, tokens, compare, TOGETHER);
            unite(&mut found, &joined);
        }
        let orphans = orphans(&batches, &found, lengths, matched, self.config.min_tokens as u32);
        found.extend(orphans);
        drop(batches);
        told_once(&mut found, |document| collection.tokens(document));
        if collection.roles.against {
            // Exact copies within the other collection are of no interest.
            found.retain(|family| family.occurrences.iter().any(|o| o.document >= collection.roles.judged));
        }
        found.par_sort_by_cached_key(|family| {
            let first = family.occurrences[0];
            (Reverse((family.df(), family.len())), first.document, first.start, family.root, family.start)
        });
        found
    }
}

/// Exact duplicates took no part in the search, so what is ignored in the
/// original is ignored in each.
pub(super) fn repeat_ignored_in_twins(originals: &[u32], lengths: &[u32], ignored: &Bits) {
    for (document, &original) in (0..).zip(originals).filter(|&(document, &original)| document != original) {
        for run in bits::runs(&ignored.packed(original, lengths[original as usize] as usize)) {
            ignored.set(document, run.start as u32, run.len() as u32);
        }
    }
}

/// Families that are compared with those before them at once.
const TOGETHER: usize = 1 << 10;
/// Buckets of each family that are filled at once.
const BUCKETS: usize = 7;

/// Exact duplicates took no part in the search: gives each the occurrences of
/// its original, and adds a family for every such text as a whole.
fn repeat_in_twins(families: &mut Vec<Family>, originals: &[u32], lengths: &[u32], matched: &Bits) {
    let mut twins: Vec<(u32, u32)> = (0..)
        .zip(originals)
        .filter(|&(document, &original)| document != original)
        .map(|(d, &o)| (o, d))
        .collect();
    if twins.is_empty() {
        return;
    }
    twins.sort_unstable();
    let of = |original: u32| {
        let from = twins.partition_point(|twin| twin.0 < original);
        twins[from..].iter().take_while(move |twin| twin.0 == original).map(|twin| twin.1)
    };
    shared(families.par_iter_mut()).for_each(|family| {
        let own = family.occurrences.len();
        for at in 0..own {
            let occurrence = family.occurrences[at];
            family
                .occurrences
                .extend(of(occurrence.document).map(|document| Occurrence { document, ..occurrence }));
        }
        family.occurrences.sort_unstable_by_key(|o| (o.document, o.start));
    });
    for group in twins.chunk_by(|x, y| x.0 == y.0) {
        let original = group[0].0;
        let end = lengths[original as usize];
        let occurrences = std::iter::once(original).chain(group.iter().map(|twin| twin.1)).map(|document| {
            matched.set(document, 0, end);
            Occurrence { document, start: 0, end, matched: end }
        });
        families.push(Family { root: original, start: 0, end, occurrences: occurrences.collect() });
    }
}

/// The families that are variants of others, each with the one it joins; so many are
/// asked together.
fn joined<'t>(
    families: &[Family],
    tokens: impl Fn(u32) -> &'t Tokens<'t> + Sync,
    compare: Compare,
    together: usize,
) -> Vec<(u32, u32)> {
    let text = |family: &Family| (tokens(family.root), (family.start, family.end));
    let keys_of = |scratch: &mut variants::Scratch, family: &Family| {
        let (tokens, range) = text(family);
        keys(tokens, range, compare, scratch)
    };
    let keys: Vec<Option<Keys>> =
        shared(families.par_iter()).map_init(variants::Scratch::default, keys_of).collect();
    let mut order: Vec<u32> = (0..families.len() as u32).filter(|&at| keys[at as usize].is_some()).collect();
    order.par_sort_by_cached_key(|&at| Leaders::rank(&families[at as usize]));
    let ranks: Vec<u32> = (0..order.len() as u32).collect();
    let buckets = (0..KEYS).step_by(BUCKETS).map(|first| {
        let keys_of = |rank: u32| &keys[order[rank as usize] as usize];
        let of_one = |&rank: &u32| {
            let keys = keys_of(rank).as_ref().expect("takes part");
            keys.iter().skip(first).take(BUCKETS).map(move |&key| entry(key, rank))
        };
        let of_some = |ranks: &[u32]| {
            ahead(ranks.iter(), |&&rank| fetch(keys_of(rank))).flat_map(of_one).collect::<Vec<_>>()
        };
        ranks.par_chunks(together).map(of_some).collect()
    });
    let (pairs, _) = candidates(buckets, order.len());
    drop(keys);
    // Others share no bucket.
    let mut compared = vec![false; order.len()];
    for rank in pairs.iter().flat_map(|&(earlier, later)| [earlier, later]) {
        compared[rank as usize] = true;
    }
    // Side by side, since those of similar ranks are compared.
    let outlined = |scratch: &mut variants::Scratch, ranks: &[u32]| {
        let mut outlines = Outlines::default();
        for &rank in ranks {
            let (tokens, range) = text(&families[order[rank as usize] as usize]);
            match compared[rank as usize] {
                true => outlines.add(tokens, range, compare, scratch),
                false => outlines.add_none(),
            }
        }
        outlines
    };
    let outlines: Vec<Outlines> =
        shared(ranks.par_chunks(LISTED)).map_init(variants::Scratch::default, outlined).collect();
    let mut leaders = Leaders::new(families, compare, &order, &outlines);
    let by_later: Vec<&[(u32, u32)]> = pairs.chunk_by(|x, y| x.1 == y.1).collect();
    for some in by_later.chunks(together) {
        // Who leads of those before them is known; of the others it is told in turn.
        let first = some[0][0].1;
        let find = |pairs: &&[(u32, u32)]| {
            let (before, among) = pairs.split_at(pairs.partition_point(|pair| pair.0 < first));
            match leaders.of(before).next() {
                Some(leader) => vec![leader],
                None => leaders.of(among).collect(),
            }
        };
        let found: Vec<Vec<u32>> = shared(some.par_iter()).map(find).collect();
        for (pairs, found) in some.iter().zip(found) {
            if let Some(earlier) = found.into_iter().find(|&earlier| leaders.leads(earlier)) {
                leaders.join(pairs[0].1, earlier);
            }
        }
    }
    leaders.joined()
}

/// Joins families that read the same.
///
/// They came from different roots, whose own wordings may have less in common than those that
/// most of their occurrences have: of a set phrase, say, each with other words around it.
fn told_once<'t>(families: &mut Vec<Family>, tokens: impl Fn(u32) -> &'t Tokens<'t> + Copy + Sync) {
    let read = |some: &[Family]| most_frequent(some, tokens);
    let wordings: Vec<Option<u64>> = shared(families.par_chunks(LISTED)).flat_map_iter(read).collect();
    let numbered = wordings.into_iter().zip(0..);
    let mut by_wording: Vec<(u64, u32)> = numbered.filter_map(|(one, at)| one.map(|one| (one, at))).collect();
    by_wording.par_sort_unstable();
    let same: Vec<&[(u64, u32)]> =
        by_wording.chunk_by(|x, y| x.0 == y.0).filter(|same| same.len() > 1).collect();
    let join = |same: &&[(u64, u32)]| {
        let same: Vec<u32> = same.iter().map(|one| one.1).collect();
        as_one(families, &same)
    };
    let joined: Vec<(u32, u32)> = shared(same.par_iter()).flat_map_iter(join).collect();
    unite(families, &joined);
}

/// Gives families to those that they joined.
fn unite(families: &mut Vec<Family>, joined: &[(u32, u32)]) {
    merge(families, joined);
    shared(families.par_iter_mut()).for_each(settle);
    families.retain(|family| family.occurrences.len() > 1);
}

/// Families for alignments of which no other family accounts for `least` tokens, or
/// for all of a run of that length.
fn orphans(
    batches: &[Batch],
    families: &[Family],
    lengths: &[u32],
    matched: &Bits,
    least: u32,
) -> Vec<Family> {
    let mut found: Vec<Family> = Vec::new();
    // A family added for one alignment may come between a token and the neighbour it
    // would have gone with, so look again, in the documents where one was added,
    // until nothing is new.
    let mut again = vec![true; lengths.len()];
    loop {
        let asked = |&(later, earlier, _): &(u32, u32, _)| again[later as usize] || again[earlier as usize];
        // What stands in other documents need not be known.
        let mut needed = again.clone();
        let places = shared(batches.par_iter()).flat_map_iter(|batch| batch.alignments().filter(asked));
        for (later, earlier) in places.map(|(later, earlier, _)| (later, earlier)).collect::<Vec<_>>() {
            needed[later as usize] = true;
            needed[earlier as usize] = true;
        }
        let is_needed = |document: u32| needed[document as usize];
        let told = Told::new(lengths, matched);
        families.par_iter().chain(&found).for_each(|family| told.add(family, is_needed));
        let documents = shared((0..lengths.len() as u32).into_par_iter());
        documents.filter(|&document| is_needed(document)).for_each(|document| told.spread(document));
        // More is told as families are added, so it is these or fewer.
        let lacking = shared(batches.par_iter()).flat_map_iter(|batch| {
            let asked = batch.alignments().filter(asked);
            asked.filter(|&(later, earlier, runs)| told.lacks(later, earlier, runs, least))
        });
        let lacking: Vec<(u32, u32, &[Run])> = lacking.collect();
        let before = found.len();
        let mut added = vec![false; lengths.len()];
        for (later, earlier, runs) in lacking {
            if told.lacks(later, earlier, runs, least) {
                let family = alone(later, earlier, runs);
                told.add(&family, is_needed);
                found.push(family);
                added[later as usize] = true;
                added[earlier as usize] = true;
            }
        }
        if found.len() == before {
            return found;
        }
        again = added;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokens::TokenChunk;

    /// Roots are versions of nothing in common but a phrase, which most of what copies them has
    /// by itself.
    #[test]
    fn what_reads_the_same_is_told_once() {
        let phrase = "the ministry of the interior said";
        let texts: Vec<String> =
            ["{} on monday morning", "later that day {}", "{}", "{}", "{}", "{}", "nothing of this"]
                .map(|text| text.replace("{}", phrase))
                .into();
        let chunk = TokenChunk::new(texts.iter().map(String::as_str), false);
        let all: Vec<Tokens> = (0..texts.len()).map(|at| chunk.get(at, &texts[at])).collect();
        let whole = |document: u32| {
            let end = all[document as usize].len() as u32;
            Occurrence { document, start: 0, end, matched: end }
        };
        let family = |documents: [u32; 3]| {
            let occurrences = documents.map(whole);
            Family { root: documents[0], start: 0, end: occurrences[0].end, occurrences: occurrences.into() }
        };
        let other = Family { occurrences: vec![whole(0), whole(6)], ..family([0, 6, 6]) };
        let mut found = vec![family([0, 2, 3]), other.clone(), family([1, 4, 5])];
        told_once(&mut found, |at| &all[at as usize]);
        let expected = Family { occurrences: (0..6).map(whole).collect(), ..family([0, 2, 3]) };
        assert_eq!(found, [expected, other]);
    }

    proptest! {
        /// How many are asked together, and so what is asked in turn, is immaterial.
        #[test]
        fn families_join_the_same_however_many_are_asked_together(
            versions in prop::collection::vec((0usize..3, prop::collection::vec(0usize..12, 0..5)), 1..24),
            together in 1usize..12,
        ) {
            // Versions of a few texts, with some words of others in place of their own.
            let text = |(number, (text, edits)): (usize, &(usize, Vec<usize>))| -> String {
                let word = |at: usize| match edits.contains(&at) {
                    true => format!("edit{number} "),
                    false => format!("word{text}x{at} "),
                };
                (0..12).map(word).collect()
            };
            let texts: Vec<String> = versions.iter().enumerate().map(text).collect();
            let chunk = TokenChunk::new(texts.iter().map(String::as_str), false);
            let tokens = |at: usize| chunk.get(at, &texts[at]);
            let family = |at: usize| {
                let end = tokens(at).len() as u32;
                let here = Occurrence { document: at as u32, start: 0, end, matched: end };
                let there = Occurrence { document: 100 + at as u32, ..here };
                Family { root: at as u32, start: 0, end, occurrences: vec![here, there] }
            };
            let families: Vec<Family> = (0..texts.len()).map(family).collect();
            let all: Vec<Tokens> = (0..texts.len()).map(tokens).collect();
            let of = |document: u32| &all[document as usize];
            // One by one, all that come before are known.
            let expected = joined(&families, of, Compare::Plain, 1);
            prop_assert_eq!(&joined(&families, of, Compare::Plain, together), &expected);
            // Who leads joined nobody.
            for (_, leader) in &expected {
                prop_assert!(expected.iter().all(|(joined, _)| joined != leader));
            }
        }
    }
}
