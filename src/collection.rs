//! The documents of a scan, numbered in order, with their tokens.

use std::ops::Range;

use ahash::AHashMap;

use crate::document::Document;
use crate::hash;
use crate::tokens::{TokenChunk, Tokens};

/// Documents in order of date and id, dated ones first, in ranges to be worked
/// on together.
pub(crate) struct Order<'a> {
    pub documents: Vec<&'a Document>,
    /// Of about a megabyte of text each.
    pub ranges: Vec<Range<usize>>,
}

/// Text in a range, about.
const RANGE_BYTES: usize = 1 << 20;

impl<'a> Order<'a> {
    pub(crate) fn new(documents: &'a [Document]) -> Self {
        let mut documents: Vec<&Document> = documents.iter().collect();
        let order = |document: &&Document| {
            let date = document.date.as_ref().map(|date| date.seconds());
            (date.is_none(), date)
        };
        documents.sort_unstable_by(|x, y| (order(x), &x.id).cmp(&(order(y), &y.id)));
        let mut ranges = Vec::new();
        let (mut start, mut bytes) = (0, 0);
        for (at, document) in documents.iter().enumerate() {
            bytes += document.text.len();
            if bytes >= RANGE_BYTES || at + 1 == documents.len() {
                ranges.push(start..at + 1);
                (start, bytes) = (at + 1, 0);
            }
        }
        Order { documents, ranges }
    }

    /// The texts of a range.
    pub(crate) fn texts(&self, range: Range<usize>) -> impl Iterator<Item = &'a str> + Clone + '_ {
        self.documents[range].iter().map(|document| document.text.as_str())
    }
}

/// Numbered documents with their tokens.
pub(crate) struct Collection<'a> {
    pub documents: Vec<&'a Document>,
    pub ranges: Vec<Range<usize>>,
    tokens: Vec<Tokens<'a>>,
}

impl<'a> Collection<'a> {
    /// Takes the tokens of every range, in order.
    pub(crate) fn new(order: Order<'a>, chunks: &'a [TokenChunk]) -> Self {
        let Order { documents, ranges } = order;
        let tokens = ranges.iter().zip(chunks).flat_map(|(range, chunk)| {
            documents[range.clone()].iter().enumerate().map(|(at, document)| chunk.get(at, &document.text))
        });
        let tokens = tokens.collect();
        Collection { tokens, documents, ranges }
    }

    pub(crate) fn len(&self) -> usize {
        self.documents.len()
    }

    /// The tokens of a document.
    #[inline]
    pub(crate) fn tokens(&self, document: u32) -> &Tokens<'a> {
        &self.tokens[document as usize]
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
