//! Characters and lines up to places of a text.

use crate::lanes::{Lanes, count};

/// Counts characters and lines up to increasing places of a text.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    byte: usize,
    chars: u64,
    line: u64,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Cursor { text, byte: 0, chars: 0, line: 1 }
    }

    /// The characters before a byte, and the line it is in.
    pub(crate) fn go(&mut self, byte: usize) -> (u64, u64) {
        let passed = &self.text.as_bytes()[self.byte..byte];
        self.chars += passed.len() as u64 - count(passed, Lanes::inner);
        self.line += count(passed, |bytes| bytes.alike(Lanes::splat(b'\n' as i8)));
        self.byte = byte;
        (self.chars, self.line)
    }

    /// The characters before each of some bytes, in any order.
    pub(crate) fn chars(text: &'a str, bytes: &[usize]) -> Vec<u64> {
        let mut order: Vec<usize> = (0..bytes.len()).collect();
        order.sort_unstable_by_key(|&at| bytes[at]);
        let mut cursor = Cursor::new(text);
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
        let text = "añb\n漢字\r\n".repeat(100);
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let mut cursor = Cursor::new(&text);
        for &at in &places {
            let lines = text[..at].matches('\n').count() as u64;
            assert_eq!(cursor.go(at), (text[..at].chars().count() as u64, lines + 1));
        }
        let backwards: Vec<usize> = places.iter().rev().copied().collect();
        let expected: Vec<u64> = (0..places.len() as u64).rev().collect();
        assert_eq!(Cursor::chars(&text, &backwards), expected);
    }
}
