//! The documents of a scan, numbered in order, with their tokens.

use ahash::AHashMap;

use crate::document::Document;
use crate::hash;
use crate::tokens::{TokenChunk, Tokens};

/// Documents in order of date and id, dated ones first.
pub(crate) struct Collection<'a> {
    pub documents: Vec<&'a Document>,
    /// Ranges of documents whose tokens lie together.
    ranges: Vec<std::ops::Range<usize>>,
    chunks: Vec<TokenChunk>,
    /// The chunk of every document.
    chunk: Vec<u32>,
}

/// Text in a chunk, about.
const CHUNK_BYTES: usize = 1 << 20;

impl<'a> Collection<'a> {
    /// Numbers the documents; their tokens are added with [`Collection::fill`].
    pub(crate) fn new(documents: &'a [Document]) -> Self {
        let mut documents: Vec<&Document> = documents.iter().collect();
        let order = |document: &&Document| {
            let date = document.date.as_ref().map(|date| date.seconds());
            (date.is_none(), date)
        };
        documents.sort_unstable_by(|x, y| (order(x), &x.id).cmp(&(order(y), &y.id)));
        let mut ranges = Vec::new();
        let mut chunk = Vec::with_capacity(documents.len());
        let (mut start, mut bytes) = (0, 0);
        for (at, document) in documents.iter().enumerate() {
            chunk.push(ranges.len() as u32);
            bytes += document.text.len();
            if bytes >= CHUNK_BYTES || at + 1 == documents.len() {
                ranges.push(start..at + 1);
                (start, bytes) = (at + 1, 0);
            }
        }
        Collection { documents, ranges, chunks: Vec::new(), chunk }
    }

    pub(crate) fn len(&self) -> usize {
        self.documents.len()
    }

    /// Ranges of documents of about a megabyte of text each, to be worked on
    /// together.
    pub(crate) fn ranges(&self) -> &[std::ops::Range<usize>] {
        &self.ranges
    }

    /// The texts of a range.
    pub(crate) fn texts(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = &'a str> + Clone + '_ {
        self.documents[range].iter().map(|document| document.text.as_str())
    }

    /// Takes the tokens of every range, in order.
    pub(crate) fn fill(&mut self, chunks: Vec<TokenChunk>) {
        self.chunks = chunks;
    }

    /// The tokens of a document.
    #[inline]
    pub(crate) fn tokens(&self, document: u32) -> Tokens<'_> {
        let chunk = self.chunk[document as usize] as usize;
        let number = document as usize - self.ranges[chunk].start;
        self.chunks[chunk].get(number, &self.documents[document as usize].text)
    }

    /// For every document the first one with the same tokens, which may be
    /// itself. Documents without tokens are alone.
    pub(crate) fn originals(&self, hashes: &[u64]) -> Vec<u32> {
        let mut seen: AHashMap<u64, Vec<u32>> = AHashMap::with_capacity(self.len());
        let original = |(document, &hash): (u32, &u64)| {
            let words = self.tokens(document).words;
            if words.is_empty() {
                return document;
            }
            let same_hash = seen.entry(hash).or_default();
            let earlier = same_hash.iter().find(|&&earlier| self.same_tokens(earlier, document));
            earlier.copied().unwrap_or_else(|| {
                same_hash.push(document);
                document
            })
        };
        (0..).zip(hashes).map(original).collect()
    }

    /// Whether two documents have the same tokens, judged by their text where
    /// it differs.
    fn same_tokens(&self, a: u32, b: u32) -> bool {
        let (a, b) = (self.tokens(a), self.tokens(b));
        a.words == b.words
            && (a.text == b.text || (0..a.len()).all(|at| a.token(at).hash == b.token(at).hash))
    }

    /// The stable hash of a document's tokens.
    pub(crate) fn hash(&self, document: u32) -> u64 {
        hash::words(self.tokens(document).words)
    }
}
