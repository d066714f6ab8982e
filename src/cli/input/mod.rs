//! Reading documents: directories, files and streams of many formats.
//!
//! A file's name and its first bytes tell what it holds ([`kinds`]), packing is
//! undone ([`unpack`]), and each format's reader gives texts or records, which
//! become documents ([`record`]). Whatever cannot be read is skipped, named with
//! its cause and a remedy, and counted; the rest goes on. Inputs are only ever
//! opened for reading.

#[cfg(feature = "formats")]
pub(crate) mod columns;
mod decode;
#[cfg(feature = "formats")]
mod guard;
#[cfg(feature = "formats")]
mod html;
mod kinds;
mod lines;
mod record;
#[cfg(feature = "formats")]
mod stated;
mod table;
#[cfg_attr(not(feature = "formats"), expect(dead_code, reason = "for the formats that are left out"))]
mod unpack;
mod warc;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata};
use std::io::{self, BufRead, Read};
use std::mem;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
#[cfg(feature = "formats")]
use std::rc::Rc;

use ahash::AHashMap;
use anyhow::{Result, bail};
use encoding_rs::Encoding;
use rayon::prelude::*;
use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize};
use twicetold::{Document, MAX_DOCUMENT_BYTES};

pub(crate) use kinds::{ENDINGS, Holds};
use lines::Lines;
pub(crate) use record::Fields;
use record::{Noticed, Record, RecordSeed, Refused, Value, Values, host};
pub(crate) use table::{TableStream, field};
#[cfg(feature = "formats")]
use unpack::Bound;
use unpack::Told;
pub(crate) use unpack::{Packed, Source};

/// What to read, and how; also in `run.json`, so that it can be read again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// The fields named by the user; the usual ones are tried for the others.
    pub text_field: Option<String>,
    pub id_field: Option<String>,
    pub source_field: Option<String>,
    pub date_field: Option<String>,
    /// Patterns of which a file in a directory must match one, if there are any.
    pub glob: Vec<String>,
    /// Whether hidden files in directories are read.
    pub hidden: bool,
    /// Whether all text of web pages is taken, not only the article.
    pub all_text: bool,
    /// The encoding of text files; found out where it is not given.
    pub encoding: Option<String>,
    /// Longest text that is read, in bytes; without it as long as the library
    /// takes.
    pub max_document: Option<u64>,
    /// Most bytes that all texts together may have.
    pub max_input: Option<u64>,
}

impl Settings {
    /// Bytes of the longest text.
    fn longest(&self) -> u64 {
        let most = MAX_DOCUMENT_BYTES as u64;
        self.max_document.map_or(most, |given| given.min(most))
    }

    pub(crate) fn fields(&self) -> Fields {
        let [text, id, source, date] =
            [&self.text_field, &self.id_field, &self.source_field, &self.date_field].map(Option::as_deref);
        Fields::new(text, id, source, date)
    }
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub documents: Vec<Document>,
    /// What was not, sorted by place.
    pub skipped: Vec<Skipped>,
    /// What the user should know besides.
    pub notes: Vec<String>,
    /// The files read, sorted.
    pub files: Vec<FileRead>,
}

impl Collected {
    /// A number for what was read: ids and texts, in order.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        for Document { id, text, .. } in &self.documents {
            for part in [id, text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        format!("{:032x}", hasher.digest128())
    }
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileRead {
    pub path: String,
    pub holds: Holds,
    /// Whether it stands in an archive.
    pub packed: bool,
    pub documents: usize,
    pub bytes: u64,
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

/// Is told how far reading is, by several threads.
pub(crate) trait Meter: Sync {
    /// Files of so many bytes more will be read. Who does not want to know need not
    /// ask.
    fn expect(&self, bytes: &dyn Fn() -> u64);

    /// So many bytes more were read, of files or of a stream.
    fn read(&self, bytes: u64);
}

/// Nobody is told.
impl Meter for () {
    fn expect(&self, _: &dyn Fn() -> u64) {}

    fn read(&self, _: u64) {}
}

/// Reads all inputs.
///
/// # Errors
///
/// If their texts are more than the settings allow.
pub(crate) fn collect(inputs: &[PathBuf], settings: &Settings, meter: &dyn Meter) -> Result<Collected> {
    read(settings, meter, |reader| {
        let named = || inputs.iter().filter(|input| !is_stdin(input));
        let files = || named().filter_map(|input| input.metadata().ok()).filter(Metadata::is_file);
        meter.expect(&|| files().map(|file| file.len()).sum());
        inputs.iter().for_each(|input| reader.input(input));
        reader.files();
    })
}

/// Reads one stream as if it were a file of this name.
///
/// # Errors
///
/// The same.
#[cfg(any(test, fuzzing))]
pub(crate) fn collect_stream(name: &str, stream: impl Read, settings: &Settings) -> Result<Collected> {
    let holds = Holds::of_name(Path::new(name));
    read(settings, &(), |reader| reader.source(name.to_owned(), Ok(Source::stream(stream)), holds, 0))
}

/// Whether bytes are no archive and not compressed.
#[cfg(any(test, fuzzing))]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    Packed::of(head).is_none() && Holds::JsonLines.of_content(head) == Holds::JsonLines
}

fn read(settings: &Settings, meter: &dyn Meter, inputs: impl FnOnce(&mut Reader)) -> Result<Collected> {
    let fields = settings.fields();
    let mut reader = Reader::new(settings, meter, &fields);
    inputs(&mut reader);
    if let (Some(place), Some(most)) = (&reader.exceeded, settings.max_input) {
        bail!("the texts have more than the {most} bytes that --max-input allows, reached at {place}");
    }
    Ok(reader.finish())
}

/// Whether standard input is meant.
fn is_stdin(input: &Path) -> bool {
    input == Path::new("-")
}

struct Reader<'a> {
    settings: &'a Settings,
    meter: &'a dyn Meter,
    fields: &'a Fields,
    encoding: Option<&'static Encoding>,
    /// Whether several threads are given parts of a file.
    divides: bool,
    found: Collected,
    /// Files to read or read already, by their real path.
    seen: BTreeSet<PathBuf>,
    /// Those to read.
    pending: Vec<Pending>,
    noticed: Noticed,
    unknown: usize,
    hidden: usize,
    nuls: usize,
    twice: usize,
    /// Texts that were not UTF-8, by encoding.
    decoded: BTreeMap<&'static str, usize>,
    /// Records of web archives without an article.
    pageless: usize,
    /// Bytes of all texts.
    bytes: u64,
    /// Where they became too many; then nothing more is read.
    exceeded: Option<String>,
    file: OfFile,
}

/// A file to read.
struct Pending {
    shown: String,
    real: PathBuf,
    holds: Holds,
    bytes: u64,
}

/// What came of the file that is being read.
#[derive(Debug, Default)]
struct OfFile {
    /// Documents that were there before it.
    before: usize,
    /// Its records that made no document.
    broken: usize,
    /// Whether these are so many that the rest is not read.
    given_up: bool,
}

/// Archives inside one another; more is an attack.
const NESTED: usize = 4;
/// Records of a file that may be broken, and how many more for each that is not.
const BROKEN: usize = 100_000;
const BROKEN_EACH: usize = 10;
/// Bytes that a line of JSON may have in any case.
const LINE: u64 = 64 << 20;
/// Bytes of a file that several threads may be given parts of.
const LARGE: u64 = 4 << 20;
/// Files for each thread that are read at a time, if they are smaller.
const FILES: usize = 32;
/// Bytes for each thread that are read at a time of lines, and of the pages of a web archive.
const LINES: usize = 1 << 19;
const PAGES: usize = 1 << 20;
/// Bytes that a record of one takes besides its page.
const RECORD: usize = 1 << 10;

impl<'a> Reader<'a> {
    fn new(settings: &'a Settings, meter: &'a dyn Meter, fields: &'a Fields) -> Self {
        Reader {
            settings,
            meter,
            fields,
            encoding: settings.encoding.as_deref().and_then(|label| Encoding::for_label(label.as_bytes())),
            divides: true,
            found: Collected::default(),
            seen: BTreeSet::new(),
            pending: Vec::new(),
            noticed: Noticed::default(),
            unknown: 0,
            hidden: 0,
            nuls: 0,
            twice: 0,
            decoded: BTreeMap::new(),
            pageless: 0,
            bytes: 0,
            exceeded: None,
            file: OfFile::default(),
        }
    }

    /// Adds what another one found after it.
    fn absorb(&mut self, other: Reader) {
        let Collected { mut documents, mut skipped, mut notes, mut files } = other.found;
        match self.settings.max_input {
            None if self.found.documents.is_empty() => self.found.documents = documents,
            None => self.found.documents.append(&mut documents),
            Some(_) => {
                for document in documents {
                    if self.exceeded.is_some() {
                        return;
                    }
                    self.keep(document);
                }
            }
        }
        self.found.skipped.append(&mut skipped);
        self.found.notes.append(&mut notes);
        self.found.files.append(&mut files);
        self.noticed.absorb(other.noticed);
        self.unknown += other.unknown;
        self.hidden += other.hidden;
        self.nuls += other.nuls;
        self.twice += other.twice;
        self.pageless += other.pageless;
        for (encoding, texts) in other.decoded {
            *self.decoded.entry(encoding).or_insert(0) += texts;
        }
        self.exceeded = self.exceeded.take().or(other.exceeded);
    }

    fn input(&mut self, input: &Path) {
        if self.has_enough() {
            return;
        }
        if is_stdin(input) {
            // In its place among the others.
            self.files();
            if self.seen.insert(input.to_owned()) {
                let meter = self.meter;
                let stream = Told { stream: io::stdin().lock(), read: |bytes| meter.read(bytes) };
                self.source("-".to_owned(), Ok(Source::stream(stream)), Holds::Unknown, 0);
            } else {
                self.twice += 1;
            }
        } else if input.is_dir() {
            self.directory(input);
        } else {
            self.file(input, Holds::of_name(input));
        }
    }

    fn directory(&mut self, directory: &Path) {
        let before = self.pending.len() + self.found.skipped.len() + self.twice;
        let mut hidden = 0;
        let mut shown = |entry: &walkdir::DirEntry| {
            let is_hidden = entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
            hidden += usize::from(is_hidden && !self.settings.hidden);
            !is_hidden || self.settings.hidden
        };
        let walk = walkdir::WalkDir::new(directory).follow_links(true).sort_by_file_name();
        let entries: Vec<_> = walk.into_iter().filter_entry(&mut shown).collect();
        self.hidden += hidden;
        let is_read = |entry: &&walkdir::DirEntry| {
            let known = || !self.settings.glob.is_empty() || Holds::of_name(entry.path()) != Holds::Unknown;
            entry.file_type().is_file() && self.matches(directory, entry.path()) && known()
        };
        let files = || entries.iter().flatten().filter(is_read).filter_map(|entry| entry.metadata().ok());
        self.meter.expect(&|| files().map(|file| file.len()).sum());
        for entry in entries {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if !self.matches(directory, entry.path()) => {}
                Ok(entry) => match Holds::of_name(entry.path()) {
                    Holds::Unknown if self.settings.glob.is_empty() => self.unknown += 1,
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
        if self.pending.len() + self.found.skipped.len() + self.twice == before {
            let reason = match self.settings.glob.is_empty() {
                true => "a directory without any text file",
                false => "a directory without any file that matches --glob",
            };
            self.skip(name(directory), None, reason, Some(ENDINGS));
        }
    }

    /// Whether a file is asked for by a pattern: on its name, or if the pattern
    /// has a slash on its path inside the directory.
    fn matches(&self, directory: &Path, path: &Path) -> bool {
        let globs = &self.settings.glob;
        let inside = name(path.strip_prefix(directory).unwrap_or(path));
        let last = inside.rsplit('/').next().unwrap_or(&inside);
        globs.is_empty()
            || globs.iter().any(|glob| {
                let target = if glob.contains('/') { &inside } else { last };
                fast_glob::glob_match(glob.as_bytes(), target.as_bytes())
            })
    }

    /// Takes note of a file that is to be read.
    fn file(&mut self, path: &Path, holds: Holds) {
        let shown = name(path);
        let found = path.canonicalize().and_then(|real| {
            let metadata = real.metadata()?;
            // Opening a named pipe would wait for a writer.
            if !metadata.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            Ok((real, metadata.len()))
        });
        match found {
            Err(error) => {
                let hint = (error.kind() == io::ErrorKind::NotFound)
                    .then_some("check the spelling; a path with spaces needs quotes");
                self.skip(shown, None, describe(&error), hint);
            }
            Ok((real, bytes)) if self.seen.contains(&real) => {
                self.twice += 1;
                self.meter.read(bytes);
            }
            Ok((real, bytes)) => {
                self.seen.insert(real.clone());
                self.pending.push(Pending { shown, real, holds, bytes });
            }
        }
    }

    /// Reads the files that were noted, by several threads; what they find is taken in their
    /// order.
    fn files(&mut self) {
        let pending = mem::take(&mut self.pending);
        let threads = rayon::current_num_threads();
        let is_large = |file: &Pending| file.bytes >= LARGE;
        for alike in pending.chunk_by(|x, y| is_large(x) == is_large(y)) {
            let divides = is_large(&alike[0]);
            // A thread that waits for parts of its file takes up others before it goes on: not
            // too many. Nor should much more be read than is allowed.
            let few = divides || self.settings.max_input.is_some();
            for files in alike.chunks(if few { threads } else { FILES * threads }) {
                if self.has_enough() {
                    return;
                }
                let read = |file: &Pending| {
                    let mut reader = Reader::new(self.settings, self.meter, self.fields);
                    (reader.divides, reader.bytes) = (divides, self.bytes);
                    reader.open(file);
                    reader
                };
                let read: Vec<Reader> = files.par_iter().with_max_len(1).map(read).collect();
                read.into_iter().for_each(|reader| self.absorb(reader));
            }
        }
    }

    fn open(&mut self, file: &Pending) {
        let Pending { shown, real, holds, bytes } = file;
        // Of a file that is not read to its end, or from there, the rest is told when it is
        // done. Some grow while they are read.
        let (meter, left) = (self.meter, Cell::new(*bytes));
        let told = |bytes: u64| {
            let bytes = bytes.min(left.get());
            left.set(left.get() - bytes);
            meter.read(bytes);
        };
        match File::open(real) {
            Err(error) => self.skip(shown.clone(), None, describe(&error), None),
            Ok(opened) => self.source(shown.clone(), Source::file(opened, told), *holds, 0),
        }
        meter.read(left.get());
    }

    /// Reads a file or stream, `depth` archives deep, by what it holds.
    fn source(&mut self, path: String, source: io::Result<Source>, holds: Holds, depth: usize) {
        let (source, head) = match source.and_then(Source::unpack) {
            Ok(unpacked) => unpacked,
            Err(error) => return self.skip(path, None, describe(&error), None),
        };
        let holds = holds.of_content(&head);
        let before = self.found.documents.len();
        let outer = mem::replace(&mut self.file, OfFile { before, ..OfFile::default() });
        match holds {
            Holds::Text | Holds::Unknown => self.text(&path, source.into_stream()),
            Holds::Html => self.html_file(&path, source.into_stream()),
            Holds::JsonLines => self.json_lines(&path, source.into_stream()),
            Holds::Json => self.json(&path, source.into_stream()),
            Holds::Table => self.table(&path, source.into_stream(), &head),
            Holds::Parquet | Holds::Arrow => self.columns(&path, source, holds, &head),
            Holds::Warc => self.warc(&path, source.into_stream()),
            Holds::Zip | Holds::Tar => self.archive(&path, source, holds, depth),
        }
        self.file = outer;
        if matches!(holds, Holds::Zip | Holds::Tar) {
            return;
        }
        let documents = &self.found.documents[before..];
        let bytes = documents.iter().map(|document| document.text.len() as u64).sum();
        self.found.files.push(FileRead { path, holds, packed: depth > 0, documents: documents.len(), bytes });
    }

    fn archive(&mut self, path: &str, source: Source, holds: Holds, depth: usize) {
        if depth == NESTED {
            return self.skip(path.to_owned(), None, "an archive inside four others", None);
        }
        let read = unpack::members(holds, source, |member, content| {
            let holds = Holds::of_name(Path::new(&member));
            if holds == Holds::Unknown {
                self.unknown += 1;
            } else {
                self.source(format!("{path}/{member}"), content, holds, depth + 1);
            }
            self.flow()
        });
        if let Err(error) = read {
            let reason = format!("{}; the files before it were read", describe(&error));
            self.skip(path.to_owned(), None, reason, None);
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
        let decoded = self.decode(bytes, declared);
        decoded.map_err(|(reason, hint)| self.skip(path.to_owned(), None, reason, hint.as_deref())).ok()
    }

    fn decode(
        &mut self,
        bytes: Vec<u8>,
        declared: impl Fn(&[u8]) -> Option<&'static Encoding>,
    ) -> Result<String, Refused> {
        let decoded = decode::decode(bytes, self.encoding, declared)?;
        if let Some(encoding) = decoded.from {
            *self.decoded.entry(encoding.name()).or_insert(0) += 1;
        }
        self.nuls += usize::from(decoded.text.contains('\0'));
        Ok(decoded.text)
    }

    fn text(&mut self, path: &str, stream: impl Read) {
        if let Some(text) = self.whole_text(path, stream, self.settings.longest(), |_| None) {
            let mut document = Document::new(path, text);
            document.path = Some(path.to_owned());
            self.keep(document);
        }
    }

    #[cfg(feature = "formats")]
    fn html_file(&mut self, path: &str, stream: impl Read) {
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
    fn html_file(&mut self, path: &str, _: impl Read) {
        self.skip(path.to_owned(), None, "HTML, which this build does not read", Some(SLIM));
    }

    fn json_lines(&mut self, path: &str, mut stream: impl BufRead) {
        // A line may hold a whole document with every character escaped, and
        // other fields.
        let longest = (6 * self.settings.longest()).max(LINE);
        let (fields, divides) = (self.fields, self.divides);
        let most = LINES * if divides { rayon::current_num_threads() } else { 1 };
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
    fn json(&mut self, path: &str, stream: impl BufRead) {
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
    fn table<'s>(&mut self, path: &str, stream: Box<dyn BufRead + 's>, head: &[u8]) {
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
            *self.decoded.entry(encoding.name()).or_insert(0) += 1;
        }
    }

    #[cfg(feature = "formats")]
    fn columns(&mut self, path: &str, source: Source, holds: Holds, head: &[u8]) {
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
    fn columns(&mut self, path: &str, _: Source, holds: Holds, _: &[u8]) {
        self.skip(
            path.to_owned(),
            None,
            format!("{}, which this build does not read", holds.name()),
            Some(SLIM),
        );
    }

    fn warc(&mut self, path: &str, stream: impl BufRead) {
        let most = PAGES * if self.divides { rayon::current_num_threads() } else { 1 };
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
        let (settings, meter, fields) = (self.settings, self.meter, self.fields);
        let read = |record: Result<warc::Record, warc::Broken>| {
            let mut reader = Reader::new(settings, meter, fields);
            match record {
                Ok(record) => (record.number, reader.web_page(path, record), reader),
                Err(broken) => (broken.number, Err((broken.reason, None)), reader),
            }
        };
        let read: Vec<_> = match self.divides {
            true => records.into_par_iter().map(read).collect(),
            false => records.into_iter().map(read).collect(),
        };
        for (number, read, reader) in read {
            if self.has_enough() {
                return;
            }
            self.absorb(reader);
            match read {
                Ok(Some(document)) => self.keep(document),
                Ok(None) => self.pageless += 1,
                Err(refused) => self.broken(path, number, refused),
            }
        }
    }

    /// The document of a record; its id is when and where it was fetched.
    fn web_page(&mut self, path: &str, record: warc::Record) -> Result<Option<Document>, Refused> {
        let (text, published) = match record.holds {
            warc::Content::Other => return Ok(None),
            warc::Content::Text(bytes) => (self.decode(bytes, |_| None)?, None),
            #[cfg(feature = "formats")]
            warc::Content::Html(bytes) => {
                let html = self.decode(bytes, html::declared)?;
                let page = html::page(&html, self.settings.all_text)?;
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
        document.date = self.noticed.date(&date, path, record.number);
        (document.path, document.line) = (Some(path.to_owned()), Some(record.number));
        Ok(Some(document))
    }

    fn record(&mut self, path: &str, line: u64, record: Result<Record, Refused>) {
        let document = record.and_then(|record| self.noticed.document(self.fields, record, path, line));
        match document {
            Ok(document) => self.keep(document),
            Err(refused) => self.broken(path, line, refused),
        }
    }

    /// Takes a document, if its text is not too long.
    fn keep(&mut self, document: Document) {
        let bytes = document.text.len() as u64;
        let longest = self.settings.longest();
        if bytes > longest {
            let path = document.path.unwrap_or_default();
            let hint =
                (longest < MAX_DOCUMENT_BYTES as u64).then_some("--max-document sets how long a text may be");
            return self.skip(
                path,
                document.line,
                format!("a text of {bytes} bytes, longer than {longest}"),
                hint,
            );
        }
        self.bytes += bytes;
        if self.settings.max_input.is_some_and(|most| self.bytes > most) {
            let Document { path, line, .. } = document;
            let path = path.unwrap_or_default();
            self.exceeded = Some(Skipped { path, line, reason: String::new(), hint: None }.place());
            return;
        }
        self.found.documents.push(document);
    }

    /// Whether nothing more is to be read, here or at all.
    fn has_enough(&self) -> bool {
        self.exceeded.is_some() || self.file.given_up
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.has_enough() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn skip(&mut self, path: String, line: Option<u64>, reason: impl Into<String>, hint: Option<&str>) {
        let hint = hint.map(str::to_owned);
        self.found.skipped.push(Skipped { path, line, reason: reason.into(), hint });
    }

    /// Skips a record, and gives its file up if there are too many of the kind.
    fn broken(&mut self, path: &str, line: u64, (reason, hint): Refused) {
        self.skip(path.to_owned(), Some(line), reason, hint.as_deref());
        self.file.broken += 1;
        let read = self.found.documents.len() - self.file.before;
        if self.file.broken > BROKEN + BROKEN_EACH * read && !self.file.given_up {
            self.file.given_up = true;
            let reason = format!(
                "more than {BROKEN} records cannot be read, {BROKEN_EACH} times as many as can; the rest was not tried"
            );
            self.skip(path.to_owned(), None, reason, Some("it may hold something else than its name says"));
        }
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

        self.found.files.sort();
        let notes = &mut self.found.notes;
        notes.extend(mem::take(&mut self.noticed).notes());
        if self.nuls > 0 {
            let files = self.nuls;
            notes.push(format!(
                "text files with NUL bytes, which are taken as separators: {files}; they may be binary or UTF-16"
            ));
        }
        if !self.decoded.is_empty() {
            let each = self.decoded.iter().map(|(name, count)| format!("{name} {count}"));
            notes.push(format!(
                "texts that are not UTF-8, decoded from {}; their spans count in the decoded text",
                each.collect::<Vec<_>>().join(", ")
            ));
        }
        if self.pageless > 0 {
            notes.push(format!("records of web archives without an article, not read: {}", self.pageless));
        }
        if self.twice > 0 {
            notes.push(format!("files given more than once and read once: {}", self.twice));
        }
        if self.unknown > 0 {
            notes.push(format!("files of other types, not read: {}", self.unknown));
        }
        if self.hidden > 0 {
            notes.push(format!("hidden files and directories, not read without --hidden: {}", self.hidden));
        }
        self.found
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

/// A path as given, with forward slashes and without a leading `./`.
fn name(path: &Path) -> String {
    with_slashes(&path.to_string_lossy(), std::path::MAIN_SEPARATOR)
}

fn with_slashes(path: &str, separator: char) -> String {
    let path = path.replace(separator, "/");
    path.strip_prefix("./").map(str::to_owned).unwrap_or(path)
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

/// What helps where a format was left out.
#[cfg(not(feature = "formats"))]
const SLIM: &str = "install it with all features, which is the default";

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn the_same_file_has_the_same_name_on_every_system() {
        assert_eq!(with_slashes("./news/a.txt", '/'), "news/a.txt");
        assert_eq!(with_slashes(".\\news\\a.txt", '\\'), "news/a.txt");
        assert_eq!(with_slashes("C:\\news\\a.txt", '\\'), "C:/news/a.txt");
        // Elsewhere it is a letter like others.
        assert_eq!(with_slashes("news/a\\b.txt", '/'), "news/a\\b.txt");
    }

    /// However many threads read it, what is found is the same, to the place where it is too
    /// much.
    #[test]
    fn threads_change_nothing_in_what_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: String, text: String| std::fs::write(directory.path().join(name), text).unwrap();
        for number in 0..100 {
            write(format!("a{number:02}.txt"), format!("{number} {}", "word ".repeat(200)));
        }
        // Large enough to be divided, and not; ids come again, lines are broken or blank.
        let line = |number: usize| match number % 100 {
            7 => "{\"text\": 5}".to_owned(),
            8 => String::new(),
            9 => "{\"text\"".to_owned(),
            _ => format!(
                r#"{{"id": {}, "text": "{}", "date": "{number}x"}}"#,
                number % 4950,
                "word ".repeat(200)
            ),
        };
        write("b.jsonl".to_owned(), (0..5000).map(|number| line(number) + "\n").collect());
        write("d.jsonl".to_owned(), (5000..6000).map(|number| line(number) + "\n").collect());
        let record = |number: usize| match number % 100 {
            5 => "WARC/1.0\r\n\r\n".to_owned(),
            6 => "WARC/1.0\r\nContent-Length: 0\r\n\r\n".to_owned(),
            _ => format!(
                "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: {number}\r\nContent-Type: text/plain\r\n\
                 Content-Length: 6000\r\n\r\n{}\r\n\r\n",
                ["letters ", "l\0tters "][number % 2].repeat(750)
            ),
        };
        write("c.wet".to_owned(), (0..1000).map(record).collect());
        let inputs = [directory.path().to_owned(), Path::new("tests/samples").to_owned()];
        let read = |threads, settings: &Settings| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| collect(&inputs, settings, &()).map_err(|error| error.to_string()))
        };
        let all = Settings::default();
        let few = Settings { max_input: Some(1_000_000), ..Settings::default() };
        let alone = read(1, &all).unwrap();
        assert!(alone.documents.len() > 5900 && alone.skipped.len() > 100);
        assert!(read(1, &few).unwrap_err().contains("b.jsonl:"));
        for threads in [2, 5] {
            assert_eq!(format!("{:?}", read(threads, &all).unwrap()), format!("{alone:?}"));
            assert_eq!(read(threads, &few).unwrap_err(), read(1, &few).unwrap_err());
        }
    }

    /// As many bytes are told to be read as were to be expected, of whatever format:
    /// packed, read from the end, given twice, broken.
    #[test]
    fn all_that_is_read_is_told() {
        #[derive(Default)]
        struct Sums {
            expected: AtomicU64,
            read: AtomicU64,
        }

        impl Meter for Sums {
            fn expect(&self, bytes: &dyn Fn() -> u64) {
                self.expected.fetch_add(bytes(), Ordering::Relaxed);
            }

            fn read(&self, bytes: u64) {
                self.read.fetch_add(bytes, Ordering::Relaxed);
            }
        }

        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
        let inputs = [samples.clone(), samples.join("articles.jsonl")];
        let sums = Sums::default();
        let collected = collect(&inputs, &Settings::default(), &sums).unwrap();
        let twice = collected.notes.iter().any(|note| note.contains("more than once"));
        assert!(twice && collected.documents.len() > 1, "{:?}", collected.notes);
        let (expected, read) = (sums.expected.into_inner(), sums.read.into_inner());
        assert_eq!(expected, read);
        assert!(read > 1000);
    }
}
