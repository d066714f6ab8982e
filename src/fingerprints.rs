//! Fingerprints: the few shingles of a document by which passages are found.
//!
//! Winnowing (Schleimer, Wilkerson, Aiken, *Winnowing: Local Algorithms for
//! Document Fingerprinting*, SIGMOD 2003): of every `w` consecutive shingles the
//! one whose hash begins with the least 30 bits is kept, the rightmost of equals. Two texts
//! with a common run of `k + w - 1` tokens therefore share a fingerprint. Shingles of
//! too little information (rows of one word, single letters, lone digits) are
//! passed over before the choice: they recur by accident and would crowd out
//! what tells texts apart. A shingle needs three distinct tokens and 2k bytes up
//! to its last token.
//!
//! Lines and paragraphs too short to be sure of a fingerprint are hashed whole,
//! so that a heading of two words is found where it stands alone again.

use std::ops::Range;

use crate::bits::ones;
use crate::config::{Config, Lengths};
use crate::hash;
use crate::lanes::{LANES, Lanes};
use crate::shingles::shingles;
use crate::tokens::Tokens;

/// Fewest tokens, and fewest bytes, of a line or paragraph hashed whole.
const BLOCK_TOKENS: usize = 2;
const BLOCK_BYTES: usize = 6;

/// One fingerprint of one document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub key: u64,
    pub document: u32,
    /// The token that it begins with.
    pub position: u32,
}

impl Fingerprint {
    /// The first half of its key.
    #[inline]
    pub(crate) fn half(&self) -> u32 {
        (self.key >> 32) as u32
    }
}

/// Buffers that live as long as their worker.
#[derive(Default)]
pub(crate) struct Scratch {
    hashes: Vec<u64>,
    /// What is winnowed by.
    ranks: Vec<u32>,
}

/// Writes the shingles of a document into `out`, of the length that holds for most of it.
pub(crate) fn own_shingles(tokens: &Tokens, config: &Config, out: &mut Vec<u64>) {
    shingles(tokens.words, config.lengths(tokens.characters).shingle, out);
}

/// Appends the fingerprints of a document, in order, and then one for every block that
/// is not sure to hold one. Returns the number of the former. `own` are
/// [`own_shingles`].
///
/// Stretches of words in a document of single characters, or the other way round,
/// have fingerprints of their own lengths besides, by which they are found in
/// documents of their sort.
pub(crate) fn add_fingerprints(
    document: u32,
    tokens: &Tokens,
    own: &[u64],
    config: &Config,
    scratch: &mut Scratch,
    found: &mut Vec<Fingerprint>,
) -> usize {
    let Scratch { hashes, ranks } = scratch;
    let mut add = |range, hashes: &[u64], characters, found: &mut Vec<Fingerprint>| {
        select(tokens, range, hashes, (config, characters), ranks, |key, position| {
            found.push(Fingerprint { key, document, position: position as u32 });
        });
    };
    let from = found.len();
    add(0..tokens.len(), own, tokens.characters, found);
    let to = found.len();
    blocks(document, tokens, config, from..to, found);
    if has_sorts(config) {
        let characters = !tokens.characters;
        for &(from, to) in tokens.others {
            let range = from as usize..to as usize;
            shingles(&tokens.words[range.clone()], config.lengths(characters).shingle, hashes);
            add(range, hashes, characters, found);
        }
    }
    to - from
}

/// Passes in which fingerprints that are held in little are read.
pub(crate) const PASSES: usize = 4;

/// The fingerprints of some documents that are read in one pass, held in little: a bit at
/// every token that one of the document's own begins with, since their keys can be made
/// again, and the others as they are. The first bits of a key tell its pass.
pub(crate) struct Marked {
    /// Those of each document begin a word.
    marks: Vec<u64>,
    others: Vec<Fingerprint>,
}

impl Marked {
    /// None, but with room for those of so many documents and tokens in all.
    pub(crate) fn with_capacity(documents: usize, tokens: usize) -> Self {
        Marked { marks: Vec::with_capacity(documents + tokens / 64), others: Vec::new() }
    }

    /// Adds what [`add_fingerprints`] found in a document, of which the first are its `own`, to
    /// those of all passes.
    pub(crate) fn add(passes: &mut [Marked; PASSES], tokens: &Tokens, found: &[Fingerprint], own: usize) {
        const BITS: u32 = PASSES.ilog2();
        let pass = |one: &Fingerprint| (one.key >> (u64::BITS - BITS)) as usize;
        let first = passes[0].marks.len();
        for Marked { marks, .. } in passes.iter_mut() {
            marks.resize(first + tokens.len().div_ceil(64), 0);
        }
        let (own, others) = found.split_at(own);
        for one in own {
            passes[pass(one)].marks[first + one.position as usize / 64] |= 1 << (one.position % 64);
        }
        others.iter().for_each(|one| passes[pass(one)].others.push(*one));
    }

    /// What was added, to be read in the same order.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { marks: &self.marks, others: &self.others }
    }
}

/// What is left of the fingerprints of some documents.
pub(crate) struct Reader<'m> {
    marks: &'m [u64],
    others: &'m [Fingerprint],
}

impl Reader<'_> {
    /// Calls `found` with every fingerprint of the next document, in the order in which they
    /// were found.
    pub(crate) fn next(
        &mut self,
        document: u32,
        tokens: &Tokens,
        config: &Config,
        mut found: impl FnMut(Fingerprint),
    ) {
        let k = config.lengths(tokens.characters).shingle;
        let marks = self.marks.split_off(..tokens.len().div_ceil(64)).expect("added");
        for (at, &word) in marks.iter().enumerate() {
            for bit in ones(word) {
                let position = 64 * at + bit;
                let words = &tokens.words[position..position + k];
                // Almost always of five, which needs no loop.
                let hash = words
                    .first_chunk::<5>()
                    .filter(|_| k == 5)
                    .map_or_else(|| hash::words(words), |five| hash::words(five));
                let key = key(hash, tokens.characters, config);
                found(Fingerprint { key, document, position: position as u32 });
            }
        }
        let others = self.others.iter().take_while(|one| one.document == document).count();
        self.others.split_off(..others).expect("so many").iter().copied().for_each(found);
    }
}

/// Calls `found` with the key and the position of every fingerprint in a range of
/// tokens, which has these shingles, in order.
fn select(
    tokens: &Tokens,
    range: Range<usize>,
    hashes: &[u64],
    (config, characters): (&Config, bool),
    ranks: &mut Vec<u32>,
    mut found: impl FnMut(u64, usize),
) {
    let lengths = config.lengths(characters);
    let k = lengths.shingle;
    if range.len() < k {
        return;
    }
    rank_all(tokens, range.clone(), k, hashes, ranks);
    winnow(ranks, lengths.window, |at| found(key(hashes[at], characters, config), range.start + at));
}

/// Whether other lengths hold for single characters than for words.
fn has_sorts(config: &Config) -> bool {
    config.lengths(true) != config.lengths(false)
}

/// The key of a hash: its last bit says whose lengths hold for what has it. The first
/// bits of the least of some hashes are mostly zeros, so the others come before them:
/// keys are divided by their first bits into parts of one size.
fn key(hash: u64, characters: bool, config: &Config) -> u64 {
    hash.rotate_left(32) & !1 | u64::from(characters && has_sorts(config))
}

/// The lengths that hold for a key, of which this is the last part, in whatever document it
/// is.
pub(crate) fn lengths_of(key: u32, config: &Config) -> Lengths {
    config.lengths(key & 1 != 0)
}

/// The rank of a shingle that is not to be selected, behind all others.
const PASSED_OVER: u32 = i32::MAX as u32;

/// The ranks of shingles: the first 30 bits of their hashes, but for those that tell too
/// little.
fn rank_all(tokens: &Tokens, range: Range<usize>, k: usize, hashes: &[u64], ranks: &mut Vec<u32>) {
    let words = &tokens.words[range.clone()];
    let least = if tokens.split { k - 1 } else { 2 * k };
    let rank = |hash: u64| (hash >> 34) as u32;
    let exactly = |at: usize| {
        // In bytes, up to the last token.
        let [first, last] = [at, at + k - 1].map(|at| tokens.places.byte(range.start + at));
        let tells = last - first >= least && three_distinct(&words[at..at + k]);
        if tells { rank(hashes[at]) } else { PASSED_OVER }
    };
    ranks.clear();
    ranks.extend(hashes.iter().map(|&hash| rank(hash)));
    let (chunks, rest) = ranks.as_chunks_mut::<LANES>();
    let start = hashes.len() - rest.len();
    (start..).zip(rest).for_each(|(at, rank)| *rank = exactly(at));
    // Most tell enough for sure, by their first three words.
    for (start, chunk) in (0..).step_by(LANES).zip(chunks) {
        let words = &words[start..];
        let [x, y, z] = [0, 1, 2].map(|by| words[by..].first_chunk().expect("more than ranks"));
        let equal = |x, y| Lanes::equal_each(x, y);
        let short = tokens.places.may_be_less(range.start + start, k - 1, least);
        let doubtful = equal(x, y).or(equal(y, z)).or(equal(x, z)).or(short).bits();
        ones(doubtful.into()).for_each(|at| chunk[at] = exactly(start + at));
    }
}

/// The widest window of which many are looked at together.
const WIDE: usize = u64::BITS as usize - LANES + 1;

/// Calls `select` with the position of the least rank of every window, the rightmost of
/// equals, each position once, in order. [`PASSED_OVER`] is never selected. What is in
/// `ranks` afterwards is of no use.
///
/// A rank is the least of a window if the ranks before it that are not less, and those
/// behind it that are greater, come to a window together with it. For sixteen ranks each
/// of these questions has one answer of sixteen bits.
fn winnow(ranks: &mut Vec<u32>, window: usize, mut select: impl FnMut(usize)) {
    let count = ranks.len();
    let window = window.min(count);
    if window > WIDE {
        return winnow_wide(ranks, window, select);
    }
    // Behind the last nothing is greater.
    ranks.resize(count + LANES + window, 0);
    // Whether ranks are less than the one so many places on: of these sixteen in the
    // highest bits, and of those before them.
    let mut less = [u64::MAX; WIDE];
    for start in (0..count).step_by(LANES) {
        let some = ranks[start..].first_chunk().expect("room behind the last");
        // Whether so many before each are not less, and so many behind it greater.
        let (mut before, mut behind) = ([u16::MAX; WIDE], [u16::MAX; WIDE]);
        for by in 1..window {
            let others = ranks[start + by..].first_chunk().expect("room behind the last");
            let here = Lanes::less_each(some, others).bits();
            less[by] = less[by] >> LANES | (u64::from(here) << (WIDE - 1));
            before[by] = before[by - 1] & !(less[by] << by >> (WIDE - 1)) as u16;
            behind[by] = behind[by - 1] & here;
        }
        let least = (0..window).fold(0, |found, by| found | before[by] & behind[window - 1 - by]);
        let there = u16::MAX >> LANES.saturating_sub(count - start);
        for at in ones((least & there).into()).map(|bit| start + bit) {
            if ranks[at] != PASSED_OVER {
                select(at);
            }
        }
    }
}

/// The same of wider windows, one after the other.
fn winnow_wide(ranks: &[u32], window: usize, mut select: impl FnMut(usize)) {
    let mut best = usize::MAX;
    for end in window..=ranks.len() {
        let start = end - window;
        let before = best;
        if best == usize::MAX || best < start {
            best = start;
            for at in start + 1..end {
                if ranks[at] <= ranks[best] {
                    best = at;
                }
            }
        } else if ranks[end - 1] <= ranks[best] {
            best = end - 1;
        }
        if best != before && ranks[best] != PASSED_OVER {
            select(best);
        }
    }
}

/// Whether there are three distinct words among at least three.
#[inline]
fn three_distinct(words: &[u32]) -> bool {
    let (x, y, z) = (words[0], words[1], words[2]);
    (x != y) & (y != z) & (x != z) || {
        let second = words.iter().find(|&&word| word != x);
        second.is_some_and(|second| words.iter().any(|word| word != second && *word != x))
    }
}

/// Hashes each line, and each paragraph of several lines, that is too short to
/// be sure of a fingerprint or holds none; those of the document are `own`.
fn blocks(document: u32, tokens: &Tokens, config: &Config, own: Range<usize>, found: &mut Vec<Fingerprint>) {
    let lengths = config.lengths(tokens.characters);
    let mut unseen = own.start;
    let mut paragraph = 0;
    let mut line = 0;
    while line < tokens.len() {
        let end = tokens.places.next_line(line + 1);
        let selected = &found[..own.end];
        // Those selected before this line lie behind.
        unseen += selected[unseen..].iter().take_while(|one| (one.position as usize) < line).count();
        // In a line below the guaranteed length the choice of a fingerprint
        // depends on what surrounds it.
        let bare = |from: usize, next: Option<&Fingerprint>| {
            (end - from < lengths.shingle + lengths.window - 1
                || next.is_none_or(|next| next.position as usize + lengths.shingle > end))
                && is_block(tokens, from, end)
        };
        let bare_line = bare(line, selected.get(unseen));
        let mut bare_paragraph = false;
        if tokens.starts_block(end) && paragraph != line {
            let selected = &selected[own.start..];
            let next = selected.partition_point(|one| (one.position as usize) < paragraph);
            bare_paragraph = bare(paragraph, selected.get(next));
        }
        let mut add = |from: usize| {
            let key = block(tokens, from..end, config);
            found.push(Fingerprint { key, document, position: from as u32 });
        };
        if bare_line {
            add(line);
        }
        if bare_paragraph {
            add(paragraph);
        }
        if tokens.starts_block(end) {
            paragraph = end;
        }
        line = end;
    }
}

/// Whether a range of tokens is long enough to be looked for as a block.
pub(crate) fn is_block(tokens: &Tokens, from: usize, end: usize) -> bool {
    end - from >= BLOCK_TOKENS && tokens.token(end - 1).end - tokens.places.byte(from) >= BLOCK_BYTES
}

/// Blocks have keys of their own, so that they never meet a shingle. Their first token
/// says of which sort they are, since their document may be of the other.
fn block(tokens: &Tokens, range: Range<usize>, config: &Config) -> u64 {
    let characters = tokens.token(range.start).single;
    key(hash::mix(hash::words(&tokens.words[range]) ^ 0x626c_6f63_6b73), characters, config)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokens::TokenChunk;

    fn keys(text: &str) -> Vec<(u64, u32)> {
        let chunk = TokenChunk::new(std::iter::once(text), false);
        let (tokens, config) = (chunk.get(0, text), Config::default());
        let (mut own, mut found) = (Vec::new(), Vec::new());
        own_shingles(&tokens, &config, &mut own);
        add_fingerprints(7, &tokens, &own, &config, &mut Scratch::default(), &mut found);
        assert!(found.iter().all(|one| one.document == 7));
        found.into_iter().map(|one| (one.key, one.position)).collect()
    }

    #[test]
    fn short_blocks_are_hashed_whole() {
        let found = keys("728 x 90\n\nYes\n\nA heading here\nand more");
        let places: Vec<u32> = found.iter().map(|&(_, at)| at).collect();
        // After the fingerprints of the nine tokens, three lines; a lone word is
        // no block.
        assert_eq!(places[places.len() - 3..], [0, 4, 7]);
    }

    #[test]
    fn text_without_information_is_only_a_block() {
        for text in ["again ".repeat(100), "1 2 3 4 5 6 7 8 9 ".repeat(20)] {
            let found = keys(&text);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].1, 0);
        }
    }

    #[test]
    fn keys_begin_with_either_bit_equally_often() {
        let text: String = (0..10_000).map(|number| format!("word{} ", number * number)).collect();
        let found = keys(&text);
        let high = found.iter().filter(|(key, _)| key >> 63 == 1).count();
        assert!(
            (found.len() * 45 / 100..found.len() * 55 / 100).contains(&high),
            "{high} of {}",
            found.len()
        );
    }

    proptest! {
        #[test]
        fn winnowing_selects_the_rightmost_least_of_each_window(
            ranks in prop::collection::vec(prop_oneof![0u32..6, Just(PASSED_OVER), 0..PASSED_OVER], 1..150),
            window in prop_oneof![1usize..8, 1usize..100],
        ) {
            let mut found = Vec::new();
            winnow(&mut ranks.clone(), window, |at| found.push(at));
            let mut expected: Vec<usize> = Vec::new();
            for start in 0..=ranks.len() - window.min(ranks.len()) {
                let range = start..start + window.min(ranks.len());
                let least = range.clone().map(|at| ranks[at]).min().unwrap();
                let at = range.rev().find(|&at| ranks[at] == least).unwrap();
                if least != PASSED_OVER && expected.last() != Some(&at) {
                    expected.push(at);
                }
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn marked_fingerprints_are_read_as_they_were_found(
            texts in prop::collection::vec(prop::collection::vec(prop_oneof![6 => "[a-z]{2,6}", 1 => "[a-z]{3,9}\n\n", 2 => "[一-九]{9,30}"], 0..60), 1..6),
            shingle in prop_oneof![Just(5usize), 3usize..8],
        ) {
            let texts: Vec<String> = texts.iter().map(|words| words.join(" ")).collect();
            let chunk = TokenChunk::new(texts.iter().map(String::as_str), false);
            let config = Config { shingle, ..Config::default() };
            let mut marked: [Marked; PASSES] = std::array::from_fn(|_| Marked::with_capacity(0, 0));
            let mut expected = Vec::new();
            for (document, text) in (0..).zip(&texts) {
                let (tokens, from) = (chunk.get(document as usize, text), expected.len());
                let mut own = Vec::new();
                own_shingles(&tokens, &config, &mut own);
                let own = add_fingerprints(document, &tokens, &own, &config, &mut Scratch::default(), &mut expected);
                Marked::add(&mut marked, &tokens, &expected[from..], own);
            }
            for (pass, marked) in (0..).zip(&marked) {
                let (mut reader, mut found) = (marked.reader(), Vec::new());
                for (document, text) in (0..).zip(&texts) {
                    reader.next(document, &chunk.get(document as usize, text), &config, |one| found.push(one));
                }
                let of_pass = expected.iter().filter(|one| one.key >> 62 == pass);
                prop_assert!(of_pass.eq(&found));
            }
        }

        #[test]
        fn ranks_pass_over_what_tells_too_little(words in prop::collection::vec(prop_oneof!["[a-c]", "[a-z]{2,6}"], 3..60), k in 3usize..8) {
            let text = words.join(" ");
            let chunk = TokenChunk::new(std::iter::once(&*text), false);
            let tokens = chunk.get(0, &text);
            prop_assume!(tokens.len() >= k);
            let (mut hashes, mut ranks) = (Vec::new(), Vec::new());
            shingles(tokens.words, k, &mut hashes);
            rank_all(&tokens, 0..tokens.len(), k, &hashes, &mut ranks);
            prop_assert_eq!(ranks.len(), tokens.len() + 1 - k);
            for (at, (rank, hash)) in ranks.into_iter().zip(hashes).enumerate() {
                let distinct: std::collections::BTreeSet<u32> = tokens.words[at..at + k].iter().copied().collect();
                let bytes = tokens.places.byte(at + k - 1) - tokens.places.byte(at);
                let tells = distinct.len() >= 3 && bytes >= 2 * k;
                prop_assert_eq!(rank, if tells { (hash >> 34) as u32 } else { PASSED_OVER });
            }
        }

        #[test]
        fn texts_with_eight_tokens_in_common_share_a_fingerprint(
            common in prop::collection::vec("[a-z]{3,6}", 8..12),
            before in prop::collection::vec("[a-z]{3,6}", 0..9),
            after in prop::collection::vec("[a-z]{3,6}", 0..9),
        ) {
            prop_assume!(common.iter().collect::<std::collections::BTreeSet<_>>().len() >= common.len() - 1);
            let one = keys(&common.join(" "));
            let other = keys(&[before, common, after].concat().join(" "));
            prop_assert!(one.iter().any(|(key, _)| other.iter().any(|(k, _)| k == key)));
        }
    }
}
