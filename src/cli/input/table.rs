//! Tables of separated values: what it takes to read them.

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::str::Utf8Error;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::decode;

/// A table as bytes in which separators can be told, and what it takes to read
/// them.
pub(crate) struct TableStream<'a> {
    pub stream: Box<dyn BufRead + 'a>,
    pub separator: u8,
    /// The encoding, if that is not UTF-8.
    pub encoding: Option<&'static Encoding>,
}

/// The text of a field, if it is in UTF-8 or `encoding` is another.
pub(crate) fn field<'f>(
    bytes: &'f [u8],
    encoding: Option<&'static Encoding>,
) -> Result<Cow<'f, str>, Utf8Error> {
    match (std::str::from_utf8(bytes), encoding) {
        (Err(_), Some(encoding)) => Ok(encoding.decode_without_bom_handling(bytes).0),
        (text, _) => text.map(Cow::Borrowed),
    }
}

impl<'a> TableStream<'a> {
    /// Looks at how a table begins; one in UTF-16 is read and decoded as a
    /// whole.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(crate) fn new(
        mut stream: Box<dyn BufRead + 'a>,
        head: &[u8],
        given: Option<&str>,
    ) -> io::Result<Self> {
        let given = given.and_then(|label| Encoding::for_label(label.as_bytes()));
        let encoding = decode::guess_of_start(head, given);
        if let Some(wide) = encoding.filter(|encoding| [UTF_16LE, UTF_16BE].contains(encoding)) {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes)?;
            let text = wide.decode(&bytes).0.into_owned();
            let separator = separator(text.as_bytes());
            return Ok(TableStream { stream: Box::new(io::Cursor::new(text)), separator, encoding });
        }
        Ok(TableStream { stream, separator: separator(head), encoding })
    }
}

/// What separates the fields of a table: the commonest candidate in its header.
fn separator(head: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(0, b','), (0, b'\t'), (0, b';'), (0, b'|')];
    for &byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if !quoted => {
                if let Some(count) = counts.iter_mut().find(|count| count.1 == byte) {
                    count.0 += 1;
                }
            }
            _ => {}
        }
    }
    // The first of equals.
    counts.into_iter().rev().max_by_key(|count| count.0).map_or(b',', |count| count.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_separator_of_the_header_is_taken() {
        assert_eq!(separator(b"id;\"text, long, and odd\";date\n1,2,3,4,5,6"), b';');
        assert_eq!(separator(b"id\ttext"), b'\t');
        assert_eq!(separator(b"id,text;x"), b',');
        assert_eq!(separator(b"text"), b',');
    }
}
