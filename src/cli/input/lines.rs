//! Lines of a stream, many at a time, so that several threads can read what is in them.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use rayon::prelude::*;

/// Lines that follow each other.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    /// Where each is; none for one that was too long.
    each: Vec<Option<Range<usize>>>,
    /// The number of the first.
    first: u64,
    /// What came after them, if no line did.
    pub end: Option<io::Result<()>>,
}

impl Lines {
    /// Reads the next lines of a stream in the place of these, of which `first` is the first,
    /// until they have `most` bytes together or more. What one has beyond `longest` bytes is
    /// passed over.
    pub(super) fn read(&mut self, stream: &mut impl BufRead, first: u64, most: usize, longest: u64) {
        self.bytes.clear();
        self.each.clear();
        (self.first, self.end) = (first, None);
        while self.bytes.len() < most && self.end.is_none() {
            let start = self.bytes.len();
            let read = stream.by_ref().take(longest).read_until(b'\n', &mut self.bytes);
            let line = &self.bytes[start..];
            let is_cut = line.len() as u64 == longest && line.last() != Some(&b'\n');
            match read.and_then(|read| if is_cut { stream.skip_until(b'\n') } else { Ok(read) }) {
                Ok(0) if line.is_empty() => self.end = Some(Ok(())),
                Ok(_) if is_cut => {
                    self.bytes.truncate(start);
                    self.each.push(None);
                }
                Ok(_) => self.each.push(Some(start..self.bytes.len())),
                Err(error) => self.end = Some(Err(error)),
            }
        }
    }

    /// The number of the line after these.
    pub(super) fn next(&self) -> u64 {
        self.first + self.each.len() as u64
    }

    /// Makes something of each line and its number, or not; of none where it was too long. In
    /// their order, by several threads if they are to be `divided`.
    pub(super) fn each<T: Send>(
        &self,
        make: impl Fn(u64, Option<&[u8]>) -> Option<T> + Sync,
        divided: bool,
    ) -> Vec<T> {
        let line = |(at, line): (usize, &Option<Range<usize>>)| {
            make(self.first + at as u64, line.clone().map(|line| &self.bytes[line]))
        };
        match divided {
            true => self.each.par_iter().enumerate().with_min_len(8).filter_map(line).collect(),
            false => self.each.iter().enumerate().filter_map(line).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many are read at a time, they are those of the stream.
    #[test]
    fn lines_are_those_of_the_stream() {
        for (text, expected) in [
            ("", vec![]),
            ("a\n\nbc", vec![(1, Some("a\n")), (2, Some("\n")), (3, Some("bc"))]),
            ("abcdefg\nh\nijklmn", vec![(1, None), (2, Some("h\n")), (3, None)]),
            ("abcde\nabcd\n", vec![(1, None), (2, Some("abcd\n"))]),
        ] {
            for most in [1, 3, 1000] {
                let (mut stream, mut lines) = (text.as_bytes(), Lines::default());
                let (mut found, mut next) = (Vec::new(), 1);
                loop {
                    lines.read(&mut stream, next, most, 5);
                    let line = |number, line: Option<&[u8]>| Some((number, line.map(<[u8]>::to_vec)));
                    found.extend(lines.each(line, most > 1));
                    next = lines.next();
                    if lines.end.is_some() {
                        break;
                    }
                }
                let expected: Vec<_> = expected
                    .iter()
                    .map(|&(number, line)| (number, line.map(|line| line.as_bytes().to_vec())))
                    .collect();
                assert_eq!(found, expected, "{text:?}, {most} at a time");
            }
        }
    }
}
