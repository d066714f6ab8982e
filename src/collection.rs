//! The documents of a scan, numbered in order, with their tokens.

use std::ops::Range;

use crate::document::Document;
use crate::tokens::Tokens;

/// Ignored texts, then documents of another collection, then those to be
/// judged; each in order of date and id, dated ones first, in ranges to be
/// worked on together.
pub(crate) struct Order<'a> {
    pub documents: Vec<&'a Document>,
    /// Who is told what of whom.
    pub roles: Roles,
    /// Of about as much text each.
    pub ranges: Vec<Range<usize>>,
}

/// Where the documents of each role begin. What comes before can be told again
/// by what comes after, never the other way round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roles {
    /// The first document that is no ignored text.
    pub told: u32,
    /// The first document to be judged; those before it are of another
    /// collection.
    pub judged: u32,
    /// Whether only what judged documents take from the other collection
    /// counts.
    pub against: bool,
}

impl Roles {
    /// Whether it matters that a later document repeats an earlier one.
    #[inline]
    pub(crate) fn relates(&self, later: u32, earlier: u32) -> bool {
        match () {
            () if earlier < self.told => later >= self.told,
            () if self.against => earlier < self.judged && later >= self.judged,
            () => true,
        }
    }
}

impl<'a> Order<'a> {
    /// In ranges of about so many bytes of text. `ignored` texts keep their order.
    pub(crate) fn new(
        ignored: &'a [Document],
        against: Option<&'a [Document]>,
        documents: &'a [Document],
        range_bytes: usize,
    ) -> Self {
        let order = |document: &&Document| {
            let date = document.date.as_ref().map(|date| date.seconds());
            (date.is_none(), date)
        };
        let sorted = |documents: &'a [Document]| {
            let mut documents: Vec<&Document> = documents.iter().collect();
            documents.sort_unstable_by(|x, y| (order(x), &x.id).cmp(&(order(y), &y.id)));
            documents
        };
        let old = sorted(against.unwrap_or_default());
        let (told, judged) = (ignored.len() as u32, (ignored.len() + old.len()) as u32);
        let roles = Roles { told, judged, against: against.is_some() };
        let documents: Vec<&Document> = ignored.iter().chain(old).chain(sorted(documents)).collect();
        let mut ranges = Vec::new();
        let (mut start, mut bytes) = (0, 0);
        for (at, document) in documents.iter().enumerate() {
            bytes += document.text.len();
            if bytes >= range_bytes || at + 1 == documents.len() {
                ranges.push(start..at + 1);
                (start, bytes) = (at + 1, 0);
            }
        }
        Order { documents, roles, ranges }
    }

    /// The texts of a range.
    pub(crate) fn texts(&self, range: Range<usize>) -> impl Iterator<Item = &'a str> + Clone + '_ {
        self.documents[range].iter().map(|document| document.text.as_str())
    }
}

/// Numbered documents with their tokens.
pub(crate) struct Collection<'a> {
    pub documents: &'a [&'a Document],
    pub roles: Roles,
    pub ranges: &'a [Range<usize>],
    tokens: Vec<Tokens<'a>>,
}

impl<'a> Collection<'a> {
    /// Takes the tokens of all documents, in order.
    pub(crate) fn new(order: &'a Order<'a>, tokens: Vec<Tokens<'a>>) -> Self {
        let Order { documents, roles, ranges } = order;
        Collection { tokens, documents, roles: *roles, ranges }
    }

    pub(crate) fn len(&self) -> usize {
        self.documents.len()
    }

    /// The tokens of a document.
    #[inline]
    pub(crate) fn tokens(&self, document: u32) -> &Tokens<'a> {
        &self.tokens[document as usize]
    }

    /// Which of some documents are not the first with their tokens, each with the one that
    /// is. Given are all whose hash of their tokens is among some hashes, in order. Ignored texts
    /// and documents without tokens are alone, and so are those to be judged of which only
    /// other judged ones have the tokens, if these do not count.
    pub(crate) fn repeats(&self, mut hashes: Vec<(u64, u32)>) -> Vec<(u32, u32)> {
        let is_alone = |document: u32| document < self.roles.told || self.tokens(document).words.is_empty();
        hashes.retain(|&(_, document)| !is_alone(document));
        hashes.sort_unstable();
        let mut found = Vec::new();
        let mut firsts = Vec::new();
        for same_hash in hashes.chunk_by(|x, y| x.0 == y.0) {
            firsts.clear();
            for &(_, document) in same_hash {
                match firsts.iter().find(|&&earlier| self.same_tokens(earlier, document)) {
                    Some(&earlier) if self.roles.against && earlier >= self.roles.judged => {}
                    Some(&earlier) => found.push((document, earlier)),
                    None => firsts.push(document),
                }
            }
        }
        found
    }

    /// Whether two documents have the same tokens, judged by their folded text
    /// where it differs.
    fn same_tokens(&self, a: u32, b: u32) -> bool {
        let (a, b) = (self.tokens(a), self.tokens(b));
        let spelled = |tokens: &Tokens| {
            let mut all = Vec::with_capacity(tokens.text.len());
            tokens.each_folded(|folded| {
                all.extend_from_slice(folded);
                all.push(b' ');
            });
            all
        };
        a.words == b.words && (a.text == b.text || spelled(a) == spelled(b))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokens::TokenChunk;

    proptest! {
        #[test]
        fn first_copies_equal_a_look_at_all_earlier_ones(words in prop::collection::vec(prop::collection::vec(0usize..2, 0..4), 0..12), against in prop::option::of(0usize..12), told in 0usize..3, hashes in 1u64..3) {
            let text = |words: &Vec<usize>| words.iter().map(|&word| ["one ", "Two "][word]).collect::<String>();
            let documents: Vec<Document> = (0..).zip(&words).map(|(at, words)| Document::new(format!("{at:02}"), text(words))).collect();
            let (ignored, rest) = documents.split_at(told.min(documents.len()));
            let (old, new) = rest.split_at(against.unwrap_or(0).min(rest.len()));
            let order = Order::new(ignored, against.map(|_| old), new, 16);
            let chunks: Vec<TokenChunk> = order.ranges.iter().map(|range| TokenChunk::new(order.texts(range.clone()), false)).collect();
            let tokens = order.ranges.iter().zip(&chunks).flat_map(|(range, chunk)| {
                range.clone().map(|at| chunk.get(at - range.start, &order.documents[at].text))
            });
            let collection = Collection::new(&order, tokens.collect());
            // Different tokens may have one hash.
            let hash = |document: u32| collection.tokens(document).words.len() as u64 % hashes;
            let hashes = (0..documents.len() as u32).map(|document| (hash(document), document));
            let mut found: Vec<usize> = (0..documents.len()).collect();
            for (document, first) in collection.repeats(hashes.collect()) {
                found[document as usize] = first as usize;
            }
            let told = ignored.len();
            let judged = told + old.len();
            for (at, one) in words.iter().enumerate() {
                let first = (told..=at).find(|&earlier| words[earlier] == *one).filter(|_| !one.is_empty());
                let counts = |earlier: &usize| against.is_none() || *earlier < judged;
                prop_assert_eq!(found[at], first.filter(counts).unwrap_or(at));
            }
        }
    }
}
