//! The tokens of a text, and of many, laid out to be compared.
//!
//! They are known by 32 bits of their hash, and by where they start: the rest is
//! read again from the text.

use crate::lanes::count;
use crate::places::{End, FULL, Place, PlaceList, Places};
use crate::tokenizer::{Found, Token, Tokenizer, Word, Words, append_folded, same_ascii_word, token_at};
use crate::wide::{self, BATCH, Head, Wide};

/// The tokens of one document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens<'a> {
    /// The text.
    pub text: &'a str,
    /// A token's hash in 32 bits; none of a chunk [`without_words`](TokenChunk::without_words).
    pub words: &'a [u32],
    /// Where they start; of a chunk that is [`unplaced`](TokenChunk::unplaced) only how many
    /// there are.
    pub places: Places<'a>,
    /// Letters and digits.
    pub weight: u32,
    /// Characters of the text.
    pub chars: u32,
    /// Whether most tokens are single characters of scripts without spaces.
    pub characters: bool,
    /// Long stretches of tokens of the other sort, from one token to another: of words
    /// among single characters, or the other way round.
    pub others: &'a [(u32, u32)],
    /// Whether the text was split into single letters and digits.
    pub split: bool,
}

impl Tokens<'_> {
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The token with a number, read again from the text.
    pub(crate) fn token(&self, number: usize) -> Token {
        token_at(self.text, self.places.byte(number), self.split)
    }

    /// The letters and digits of a range of tokens.
    pub(crate) fn weight_of(&self, from: usize, to: usize) -> u64 {
        let text = self.text[self.extent(from, to)].as_bytes();
        if self.chars as usize != self.text.len() && !text.is_ascii() {
            return self.range(from, to).map(|token| u64::from(token.weight)).sum();
        }
        count(text, |bytes| bytes.letters().or(bytes.digits()))
    }

    /// The bytes from the first token of a range to the one behind it.
    fn extent(&self, from: usize, to: usize) -> std::ops::Range<usize> {
        self.byte(from)..self.byte(to)
    }

    /// The first byte of a token, or the end of the text.
    fn byte(&self, number: usize) -> usize {
        if number < self.places.len() { self.places.byte(number) } else { self.text.len() }
    }

    /// A range of tokens, read again from the text.
    fn range(&self, from: usize, to: usize) -> impl Iterator<Item = Token> {
        Tokenizer::starting(self.text, self.byte(from), self.split).take(to - from)
    }

    /// Calls `found` with every token, folded, in UTF-8. They need no places.
    pub(crate) fn each_folded(&self, mut found: impl FnMut(&[u8])) {
        let mut folded = Vec::new();
        Tokenizer::new(self.text, self.split).append_each(&mut folded, |folded| {
            found(folded);
            folded.clear();
        });
    }

    /// Writes the folded tokens of a range, joined by spaces, in UTF-8.
    pub(crate) fn folded(&self, from: usize, to: usize, out: &mut Vec<u8>) {
        out.clear();
        let extent = self.extent(from, to);
        let text = &self.text[..extent.end];
        Tokenizer::starting(text, extent.start, self.split).append_each(out, |out| out.push(b' '));
        out.pop();
    }

    /// The bytes of a range of tokens, with the punctuation that opens the
    /// first and closes the last; `floor` is where it may start at the
    /// earliest.
    pub(crate) fn bytes(&self, from: usize, to: usize, floor: usize) -> std::ops::Range<usize> {
        let first = self.places.byte(from);
        let last = self.token(to - 1).end;
        let before = self.text[floor.min(first)..first].chars().rev().take_while(|&c| opens(c));
        let after = self.text[last..].chars().take_while(|&c| closes(c));
        first - before.map(char::len_utf8).sum::<usize>()..last + after.map(char::len_utf8).sum::<usize>()
    }

    /// Places in a range of tokens where signs but no space stand between two
    /// words, as in addresses and markup; apostrophes and commas apart. Signs
    /// outside ASCII are taken for letters.
    pub(crate) fn joined(&self, from: usize, to: usize) -> usize {
        let mut joined = 0;
        let (mut signs, mut joins) = (0, true);
        for &byte in self.text[self.extent(from, to)].as_bytes() {
            if byte.is_ascii_alphanumeric() || byte >= 0x80 {
                joined += usize::from(signs > 0 && joins);
                (signs, joins) = (0, true);
            } else {
                signs += 1;
                joins &= !byte.is_ascii_whitespace() && !matches!(byte, b'\'' | b',');
            }
        }
        joined
    }

    /// Whether a token begins a line; the end of the text counts as one.
    #[inline]
    pub(crate) fn starts_line(&self, number: usize) -> bool {
        self.places.starts_line(number)
    }

    /// Whether a full stop or its like stands between a token and the one before,
    /// followed by white space.
    pub(crate) fn starts_sentence(&self, number: usize) -> bool {
        let Some(before) = number.checked_sub(1) else { return true };
        let gap = &self.text[self.token(before).end..self.extent(before, number).end];
        let mut stopped = false;
        gap.chars().any(|c| {
            stopped |= is_stop(c);
            stopped && (c.is_whitespace() || matches!(c, '。' | '！' | '？'))
        })
    }

    /// Whether a token begins a block; the end of the text counts as one.
    #[inline]
    pub(crate) fn starts_block(&self, number: usize) -> bool {
        self.places.starts_block(number)
    }
}

/// Punctuation that belongs to the word after it.
fn opens(c: char) -> bool {
    matches!(
        c,
        '(' | '['
            | '{'
            | '“'
            | '‘'
            | '«'
            | '‹'
            | '"'
            | '\''
            | '„'
            | '「'
            | '『'
            | '（'
            | '【'
            | '《'
            | '¿'
            | '¡'
    )
}

/// A full stop or its like.
pub(crate) fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '؟' | '۔' | '।')
}

/// Punctuation that belongs to the word before it.
fn closes(c: char) -> bool {
    const MARKS: [char; 14] = [')', ']', '}', '”', '’', '»', '›', '"', '\'', '」', '』', '）', '】', '》'];
    is_stop(c) || MARKS.contains(&c)
}

/// Whether two tokens are equal when folded, judged by their text.
pub(crate) fn same(a: &Tokens, a_number: usize, b: &Tokens, b_number: usize) -> bool {
    let from = |tokens: &Tokens, number: usize| tokens.places.byte(number);
    let (a_rest, b_rest) = (&a.text.as_bytes()[from(a, a_number)..], &b.text.as_bytes()[from(b, b_number)..]);
    same_ascii_word(a_rest, b_rest) || {
        let (x, y) = (a.token(a_number), b.token(b_number));
        x.hash == y.hash && same_folded((a.text, &x), (b.text, &y))
    }
}

/// Whether two tokens of two texts are equal when folded.
fn same_folded(a: (&str, &Token), b: (&str, &Token)) -> bool {
    let folded = |(text, token): (&str, &Token)| {
        let mut out = Vec::new();
        append_folded(text, token, &mut out);
        out
    };
    a.0[a.1.start..a.1.end] == b.0[b.1.start..b.1.end] || folded(a) == folded(b)
}

/// Where a document's tokens lie in their chunk.
#[derive(Clone, Copy, Debug)]
struct Extent {
    first: usize,
    last: usize,
    weight: u32,
    chars: u32,
    characters: bool,
    /// Where its places end, and its stretches of the other sort.
    places: End,
    others: usize,
}

/// Stretches of words and of single characters, as the tokens of a document come.
#[derive(Default)]
struct Stretches {
    words: Vec<(u32, u32)>,
    singles: Vec<(u32, u32)>,
    /// The last single characters one after the other, from one token to another.
    last: (u32, u32),
}

impl Stretches {
    /// Fewest words, and fewest single characters, of a stretch among the others.
    const WORDS: u32 = 8;
    const SINGLES: u32 = 17;

    /// Takes note that a token is a single character.
    fn single(&mut self, at: u32) {
        if at > self.last.1 {
            self.close(at);
            self.last.0 = at;
        }
        self.last.1 = at + 1;
    }

    /// Keeps the last single characters, and the words after them up to a token, if
    /// they are many.
    fn close(&mut self, at: u32) {
        let (from, to) = self.last;
        if to - from >= Self::SINGLES {
            self.singles.push((from, to));
        }
        if at - to >= Self::WORDS {
            self.words.push((to, at));
        }
    }

    /// Ends a text of so many tokens, and begins another. Returns the stretches of the
    /// other sort than most tokens are.
    fn end(&mut self, tokens: u32, characters: bool) -> std::vec::Drain<'_, (u32, u32)> {
        self.close(tokens);
        self.last = (0, 0);
        let (others, rest) = match characters {
            true => (&mut self.words, &mut self.singles),
            false => (&mut self.singles, &mut self.words),
        };
        rest.clear();
        others.drain(..)
    }
}

/// The last tokens of a text at hand, which are hashed and placed together.
struct Batch<const PLACED: bool> {
    heads: [Head; BATCH],
    lengths: [u8; BATCH],
    places: [Place; BATCH],
    count: usize,
    /// Those that were hashed alone.
    hashed: Vec<(usize, u32)>,
    wide: Wide,
}

impl<const PLACED: bool> Batch<PLACED> {
    fn new() -> Self {
        const { assert!(BATCH.is_multiple_of(FULL)) };
        Batch {
            heads: [Head::default(); BATCH],
            lengths: [1; BATCH],
            places: [Place::new(0); BATCH],
            count: 0,
            hashed: Vec::new(),
            wide: Wide::best(),
        }
    }

    /// Adds words. Returns how many letters and digits they have.
    #[inline]
    fn add_words(&mut self, words: Words, chunk: &mut TokenChunk) -> u32 {
        let mut weight = 0;
        let mut count = self.count;
        for Word { head, len, place } in words {
            // Which it always is.
            let at = count % BATCH;
            self.heads[at] = wide::head(head);
            self.lengths[at] = len as u8;
            self.places[at] = place;
            weight += len as u32;
            count += 1;
            if count == BATCH {
                self.count = count;
                self.settle(chunk);
                count = 0;
            }
        }
        self.count = count;
        weight
    }

    #[inline(never)]
    fn add(&mut self, token: &Token, place: Place, chunk: &mut TokenChunk) {
        self.hashed.push((self.count, token.word()));
        self.places[self.count] = place;
        self.count += 1;
        if self.count == BATCH {
            self.settle(chunk);
        }
    }

    /// Puts them where they belong.
    #[inline(never)]
    fn settle(&mut self, chunk: &mut TokenChunk) {
        let mut words = self.wide.hash(&self.heads, &self.lengths, self.count);
        self.hashed.drain(..).for_each(|(at, word)| words[at] = word);
        chunk.words.extend_from_slice(&words[..self.count]);
        if PLACED {
            chunk.places.add(&self.places[..self.count]);
        }
        self.count = 0;
    }
}

/// The tokens of many documents, laid out one after the other.
#[derive(Debug)]
pub(crate) struct TokenChunk {
    words: Vec<u32>,
    places: PlaceList,
    documents: Vec<Extent>,
    others: Vec<(u32, u32)>,
    split: bool,
}

impl TokenChunk {
    /// Splits the given texts.
    pub(crate) fn new<'a>(texts: impl Iterator<Item = &'a str> + Clone, split: bool) -> Self {
        Self::made::<true>(texts, split)
    }

    /// The same without saying where tokens are, for those who look at all or none.
    pub(crate) fn unplaced<'a>(texts: impl Iterator<Item = &'a str> + Clone, split: bool) -> Self {
        Self::made::<false>(texts, split)
    }

    fn made<'a, const PLACED: bool>(texts: impl Iterator<Item = &'a str> + Clone, split: bool) -> Self {
        let bytes: usize = texts.clone().map(str::len).sum();
        let expected = bytes / 5;
        let mut chunk = TokenChunk {
            words: Vec::with_capacity(expected),
            places: PlaceList::with_capacity(if PLACED { expected } else { 0 }),
            documents: Vec::new(),
            others: Vec::new(),
            split,
        };
        let mut stretches = Stretches::default();
        let mut batch = Batch::<PLACED>::new();
        for text in texts {
            let first = chunk.words.len();
            let (mut singles, mut weight) = (0, 0);
            let mut tokenizer = Tokenizer::new(text, split);
            tokenizer.each(|found| match found {
                Found::Words(words) => weight += batch.add_words(words, &mut chunk),
                Found::Token(token, place) => {
                    if token.single {
                        singles += 1;
                        stretches.single((chunk.words.len() + batch.count - first) as u32);
                    }
                    batch.add(&token, place, &mut chunk);
                    weight += token.weight;
                }
            });
            batch.settle(&mut chunk);
            let chars = (text.len() - tokenizer.inner()) as u32;
            let last = chunk.words.len();
            let characters = 2 * singles > last - first;
            // Split texts have but one sort.
            let others = stretches.end((last - first) as u32, characters);
            chunk.others.extend(others.filter(|_| !split));
            let others = chunk.others.len();
            let places = chunk.places.end();
            chunk.documents.push(Extent { first, last, weight, chars, characters, places, others });
        }
        chunk.words.shrink_to_fit();
        chunk.places.shrink_to_fit();
        chunk
    }

    /// Lets go of the hashes, for those who only ask where tokens are from now on.
    pub(crate) fn without_words(self) -> Self {
        TokenChunk { words: Vec::new(), ..self }
    }

    /// The tokens of the document with a number inside this chunk.
    #[inline]
    pub(crate) fn get<'a>(&'a self, number: usize, text: &'a str) -> Tokens<'a> {
        let Extent { first, last, weight, chars, characters, places, others } = self.documents[number];
        let before = number.checked_sub(1).map(|before| &self.documents[before]);
        let (places_before, others_before) =
            before.map_or((End::default(), 0), |before| (before.places, before.others));
        Tokens {
            text,
            words: self.words.get(first..last).unwrap_or_default(),
            places: self.places.between(places_before, places, last - first),
            weight,
            chars,
            characters,
            others: &self.others[others_before..others],
            split: self.split,
        }
    }
}

/// What the tokens are judged by, on chosen and generated texts and by fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) mod twin {
    use super::*;
    use crate::hash;
    use crate::tokenizer::twin::{self, naive};

    /// Judges the tokens of a text by those that are found one character at a time.
    pub(crate) fn check(text: &str) {
        twin::check(text);
        let naive = naive(text);
        for split in [false, true] {
            let chunk = TokenChunk::new(std::iter::once(text), split);
            let tokens = chunk.get(0, text);
            assert_eq!(tokens.chars as usize, text.chars().count(), "{text:?}");
            let unplaced = TokenChunk::unplaced(std::iter::once(text), split);
            let unplaced = unplaced.get(0, text);
            assert_eq!((unplaced.words, unplaced.weight), (tokens.words, tokens.weight), "{text:?}");
            let mut spelled = Vec::new();
            unplaced.each_folded(|folded| spelled.push(folded.to_vec()));
            assert!(
                tokens.words.iter().copied().eq(spelled.iter().map(|word| (hash::bytes(word) >> 32) as u32))
            );
            assert!(split || spelled.iter().eq(naive.iter().map(|(_, _, word)| word.as_bytes())), "{text:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokenizer::refold;

    #[test]
    fn lines_and_blocks() {
        let wrapped = "x".repeat(60);
        let text = format!("title\r\n{wrapped}\nrest of it\n \nnew block\nline");
        let chunk = TokenChunk::new(std::iter::once(&*text), false);
        let tokens = chunk.get(0, &text);
        let lines = (0..tokens.len()).filter(|&at| tokens.starts_line(at));
        let word = |at: usize| text[tokens.places.byte(at)..tokens.token(at).end].to_owned();
        let found: Vec<(String, bool)> = lines.map(|at| (word(at), tokens.starts_block(at))).collect();
        let expected = [("title", true), (&wrapped, true), ("rest", false), ("new", true), ("line", true)];
        assert_eq!(found, expected.map(|(word, block)| (word.to_owned(), block)));
    }

    #[test]
    fn words_of_addresses_are_joined() {
        let joined = |text: &str| {
            let chunk = TokenChunk::new(std::iter::once(text), false);
            let tokens = chunk.get(0, text);
            (tokens.joined(0, tokens.len()), tokens.len())
        };
        assert_eq!(joined("It doesn't cost 20,000 (or more) – “not” now."), (0, 9));
        assert_eq!(joined("see https://example.org/a-page.html now"), (5, 8));
        assert_eq!(joined("新しい橋が開通、した"), (0, 9));
    }

    proptest! {
        #[test]
        fn weights_and_folded_text_equal_those_of_each_token(text in "[a-zA-Z0-9'’ \r\n.é漢\u{301}\u{200d}１]{0,80}|[a-zA-Z0-9'\" -]{0,80}", from in 0usize..10, len in 1usize..20) {
            let chunk = TokenChunk::new(std::iter::once(text.as_str()), false);
            let tokens = chunk.get(0, &text);
            let to = (from + len).min(tokens.len());
            prop_assume!(from < to);
            let range = || tokens.range(from, to);
            prop_assert_eq!(tokens.weight_of(from, to), range().map(|token| u64::from(token.weight)).sum::<u64>());
            let words: Vec<String> = range().map(|token| refold(&text, &token)).collect();
            let mut each = Vec::new();
            tokens.each_folded(|folded| each.push(String::from_utf8(folded.to_vec()).unwrap()));
            prop_assert_eq!(&each[from..to], &words);
            let mut folded = b"other".to_vec();
            tokens.folded(from, to, &mut folded);
            prop_assert_eq!(String::from_utf8(folded).unwrap(), words.join(" "));
        }

        #[test]
        fn tokens_are_the_same_if_they_are_folded(a in "([a-cA-C01'’é\u{10} \n]|abcdefg){0,40}", b in "([a-cA-C01'’é\u{10} \n]|ABCDEFG){0,40}") {
            let chunk = TokenChunk::new([a.as_str(), b.as_str()].into_iter(), false);
            let (x, y) = (chunk.get(0, &a), chunk.get(1, &b));
            let folded = |tokens: &Tokens, at: usize| {
                let token = tokens.token(at);
                refold(tokens.text, &token)
            };
            for i in 0..x.len() {
                for j in 0..y.len() {
                    prop_assert_eq!(same(&x, i, &y, j), folded(&x, i) == folded(&y, j), "{} {}", i, j);
                }
            }
        }

        #[test]
        fn stretches_equal_those_of_a_list_of_tokens(texts in prop::collection::vec(prop::collection::vec((any::<bool>(), 1u32..30), 0..8), 1..4), characters in any::<bool>()) {
            let mut stretches = Stretches::default();
            for runs in texts {
                let single: Vec<bool> = runs.iter().flat_map(|&(single, len)| vec![single; len as usize]).collect();
                (0..).zip(&single).filter(|(_, single)| **single).for_each(|(at, _)| stretches.single(at));
                let mut expected = Vec::new();
                let mut from = 0;
                for run in single.chunk_by(|x, y| x == y) {
                    let to = from + run.len() as u32;
                    let least = if run[0] { Stretches::SINGLES } else { Stretches::WORDS };
                    if run[0] != characters && to - from >= least {
                        expected.push((from, to));
                    }
                    from = to;
                }
                prop_assert_eq!(stretches.end(single.len() as u32, characters).collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn equals_its_twin_on_any_text(text in "\\PC{0,160}") {
            twin::check(&text);
        }

        #[test]
        fn equals_its_twin_on_likely_text(text in "[a-zA-Z0-9'’ \r\n.é\u{301}ß漢がｶﾞส\u{e31}\u{ad}كـ\u{64e}한]{0,160}") {
            twin::check(&text);
        }
    }
}
