//! Text to tokens, with the bytes they came from.
//!
//! A token is a maximal run of letters, digits and combining marks, folded; in
//! scripts without spaces between words it is one character with its marks.
//! Apostrophes and invisible characters inside a word are dropped, so that
//! "People’s" and "peoples" are one token; everything else separates. A token
//! remembers where it starts in the original text, so spans are exact without
//! any map of offsets.
//!
//! Linear in the text. ASCII words of up to eight letters cost one load and one
//! multiplication; words with any other character are folded one by one.

use std::hint::select_unpredictable;

use crate::fold::{Class, fold};
use crate::hash;
use crate::lanes::{LANES, Lanes, count};
use crate::places::{End, Place, PlaceList, Places};

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
    /// them by accident; matches are checked with [`same`].
    pub(crate) fn word(self) -> u32 {
        (self.hash >> 32) as u32
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
        Tokenizer {
            text,
            at: 0,
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
        Some((token, self.place(&token)))
    }

    /// The place of the token just read.
    #[inline]
    fn place(&mut self, token: &Token) -> Place {
        let place = Place::new(token.start);
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
    /// found by counting zeros and ones instead of branching on each byte.
    pub(crate) fn each(&mut self, mut found: impl FnMut(Token, Place)) {
        if self.characters {
            while let Some((token, place)) = self.next_placed() {
                found(token, place);
            }
            self.inner = self.text.len() - self.text.chars().count();
            return;
        }
        let bytes = self.text.as_bytes();
        let mut base = self.at;
        while base < bytes.len() {
            let Block { alphanumeric, special, inner } = match bytes[base..].first_chunk() {
                Some(block) => Block::new(block),
                None => {
                    let mut block = [b' '; Block::LEN];
                    block[..bytes.len() - base].copy_from_slice(&bytes[base..]);
                    Block::new(&block)
                }
            };
            self.inner += inner as usize;
            // A word that began before this block is behind already.
            let after = self.at.saturating_sub(base);
            let mut todo = from_bit(after) & (alphanumeric & !(alphanumeric << 1) | special);
            while todo != 0 {
                let bit = todo.trailing_zeros() as usize;
                let start = base + bit;
                let len = (alphanumeric >> bit).trailing_ones() as usize;
                let end = bit + len;
                if len > 0 && end < Block::LEN && special >> end & 1 == 0 {
                    // What ends this word ends it for good.
                    todo &= todo - 1;
                    let (end, weight) = (base + end, len as u32);
                    let token =
                        Token { start, end, hash: hash_ascii(bytes, start, end), weight, single: false };
                    found(token, self.place(&token));
                    continue;
                }
                self.at = start;
                let token = if len > 0 {
                    let rest = if end == Block::LEN { alphanumeric_run(&bytes[base + end..]) } else { 0 };
                    self.ascii_word(start, base + end + rest)
                } else {
                    self.other(bytes[start])
                };
                if let Some(token) = token {
                    found(token, self.place(&token));
                }
                todo &= from_bit(self.at - base);
            }
            base += Block::LEN;
        }
        self.at = self.at.max(bytes.len());
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

/// What 64 bytes are, one bit each, the first byte the lowest.
struct Block {
    /// ASCII letters and digits.
    alphanumeric: u64,
    /// Control characters, apostrophes, and bytes outside ASCII.
    special: u64,
    /// How many go on with a character that began before.
    inner: u32,
}

impl Block {
    const LEN: usize = 64;

    #[inline]
    fn new(bytes: &[u8; Block::LEN]) -> Block {
        let (mut alphanumeric, mut special, mut inner) = (0, 0, 0);
        let (chunks, _) = bytes.as_chunks::<LANES>();
        for (at, chunk) in chunks.iter().enumerate() {
            let chunk = Lanes::of_bytes(chunk);
            // As signed numbers those outside ASCII are the least.
            let control = Lanes::splat(b' ' as i8).above(chunk);
            let is_special = control.or(chunk.alike(Lanes::splat(b'\'' as i8)));
            alphanumeric |= u64::from(chunk.letters().or(chunk.digits()).bits()) << (LANES * at);
            special |= u64::from(is_special.bits()) << (LANES * at);
            inner += chunk.inner().bits().count_ones();
        }
        Block { alphanumeric, special, inner }
    }
}

/// All bits from one on; none from the 64th.
#[inline]
fn from_bit(bit: usize) -> u64 {
    if bit < 64 { u64::MAX << bit } else { 0 }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;
/// What makes a letter small; set in every digit too.
const CASE: u64 = 0x20 * ONES;

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
    let mut tokenizer = Tokenizer::new(text, characters);
    tokenizer.at = start;
    tokenizer.next().expect("a token starts here")
}

/// Appends the folded form of a token of a text in UTF-8.
fn append_folded(text: &str, token: &Token, out: &mut Vec<u8>) {
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
    match text.first_chunk::<16>() {
        // More than is asked for is written, and given up again.
        Some(chunk) if len <= chunk.len() => {
            let small = u128::from_le_bytes(*chunk) | u128::from(CASE) << 64 | u128::from(CASE);
            let end = out.len() + len;
            out.extend_from_slice(&small.to_le_bytes());
            out.truncate(end);
        }
        _ => out.extend(text[..len].iter().map(|byte| byte | 0x20)),
    }
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

/// The bits of the first and of the second eight bytes that a word of up to sixteen
/// has.
const KEPT: [(u64, u64); 17] = {
    let mut kept = [(0, 0); 17];
    let mut len = 1;
    while len < kept.len() {
        let all = u128::MAX >> (128 - 8 * len);
        kept[len] = (all as u64, (all >> 64) as u64);
        len += 1;
    }
    kept
};

/// [`hash::bytes`] of an ASCII word in lower case. Bit 5 is set in every digit
/// and small letter, so setting it is all that lower-casing takes.
#[inline]
fn hash_ascii(bytes: &[u8], start: usize, end: usize) -> u64 {
    let len = end - start;
    let mut state = hash::start(len);
    if let (Some(&(first_kept, second_kept)), Some(chunks)) =
        (KEPT.get(len), bytes[start..].first_chunk::<16>())
    {
        // Two chunks are taken, and then it is chosen: nobody can foresee which words
        // are long.
        let chunks = u128::from_le_bytes(*chunks);
        let (first, second) = (chunks as u64 | CASE, (chunks >> 64) as u64 | CASE);
        let short = hash::step(state, first & first_kept);
        let long = hash::step(short, second & second_kept);
        return hash::mix(select_unpredictable(len > 8, long, short));
    }
    for chunk in bytes[start..end].chunks(8) {
        let mut padded = [0; 8];
        padded[..chunk.len()].copy_from_slice(chunk);
        state = hash::step(state, (u64::from_le_bytes(padded) | CASE) & KEPT[chunk.len()].0);
    }
    hash::mix(state)
}

/// The tokens of one document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens<'a> {
    /// The text.
    pub text: &'a str,
    /// A token's hash in 32 bits; none of a chunk [`without_words`](TokenChunk::without_words).
    pub words: &'a [u32],
    /// Where it starts; none of a chunk that is [`unplaced`](TokenChunk::unplaced).
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
        self.words.len().max(self.places.len())
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
        let mut tokenizer = Tokenizer::new(self.text, self.split);
        tokenizer.at = self.byte(from);
        tokenizer.take(to - from)
    }

    /// Calls `found` with every token, folded, in UTF-8. They need no places.
    pub(crate) fn each_folded(&self, mut found: impl FnMut(&[u8])) {
        let mut folded = Vec::new();
        Tokenizer::new(self.text, self.split).each(|token, _| {
            folded.clear();
            append_folded(self.text, &token, &mut folded);
            found(&folded);
        });
    }

    /// Writes the folded tokens of a range, joined by spaces, in UTF-8.
    pub(crate) fn folded(&self, from: usize, to: usize, out: &mut Vec<u8>) {
        out.clear();
        let extent = self.extent(from, to);
        let text = &self.text[..extent.end];
        let mut tokenizer = Tokenizer::new(text, self.split);
        tokenizer.at = extent.start;
        tokenizer.each(|token, _| {
            if !out.is_empty() {
                out.push(b' ');
            }
            append_folded(text, &token, out);
        });
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

/// Whether two texts begin with the same ASCII letters and digits, in whatever
/// case, and go on with what certainly ends a word. Looks at eight bytes at a time,
/// so it denies what stands in the last seven of a text.
#[inline]
fn same_ascii_word(a: &[u8], b: &[u8]) -> bool {
    let ends = |byte: u8| matches!(KIND[usize::from(byte)], Kind::Separator | Kind::Newline);
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
            return at > 0 && ends(a[at]) && ends(b[at]);
        }
    }
    false
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
        for text in texts {
            let first = chunk.words.len();
            let (mut singles, mut weight) = (0, 0);
            let mut tokenizer = Tokenizer::new(text, split);
            tokenizer.each(|token, place| {
                chunk.words.push(token.word());
                if PLACED {
                    chunk.places.push(place);
                }
                if token.single {
                    singles += 1;
                    stretches.single((chunk.words.len() - 1 - first) as u32);
                }
                weight += token.weight;
            });
            let chars = (text.len() - tokenizer.inner) as u32;
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
            places: self.places.between(places_before, places),
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
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::is_combining_mark;

    use super::*;

    /// The slow obvious twin: decide character by character with the Unicode
    /// crates, without any table or fast path.
    fn naive(text: &str) -> Vec<(usize, usize, String)> {
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
        Tokenizer::new(text, false).each(|token, place| in_blocks.push((token, place)));
        assert_eq!(in_blocks, one_by_one, "{text:?}");
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
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn folded(text: &str) -> Vec<String> {
        tokens(text).iter().map(|token| refold(text, token)).collect()
    }

    /// The slow twin: character by character.
    fn refold(text: &str, token: &Token) -> String {
        let mut out = Vec::new();
        for character in text[token.start..token.end].chars() {
            let (class, folded) = fold(character);
            if class != Class::Joiner {
                folded.append_to(&mut out);
            }
        }
        String::from_utf8(out).expect("UTF-8")
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
        fn alphanumeric_runs_equal_a_look_at_each_byte(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"09azAZ/:`{@[".to_vec()), b'a'..=b'z'], 0..30)) {
            let expected = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            prop_assert_eq!(alphanumeric_run(&bytes), expected);
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
