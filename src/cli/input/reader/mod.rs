//! What is given is looked up, and each file read by what it holds; what is found of all is put
//! together.

mod formats;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::mem;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ahash::AHashMap;
use anyhow::{Result, bail};
use encoding_rs::Encoding;
use rayon::prelude::*;
use twicetold::{Document, MAX_DOCUMENT_BYTES};

use crate::cli::input::kinds::{ENDINGS, Holds};
use crate::cli::input::record::{Fields, Noticed, Refused};
use crate::cli::input::unpack::{self, Source, Told};
use crate::cli::input::{Collected, FileRead, Meter, Settings, Skipped};

/// Reads inputs one after the other, or one of them beside other readers.
pub(super) struct Reader<'a> {
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
    twice: usize,
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
/// Bytes of a file that several threads may be given parts of.
const LARGE: u64 = 4 << 20;
/// Files for each thread that are read at a time, if they are smaller.
const FILES: usize = 32;

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a Settings, meter: &'a dyn Meter, fields: &'a Fields) -> Self {
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
            twice: 0,
            pageless: 0,
            bytes: 0,
            exceeded: None,
            file: OfFile::default(),
        }
    }

    /// Adds what another one found in a file after it.
    fn absorb(&mut self, other: Reader) {
        let Collected { mut documents, mut skipped, mut files, .. } = other.found;
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
        self.found.files.append(&mut files);
        self.noticed.absorb(other.noticed);
        self.unknown += other.unknown;
        self.pageless += other.pageless;
        self.exceeded = self.exceeded.take().or(other.exceeded);
    }

    pub(super) fn input(&mut self, input: &Path) {
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
            Ok((real, bytes)) if self.seen.insert(real.clone()) => {
                self.pending.push(Pending { shown, real, holds, bytes });
            }
            Ok((_, bytes)) => {
                self.twice += 1;
                self.meter.read(bytes);
            }
        }
    }

    /// Reads the files that were noted, by several threads; what they find is taken in their
    /// order.
    pub(super) fn files(&mut self) {
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
    pub(super) fn source(&mut self, path: String, source: io::Result<Source>, holds: Holds, depth: usize) {
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

    /// Threads that are given parts of a file.
    fn threads(&self) -> usize {
        if self.divides { rayon::current_num_threads() } else { 1 }
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

    /// What was found: rejects duplicate ids, whatever the order of the inputs, and sorts.
    ///
    /// # Errors
    ///
    /// If the texts are more than the settings allow.
    pub(super) fn finish(mut self) -> Result<Collected> {
        if let (Some(place), Some(most)) = (&self.exceeded, self.settings.max_input) {
            bail!("the texts have more than the {most} bytes that --max-input allows, reached at {place}");
        }
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
        Ok(self.found)
    }
}

/// Whether standard input is meant.
pub(super) fn is_stdin(input: &Path) -> bool {
    input == Path::new("-")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_file_has_the_same_name_on_every_system() {
        assert_eq!(with_slashes("./news/a.txt", '/'), "news/a.txt");
        assert_eq!(with_slashes(".\\news\\a.txt", '\\'), "news/a.txt");
        assert_eq!(with_slashes("C:\\news\\a.txt", '\\'), "C:/news/a.txt");
        // Elsewhere it is a letter like others.
        assert_eq!(with_slashes("news/a\\b.txt", '/'), "news/a\\b.txt");
    }
}
