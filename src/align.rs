//! Alignments: how far the text around two anchored places agrees.
//!
//! Seed, chain and extend, as read mappers do (Li, *Minimap2: pairwise
//! alignment for nucleotide sequences*, 2018): anchors grow into maximal exact
//! runs; runs that follow each other in both texts are chained; the gaps
//! between them are filled by a longest common subsequence; both ends are
//! extended. The result is a list of matching runs: exactly equal stretches, in
//! the same order in both texts.
//!
//! Linear in anchors and tokens: chains look back over a bounded number of runs,
//! gaps and the band are bounded, and so are all extensions together. A passage whose order was shuffled
//! comes out as several alignments.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::ahead::{ahead, fetch};
use crate::anchors::Anchor;
use crate::config::Config;
use crate::depth::Depth;
use crate::extend::{Extension, Stretch, Way};
use crate::fingerprints::is_block;
use crate::lanes::{LANES, Lanes, common_end, common_start};
use crate::tokenizer::same_words;
use crate::tokens::{Tokens, same};

/// Equal stretches of two texts: `len` tokens from `b` and from `a`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run {
    pub b: u32,
    pub a: u32,
    pub len: u32,
}

impl Run {
    pub(crate) fn b_end(&self) -> u32 {
        self.b + self.len
    }

    pub(crate) fn a_end(&self) -> u32 {
        self.a + self.len
    }
}

/// Buffers that live as long as their worker.
#[derive(Default)]
pub(crate) struct Scratch {
    /// How many alignments hold each token of the later document so far.
    depth: Depth,
    /// Whether words are taken for equal whose hashes are, until somebody else looks.
    trusts: bool,
    exact: Vec<Run>,
    /// Runs from where enough alignments lie already.
    plain: Vec<Run>,
    /// Where stretches of a document aligned with itself begin that go round and round, and
    /// where they end.
    rounds: BTreeMap<u32, u32>,
    links: Vec<Link>,
    order: Vec<u32>,
    chain: Vec<Run>,
    runs: Vec<Run>,
    longer: Vec<Run>,
    extension: Extension,
    table: Vec<u8>,
}

impl Scratch {
    /// Makes ready for a later document of so many tokens: none of them is
    /// aligned yet.
    pub(crate) fn begin(&mut self, tokens: usize) {
        self.depth.begin(0, tokens as u32);
        self.trusts = false;
    }
}

/// Alignments over a token of the later document beyond which no more are looked
/// for, only exact runs: with other documents, and with itself. In a crowd of
/// edited copies each shares its edits with many others, and a text that goes
/// round and round shares all with itself; but they all tell the same.
fn deep(own: bool) -> u8 {
    if own { 4 } else { 8 }
}

/// Runs a chain looks back over.
const LOOK_BACK: usize = 40;
/// Longest gap between two chained runs, in tokens of either text.
const GAP: i64 = 24;
/// Most that two chained runs may be shifted against each other.
const DRIFT: i64 = 12;
/// What a gap across a block boundary costs on top.
const BLOCK_COST: i64 = 6;
/// Score of a matched token; gaps cost one a token.
const MATCH: i64 = 2;

/// How many times the shorter document the extensions of a pair may come to in
/// all. In a text that goes round and round every alignment could be extended to
/// its end; the best come first, and the others stay as they are.
const EXTENDED: usize = 16;

/// Aligns every two documents that anchors name, as [`align`] does, and calls
/// `found` with the later document, the earlier one, and the matching runs.
///
/// The anchors are sorted. Alignments with documents before
/// `told`, the ignored texts, change nothing among the others. `min_tokens` says of
/// two documents and their anchors how long a passage is at least.
pub(crate) fn align_all<'a>(
    anchors: &[Anchor],
    told: u32,
    tokens: impl Fn(u32) -> &'a Tokens<'a>,
    min_tokens: impl Fn(&Tokens, &Tokens, &[Anchor]) -> usize,
    mut found: impl FnMut(u32, u32, &[Run]),
) {
    let mut scratch = Scratch::default();
    let earlier = |pair: &&[Anchor]| tokens(pair[0].earlier());
    let pairs = ahead(of_pairs(anchors), |pair| fetch(earlier(pair)));
    let pairs = ahead(pairs, |pair| {
        let (words, at) = (earlier(pair).words, pair[0].a() as usize);
        fetch(&words[at.saturating_sub(AROUND)..words.len().min(at + AROUND)]);
        earlier(pair).places.fetch(pair[0].a() as usize);
    });
    let align = |pair: &[Anchor], scratch: &mut Scratch, found: &mut dyn FnMut(&[Run])| {
        let (later, earlier) = (pair[0].later(), pair[0].earlier());
        let (b, a) = (tokens(later), tokens(earlier));
        align(b, a, later == earlier, min_tokens(b, a, pair), pair, scratch, found);
    };
    // Alignments of one later document are looked at on the text together.
    let mut trusted = Trusted::default();
    let mut settle = |some: &[Anchor], scratch: &mut Scratch, trusted: &mut Trusted| {
        let later = some[0].later();
        if trusted.holds(tokens(later), &tokens) {
            trusted.each().for_each(|(earlier, runs)| found(later, earlier, runs));
        } else {
            scratch.begin(tokens(later).len());
            for pair in of_pairs(some) {
                align(pair, scratch, &mut |runs| found(later, pair[0].earlier(), runs));
            }
        }
        trusted.clear();
    };
    let part = |anchor: Anchor| (anchor.later(), anchor.earlier() < told);
    let (mut from, mut to) = (0, 0);
    for pair in pairs {
        if from < to && part(pair[0]) != part(anchors[from]) {
            settle(&anchors[from..to], &mut scratch, &mut trusted);
            from = to;
        }
        if from == to {
            scratch.begin(tokens(pair[0].later()).len());
            scratch.trusts = true;
        }
        align(pair, &mut scratch, &mut |runs| trusted.add(pair[0].earlier(), runs));
        to += pair.len();
    }
    if from < to {
        settle(&anchors[from..to], &mut scratch, &mut trusted);
    }
}

/// The anchors of every two documents.
fn of_pairs(anchors: &[Anchor]) -> impl Iterator<Item = &[Anchor]> {
    anchors.chunk_by(|x, y| (x.later(), x.earlier()) == (y.later(), y.earlier()))
}

/// Alignments of one later document whose words are taken for equal where their hashes
/// are.
#[derive(Default)]
struct Trusted {
    /// The earlier documents, and where the runs of each alignment end.
    list: Vec<(u32, usize)>,
    runs: Vec<Run>,
}

impl Trusted {
    fn add(&mut self, earlier: u32, runs: &[Run]) {
        self.runs.extend_from_slice(runs);
        self.list.push((earlier, self.runs.len()));
    }

    fn each(&self) -> impl Iterator<Item = (u32, &[Run])> {
        let mut from = 0;
        self.list
            .iter()
            .map(move |&(earlier, to)| (earlier, &self.runs[std::mem::replace(&mut from, to)..to]))
    }

    /// Whether all are equal on the text.
    fn holds<'a>(&self, b: &Tokens, tokens: impl Fn(u32) -> &'a Tokens<'a>) -> bool {
        let mut each = ahead(self.each(), |&(earlier, runs)| {
            let a = tokens(earlier);
            let from = a.places.byte(runs[0].a as usize);
            fetch(&a.text.as_bytes()[from..a.text.len().min(from + FETCHED)]);
        });
        each.all(|(earlier, runs)| runs.iter().all(|run| equal_text(b, tokens(earlier), run)))
    }

    fn clear(&mut self) {
        self.list.clear();
        self.runs.clear();
    }
}

/// Bytes of a passage that are fetched before it is looked at.
const FETCHED: usize = 192;
/// Words before an anchor, and from it on, that are.
const AROUND: usize = 24;

/// How long a passage of two documents is at least, along these anchors. In documents
/// of one sort it is what holds for them; where one is of words and the other of single
/// characters, it is what most of the anchors are of.
pub(crate) fn least_tokens(config: &Config, b: &Tokens, a: &Tokens, anchors: &[Anchor]) -> usize {
    let characters = if b.characters == a.characters {
        b.characters
    } else {
        let singles = anchors.iter().filter(|anchor| b.token(anchor.b() as usize).single).count();
        2 * singles > anchors.len()
    };
    config.lengths(characters).min_tokens
}

/// Aligns two documents, or with `own` a document with itself, along their
/// anchors, and calls `found` with the matching runs of each alignment.
///
/// The anchors are sorted; before the first pair of a later
/// document comes [`Scratch::begin`]. Accepted are alignments of at least
/// `min_tokens` matched tokens with an identity between 0.85 for the shortest and
/// 0.6 from five times that length; every exact run of `min_tokens`; and shorter
/// runs that are whole lines in both texts.
pub(crate) fn align(
    b: &Tokens,
    a: &Tokens,
    own: bool,
    min_tokens: usize,
    anchors: &[Anchor],
    scratch: &mut Scratch,
    mut found: impl FnMut(&[Run]),
) {
    exact_runs(b, a, own, min_tokens, anchors, scratch);
    link(b, a, own, min_tokens, scratch);
    let Scratch { depth, trusts, exact, plain, links, order, chain, runs, longer, extension, table, .. } =
        scratch;
    let trusts = *trusts;
    order.clear();
    order.extend(0..exact.len() as u32);
    order.sort_by_key(|&end| (-links[end as usize].score, end));
    let mut room = EXTENDED * b.len().min(a.len());
    for &end in order.iter() {
        chain.clear();
        let mut at = end;
        while at != NONE && !links[at as usize].used {
            links[at as usize].used = true;
            chain.push(exact[at as usize]);
            at = links[at as usize].from;
        }
        if chain.is_empty() {
            continue;
        }
        chain.reverse();
        if let [run] = chain[..]
            && (run.len as usize) < min_tokens
            && !promising(b, a, run, min_tokens)
        {
            report_lines(b, a, run, trusts, &mut found);
            continue;
        }
        if 2 * depth.shallow(in_b(chain), deep(own)) < matched(chain) {
            plain.append(chain);
            continue;
        }
        fill(b, a, chain, runs, table);
        // A period of a run that was cut into them ends where the next begins.
        if room > 0 && (!own || !chain.iter().any(|run| is_cut(a, run))) {
            let before = matched(runs);
            extend(b, a, own, runs, longer, extension);
            room = room.saturating_sub((matched(runs) - before) as usize);
        }
        snap(b, a, min_tokens, runs);
        if acceptable(runs, min_tokens)
            && (trusts || check_on_text(b, a, runs) || acceptable(runs, min_tokens))
        {
            depth.tell(in_b(runs));
            found(runs);
            continue;
        }
        for &run in chain.iter() {
            report_alone(b, a, run, (min_tokens, trusts), runs, &mut found);
        }
    }
    for &run in plain.iter() {
        // What is told so often already; of others the earlier one is to be told as well.
        if own && depth.shallow(in_b(&[run]), deep(own)) == 0 {
            continue;
        }
        report_alone(b, a, run, (min_tokens, trusts), runs, &mut found);
    }
}

/// Reports a run by itself: whole, where it is a passage, or else its lines.
fn report_alone(
    b: &Tokens,
    a: &Tokens,
    run: Run,
    (min_tokens, trusts): (usize, bool),
    runs: &mut Vec<Run>,
    found: &mut impl FnMut(&[Run]),
) {
    runs.clear();
    runs.push(run);
    if !trusts {
        check_on_text(b, a, runs);
    }
    for run in runs.iter() {
        if run.len as usize >= min_tokens {
            found(std::slice::from_ref(run));
        } else {
            report_lines(b, a, *run, trusts, found);
        }
    }
}

/// Reports a run too short for a passage where it is whole lines in both texts.
fn report_lines(b: &Tokens, a: &Tokens, run: Run, trusts: bool, found: &mut impl FnMut(&[Run])) {
    if let Some(block) = whole_lines(b, a, &run)
        && (trusts || equal_text(b, a, &block))
    {
        found(&[block]);
    }
}

/// Tokens on either side of a short run that are looked at to see whether it may grow, and
/// how far from their own place they are looked for.
const NEAR: usize = 6;
const ASIDE: usize = 2;

/// Whether a run below the shortest length has enough equal tokens close by to
/// reach it. Common phrases are most of all anchors, and most stand in
/// different surroundings; this spares them the extension.
fn promising(b: &Tokens, a: &Tokens, run: Run, min_tokens: usize) -> bool {
    let missing = min_tokens - run.len as usize;
    let near = NEAR.max(missing + ASIDE);
    let (start, end) = (run.b as usize, run.b_end() as usize);
    let (before, after) = (start.saturating_sub(near)..start, end..(end + near).min(b.words.len()));
    let shift = run.a.wrapping_sub(run.b) as i32 as isize;
    beside(b.words, a.words, shift, before) + beside(b.words, a.words, shift, after) >= missing
}

/// How many of some words of `b` stand in `a` as well, so far on or a few aside.
fn beside(b: &[u32], a: &[u32], shift: isize, range: Range<usize>) -> usize {
    // In the middle of both texts all at once.
    if range.len() <= LANES
        && let Some(words) = b[range.start..].first_chunk()
        && let Some(others) = range.start.checked_add_signed(shift - ASIDE as isize)
        && let Some(others) = a.get(others..).and_then(|others| others.first_chunk())
    {
        let asked = u32::from(u16::MAX) >> (LANES - range.len());
        return (u32::from(Lanes::equal_any(words, others).bits()) & asked).count_ones() as usize;
    }
    let stands = |&at: &usize| {
        let place = |aside: isize| at.checked_add_signed(shift + aside);
        (-(ASIDE as isize)..=ASIDE as isize)
            .any(|aside| place(aside).is_some_and(|place| a.get(place) == Some(&b[at])))
    };
    range.filter(stands).count()
}

/// Grows anchors into maximal exact runs, sorted by place. A run of a document
/// with itself that overlaps its own copy is cut into copies of one period.
/// Those at a place that enough alignments hold are put aside.
fn exact_runs(
    b: &Tokens,
    a: &Tokens,
    own: bool,
    min_tokens: usize,
    anchors: &[Anchor],
    scratch: &mut Scratch,
) {
    let Scratch { depth, exact: runs, plain, rounds, .. } = scratch;
    rounds.clear();
    runs.clear();
    plain.clear();
    let mut last: Option<Run> = None;
    for anchor in anchors.iter() {
        let (at_b, at_a) = (anchor.b() as usize, anchor.a() as usize);
        let inside = last.is_some_and(|run| {
            run.b.wrapping_sub(run.a) == anchor.b().wrapping_sub(anchor.a()) && anchor.b() < run.b_end()
        });
        if inside {
            continue;
        }
        let after = common_start(&b.words[at_b..], &a.words[at_a..]);
        if after == 0 {
            continue;
        }
        // The shortest period comes first and tells what others would, up to where it ends.
        let round = own.then(|| rounds.range(..=anchor.a()).next_back()).flatten();
        let told = Run { b: anchor.b(), a: anchor.a(), len: after as u32 };
        if round.is_some_and(|(_, &end)| told.b_end() <= end) {
            last = Some(told);
            continue;
        }
        let before = common_end(&b.words[..at_b], &a.words[..at_a]);
        let run = Run { b: (at_b - before) as u32, a: (at_a - before) as u32, len: (before + after) as u32 };
        last = Some(run);
        let runs = if depth.shallow([(anchor.b(), 1)].into_iter(), deep(own)) > 0 {
            &mut *runs
        } else {
            &mut *plain
        };
        let period = run.b.wrapping_sub(run.a);
        if own && run.len > period {
            rounds.insert(run.a, run.b_end());
            // Whole periods, long enough to be a passage; the rest is taken
            // together with what precedes it.
            let least = min_tokens as u32;
            let step = period * least.div_ceil(period);
            let all = run.b_end() - run.a;
            runs.extend((1..all / step).map(|copy| Run { b: run.a + copy * step, a: run.a, len: step }));
            if all >= step + least && !all.is_multiple_of(step) {
                let len = least.max(all % step);
                let b = run.b_end() - len;
                runs.push(Run { b, a: b - step, len });
            }
        } else {
            runs.push(run);
        }
    }
    for runs in [runs, plain] {
        runs.sort_unstable();
        runs.dedup();
    }
}

/// Whether a run of a document with itself goes on to either side, so that it
/// is part of a longer one.
fn is_cut(tokens: &Tokens, run: &Run) -> bool {
    let words = tokens.words;
    let (a, b) = (run.a as usize, run.b as usize);
    a > 0 && words[a - 1] == words[b - 1]
        || words.get(run.b_end() as usize).is_some_and(|word| *word == words[run.a_end() as usize])
}

const NONE: u32 = u32::MAX;

/// The best chain that ends in a run.
#[derive(Clone, Copy)]
struct Link {
    score: i64,
    from: u32,
    /// Where the chain starts in `b`.
    head: u32,
    used: bool,
}

/// Finds the best predecessor of every run.
fn link(b: &Tokens, a: &Tokens, own: bool, min_tokens: usize, scratch: &mut Scratch) {
    let Scratch { exact, links, .. } = scratch;
    links.clear();
    for (at, run) in exact.iter().enumerate() {
        let alone = MATCH * i64::from(run.len);
        let mut best = Link { score: alone, from: NONE, head: run.b, used: false };
        for before in (at.saturating_sub(LOOK_BACK)..at).rev() {
            let earlier = exact[before];
            if earlier.b >= run.b || earlier.a >= run.a || own && run.a_end() > links[before].head {
                continue;
            }
            let gap_b = i64::from(run.b) - i64::from(earlier.b_end());
            let gap_a = i64::from(run.a) - i64::from(earlier.a_end());
            let overlap = (-gap_b).max(-gap_a).max(0);
            let (gap_b, gap_a) = (gap_b + overlap, gap_a + overlap);
            let drift = (gap_b - gap_a).abs();
            let gap = gap_b.max(gap_a);
            if overlap >= i64::from(run.len) || gap > GAP || drift > DRIFT {
                continue;
            }
            // A run that is a passage by itself must not be trimmed.
            if overlap > 0 && run.len as usize >= min_tokens {
                continue;
            }
            let mut cost = gap + drift;
            if crosses_block(b, earlier.b_end(), gap_b) || crosses_block(a, earlier.a_end(), gap_a) {
                cost += BLOCK_COST;
            }
            let gain = alone - MATCH * overlap;
            let chained = links[before].score;
            if gap > 0 && (gain <= cost || chained <= cost) {
                continue;
            }
            let score = chained + gain - cost;
            if score > best.score {
                best = Link { score, from: before as u32, head: links[before].head, used: false };
            }
        }
        links.push(best);
    }
}

/// Whether a gap of so many tokens contains the start of a block after the
/// first token before it.
fn crosses_block(tokens: &Tokens, from: u32, gap: i64) -> bool {
    (0..=gap).any(|step| tokens.starts_block((i64::from(from) + step) as usize))
}

/// Writes a chain's runs, trimmed where they overlap, with what its gaps have
/// in common in between.
fn fill(b: &Tokens, a: &Tokens, chain: &[Run], runs: &mut Vec<Run>, table: &mut Vec<u8>) {
    runs.clear();
    for &run in chain {
        let mut run = run;
        if let Some(last) = runs.last().copied() {
            let overlap = last.b_end().saturating_sub(run.b).max(last.a_end().saturating_sub(run.a));
            run = Run { b: run.b + overlap, a: run.a + overlap, len: run.len - overlap };
            common_subsequence(
                (&b.words[last.b_end() as usize..run.b as usize], last.b_end()),
                (&a.words[last.a_end() as usize..run.a as usize], last.a_end()),
                table,
                runs,
            );
        }
        push_run(runs, run);
    }
}

/// Appends a run, joined to the last where it continues it.
fn push_run(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut() {
        Some(last) if last.b_end() == run.b && last.a_end() == run.a => last.len += run.len,
        _ => runs.push(run),
    }
}

/// Appends a longest common subsequence of two short texts, by the quadratic
/// table.
fn common_subsequence(
    (b, b_from): (&[u32], u32),
    (a, a_from): (&[u32], u32),
    table: &mut Vec<u8>,
    runs: &mut Vec<Run>,
) {
    if b.is_empty() || a.is_empty() || b.len() + a.len() == 2 {
        return;
    }
    // table[i][j]: the most that b[i..] and a[j..] have in common.
    let width = a.len() + 1;
    table.clear();
    table.resize((b.len() + 1) * width, 0);
    for i in (0..b.len()).rev() {
        for j in (0..a.len()).rev() {
            table[i * width + j] = if b[i] == a[j] {
                table[(i + 1) * width + j + 1] + 1
            } else {
                table[(i + 1) * width + j].max(table[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < b.len() && j < a.len() && table[i * width + j] > 0 {
        if b[i] == a[j] {
            push_run(runs, Run { b: b_from + i as u32, a: a_from + j as u32, len: 1 });
            (i, j) = (i + 1, j + 1);
        } else if table[(i + 1) * width + j] >= table[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
}

/// Extends both ends as far as the score allows. A document aligned with
/// itself keeps the copy after the original. `longer` is a buffer.
fn extend(
    b: &Tokens,
    a: &Tokens,
    own: bool,
    runs: &mut Vec<Run>,
    longer: &mut Vec<Run>,
    extension: &mut Extension,
) {
    let (first, last) = (runs[0], runs[runs.len() - 1]);
    let (b_from, a_from) = (last.b_end() as usize, last.a_end() as usize);
    let a_limit = if own { first.b as usize } else { a.len() };
    let (b_len, a_len) = (b.len() - b_from, a_limit - a_from);
    let forwards = Way::<false> { b: b.words, b_from, a: a.words, a_from, b_len, a_len };
    extension.reach(forwards, |i| is_short(b, b_from + i));
    for stretch in &extension.matched {
        push_run(runs, Run { b: last.b_end() + stretch.b, a: last.a_end() + stretch.a, len: stretch.len });
    }

    let (b_from, a_from) = (first.b as usize, first.a as usize);
    let b_floor = if own { runs[runs.len() - 1].a_end() as usize } else { 0 };
    let b_len = b_from - b_floor;
    let backwards = Way::<true> { b: b.words, b_from, a: a.words, a_from, b_len, a_len: a_from };
    extension.reach(backwards, |i| is_short(b, b_from - 1 - i));
    if !extension.matched.is_empty() {
        longer.clear();
        for &Stretch { b, a, len } in extension.matched.iter().rev() {
            push_run(longer, Run { b: first.b - b - len, a: first.a - a - len, len });
        }
        runs.iter().for_each(|&run| push_run(longer, run));
        std::mem::swap(runs, longer);
    }
}

/// Bytes of a short token with what follows it.
const SHORT: usize = 4;

/// Whether a token is short.
fn is_short(tokens: &Tokens, number: usize) -> bool {
    if number + 1 < tokens.len() {
        return tokens.places.step(number) <= SHORT;
    }
    tokens.text.len() - tokens.places.byte(number) <= SHORT
}

/// Takes out of the runs what is equal only in 32 bits. Returns whether there
/// was nothing of the kind.
fn check_on_text(b: &Tokens, a: &Tokens, runs: &mut Vec<Run>) -> bool {
    if runs.iter().all(|run| equal_text(b, a, run)) {
        return true;
    }
    let mut kept = Vec::new();
    for run in runs.iter() {
        for step in 0..run.len {
            let (at_b, at_a) = (run.b + step, run.a + step);
            if same(b, at_b as usize, a, at_a as usize) {
                push_run(&mut kept, Run { b: at_b, a: at_a, len: 1 });
            }
        }
    }
    *runs = kept;
    false
}

/// Whether a run is equal in both texts.
fn equal_text(b: &Tokens, a: &Tokens, run: &Run) -> bool {
    let (b_from, a_from, len) = (run.b as usize, run.a as usize, run.len as usize);
    // Up to the token behind the run, if there is one in both.
    let end = if (b.len() - b_from).min(a.len() - a_from) > len { len } else { len - 1 };
    let bytes = |tokens: &Tokens, from: usize| tokens.places.byte(from)..tokens.places.byte(from + end);
    let same = |at: usize| same(b, b_from + at, a, a_from + at);
    let all = same_words(b.text, bytes(b, b_from), a.text, bytes(a, a_from)) || (0..end).all(same);
    all && (end..len).all(same)
}

/// Most tokens by which a passage may hang over a block boundary.
const OVERHANG: u32 = 3;

/// Cuts off up to three tokens that hang over the boundary of a block in
/// either text: the end of one paragraph that happens to precede the passage
/// twice.
fn snap(b: &Tokens, a: &Tokens, min_tokens: usize, runs: &mut [Run]) {
    let Some(&first) = runs.first() else { return };
    let at_line = b.starts_line(first.b as usize) && a.starts_line(first.a as usize);
    let over =
        |step: &u32| b.starts_block((first.b + step) as usize) || a.starts_block((first.a + step) as usize);
    let cut = (1..=OVERHANG.min(first.len - 1)).rev().find(over).filter(|_| !at_line);
    if let Some(cut) = cut
        && matched(runs) >= min_tokens as u32 + cut
    {
        runs[0] = Run { b: first.b + cut, a: first.a + cut, len: first.len - cut };
    }
    let last = runs[runs.len() - 1];
    let at_line = b.starts_line(last.b_end() as usize) && a.starts_line(last.a_end() as usize);
    let over = |step: &u32| {
        b.starts_block((last.b_end() - step) as usize) || a.starts_block((last.a_end() - step) as usize)
    };
    let cut = (1..=OVERHANG.min(last.len - 1)).rev().find(over).filter(|_| !at_line);
    if let Some(cut) = cut
        && matched(runs) >= min_tokens as u32 + cut
        && let Some(last) = runs.last_mut()
    {
        last.len -= cut;
    }
}

/// The stretches of the later document in some runs: a token and a number of them.
pub(crate) fn in_b(runs: &[Run]) -> impl Iterator<Item = (u32, u32)> {
    runs.iter().map(|run| (run.b, run.len))
}

/// The number of matched tokens.
pub(crate) fn matched(runs: &[Run]) -> u32 {
    runs.iter().map(|run| run.len).sum()
}

/// Whether an alignment is long and alike enough to be a passage.
fn acceptable(runs: &[Run], min_tokens: usize) -> bool {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return false };
    let matched = matched(runs) as usize;
    let length = (last.b_end() - first.b).max(last.a_end() - first.a) as usize;
    if matched < min_tokens {
        return false;
    }
    // 0.85 at the shortest, falling evenly to 0.6 at five times that length.
    let beyond = length.saturating_sub(min_tokens).min(4 * min_tokens);
    let percent_wanted = 85 * 4 * min_tokens - 25 * beyond;
    matched * 100 * 4 * min_tokens >= percent_wanted * length
}

/// The part of a run that is whole lines in both texts, if it has one.
fn whole_lines(b: &Tokens, a: &Tokens, run: &Run) -> Option<Run> {
    let both = |step: &u32| b.starts_line((run.b + step) as usize) && a.starts_line((run.a + step) as usize);
    let from = (0..run.len).find(both)?;
    let to = (from + 1..=run.len).rev().find(both)?;
    let block = is_block(b, (run.b + from) as usize, (run.b + to) as usize);
    block.then_some(Run { b: run.b + from, a: run.a + from, len: to - from })
}

/// What alignments are judged by, on generated texts and by fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) mod twin {
    use super::*;
    use crate::extend;
    use crate::tokens::TokenChunk;

    const SHINGLE: usize = 3;

    /// Anchors at all places where two documents, or one with itself, have `SHINGLE` tokens
    /// in common.
    pub(crate) fn all_anchors<'t>(
        (later, b): (u32, &'t Tokens),
        (earlier, a): (u32, &'t Tokens),
    ) -> impl Iterator<Item = Anchor> {
        let places = |words: &'t [u32]| (0..).zip(words.windows(SHINGLE));
        places(b.words).flat_map(move |(at_b, x)| {
            let told = move |&(at_a, y): &(u32, &[u32])| x == y && (later != earlier || at_a < at_b);
            places(a.words).filter(told).map(move |(at_a, _)| Anchor::new(later, earlier, at_b, at_a))
        })
    }

    /// Judges the alignments of two texts along anchors at all places where
    /// they have `SHINGLE` tokens in common.
    pub(crate) fn check(b: &str, a: &str, own: bool) {
        const MIN_TOKENS: usize = 8;
        let chunk = TokenChunk::new([b, a].into_iter(), false);
        let b = chunk.get(0, b);
        let a = if own { chunk.get(0, b.text) } else { chunk.get(1, a) };
        let mut anchors: Vec<Anchor> = all_anchors((1, &b), (u32::from(own), &a)).collect();
        let mut told = vec![false; b.len()];
        anchors.sort_unstable();
        let mut scratch = Scratch::default();
        scratch.begin(b.len());
        align(&b, &a, own, MIN_TOKENS, &anchors, &mut scratch, |runs| {
            assert!(!runs.is_empty());
            for run in runs {
                assert!(run.len > 0 && run.b_end() as usize <= b.len() && run.a_end() as usize <= a.len());
                for step in 0..run.len as usize {
                    assert!(same(&b, run.b as usize + step, &a, run.a as usize + step));
                    told[run.b as usize + step] = true;
                }
            }
            for two in runs.windows(2) {
                assert!(two[0].b_end() <= two[1].b && two[0].a_end() <= two[1].a, "{runs:?}");
            }
            let last = runs[runs.len() - 1];
            assert!(!own || last.a_end() <= runs[0].b, "a text is no copy of itself: {runs:?}");
        });
        // Whatever is equal for so many tokens is told, wherever it stands, but
        // for what hangs over a boundary. In a document's own periods what is
        // told is chosen.
        let hangs = [b.text, a.text].iter().any(|text| text.contains('\n'));
        let cut = if hangs { OVERHANG as usize } else { 0 };
        for (at_b, x) in b.words.windows(MIN_TOKENS).enumerate().filter(|_| !own) {
            if a.words.windows(MIN_TOKENS).any(|y| x == y) {
                assert!(told[at_b + cut..at_b + MIN_TOKENS - cut].iter().all(|told| *told), "token {at_b}");
            }
        }
        if !own {
            extend::twin::check(b.words, a.words);
        }
    }

    /// Two texts from any bytes: words of a small vocabulary, of which the
    /// second text often says what the first said.
    pub(crate) fn texts(bytes: &[u8]) -> [String; 2] {
        let mut texts = [Vec::new(), Vec::new()];
        let mut which = 0;
        let mut bytes = bytes.iter();
        // All pairs of places are looked at, so they must not be many.
        while let Some(&byte) = bytes.next()
            && texts[0].len() + texts[1].len() < 400
        {
            match byte {
                // Something that was said before, from there on.
                0..=31 if !texts[0].is_empty() => {
                    let from = usize::from(byte) * 8 % texts[0].len();
                    let count = usize::from(bytes.next().copied().unwrap_or(8)) % 40;
                    let said: Vec<String> = texts[0][from..].iter().take(count).cloned().collect();
                    texts[which].extend(said);
                }
                32..=39 => which = 1 - which,
                40..=47 => texts[which].push("\n\n".to_owned()),
                48..=55 => texts[which].push("end.\n".to_owned()),
                _ => texts[which].push(format!(
                    "{}{}",
                    ["a", "word", "Wort"][usize::from(byte % 3)],
                    byte / 16
                )),
            }
        }
        texts.map(|words| words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::tokens::TokenChunk;
    use crate::{Config, DedupeOn, Detector, Document, Only};

    /// Pairs of words that have the same 32 bits.
    fn sharing_a_hash(count: usize) -> (Vec<String>, Vec<String>) {
        let mut seen = ahash::AHashMap::new();
        let words = (0..).map(|number| format!("w{number:x}"));
        let pairs = words.filter_map(|word| {
            let chunk = TokenChunk::new(std::iter::once(word.as_str()), false);
            let hash = chunk.get(0, &word).words[0];
            seen.insert(hash, word.clone()).map(|earlier| (earlier, word))
        });
        pairs.take(count).unzip()
    }

    /// What a text repeats of itself.
    fn own_runs(text: &str) -> Vec<Run> {
        let chunk = TokenChunk::new(std::iter::once(text), false);
        let tokens = chunk.get(0, text);
        let mut anchors: Vec<Anchor> = twin::all_anchors((0, &tokens), (0, &tokens)).collect();
        anchors.sort_unstable();
        let mut scratch = Scratch::default();
        scratch.begin(tokens.len());
        let mut found = Vec::new();
        align(&tokens, &tokens, true, 8, &anchors, &mut scratch, |runs| found.extend_from_slice(runs));
        found.sort_unstable();
        found
    }

    /// Of all distances at which a text that goes round and round equals itself, one tells it.
    #[test]
    fn a_text_that_goes_round_is_told_by_its_shortest_period() {
        let text = "Ahead. ".to_owned()
            + &"one two three four five six seven eight nine ten ".repeat(50)
            + "And on.";
        let rounds: Vec<Run> = (1..50).map(|round| Run { b: 1 + 10 * round, a: 1, len: 10 }).collect();
        assert_eq!(own_runs(&text), rounds);
    }

    proptest! {
        /// Whatever is left after the last whole period.
        #[test]
        fn all_of_a_text_that_goes_round_is_told(period in 1usize..25, len in 1usize..120) {
            let text: String = (0..len).map(|at| format!("word{} ", at % period)).collect();
            let mut told = vec![false; len];
            own_runs(&text).iter().for_each(|run| told[run.b as usize..run.b_end() as usize].fill(true));
            // As many whole periods as make a passage are not, if another passage follows.
            let first = period * 8usize.div_ceil(period);
            prop_assert!((0..len).all(|at| told[at] == (at >= first && len >= first + 8)), "{told:?}");
        }
    }

    /// In a crowd of copies, each with an edit of its own, the rest are not aligned
    /// along all of their length; what they have in common at their anchors is
    /// still told.
    #[test]
    fn enough_alignments_of_one_text_are_enough() {
        const CROWD: u32 = 40;
        let words = || (0..100).map(|number| format!("word{number}"));
        let edited = |edit: usize| -> String {
            words()
                .enumerate()
                .map(|(at, word)| if at == edit { "edited ".into() } else { word + " " })
                .collect()
        };
        let texts: Vec<String> =
            (0..CROWD as usize).map(|edit| edited(40 + edit)).chain([edited(0)]).collect();
        let chunk = TokenChunk::new(texts.iter().map(String::as_str), false);
        let get = |number: u32| chunk.get(number as usize, &texts[number as usize]);
        let b = get(CROWD);
        let mut scratch = Scratch::default();
        scratch.begin(b.len());
        let (mut long, mut told) = (0, 0);
        for earlier in 0..CROWD {
            let anchor = Anchor::new(CROWD, earlier, 20, 20);
            align(&b, &get(earlier), false, 8, &[anchor], &mut scratch, |runs| match runs {
                [run] => told += usize::from(run.b <= 20 && run.b_end() == 40 + earlier),
                _ => long += 1,
            });
        }
        assert_eq!((long, told), (deep(false).into(), CROWD as usize - usize::from(deep(false))));
    }

    proptest! {
        #[test]
        fn words_beside_a_place_equal_a_look_at_each(
            b in prop::collection::vec(0u32..6, 0..40),
            a in prop::collection::vec(0u32..6, 0..40),
            from in 0usize..40,
            len in 0usize..20,
            shift in -30isize..30,
        ) {
            let range = from.min(b.len())..(from + len).min(b.len());
            let is_near = |at: usize, other: usize| (at as isize + shift).abs_diff(other as isize) <= ASIDE;
            let stands = |at: usize| (0..a.len()).any(|other| is_near(at, other) && a[other] == b[at]);
            prop_assert_eq!(beside(&b, &a, shift, range.clone()), range.filter(|&at| stands(at)).count());
        }

        #[test]
        fn alignments_on_trust_are_those_of_a_look_at_each(
            texts in prop::collection::vec(prop::collection::vec((0usize..3, 0usize..8), 0..50), 2..5),
        ) {
            static SHARING: LazyLock<(Vec<String>, Vec<String>)> = LazyLock::new(|| sharing_a_hash(2));
            // Words of others' hashes are few among the rest.
            let word = |&(of, number): &(usize, usize)| match (of, number) {
                (0, 0 | 1) => SHARING.0[number].clone(),
                (1, 0 | 1) => SHARING.1[number].clone(),
                _ => format!("word{number}"),
            };
            let texts: Vec<String> = texts.iter().map(|words| words.iter().map(word).collect::<Vec<_>>().join(" ")).collect();
            let chunk = TokenChunk::new(texts.iter().map(String::as_str), false);
            let tokens: Vec<Tokens> = texts.iter().enumerate().map(|(number, text)| chunk.get(number, text)).collect();
            let mut anchors = Vec::new();
            for (later, b) in (0..).zip(&tokens) {
                for (earlier, a) in (0..=later).zip(&tokens) {
                    anchors.extend(twin::all_anchors((later, b), (earlier, a)));
                }
            }
            anchors.sort_unstable();
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            let of = |document: u32| &tokens[document as usize];
            align_all(&anchors, 0, of, |_, _, _| 4, |later, earlier, runs| found.push((later, earlier, runs.to_vec())));
            let mut scratch = Scratch::default();
            for of_one in anchors.chunk_by(|x, y| x.later() == y.later()) {
                scratch.begin(of(of_one[0].later()).len());
                for pair in of_pairs(of_one) {
                    let (later, earlier) = (pair[0].later(), pair[0].earlier());
                    align(of(later), of(earlier), later == earlier, 4, pair, &mut scratch, |runs| expected.push((later, earlier, runs.to_vec())));
                }
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn runs_are_equal_if_every_token_is(
            b in "([a-c'’é漢]{1,9}[ ,\n]{1,2}){1,12}",
            edits in prop::collection::vec(0u8..40, 100),
        ) {
            let edited = |(character, edit): (char, &u8)| match (edit, character) {
                (0..4, 'a'..='c') => character.to_ascii_uppercase().to_string(),
                (4..8, ' ') => "\n  ".to_owned(),
                (8..12, ' ' | ',') => "; ".to_owned(),
                (12, ' ') => " '".to_owned(),
                (13, 'a'..='c') => "d".to_owned(),
                (14, 'a'..='c') => "d c".to_owned(),
                _ => character.to_string(),
            };
            let a: String = b.chars().zip(edits.iter().cycle()).map(edited).collect();
            let chunk = TokenChunk::new([b.as_str(), a.as_str()].into_iter(), false);
            let (b, a) = (chunk.get(0, &b), chunk.get(1, &a));
            for start in 0..b.len().min(a.len()) {
                let len = (b.len().min(a.len()) - start) as u32;
                let run = Run { b: start as u32, a: start as u32, len };
                let expected = (start..start + len as usize).all(|at| same(&b, at, &a, at));
                prop_assert_eq!(equal_text(&b, &a, &run), expected);
            }
        }

        #[test]
        fn alignments_are_equal_stretches_and_tell_all(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let [b, a] = twin::texts(&bytes);
            twin::check(&b, &a, false);
            twin::check(&b, &a, true);
        }
    }

    /// Texts without a word in common, of which every word has the same 32 bits
    /// as the other's: nothing is told twice in them.
    #[test]
    fn words_made_to_share_a_hash_are_not_equal() {
        let (left, right) = sharing_a_hash(24);
        let same: Vec<String> = (0..100).map(|number| format!("same{number}")).collect();
        let text = |before: &[String], words: &[String]| [before, words].concat().join(" ");
        let documents = [
            ("a", &[][..], &left),
            ("b", &[], &right),
            ("c", &same, &left[..8].to_vec()),
            ("d", &same, &right[..8].to_vec()),
        ]
        .map(|(id, before, words)| Document::new(id, text(before, words)));
        for dedupe_on in [DedupeOn::Text, DedupeOn::Body] {
            let config = Config { dedupe_on, ..Config::default() };
            let report = Detector::new(config).unwrap().scan(&documents[..2]).unwrap();
            assert!(report.spans.is_empty() && report.families.is_empty(), "{:?}", report.spans);
            assert!(report.pairs.is_empty() && report.clusters.is_empty(), "{:?}", report.pairs);
            assert!(report.documents.iter().all(|row| row.scores.originality == Some(1.0)));
            let report = Detector::new(Config { dedupe_on, ..Config::default() })
                .unwrap()
                .scan(&documents[2..])
                .unwrap();
            // 96 of their shingles are of the same words, 8 are not in each.
            let pair = &report.pairs[0];
            assert_eq!((pair.resemblance, pair.shared_tokens), (96.0 / 112.0, 100));
        }
        let config = Config { only: Some(Only::Duplicates), ..Config::default() };
        let pairs = Detector::new(config).unwrap().scan(&documents).unwrap().pairs;
        assert_eq!(pairs.len(), 1);
        assert_eq!((pairs[0].resemblance, pairs[0].shared_tokens), (96.0 / 112.0, 100));
    }
}
