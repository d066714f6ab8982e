//! Characters and lines up to places of a text.

use crate::lanes::{Lanes, count};

/// Counts characters and lines up to increasing places of a text.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    /// Whether every byte is a character.
    is_ascii: bool,
    byte: usize,
    chars: u32,
    line: u32,
}

impl<'a> Cursor<'a> {
    /// At the beginning of a text of so many characters, below 2³² bytes.
    pub(crate) fn new(text: &'a str, chars: u32) -> Self {
        let is_ascii = chars as usize == text.len();
        Cursor { bytes: text.as_bytes(), is_ascii, byte: 0, chars: 0, line: 1 }
    }

    /// The characters before a byte, and the line it is in.
    pub(crate) fn go(&mut self, byte: usize) -> (u32, u32) {
        let passed = &self.bytes[self.byte..byte];
        self.chars += passed.len() as u32;
        if !self.is_ascii {
            self.chars -= count(passed, Lanes::inner) as u32;
        }
        self.line += count(passed, |bytes| bytes.alike(Lanes::splat(b'\n' as i8))) as u32;
        self.byte = byte;
        (self.chars, self.line)
    }

    /// The characters before each of some bytes, in any order.
    pub(crate) fn chars(text: &'a str, chars: u32, bytes: &[usize]) -> Vec<u32> {
        let mut order: Vec<usize> = (0..bytes.len()).collect();
        order.sort_unstable_by_key(|&at| bytes[at]);
        let mut cursor = Cursor::new(text, chars);
        let mut chars = vec![0; bytes.len()];
        for at in order {
            chars[at] = cursor.go(bytes[at]).0;
        }
        chars
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_and_lines_equal_those_counted_one_by_one() {
        for text in ["añb\n漢字\r\n".repeat(100), "ab\nc\r\n".repeat(100)] {
            let count = text.chars().count() as u32;
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let mut cursor = Cursor::new(&text, count);
            for &at in &places {
                let lines = text[..at].matches('\n').count() as u32;
                assert_eq!(cursor.go(at), (text[..at].chars().count() as u32, lines + 1));
            }
            let backwards: Vec<usize> = places.iter().rev().copied().collect();
            let expected: Vec<u32> = (0..places.len() as u32).rev().collect();
            assert_eq!(Cursor::chars(&text, count, &backwards), expected);
        }
    }
}
