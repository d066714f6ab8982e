//! Reading documents: directories, text files, JSON Lines, standard input.
//!
//! Whatever cannot be read is skipped, named with its cause and a remedy, and
//! counted; the rest goes on. Inputs are only ever opened for reading.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ahash::AHashMap;
use flate2::bufread::MultiGzDecoder;
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use twicetold::{Date, Document, MAX_DOCUMENT_BYTES};

/// The JSON fields that hold what a document is made of.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub text: String,
    pub id: String,
    pub source: String,
    pub date: String,
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub documents: Vec<Document>,
    /// What was not, sorted by place.
    pub skipped: Vec<Skipped>,
    /// What the user should know besides.
    pub notes: Vec<String>,
}

/// An input that was not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Skipped {
    pub path: String,
    pub line: Option<u64>,
    pub reason: String,
    #[serde(skip)]
    pub hint: Option<String>,
}

impl Skipped {
    /// The file, and the line if it has one.
    pub(crate) fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.path),
            None => self.path.clone(),
        }
    }
}

/// What files are recognised by.
pub(crate) const ENDINGS: &str = "text files end in .txt or .md, JSON Lines in .jsonl or .jsonl.gz";

/// Reads all inputs.
pub(crate) fn collect(inputs: &[PathBuf], fields: &Fields) -> Collected {
    let mut reader = Reader {
        fields,
        found: Collected::default(),
        seen: BTreeSet::new(),
        undated: Vec::new(),
        unknown: 0,
        nuls: 0,
        twice: 0,
    };
    for input in inputs {
        reader.input(input);
    }
    reader.finish()
}

struct Reader<'a> {
    fields: &'a Fields,
    found: Collected,
    /// Files read already, by their real path.
    seen: BTreeSet<PathBuf>,
    undated: Vec<String>,
    unknown: usize,
    nuls: usize,
    twice: usize,
}

/// What a file holds, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    JsonLines,
    Unknown,
}

impl Holds {
    fn of(path: &Path) -> Holds {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.').map(|(_, end)| end) {
            Some("txt" | "text" | "md" | "markdown") => Holds::Text,
            Some("jsonl" | "ndjson") => Holds::JsonLines,
            _ => Holds::Unknown,
        }
    }
}

impl Reader<'_> {
    fn input(&mut self, input: &Path) {
        if input == Path::new("-") {
            if self.seen.insert(input.to_owned()) {
                self.stream("-".to_owned(), Box::new(io::stdin().lock()), Holds::Unknown);
            } else {
                self.twice += 1;
            }
        } else if input.is_dir() {
            self.directory(input);
        } else {
            self.file(input, Holds::of(input));
        }
    }

    fn directory(&mut self, directory: &Path) {
        let before = self.found.documents.len() + self.found.skipped.len() + self.twice;
        let walk = walkdir::WalkDir::new(directory).follow_links(true).sort_by_file_name();
        for entry in walk {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => match Holds::of(entry.path()) {
                    Holds::Unknown => self.unknown += 1,
                    holds if entry.file_type().is_file() => self.file(entry.path(), holds),
                    _ => self.skip(name(entry.path()), None, "not a regular file", None),
                },
                Err(error) => {
                    let path = error.path().unwrap_or(directory);
                    let reason = match error.io_error() {
                        Some(error) => describe(error),
                        None => "a symbolic link that leads back to its own directory".to_owned(),
                    };
                    self.skip(name(path), None, reason, None);
                }
            }
        }
        if self.found.documents.len() + self.found.skipped.len() + self.twice == before {
            self.skip(name(directory), None, "a directory without any text file", Some(ENDINGS));
        }
    }

    fn file(&mut self, path: &Path, holds: Holds) {
        let shown = name(path);
        let opened = path.canonicalize().and_then(|real| {
            let metadata = real.metadata()?;
            // Opening a named pipe would wait for a writer.
            if !metadata.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            Ok((File::open(&real)?, real))
        });
        match opened {
            Err(error) => {
                let hint = (error.kind() == io::ErrorKind::NotFound)
                    .then_some("check the spelling; a path with spaces needs quotes");
                self.skip(shown, None, describe(&error), hint);
            }
            Ok((_, real)) if self.seen.contains(&real) => self.twice += 1,
            Ok((file, real)) => {
                self.seen.insert(real);
                self.stream(shown, Box::new(BufReader::with_capacity(1 << 18, file)), holds);
            }
        }
    }

    /// Reads a stream, decompressed where it begins like gzip.
    fn stream(&mut self, path: String, mut stream: Box<dyn BufRead + '_>, holds: Holds) {
        let packed = match stream.fill_buf() {
            Ok(start) => start.starts_with(&[0x1f, 0x8b]),
            Err(error) => return self.skip(path, None, describe(&error), None),
        };
        if packed {
            let unpacked = BufReader::with_capacity(1 << 18, MultiGzDecoder::new(stream));
            self.plain(path, unpacked, holds);
        } else {
            self.plain(path, stream, holds);
        }
    }

    fn plain(&mut self, path: String, mut stream: impl BufRead, holds: Holds) {
        let json = match holds {
            Holds::JsonLines => true,
            Holds::Text => false,
            Holds::Unknown => match stream.fill_buf() {
                Ok(start) => {
                    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
                    start.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
                }
                Err(error) => return self.skip(path, None, describe(&error), None),
            },
        };
        if json {
            self.json_lines(path, stream);
        } else {
            self.text(path, stream);
        }
    }

    fn text(&mut self, path: String, stream: impl Read) {
        let mut bytes = Vec::new();
        if let Err(error) = stream.take(MAX_DOCUMENT_BYTES as u64 + 1).read_to_end(&mut bytes) {
            return self.skip(path, None, describe(&error), None);
        }
        if bytes.len() > MAX_DOCUMENT_BYTES {
            let hint = "split it into its articles, one JSON object a line";
            return self.skip(path, None, format!("longer than {MAX_DOCUMENT_BYTES} bytes"), Some(hint));
        }
        match String::from_utf8(bytes) {
            Ok(text) => {
                self.nuls += usize::from(text.contains('\0'));
                let mut document = Document::new(path.clone(), text);
                document.path = Some(path);
                self.found.documents.push(document);
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let hint = "convert it, for example with `iconv -f WINDOWS-1252 -t UTF-8`";
                self.skip(path, None, format!("not UTF-8 at byte {at}"), Some(hint));
            }
        }
    }

    fn json_lines(&mut self, path: String, mut stream: impl BufRead) {
        // A line may hold a whole document with every character escaped.
        const MAX_LINE: u64 = 6 * MAX_DOCUMENT_BYTES as u64;
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            line.clear();
            number += 1;
            match stream.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    let reason = format!("{}; the lines before it were read", describe(&error));
                    return self.skip(path, Some(number), reason, None);
                }
            }
            if line.len() as u64 == MAX_LINE {
                return self.skip(path, Some(number), format!("a line longer than {MAX_LINE} bytes"), None);
            }
            let line = match number {
                1 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line),
                _ => &line[..],
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match self.json(&path, number, line) {
                Ok(document) => self.found.documents.push(document),
                Err((reason, hint)) => self.skip(path.clone(), Some(number), reason, hint.as_deref()),
            }
        }
    }

    fn json(&mut self, path: &str, number: u64, line: &[u8]) -> Result<Document, (String, Option<String>)> {
        let line = std::str::from_utf8(line)
            .map_err(|error| (format!("not UTF-8 at byte {} of the line", error.valid_up_to()), None))?;
        let mut json = serde_json::Deserializer::from_str(line);
        let record =
            RecordSeed(self.fields).deserialize(&mut json).and_then(|record| json.end().map(|()| record));
        let record = record.map_err(|error| {
            let reason = format!("not a JSON object at column {}: {}", error.column(), cause(&error));
            (reason, Some("each line must hold one object, like {\"id\": \"1\", \"text\": \"…\"}".to_owned()))
        })?;
        let field = &self.fields.text;
        let text = match record.text {
            Value::Text(text) => text,
            Value::Absent => {
                let names = record.names.join(", ");
                let hint = format!("--text-field names the field with the text; this line has: {names}");
                return Err((format!("no field `{field}`"), Some(hint)));
            }
            Value::Number(_) | Value::Other => {
                return Err((format!("field `{field}` is not a string"), None));
            }
        };
        if text.len() > MAX_DOCUMENT_BYTES {
            return Err((format!("a text longer than {MAX_DOCUMENT_BYTES} bytes"), None));
        }
        let optional = |value, field: &str| match value {
            Value::Text(text) | Value::Number(text) => Ok(Some(text)),
            Value::Absent => Ok(None),
            Value::Other => Err((format!("field `{field}` is neither a string nor a number"), None)),
        };
        let id = optional(record.id, &self.fields.id)?.unwrap_or_else(|| format!("{path}:{number}"));
        let source = optional(record.source, &self.fields.source)?;
        let date = optional(record.date, &self.fields.date)?.filter(|date| !date.trim().is_empty());
        let date = date.and_then(|date| {
            let read = date.parse::<Date>();
            read.map_err(|error| self.undated.push(format!("{path}:{number}: {error}"))).ok()
        });
        let mut document = Document::new(id, text);
        (document.source, document.date) = (source, date);
        (document.path, document.line) = (Some(path.to_owned()), Some(number));
        Ok(document)
    }

    fn skip(&mut self, path: String, line: Option<u64>, reason: impl Into<String>, hint: Option<&str>) {
        let hint = hint.map(str::to_owned);
        self.found.skipped.push(Skipped { path, line, reason: reason.into(), hint });
    }

    /// Rejects duplicate ids, whatever the order of the inputs, and sorts.
    fn finish(mut self) -> Collected {
        let documents = &mut self.found.documents;
        documents.sort_by(|x, y| (&x.path, x.line).cmp(&(&y.path, y.line)));
        let mut first: AHashMap<&str, usize> = AHashMap::with_capacity(documents.len());
        let mut repeated = Vec::new();
        for (at, document) in documents.iter().enumerate() {
            let earlier = *first.entry(&document.id).or_insert(at);
            if earlier != at {
                repeated.push((at, earlier));
            }
        }
        let place = |document: &Document| (document.path.clone().unwrap_or_default(), document.line);
        for &(at, earlier) in &repeated {
            let (path, line) = place(&documents[at]);
            let (first_path, first_line) = place(&documents[earlier]);
            let first =
                Skipped { path: first_path, line: first_line, reason: String::new(), hint: None }.place();
            let reason = format!("the id `{}` stands at {first} already", documents[at].id);
            let hint = Some("ids must be unique; --id-field names another field".to_owned());
            self.found.skipped.push(Skipped { path, line, reason, hint });
        }
        let mut at = 0;
        let mut rejected = repeated.iter().map(|pair| pair.0).peekable();
        documents.retain(|_| {
            at += 1;
            rejected.next_if_eq(&(at - 1)).is_none()
        });
        self.found.skipped.sort();

        let notes = &mut self.found.notes;
        self.undated.sort();
        if let Some(first) = self.undated.first() {
            let count = self.undated.len();
            notes.push(format!(
                "dates that could not be read and count as unknown: {count}, first at {first}"
            ));
        }
        if self.nuls > 0 {
            let files = self.nuls;
            notes.push(format!(
                "text files with NUL bytes, which are taken as separators: {files}; they may be binary or UTF-16"
            ));
        }
        if self.twice > 0 {
            notes.push(format!("files given more than once and read once: {}", self.twice));
        }
        if self.unknown > 0 {
            notes.push(format!("files of other types, not read: {}", self.unknown));
        }
        self.found
    }
}

/// A path as given, with forward slashes and without a leading `./`.
fn name(path: &Path) -> String {
    let shown = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    shown.strip_prefix("./").map(str::to_owned).unwrap_or(shown)
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::UnexpectedEof => "the compressed data ends too early".to_owned(),
        _ => error.to_string(),
    }
}

/// What serde_json says, without the place it adds.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// The value of a field that should be text.
#[derive(Debug, Default)]
enum Value {
    #[default]
    Absent,
    Text(String),
    /// As it is spelled.
    Number(String),
    Other,
}

#[derive(Debug, Default)]
struct Record {
    text: Value,
    id: Value,
    source: Value,
    date: Value,
    names: Vec<String>,
}

/// Reads an object and keeps only the fields asked for.
struct RecordSeed<'a>(&'a Fields);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = Record;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Record, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_> {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
        let mut record = Record::default();
        while let Some(name) = map.next_key::<std::borrow::Cow<str>>()? {
            let fields = self.0;
            let slot = match &*name {
                name if name == fields.text => &mut record.text,
                name if name == fields.id => &mut record.id,
                name if name == fields.source => &mut record.source,
                name if name == fields.date => &mut record.date,
                name => {
                    map.next_value::<IgnoredAny>()?;
                    if record.names.len() < 16 {
                        record.names.push(name.to_owned());
                    }
                    continue;
                }
            };
            *slot = map.next_value_seed(ValueSeed)?;
        }
        Ok(record)
    }
}

/// Reads a string, or a number as it is spelled.
struct ValueSeed;

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}
