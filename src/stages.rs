//! Stages by themselves, for the benches in `benches/` and for `fuzz/`. Not part
//! of the interface: anything here may change in any release.

use crate::align::align_all;
use crate::anchors::{self, Anchor, anchors};
use crate::config::Config;
use crate::fingerprints::{self, Fingerprint, add_fingerprints, lengths_of, own_shingles};
use crate::postings::{Posting, groups};
use crate::shingles::shingles;
use crate::sketch::{Sketch, sketch};
use crate::tokens::{TokenChunk, Tokens};
use crate::twice::TwiceFilter;

/// Texts with their tokens.
#[derive(Debug)]
pub struct Prepared<'a> {
    texts: Vec<&'a str>,
    chunk: TokenChunk,
    config: Config,
}

impl<'a> Prepared<'a> {
    /// Splits texts into tokens.
    pub fn new(texts: Vec<&'a str>) -> Self {
        let chunk = TokenChunk::new(texts.iter().copied(), false);
        Prepared { texts, chunk, config: Config::default() }
    }

    fn each(&self) -> impl Iterator<Item = Tokens<'_>> {
        self.texts.iter().enumerate().map(|(number, text)| self.chunk.get(number, text))
    }

    /// The number of tokens.
    pub fn tokens(&self) -> usize {
        self.each().map(|tokens| tokens.len()).sum()
    }

    /// Shingles all texts; returns a sum that depends on every hash.
    pub fn shingles(&self) -> u64 {
        let mut hashes = Vec::new();
        let one = |tokens: Tokens| {
            shingles(tokens.words, self.config.shingle, &mut hashes);
            hashes.iter().fold(0, |sum: u64, hash| sum.wrapping_add(*hash))
        };
        self.each().map(one).fold(0, u64::wrapping_add)
    }

    /// Sketches all texts; returns a sum that depends on every sketch.
    pub fn sketches(&self) -> u64 {
        let mut hashes = Vec::new();
        let one = |tokens: Tokens| {
            shingles(tokens.words, self.config.shingle, &mut hashes);
            let sketch: Sketch<128> = sketch(&hashes);
            u64::from(sketch[0])
        };
        self.each().map(one).fold(0, u64::wrapping_add)
    }

    /// Fingerprints all texts; returns how many there are.
    pub fn fingerprints(&self) -> usize {
        self.found().len()
    }

    fn found(&self) -> Vec<Fingerprint> {
        let (mut found, mut scratch) = (Vec::new(), fingerprints::Scratch::default());
        let mut own = Vec::new();
        for (document, tokens) in (0..).zip(self.each()) {
            own_shingles(&tokens, &self.config, &mut own);
            add_fingerprints(document, &tokens, &own, &self.config, &mut scratch, &mut found);
        }
        found
    }

    /// The anchors of all texts, grouped by pairs of documents.
    pub fn anchors(&self) -> Anchored {
        let mut fingerprints = self.found();
        let words = |document: u32| self.chunk.get(document as usize, self.texts[document as usize]).words;
        let mut found = Vec::new();
        let mut scratch = anchors::Scratch::default();
        let mut filter = TwiceFilter::default();
        let recurring = filter.recurring(&mut fingerprints, Fingerprint::half);
        let mut postings: Vec<Posting> = recurring.iter().map(|one| Posting::new(one, 0)).collect();
        for group in groups(&mut postings, &mut Vec::new()) {
            let lengths = lengths_of(group[0].key, &self.config).of_runs();
            anchors(group, words, lengths, &mut scratch, |anchor| found.push(anchor));
        }
        found.sort_unstable();
        Anchored(found)
    }

    /// Aligns along anchors; returns the matched tokens.
    pub fn align(&self, anchored: &Anchored) -> u64 {
        let tokens: Vec<Tokens> = self.each().collect();
        let mut matched = 0;
        align_all(
            &anchored.0,
            0,
            |document| &tokens[document as usize],
            |_, _, _| self.config.min_tokens,
            |_, _, runs| matched += u64::from(crate::align::matched(runs)),
        );
        matched
    }
}

/// Anchors to align along.
#[derive(Clone, Debug)]
pub struct Anchored(Vec<Anchor>);

/// Judges the tokens of a text by their slow twin.
#[cfg(fuzzing)]
pub fn check_tokens(text: &str) {
    crate::tokens::twin::check(text);
}

/// Judges alignments of texts made of any bytes.
#[cfg(fuzzing)]
pub fn check_alignment(bytes: &[u8]) {
    let [b, a] = crate::align::twin::texts(bytes);
    crate::align::twin::check(&b, &a, false);
    crate::align::twin::check(&b, &a, true);
}
