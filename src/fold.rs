//! What each character is to the tokeniser, and what it folds to.
//!
//! Folding makes spellings of one word equal: compatibility decomposition
//! (Unicode Standard Annex 15, NFKD), the marks U+0300 to U+036F dropped, lower
//! case, "ß" as "ss", final sigma as sigma, tatweel and variation selectors
//! dropped. Marks of other scripts carry meaning and stay.
//!
//! The table behind it is frozen in `fold_table.rs`: letters and digits of
//! Unicode 17, decompositions of Unicode 18. Results therefore do not change
//! when a package does. A test rebuilds the table from its sources and says how
//! to write it again on purpose.

use std::sync::LazyLock;

use crate::fold_table::{CLASSES, FOLDS};

/// What a character does in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    /// Ends a token.
    Separator = 0,
    /// A letter or digit of a script that puts spaces between words.
    Word = 1,
    /// A character that is a token by itself (Han, kana, Thai, …).
    Single = 2,
    /// A combining mark: belongs to the character before it.
    Mark = 3,
    /// Apostrophes and invisible characters: dropped inside a word, a
    /// separator elsewhere.
    Joiner = 4,
}

/// Looks up a character: its class, and what it folds to.
#[inline]
pub(crate) fn fold(character: char) -> (Class, Folded) {
    let code = character as u32;
    if let Some(&entry) = TABLE.get(code as usize) {
        return (class_of(entry & 7), Folded::from_entry(entry, character));
    }
    let class = search_class(code);
    let folded = match FOLDS.binary_search_by_key(&code, |&(from, _)| from) {
        Ok(at) => Folded::Many(FOLDS[at].1),
        Err(_) => Folded::One(character),
    };
    (class, folded)
}

/// What a character folds to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folded {
    /// One character, often itself.
    One(char),
    /// None or several.
    Many(&'static str),
    /// A Hangul syllable, to be decomposed by arithmetic.
    Hangul(u32),
}

impl Folded {
    /// Appends the folded form in UTF-8.
    #[inline]
    pub(crate) fn append_to(self, out: &mut Vec<u8>) {
        match self {
            Folded::One(character) => push_char(out, character),
            Folded::Many(text) => out.extend_from_slice(text.as_bytes()),
            Folded::Hangul(code) => {
                // The Unicode Standard, section 3.12, "Hangul Syllable
                // Decomposition".
                let index = code - HANGUL.0;
                let tail = index % 28;
                let jamo = [0x1100 + index / 588, 0x1161 + index % 588 / 28, 0x11a7 + tail];
                for &code in &jamo[..if tail == 0 { 2 } else { 3 }] {
                    push_char(out, char::from_u32(code).expect("a jamo"));
                }
            }
        }
    }

    fn from_entry(entry: u32, character: char) -> Folded {
        let payload = entry >> 4;
        if entry & MANY != 0 {
            Folded::Many(FOLDS[payload as usize].1)
        } else if payload != 0 {
            Folded::One(char::from_u32(payload).expect("a character"))
        } else if (HANGUL.0..=HANGUL.1).contains(&(character as u32)) {
            Folded::Hangul(character as u32)
        } else {
            Folded::One(character)
        }
    }
}

const HANGUL: (u32, u32) = (0xac00, 0xd7a3);
/// The code points looked up directly; higher ones, rare, are searched.
const DIRECT: u32 = 0x2_0000;
/// Set in an entry whose payload is an index of `FOLDS`.
const MANY: u32 = 8;

/// One entry a code point: bits 0–2 the class, bit 3 `MANY`, the rest the
/// folded character, an index of `FOLDS`, or 0 for "itself".
static TABLE: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut table = vec![0; DIRECT as usize];
    for &(from, to, class) in CLASSES {
        for code in from..=to.min(DIRECT - 1) {
            table[code as usize] = u32::from(class);
        }
    }
    for (at, &(code, folded)) in FOLDS.iter().enumerate() {
        if code < DIRECT {
            let mut characters = folded.chars();
            table[code as usize] |= match (characters.next(), characters.next()) {
                (Some(only), None) => (only as u32) << 4,
                _ => (at as u32) << 4 | MANY,
            };
        }
    }
    table
});

#[inline]
fn class_of(number: u32) -> Class {
    match number {
        1 => Class::Word,
        2 => Class::Single,
        3 => Class::Mark,
        4 => Class::Joiner,
        _ => Class::Separator,
    }
}

fn search_class(code: u32) -> Class {
    let after = CLASSES.partition_point(|&(from, _, _)| from <= code);
    match after.checked_sub(1).map(|at| CLASSES[at]) {
        Some((_, to, class)) if code <= to => class_of(u32::from(class)),
        _ => Class::Separator,
    }
}

#[inline]
fn push_char(out: &mut Vec<u8>, character: char) {
    let mut buffer = [0; 4];
    out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::is_combining_mark;

    use super::*;

    const JOINERS: &str = "'\u{2019}\u{2018}\u{2bc}\u{ff07}\u{ad}\u{200c}\u{200d}\u{200e}\u{200f}\
        \u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2060}\u{2061}\u{2062}\u{2063}\u{2064}\
        \u{2066}\u{2067}\u{2068}\u{2069}\u{feff}";

    /// Blocks whose letters are tokens of their own.
    const SINGLE: [(u32, u32); 19] = [
        (0x0e00, 0x0eff),     // Thai, Lao
        (0x0f00, 0x0fff),     // Tibetan
        (0x1000, 0x109f),     // Myanmar
        (0x1780, 0x17ff),     // Khmer
        (0x3005, 0x3007),     // ideographic iteration, closing, zero
        (0x3021, 0x303c),     // Hangzhou numerals, vertical iteration
        (0x3040, 0x312f),     // kana, Bopomofo
        (0x31a0, 0x31bf),     // Bopomofo extended
        (0x31f0, 0x31ff),     // kana phonetic extensions
        (0x3400, 0x4dbf),     // Han extension A
        (0x4e00, 0x9fff),     // Han
        (0xa9e0, 0xa9ff),     // Myanmar extended B
        (0xaa60, 0xaa7f),     // Myanmar extended A
        (0xf900, 0xfaff),     // Han compatibility
        (0xff66, 0xff9f),     // half-width kana
        (0x1_6fe0, 0x1_8dff), // Tangut
        (0x1_aff0, 0x1_b2ff), // kana supplement, Nüshu
        (0x2_0000, 0x2_ffff), // Han extensions
        (0x3_0000, 0x3_ffff), // Han extensions
    ];

    fn expected(character: char) -> (Class, String) {
        let itself = character.to_string();
        if JOINERS.contains(character) {
            return (Class::Joiner, itself);
        }
        let mark = is_combining_mark(character);
        if !mark && !character.is_alphanumeric() {
            return (Class::Separator, itself);
        }
        let lower: String = character.nfkd().flat_map(char::to_lowercase).collect();
        let folded: String = lower
            .nfkd()
            .flat_map(char::to_lowercase)
            .filter(|&c| c.is_alphanumeric() || is_combining_mark(c))
            .filter(|c| !matches!(*c as u32, 0x300..=0x36f | 0x640 | 0xfe00..=0xfe0f | 0xe0100..=0xe01ef))
            .flat_map(|c| match c {
                'ß' => vec!['s', 's'],
                'ς' => vec!['σ'],
                other => vec![other],
            })
            .collect();
        let code = character as u32;
        let class = if mark || (!folded.is_empty() && folded.chars().all(is_combining_mark)) {
            Class::Mark
        } else if SINGLE.iter().any(|&(from, to)| (from..=to).contains(&code)) && !character.is_numeric() {
            Class::Single
        } else {
            Class::Word
        };
        (class, folded)
    }

    /// The frozen table is what its sources say. After a deliberate change of
    /// the rules, `TWICETOLD_WRITE_FOLD_TABLE=1 cargo test --lib fold` writes
    /// it again.
    #[test]
    fn frozen_table_equals_its_sources() {
        let all = || (0..=0x10_ffff).filter_map(char::from_u32);
        if std::env::var_os("TWICETOLD_WRITE_FOLD_TABLE").is_some() {
            std::fs::write("src/fold_table.rs", written(all())).expect("write the table");
            return;
        }
        for character in all() {
            let (class, folded) = fold(character);
            let mut bytes = Vec::new();
            folded.append_to(&mut bytes);
            let folded = String::from_utf8(bytes).expect("UTF-8");
            assert_eq!((class, folded), expected(character), "{:x}", character as u32);
        }
    }

    fn written(characters: impl Iterator<Item = char>) -> String {
        let mut ranges: Vec<(u32, u32, u8)> = Vec::new();
        let mut folds = Vec::new();
        for character in characters {
            let code = character as u32;
            let (class, folded) = expected(character);
            match ranges.last_mut() {
                _ if class == Class::Separator => {}
                Some((_, to, last)) if *to + 1 == code && *last == class as u8 => *to = code,
                _ => ranges.push((code, code, class as u8)),
            }
            let hangul = (HANGUL.0..=HANGUL.1).contains(&code);
            if folded != character.to_string() && !hangul {
                folds.push((code, folded));
            }
        }
        let mut out = String::from(
            "//! The frozen table behind `fold`; written by its test, not by hand.\n\n\
             /// Ranges of code points with their class; all others separate.\n\
             #[rustfmt::skip]\npub(crate) const CLASSES: &[(u32, u32, u8)] = &[",
        );
        for (at, (from, to, class)) in ranges.iter().enumerate() {
            let lead = if at % 6 == 0 { "\n    " } else { " " };
            write!(out, "{lead}({from:#x}, {to:#x}, {class}),").expect("a string");
        }
        out.push_str(
            "\n];\n\n/// Code points that do not fold to themselves; Hangul syllables apart.\n\
             #[rustfmt::skip]\npub(crate) const FOLDS: &[(u32, &str)] = &[",
        );
        for (at, (code, folded)) in folds.iter().enumerate() {
            let lead = if at % 6 == 0 { "\n    " } else { " " };
            write!(out, "{lead}({code:#x}, \"{}\"),", folded.escape_unicode()).expect("a string");
        }
        out.push_str("\n];\n");
        out
    }
}
