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
mod reader;
mod record;
#[cfg(feature = "formats")]
mod stated;
mod table;
#[cfg_attr(not(feature = "formats"), expect(dead_code, reason = "for the formats that are left out"))]
mod unpack;
mod warc;

use std::fs::Metadata;
#[cfg(any(test, fuzzing))]
use std::io::Read;
#[cfg(any(test, fuzzing))]
use std::path::Path;
use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use twicetold::{Document, MAX_DOCUMENT_BYTES};

pub(crate) use kinds::{ENDINGS, Holds};
use reader::{Reader, is_stdin};
pub(crate) use record::Fields;
pub(crate) use table::{TableStream, field};
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
    reader.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

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
