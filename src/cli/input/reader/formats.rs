//! The formats: a stream of each to documents.

use std::borrow::Cow;
#[cfg(feature = "formats")]
use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::mem;
#[cfg(feature = "formats")]
use std::ops::ControlFlow;
#[cfg(feature = "formats")]
use std::rc::Rc;

use encoding_rs::Encoding;
use rayon::prelude::*;
use serde::de::DeserializeSeed;
use twicetold::Document;
#[cfg(feature = "formats")]
use twicetold::MAX_DOCUMENT_BYTES;

use super::{Reader, describe};
use crate::cli::input::kinds::Holds;
use crate::cli::input::lines::Lines;
use crate::cli::input::record::{Fields, Noticed, Record, RecordSeed, Refused, Value, Values, host};
use crate::cli::input::table::{TableStream, field};
#[cfg(feature = "formats")]
use crate::cli::input::unpack::Bound;
use crate::cli::input::unpack::Source;
use crate::cli::input::{Settings, warc};
#[cfg(feature = "formats")]
use crate::cli::input::{columns, guard, html};

/// Bytes that a line of JSON may have in any case.
const LINE: u64 = 64 << 20;
/// Bytes for each thread that are read at a time of lines, and of the pages of a web archive.
const LINES: usize = 1 << 19;
const PAGES: usize = 1 << 20;
/// Bytes that a record of one takes besides its page.
const RECORD: usize = 1 << 10;

impl Reader<'_> {
    pub(super) fn text(&mut self, path: &str, stream: impl Read) {
        if let Some(text) = self.whole_text(path, stream, self.settings.longest(), |_| None) {
            let mut document = Document::new(path, text);
            document.path = Some(path.to_owned());
            self.keep(document);
        }
    }

    #[cfg(feature = "formats")]
    pub(super) fn html_file(&mut self, path: &str, stream: impl Read) {
        // A page is longer than its article.
        let longest = MAX_DOCUMENT_BYTES as u64;
        let Some(html) = self.whole_text(path, stream, longest, html::declared) else { return };
        match html::page(&html, self.settings.all_text) {
            Err((reason, hint)) => self.skip(path.to_owned(), None, reason, hint.as_deref()),
            Ok(page) => {
                let mut document = Document::new(path, page.text);
                document.source = page.address.as_deref().and_then(host);
                document.date = page.published.and_then(|date| self.noticed.date(&date, path, 1));
                document.path = Some(path.to_owned());
                self.keep(document);
            }
        }
    }

    #[cfg(not(feature = "formats"))]
    pub(super) fn html_file(&mut self, path: &str, _: impl Read) {
        self.skip(path.to_owned(), None, "HTML, which this build does not read", Some(SLIM));
    }

    pub(super) fn json_lines(&mut self, path: &str, mut stream: impl BufRead) {
        // A line may hold a whole document with every character escaped, and
        // other fields.
        let longest = (6 * self.settings.longest()).max(LINE);
        let (fields, divides) = (self.fields, self.divides);
        let most = LINES * self.threads();
        let record = |number, line: Option<&[u8]>| {
            let Some(line) = line else {
                return Some((number, Err((format!("a line longer than {longest} bytes"), None))));
            };
            let line = match number {
                1 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
                _ => line,
            };
            let is_blank = line.iter().all(u8::is_ascii_whitespace);
            (!is_blank).then(|| (number, json_line(line, fields)))
        };
        let (mut lines, mut next) = (Lines::default(), Lines::default());
        lines.read(&mut stream, 1, most, longest);
        let mut records = Vec::new();
        loop {
            let (mut made, mut is_last) = (Vec::new(), true);
            let mut make = || made = lines.each(record, divides);
            let mut take_and_read = || {
                self.records(path, mem::take(&mut records));
                if lines.end.is_none() && !self.has_enough() {
                    next.read(&mut stream, lines.next(), most, longest);
                    is_last = false;
                }
            };
            // Some are made records while those before are taken and the next are read.
            if divides {
                rayon::in_place_scope(|scope| {
                    scope.spawn(|_| make());
                    take_and_read();
                });
            } else {
                make();
                take_and_read();
            }
            records = made;
            if is_last {
                break;
            }
            mem::swap(&mut lines, &mut next);
        }
        self.records(path, records);
        if let (Some(Err(error)), false) = (&lines.end, self.has_enough()) {
            let reason = format!("{}; the lines before it were read", describe(error));
            self.skip(path.to_owned(), Some(lines.next()), reason, None);
        }
    }

    /// Takes records with their lines, as long as any are wanted.
    fn records(&mut self, path: &str, records: Vec<(u64, Result<Record, Refused>)>) {
        for (line, record) in records {
            if self.has_enough() {
                return;
            }
            self.record(path, line, record);
        }
    }

    /// Reads an array of objects, or objects one after the other.
    pub(super) fn json(&mut self, path: &str, stream: impl BufRead) {
        let mut stream = stream;
        // A byte order mark is no JSON.
        if stream.fill_buf().is_ok_and(|start| start.starts_with(b"\xef\xbb\xbf")) {
            stream.consume(3);
        }
        let mut json = serde_json::Deserializer::from_reader(stream);
        let mut number = 0;
        let read = loop {
            match json.end() {
                Ok(()) => break Ok(()),
                Err(error) if error.is_io() => break Err(error),
                Err(_) => {}
            }
            let fields = self.fields;
            let mut found = |record: Option<Record>| {
                number += 1;
                let record = record.ok_or_else(|| ("not an object".to_owned(), None));
                self.record(path, number, record);
                self.flow()
            };
            if let Err(error) = Values(fields, &mut found).deserialize(&mut json) {
                break Err(error);
            }
        };
        if let (Err(error), false) = (read, self.has_enough()) {
            let reason = match error.io_error_kind() {
                Some(io::ErrorKind::UnexpectedEof) => "the compressed data ends too early".to_owned(),
                _ => format!("not JSON at column {}: {}", error.column(), cause(&error)),
            };
            let reason = format!("{reason}; records read before it: {number}");
            let hint = "wanted is an array of objects, like [{\"id\": \"1\", \"text\": \"…\"}]";
            self.skip(path.to_owned(), Some(error.line() as u64), reason, Some(hint));
        }
    }

    /// Reads a table with a header line.
    pub(super) fn table<'s>(&mut self, path: &str, stream: Box<dyn BufRead + 's>, head: &[u8]) {
        let TableStream { stream, separator, encoding: wide } =
            match TableStream::new(stream, head, self.settings.encoding.as_deref()) {
                Ok(stream) => stream,
                Err(error) => return self.skip(path.to_owned(), None, describe(&error), None),
            };
        let mut table = csv::ReaderBuilder::new().delimiter(separator).from_reader(stream);
        let read = |bytes: &[u8]| -> Result<String, Refused> {
            field(bytes, wide).map(Cow::into_owned).map_err(|error| {
                let hint = "--encoding names the encoding of the table".to_owned();
                (format!("not UTF-8 at byte {} of a field", error.valid_up_to()), Some(hint))
            })
        };
        let names = match table.byte_headers() {
            Ok(names) => names.iter().map(read).collect::<Result<Vec<String>, Refused>>(),
            Err(error) => Err((error.to_string(), None)),
        };
        let names = match names {
            Ok(names) => names,
            Err((reason, hint)) => return self.skip(path.to_owned(), Some(1), reason, hint.as_deref()),
        };
        let fields = self.fields;
        // For each column its name, and whether its cells are wanted.
        let is_wanted = |name: &str| fields.wanted().any(|wanted| wanted.2 == name);
        let names: Vec<(&String, bool)> = names.iter().map(|name| (name, is_wanted(name))).collect();
        let mut row = csv::ByteRecord::new();
        while !self.has_enough() {
            let line = table.position().line();
            match table.read_byte_record(&mut row) {
                Ok(false) => break,
                Ok(true) => {}
                Err(error) => {
                    let reason = match error.kind() {
                        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                            format!("a row of {len} fields under a header of {expected_len}")
                        }
                        csv::ErrorKind::Io(error) => describe(error),
                        _ => error.to_string(),
                    };
                    let hint = "a field with separators or line breaks needs quotes around it".to_owned();
                    self.broken(path, line, (reason, Some(hint)));
                    if error.is_io_error() {
                        break;
                    }
                    continue;
                }
            }
            // The position before a row is that of the line break ending the
            // one before it, where that is kept apart.
            let line = row.position().map_or(line, csv::Position::line);
            let record = (|| {
                let mut record = Record::default();
                for (&(name, is_wanted), value) in names.iter().zip(&row) {
                    let value = match is_wanted {
                        false => Value::Other,
                        true if value.is_empty() => Value::Absent,
                        true => Value::Text(read(value)?),
                    };
                    record.offer(fields, name, value);
                }
                Ok(record)
            })();
            self.record(path, line, record);
        }
        if let Some(encoding) = wide {
            self.noticed.decoded(encoding);
        }
    }

    #[cfg(feature = "formats")]
    pub(super) fn columns(&mut self, path: &str, source: Source, holds: Holds, head: &[u8]) {
        let fields = self.fields;
        let mut last = 0;
        let read = (|| {
            let whole = source.into_seekable()?;
            // A text that is stored once may stand in every row.
            let bound = Bound::new(Rc::new(Cell::new(whole.size()?)));
            let mut bomb = Ok(());
            let found = |number, record: Record| {
                last = number;
                bomb = bound.add(record.text_len());
                if bomb.is_err() {
                    return ControlFlow::Break(());
                }
                self.record(path, number, Ok(record));
                self.flow()
            };
            let read = guard::guarded(|| match holds {
                Holds::Parquet => columns::parquet(whole, fields, found),
                _ => columns::arrow(whole, head.starts_with(b"ARROW1"), fields, found),
            });
            read.map_err(arrow_schema::ArrowError::ParseError)??;
            bomb.map_err(arrow_schema::ArrowError::from)
        })();
        if let Err(error) = read {
            let reason = format!("a broken {} file: {error}; rows read before it: {last}", holds.name());
            self.skip(path.to_owned(), None, reason, None);
        }
    }

    #[cfg(not(feature = "formats"))]
    pub(super) fn columns(&mut self, path: &str, _: Source, holds: Holds, _: &[u8]) {
        self.skip(
            path.to_owned(),
            None,
            format!("{}, which this build does not read", holds.name()),
            Some(SLIM),
        );
    }

    pub(super) fn warc(&mut self, path: &str, stream: impl BufRead) {
        let most = PAGES * self.threads();
        let (mut some, mut bytes) = (Vec::new(), 0);
        let read = warc::records(stream, |record| {
            bytes += record.as_ref().map_or(0, warc::Record::len) + RECORD;
            some.push(record);
            if bytes >= most {
                bytes = 0;
                self.web_pages(path, mem::take(&mut some));
            }
            self.flow()
        });
        self.web_pages(path, some);
        if let (Err((number, error)), false) = (read, self.has_enough()) {
            let reason = format!("{}; the records before it were read", describe(&error));
            self.skip(path.to_owned(), Some(number), reason, None);
        }
    }

    /// Reads pages by several threads, and takes them in their order, as long as any are
    /// wanted.
    fn web_pages(&mut self, path: &str, records: Vec<Result<warc::Record, warc::Broken>>) {
        let (settings, encoding) = (self.settings, self.encoding);
        let read = |record: Result<warc::Record, warc::Broken>| {
            let mut noticed = Noticed::default();
            let (number, read) = match record {
                Ok(record) => (record.number, web_page(path, record, settings, encoding, &mut noticed)),
                Err(broken) => (broken.number, Err((broken.reason, None))),
            };
            (number, read, noticed)
        };
        let read: Vec<_> = match self.divides {
            true => records.into_par_iter().map(read).collect(),
            false => records.into_iter().map(read).collect(),
        };
        for (number, read, noticed) in read {
            if self.has_enough() {
                return;
            }
            self.noticed.absorb(noticed);
            match read {
                Ok(Some(document)) => self.keep(document),
                Ok(None) => self.pageless += 1,
                Err(refused) => self.broken(path, number, refused),
            }
        }
    }

    fn record(&mut self, path: &str, line: u64, record: Result<Record, Refused>) {
        let document = record.and_then(|record| self.noticed.document(self.fields, record, path, line));
        match document {
            Ok(document) => self.keep(document),
            Err(refused) => self.broken(path, line, refused),
        }
    }

    /// Reads a whole stream and decodes it; tells what is wrong if it cannot.
    fn whole_text(
        &mut self,
        path: &str,
        stream: impl Read,
        longest: u64,
        declared: impl Fn(&[u8]) -> Option<&'static Encoding>,
    ) -> Option<String> {
        let mut bytes = Vec::new();
        if let Err(error) = stream.take(longest + 1).read_to_end(&mut bytes) {
            self.skip(path.to_owned(), None, describe(&error), None);
            return None;
        }
        if bytes.len() as u64 > longest {
            let hint = "split it into its articles, one JSON object a line";
            self.skip(path.to_owned(), None, format!("longer than {longest} bytes"), Some(hint));
            return None;
        }
        let decoded = self.noticed.decode(bytes, self.encoding, declared);
        decoded.map_err(|(reason, hint)| self.skip(path.to_owned(), None, reason, hint.as_deref())).ok()
    }
}

fn json_line(line: &[u8], fields: &Fields) -> Result<Record, Refused> {
    let line = std::str::from_utf8(line).map_err(|error| {
        let hint = "JSON is UTF-8; convert it, for example with `iconv -f WINDOWS-1252 -t UTF-8`";
        (format!("not UTF-8 at byte {} of the line", error.valid_up_to()), Some(hint.to_owned()))
    })?;
    let mut json = serde_json::Deserializer::from_str(line);
    let record = RecordSeed(fields).deserialize(&mut json);
    record.and_then(|record| json.end().map(|()| record)).map_err(|error| {
        let reason = format!("not a JSON object at column {}: {}", error.column(), cause(&error));
        (reason, Some("each line must hold one object, like {\"id\": \"1\", \"text\": \"…\"}".to_owned()))
    })
}

/// The document of a record; its id is when and where it was fetched.
#[cfg_attr(not(feature = "formats"), expect(unused_variables, reason = "settings are for HTML"))]
fn web_page(
    path: &str,
    record: warc::Record,
    settings: &Settings,
    encoding: Option<&'static Encoding>,
    noticed: &mut Noticed,
) -> Result<Option<Document>, Refused> {
    let (text, published) = match record.holds {
        warc::Content::Other => return Ok(None),
        warc::Content::Text(bytes) => (noticed.decode(bytes, encoding, |_| None)?, None),
        #[cfg(feature = "formats")]
        warc::Content::Html(bytes) => {
            let html = noticed.decode(bytes, encoding, html::declared)?;
            let page = html::page(&html, settings.all_text)?;
            (page.text, page.published)
        }
        #[cfg(not(feature = "formats"))]
        warc::Content::Html(_) => {
            return Err(("HTML, which this build does not read".to_owned(), Some(SLIM.to_owned())));
        }
    };
    let stamp: String = record.date.chars().filter(char::is_ascii_digit).take(14).collect();
    let mut document = Document::new(format!("{stamp}/{}", record.address), text);
    document.source = host(&record.address);
    let date = published.unwrap_or(record.date);
    document.date = noticed.date(&date, path, record.number);
    (document.path, document.line) = (Some(path.to_owned()), Some(record.number));
    Ok(Some(document))
}

/// What serde_json says, without the place it adds.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// What helps where a format was left out.
#[cfg(not(feature = "formats"))]
const SLIM: &str = "install it with all features, which is the default";
