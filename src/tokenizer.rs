//! Text to words, with the bytes they came from.
//!
//! A token is a maximal run of letters, digits and combining marks, folded; in
//! scripts without spaces between words it is one character with its marks.
//! Apostrophes and invisible characters inside a word are dropped, so that
//! "People’s" and "peoples" are one token; everything else separates. A token
//! remembers where it starts in the original text, so spans are exact without
//! any map of offsets.
//!
//! Linear in the text. Words of ASCII letters and digits alone are found and hashed many
//! at once; words with any other character are folded one by one.

use std::ops::Range;

use crate::fold::{Class, fold};
use crate::hash;
use crate::lanes::{LANES, common_bytes};
use crate::places::Place;
use crate::wide::{BLOCK, Block, CASE, HEAD, Wide, hash_word, head};

/// One token of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The stable hash of the folded token.
    pub hash: u64,
    /// Its letters and digits.
    pub weight: u32,
    /// Whether it is one character of a script without spaces.
    pub single: bool,
}

impl Token {
    /// The 32 bits by which the token is known in memory. Two tokens may share
    /// them by accident; matches are checked on the text.
    pub(crate) fn word(self) -> u32 {
        (self.hash >> 32) as u32
    }
}

/// What [`Tokenizer::each`] finds.
pub(crate) enum Found<'t> {
    /// Words of ASCII letters and digits alone, one after the other.
    Words(Words<'t>),
    /// Any token.
    Token(Token, Place),
}

/// A block of a text, and as much behind it as makes every word that begins in it whole.
type Window = [u8; BLOCK + HEAD];

/// Words of at most [`HEAD`] ASCII letters and digits.
pub(crate) struct Words<'t> {
    /// The first byte of their block, which begins this window.
    base: usize,
    window: &'t Window,
    /// A bit for the first byte of each, and maybe others behind; one for the byte that
    /// follows each.
    starts: u64,
    ends: u64,
    /// What is to be said of the place of the first.
    place: Place,
}

/// One of them.
pub(crate) struct Word<'t> {
    /// Its bytes, and what follows.
    pub head: &'t [u8; HEAD],
    pub len: usize,
    pub place: Place,
}

impl<'t> Iterator for Words<'t> {
    type Item = Word<'t>;

    #[inline]
    fn next(&mut self) -> Option<Word<'t>> {
        let [from, to] = [self.starts, self.ends].map(|bits| bits.trailing_zeros() as usize);
        if self.ends == 0 {
            return None;
        }
        self.starts &= self.starts.wrapping_sub(1);
        self.ends &= self.ends - 1;
        let place = std::mem::replace(&mut self.place, Place::new(0)).moved(self.base + from);
        let head = self.window[from..].first_chunk().expect("of any byte of the block");
        Some(Word { head, len: to - from, place })
    }
}

/// Splits a text into tokens; with `characters`, into single letters and digits.
pub(crate) struct Tokenizer<'a> {
    text: &'a str,
    at: usize,
    characters: bool,
    /// Bytes met by [`each`](Self::each) that go on with a character.
    inner: usize,
    folded: Vec<u8>,
    line_start: usize,
    newlines: u32,
    wrapped: bool,
}

impl<'a> Tokenizer<'a> {
    pub(crate) fn new(text: &'a str, characters: bool) -> Self {
        Self::starting(text, 0, characters)
    }

    /// Splits what begins with a byte, which begins a token, or with the end of the text.
    pub(crate) fn starting(text: &'a str, at: usize, characters: bool) -> Self {
        Tokenizer {
            text,
            at,
            characters,
            inner: 0,
            folded: Vec::new(),
            line_start: 0,
            newlines: 2,
            wrapped: false,
        }
    }

    /// The next token with its place.
    pub(crate) fn next_placed(&mut self) -> Option<(Token, Place)> {
        let token = self.next()?;
        Some((token, self.place(token.start)))
    }

    /// The place of the token just read, which starts there.
    #[inline]
    fn place(&mut self, start: usize) -> Place {
        let place = Place::new(start);
        if self.newlines == 0 {
            return place;
        }
        let starts_block = self.newlines > 1 || !self.wrapped;
        self.newlines = 0;
        place.beginning(starts_block)
    }

    /// A line of this many bytes may have been broken to fit a page, so the
    /// line after it need not begin a block.
    pub(crate) const WRAPPED: std::ops::RangeInclusive<usize> = 40..=100;

    #[inline]
    fn newline(&mut self, next: usize) {
        self.newlines = (self.newlines + 1).min(2);
        self.wrapped = Self::WRAPPED.contains(&(self.at - self.line_start));
        self.line_start = next;
    }

    /// Calls `found` with every token from here on and its place, in order.
    ///
    /// Equal to calling [`next_placed`](Self::next_placed) again and again, but
    /// looks at 64 bytes at a time: what they are becomes bits, and words are
    /// found by counting zeros instead of branching on each byte.
    pub(crate) fn each(&mut self, mut found: impl FnMut(Found)) {
        if self.characters {
            while let Some((token, place)) = self.next_placed() {
                found(Found::Token(token, place));
            }
            self.inner = self.text.len() - self.text.chars().count();
            return;
        }
        let wide = Wide::best();
        let bytes = self.text.as_bytes();
        let mut base = self.at;
        while base < bytes.len() {
            let mut padded;
            let window: &Window = match bytes[base..].first_chunk() {
                Some(window) => window,
                None => {
                    padded = [b' '; BLOCK + HEAD];
                    padded[..bytes.len() - base].copy_from_slice(&bytes[base..]);
                    &padded
                }
            };
            let block = wide.block(window.first_chunk().expect("longer"));
            self.inner += block.inner as usize;
            // A word that began before this block is behind already.
            let mut from = self.at.saturating_sub(base);
            while from < BLOCK {
                from = self.part(block, (base, from), window, &mut found) - base;
            }
            base += BLOCK;
        }
        self.at = self.at.max(bytes.len());
    }

    /// Appends every token from here on to `out`, folded, in UTF-8, and calls `after` with it
    /// after each.
    pub(crate) fn append_each(mut self, out: &mut Vec<u8>, mut after: impl FnMut(&mut Vec<u8>)) {
        let text = self.text;
        self.each(|found| match found {
            Found::Words(words) => words.for_each(|word| {
                append_head(word.head, word.len, out);
                after(out);
            }),
            Found::Token(token, _) => {
                append_folded(text, &token, out);
                after(out);
            }
        });
    }

    /// How many bytes that go on with a character [`each`](Self::each) met.
    pub(crate) fn inner(&self) -> usize {
        self.inner
    }

    /// Finds what is in a block from one of its bytes on, up to the first sign that takes a
    /// closer look, and looks at that. Returns where to go on, behind the block if there is
    /// nothing left in it.
    #[inline]
    fn part(
        &mut self,
        block: Block,
        (base, from): (usize, usize),
        window: &Window,
        found: &mut impl FnMut(Found),
    ) -> usize {
        let Block { alphanumeric, special, .. } = block;
        let todo = u64::MAX << from;
        let starts = alphanumeric & !(alphanumeric << 1) & todo;
        // Such are also the first letters of words too long to be hashed with others.
        let special = (special | long_runs(alphanumeric)) & todo;
        let before = special.wrapping_sub(1) & !special;
        // What ends these words ends them for good.
        let ends = !alphanumeric & (alphanumeric << 1) & (todo << 1) & before;
        let mut rest = starts;
        if let Some(last) = ends.checked_ilog2() {
            found(Found::Words(Words { base, window, starts, ends, place: self.place(0) }));
            rest &= u64::MAX << last;
        }
        let at = (rest | special).trailing_zeros() as usize;
        if at == BLOCK {
            return base + BLOCK;
        }
        let bytes = self.text.as_bytes();
        self.at = base + at;
        let token = match (alphanumeric >> at).trailing_ones() as usize {
            0 => self.other(bytes[base + at]),
            len => {
                let end = base + at + len;
                // What is behind the block may belong to it.
                let more = if at + len == BLOCK { alphanumeric_run(&bytes[end..]) } else { 0 };
                self.ascii_word(base + at, end + more)
            }
        };
        if let Some(token) = token {
            found(Found::Token(token, self.place(token.start)));
        }
        self.at
    }

    /// The token of ASCII letters and digits from `start` to `end`, or what they
    /// are the beginning of.
    #[inline]
    fn ascii_word(&mut self, start: usize, end: usize) -> Option<Token> {
        let bytes = self.text.as_bytes();
        let goes_on = match bytes.get(end).map(|&byte| KIND[usize::from(byte)]) {
            Some(Kind::Other) => true,
            Some(Kind::Apostrophe) => matches!(
                bytes.get(end + 1).map(|&byte| KIND[usize::from(byte)]),
                Some(Kind::Alphanumeric | Kind::Other | Kind::Apostrophe)
            ),
            _ => false,
        };
        if goes_on {
            return self.slow_token(start, end);
        }
        self.at = end;
        let weight = (end - start) as u32;
        Some(Token { start, end, hash: hash_ascii(bytes, start, end), weight, single: false })
    }

    /// Goes on from a byte that is neither letter nor digit: over a separator,
    /// or to the token that a character outside ASCII begins.
    fn other(&mut self, byte: u8) -> Option<Token> {
        match KIND[usize::from(byte)] {
            Kind::Alphanumeric | Kind::Separator | Kind::Apostrophe => self.at += 1,
            Kind::Newline => {
                let pair = byte == b'\r' && self.text.as_bytes().get(self.at + 1) == Some(&b'\n');
                if !pair {
                    self.newline(self.at + 1);
                }
                self.at += 1;
            }
            Kind::Other => {
                let character = self.text[self.at..].chars().next().expect("a character");
                match fold(character).0 {
                    Class::Separator | Class::Joiner => {
                        let next = self.at + character.len_utf8();
                        if matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}') {
                            self.newline(next);
                        }
                        self.at = next;
                    }
                    Class::Word | Class::Single | Class::Mark => return self.slow_token(self.at, self.at),
                }
            }
        }
        None
    }

    /// Reads a token by folding character after character, from `resume` on;
    /// what lies before is ASCII. `None` if nothing is left of it.
    #[cold]
    fn slow_token(&mut self, start: usize, resume: usize) -> Option<Token> {
        self.folded.clear();
        self.folded.extend(self.text.as_bytes()[start..resume].iter().map(|byte| byte | 0x20));
        let mut end = resume;
        let mut at = resume;
        let mut weight = (resume - start) as u32;
        let mut single = false;
        for character in self.text[resume..].chars() {
            let (class, folded) = fold(character);
            let first = at == start;
            let joins = match class {
                Class::Separator => false,
                Class::Joiner => !single && !first && !self.characters,
                Class::Mark => true,
                Class::Word => first || !(single || self.characters),
                Class::Single => first,
            };
            if !joins {
                break;
            }
            at += character.len_utf8();
            if class != Class::Joiner {
                single |= class == Class::Single;
                weight += u32::from(class != Class::Mark);
                folded.append_to(&mut self.folded);
                end = at;
            }
        }
        self.at = end;
        let hash = hash::bytes(&self.folded);
        (!self.folded.is_empty()).then_some(Token { start, end, hash, weight, single })
    }
}

impl Iterator for Tokenizer<'_> {
    type Item = Token;

    #[inline]
    fn next(&mut self) -> Option<Token> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            let start = self.at;
            let token = match KIND[usize::from(byte)] {
                Kind::Alphanumeric if self.characters => self.slow_token(start, start),
                Kind::Alphanumeric => self.ascii_word(start, start + alphanumeric_run(&bytes[start..])),
                _ => self.other(byte),
            };
            if token.is_some() {
                return token;
            }
        }
        None
    }
}

/// The bytes of a block from which on more than [`HEAD`] are alphanumeric.
#[inline]
fn long_runs(alphanumeric: u64) -> u64 {
    const { assert!(HEAD == 16) };
    let (mut runs, mut len) = (alphanumeric, 1);
    while len < HEAD {
        runs &= runs >> len;
        len *= 2;
    }
    runs & runs >> 1
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// The highest bit of each of eight bytes below 128: whether it is at least
/// `least`. Adding 128 - `least` carries into that bit and never further.
#[inline]
fn at_least(bytes: u64, least: u8) -> u64 {
    bytes + (0x80 - u64::from(least)) * ONES
}

/// The highest bit of each of eight bytes: whether it is an ASCII letter or
/// digit.
#[inline]
fn alphanumerics(chunk: u64) -> u64 {
    let low = chunk & !HIGH;
    let small = low | CASE;
    let letter = at_least(small, b'a') & !at_least(small, b'z' + 1);
    let digit = at_least(low, b'0') & !at_least(low, b'9' + 1);
    (letter | digit) & !chunk & HIGH
}

/// The number of ASCII letters and digits a byte string begins with, eight
/// bytes at a time.
#[inline]
fn alphanumeric_run(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let other = !alphanumerics(u64::from_le_bytes(*chunk)) & HIGH;
        if other != 0 {
            return at + (other.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at + bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()
}

/// The token that starts at a byte.
///
/// # Panics
///
/// If none does.
pub(crate) fn token_at(text: &str, start: usize, characters: bool) -> Token {
    Tokenizer::starting(text, start, characters).next().expect("a token starts here")
}

/// Whether two texts begin with the same ASCII letters and digits, in whatever
/// case, and go on with what certainly ends a word. Looks at eight bytes at a time,
/// so it denies what stands in the last seven of a text.
#[inline]
pub(crate) fn same_ascii_word(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while let (Some(x), Some(y)) = (a[at..].first_chunk::<8>(), b[at..].first_chunk::<8>()) {
        let (x, y) = (u64::from_le_bytes(*x), u64::from_le_bytes(*y));
        let word = alphanumerics(x);
        let len = (!word & HIGH).trailing_zeros() as usize / 8;
        let rest = u64::MAX.checked_shl(8 * len as u32).unwrap_or(0);
        // A byte that differs in case alone need not be a letter.
        if (((x ^ y) & !CASE) | (word ^ alphanumerics(y))) & !rest != 0 {
            return false;
        }
        at += len;
        if len < 8 {
            return at > 0 && separates(a[at]) && separates(b[at]);
        }
    }
    false
}

/// Whether ranges of two texts, from the first byte of a token to that of another, differ
/// in no more than what stands between words and the case of letters, all in ASCII. Then
/// they hold the same tokens; they may do so if it is denied, too.
pub(crate) fn same_words(a: &str, a_range: Range<usize>, b: &str, b_range: Range<usize>) -> bool {
    let (a, b) = (&a.as_bytes()[a_range.start..], &b.as_bytes()[b_range.start..]);
    let (a_len, b_len) = (a_range.len(), b_range.len());
    let gap = |text: &[u8]| text.iter().take_while(|&&byte| separates(byte)).count();
    let behind_gap = |text: &[u8], at: usize| at > 0 && separates(text[at - 1]);
    let (mut a_at, mut b_at) = (0, 0);
    while a_at <= a_len && b_at <= b_len {
        // A little more, so that the last are compared together as well.
        let wanted = a_len - a_at + LANES;
        let a_rest = &a[a_at..];
        let common = common_bytes(&a_rest[..wanted.min(a_rest.len())], &b[b_at..]);
        if a_len - a_at == b_len - b_at && a_len - a_at <= common {
            return true;
        }
        (a_at, b_at) = (a_at + common, b_at + common);
        let (Some(&x), Some(&y)) = (a.get(a_at), b.get(b_at)) else { return false };
        if x ^ y == CASE as u8 && x.is_ascii_alphabetic() {
            (a_at, b_at) = (a_at + 1, b_at + 1);
            continue;
        }
        // A gap in both, or what is left of one where the other has ended.
        let (a_gap, b_gap) = (gap(&a[a_at..]), gap(&b[b_at..]));
        let (in_both, in_one) = (a_gap > 0 && b_gap > 0, a_gap > 0 || b_gap > 0);
        if !(in_both || in_one && behind_gap(a, a_at) && behind_gap(b, b_at)) {
            return false;
        }
        (a_at, b_at) = (a_at + a_gap, b_at + b_gap);
    }
    false
}

/// Appends the folded form of a token of a text in UTF-8.
pub(crate) fn append_folded(text: &str, token: &Token, out: &mut Vec<u8>) {
    let word = &text[token.start..token.end];
    // Only of letters and digits in ASCII are there as many as bytes.
    if token.weight as usize == word.len() {
        return append_small(&text.as_bytes()[token.start..], word.len(), out);
    }
    for character in word.chars() {
        let (class, folded) = fold(character);
        if class != Class::Joiner {
            folded.append_to(out);
        }
    }
}

/// Appends so many ASCII letters and digits in lower case.
fn append_small(text: &[u8], len: usize, out: &mut Vec<u8>) {
    match text.first_chunk() {
        Some(head) if len <= HEAD => append_head(head, len, out),
        _ => out.extend(text[..len].iter().map(|byte| byte | 0x20)),
    }
}

/// The same of some that are given with what follows.
#[inline]
fn append_head(head: &[u8; HEAD], len: usize, out: &mut Vec<u8>) {
    let small = u128::from_le_bytes(*head) | u128::from(CASE) << 64 | u128::from(CASE);
    // More than is asked for is written, and given up again.
    let end = out.len() + len;
    out.extend_from_slice(&small.to_le_bytes());
    out.truncate(end);
}

/// What a byte is to the tokeniser before any decoding.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Separator,
    Newline,
    Alphanumeric,
    Apostrophe,
    Other,
}

const KIND: [Kind; 256] = {
    let mut kinds = [Kind::Separator; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Kind::Alphanumeric,
            b'\n' | b'\r' => Kind::Newline,
            b'\'' => Kind::Apostrophe,
            0x80.. => Kind::Other,
            _ => Kind::Separator,
        };
        byte += 1;
    }
    kinds
};

/// Whether a byte certainly ends a word.
fn separates(byte: u8) -> bool {
    matches!(KIND[usize::from(byte)], Kind::Separator | Kind::Newline)
}

/// [`hash::bytes`] of an ASCII word in lower case. Bit 5 is set in every digit
/// and small letter, so setting it is all that lower-casing takes.
#[inline]
fn hash_ascii(bytes: &[u8], start: usize, end: usize) -> u64 {
    let len = end - start;
    if let Some(chunk) = bytes[start..].first_chunk()
        && len <= HEAD
    {
        return hash_word(head(chunk), len as u64);
    }
    let mut state = hash::start(len);
    for chunk in bytes[start..end].chunks(8) {
        let mut small = [0; 8];
        small.iter_mut().zip(chunk).for_each(|(small, byte)| *small = byte | 0x20);
        state = hash::step(state, u64::from_le_bytes(small));
    }
    hash::mix(state)
}

/// The folded form of a token, character by character.
#[cfg(test)]
pub(crate) fn refold(text: &str, token: &Token) -> String {
    let mut out = Vec::new();
    for character in text[token.start..token.end].chars() {
        let (class, folded) = fold(character);
        if class != Class::Joiner {
            folded.append_to(&mut out);
        }
    }
    String::from_utf8(out).expect("UTF-8")
}

/// What the tokens are judged by, on chosen and generated texts and by fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) mod twin {
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::is_combining_mark;

    use super::*;

    /// The slow obvious twin: decide character by character with the Unicode
    /// crates, without any table or fast path.
    pub(crate) fn naive(text: &str) -> Vec<(usize, usize, String)> {
        let mut found: Vec<(usize, usize, String)> = Vec::new();
        // What the last token still accepts: nothing, marks only, or letters.
        let mut open = 0;
        for (at, character) in text.char_indices() {
            let (class, _) = fold(character);
            let end = at + character.len_utf8();
            match class {
                Class::Separator => open = 0,
                Class::Joiner => open = if open == 2 { 2 } else { 0 },
                Class::Mark if open == 0 => {
                    found.push((at, end, character.to_string()));
                    open = 2;
                }
                Class::Word if open < 2 => {
                    found.push((at, end, character.to_string()));
                    open = 2;
                }
                Class::Single => {
                    found.push((at, end, character.to_string()));
                    open = 1;
                }
                Class::Word | Class::Mark => {
                    let last = found.last_mut().expect("open");
                    last.1 = end;
                    last.2.push(character);
                }
            }
        }
        for (_, _, word) in &mut found {
            // Marks keep the order in which they are written.
            let one = |c: char| c.nfkd().flat_map(char::to_lowercase).nfkd().collect::<Vec<_>>();
            *word = word
                .chars()
                .flat_map(one)
                .flat_map(char::to_lowercase)
                .filter(|&c| c.is_alphanumeric() || is_combining_mark(c))
                .filter(|c| !matches!(*c as u32, 0x300..=0x36f | 0x640 | 0xfe00..=0xfe0f | 0xe0100..=0xe01ef))
                .map(|c| if c == 'ς' { 'σ' } else { c })
                .collect::<String>()
                .replace('ß', "ss");
        }
        found.retain(|(_, _, word)| !word.is_empty());
        found
    }

    /// Judges the tokens of a text by it.
    pub(crate) fn check(text: &str) {
        let naive = naive(text);
        let expected: Vec<_> = naive.iter().map(|(s, e, w)| (*s, *e, hash::bytes(w.as_bytes()))).collect();
        let fast: Vec<Token> = Tokenizer::new(text, false).collect();
        let found: Vec<_> = fast.iter().map(|t| (t.start, t.end, t.hash)).collect();
        assert_eq!(found, expected, "{text:?}");
        for token in fast {
            assert_eq!(token_at(text, token.start, false), token, "{text:?}");
        }
        let mut tokenizer = Tokenizer::new(text, false);
        let one_by_one: Vec<_> = std::iter::from_fn(|| tokenizer.next_placed()).collect();
        let mut in_blocks = Vec::new();
        Tokenizer::new(text, false).each(|found| match found {
            Found::Words(words) => in_blocks.extend(words.map(|word| {
                let token = token_at(text, word.place.byte() as usize, false);
                assert_eq!(&text.as_bytes()[token.start..token.end], &word.head[..word.len], "{text:?}");
                (token, word.place)
            })),
            Found::Token(token, place) => in_blocks.push((token, place)),
        });
        assert_eq!(in_blocks, one_by_one, "{text:?}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn folded(text: &str) -> Vec<String> {
        tokens(text).iter().map(|token| refold(text, token)).collect()
    }

    fn tokens(text: &str) -> Vec<Token> {
        Tokenizer::new(text, false).collect()
    }

    #[test]
    fn words_of_many_scripts() {
        let cases: [(&str, &[&str]); 16] = [
            ("The People’s Mojahedin", &["the", "peoples", "mojahedin"]),
            ("dogs' bones, 'quoted' rock 'n' roll", &["dogs", "bones", "quoted", "rock", "n", "roll"]),
            ("Iran—November 7, 2020", &["iran", "november", "7", "2020"]),
            ("STRASSE Straße", &["strasse", "strasse"]),
            ("Íngrid I\u{301}ngrid naïve ﬁne", &["ingrid", "ingrid", "naive", "fine"]),
            ("co\u{ad}operate zero\u{200b}width", &["cooperate", "zero", "width"]),
            ("ΣΊΣΥΦΟΣ Σίσυφος", &["σισυφοσ", "σισυφοσ"]),
            ("Ёлка ЁЛКА", &["елка", "елка"]),
            ("İstanbul ISTANBUL ılık", &["istanbul", "istanbul", "ılık"]),
            ("می‌خواهم كتـــاب", &["میخواهم", "كتاب"]),
            ("新闻联播", &["新", "闻", "联", "播"]),
            ("テレビ3台", &["テ", "レ", "ヒ\u{3099}", "3", "台"]),
            ("ｶﾞ ﾊﾟ", &["カ\u{3099}", "ハ\u{309a}"]),
            ("สวัสดี", &["ส", "วั", "ส", "ดี"]),
            ("हिन्दी", &["हिन्दी"]),
            ("Tiếng Việt", &["tieng", "viet"]),
        ];
        for (text, expected) in cases {
            assert_eq!(folded(text), expected, "{text}");
        }
    }

    #[test]
    fn hangul_is_equal_composed_and_decomposed() {
        let composed: Vec<u64> = tokens("한국어 뉴스").iter().map(|t| t.hash).collect();
        let decomposed: String = "한국어 뉴스".nfd().collect();
        assert_eq!(tokens(&decomposed).iter().map(|t| t.hash).collect::<Vec<_>>(), composed);
    }

    proptest! {
        #[test]
        fn alphanumeric_runs_equal_a_look_at_each_byte(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"09azAZ/:`{@[".to_vec()), b'a'..=b'z'], 0..30)) {
            let expected = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            prop_assert_eq!(alphanumeric_run(&bytes), expected);
        }

        #[test]
        fn long_runs_begin_where_too_many_follow(runs in prop::collection::vec((1u32..40, 1u32..5), 1..8)) {
            let text: String = runs.iter().map(|&(letters, signs)| "x".repeat(letters as usize) + &".".repeat(signs as usize)).collect();
            let text: Vec<bool> = text.bytes().map(|byte| byte == b'x').chain([false; BLOCK]).take(BLOCK).collect();
            let bits = (0..).zip(&text).fold(0, |bits, (at, is)| bits | u64::from(*is) << at);
            for at in 0..BLOCK {
                let long = text.get(at..=at + HEAD).is_some_and(|some| some.iter().all(|is| *is));
                prop_assert_eq!(long_runs(bits) >> at & 1 != 0, long);
            }
        }

        #[test]
        fn characters_cover_the_same_text(text in "[a-zA-Z' é\u{301}漢]{0,40}") {
            let split: Vec<Token> = Tokenizer::new(&text, true).collect();
            for token in &split {
                let letters = text[token.start..token.end].chars().filter(|c| c.is_alphanumeric()).count();
                prop_assert!(letters <= 1);
            }
            let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
            prop_assert_eq!(split.iter().filter(|t| text[t.start..t.end].chars().any(char::is_alphanumeric)).count(), letters);
        }
    }
}
