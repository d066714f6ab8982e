//! Writing files again in their own format: what is not changed stays as it is,
//! byte for byte in JSON Lines and field for field elsewhere.
//!
//! Web pages become text files. Web archives, records in archives and tables
//! whose text is an inner column become JSON Lines.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use twicetold::{Document, Label};

use crate::cli::input::{FileRead, Holds, Packed, Settings, Source, TableStream, field};
use crate::cli::output::finish;

/// What becomes of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    /// Its new text.
    Cut(String),
    Drop,
}

pub(super) struct Decision<'a> {
    pub document: &'a Document,
    pub verdict: Verdict,
    pub annotation: Option<Annotation>,
}

impl Decision<'_> {
    /// The text that stays, if any does.
    fn text(&self) -> Option<&str> {
        match &self.verdict {
            Verdict::Keep => Some(&self.document.text),
            Verdict::Cut(text) => Some(text),
            Verdict::Drop => None,
        }
    }
}

/// What is added to a document, as the field `twicetold`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Annotation {
    pub originality: Option<f64>,
    pub cluster: Option<u32>,
    pub leader: Option<String>,
    /// Why it would be dropped.
    pub dropped: Option<String>,
    pub spans: Vec<Stretch>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Stretch {
    pub label: Label,
    pub start_byte: u32,
    pub end_byte: u32,
}

/// The decisions on the records of one file, by line.
type Lines<'a> = BTreeMap<Option<u64>, &'a Decision<'a>>;

/// Writes all files below a directory, and returns what the user should know.
///
/// # Errors
///
/// If one cannot be read again or written.
pub(super) fn rewrite(
    to: &Path,
    settings: &Settings,
    files: &[FileRead],
    decisions: &[Decision],
) -> Result<Vec<String>> {
    let mut by_path: BTreeMap<&str, Lines> = BTreeMap::new();
    for decision in decisions {
        let path = decision.document.path.as_deref().unwrap_or_default();
        by_path.entry(path).or_default().insert(decision.document.line, decision);
    }
    let mut notes: BTreeMap<&str, usize> = BTreeMap::new();
    let empty = Lines::new();
    for file in files {
        let lines = by_path.get(file.path.as_str()).unwrap_or(&empty);
        let target = to.join(harmless(&file.path));
        let one = Rewriter { settings, file, lines, target };
        let note = one.write().with_context(|| format!("cannot write {} again", file.path))?;
        if let Some(note) = note {
            *notes.entry(note).or_insert(0) += 1;
        }
    }
    Ok(notes.into_iter().map(|(note, count)| format!("{note}: {count}")).collect())
}

/// A relative path below which nothing else is reached, whatever it was.
fn harmless(path: &str) -> PathBuf {
    let parts: PathBuf = parts(path, cfg!(windows)).collect();
    if parts.as_os_str().is_empty() { "unnamed".into() } else { parts }
}

/// The names in a path that are names of files on this system; on Windows, what
/// would be a drive, a device or a stream of another file is changed.
fn parts(path: &str, windows: bool) -> impl Iterator<Item = String> {
    const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
    let separates = move |c| c == '/' || windows && c == '\\';
    let name = move |part: &str| {
        if !windows {
            return part.to_owned();
        }
        let safe = |c: char| if c.is_control() || "<>:\"|?*".contains(c) { '_' } else { c };
        let mut name: String = part.trim_end_matches(['.', ' ']).chars().map(safe).collect();
        let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
        let numbered = |kind: &str| stem.strip_prefix(kind).is_some_and(|rest| rest.chars().count() == 1);
        if DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt") {
            name.insert(0, '_');
        }
        name
    };
    let parts = path.split(separates).filter(|part| !["", ".", ".."].contains(part));
    parts.map(name).filter(|name| !name.is_empty()).collect::<Vec<_>>().into_iter()
}

/// Makes a file that must not be there: two inputs may have one name below the
/// output, and neither must be lost.
fn create(path: &Path) -> Result<File> {
    File::create_new(path).with_context(|| format!("cannot make {}", path.display()))
}

struct Rewriter<'a> {
    settings: &'a Settings,
    file: &'a FileRead,
    lines: &'a Lines<'a>,
    target: PathBuf,
}

const PLAIN: &str =
    "files of web pages or archives, or with an inner text column, written as text or JSON Lines";

impl Rewriter<'_> {
    fn write(&self) -> Result<Option<&'static str>> {
        if let Some(parent) = self.target.parent() {
            fs::create_dir_all(parent)?;
        }
        if self.file.packed && !matches!(self.file.holds, Holds::Text | Holds::Unknown | Holds::Html) {
            return self.plain();
        }
        match self.file.holds {
            Holds::Text | Holds::Unknown => self.text(&self.target).map(|()| None),
            Holds::Html => self.text(&self.named(".txt")).map(|()| Some(PLAIN)),
            Holds::JsonLines => self.json_lines().map(|()| None),
            Holds::Json => self.json().map(|()| None),
            Holds::Table => self.table().map(|()| None),
            #[cfg(feature = "formats")]
            Holds::Parquet | Holds::Arrow => self.columns(),
            _ => self.plain(),
        }
    }

    /// The target in another format.
    fn named(&self, ending: &str) -> PathBuf {
        let mut name = self.target.clone().into_os_string();
        name.push(ending);
        name.into()
    }

    fn source(&self) -> Result<(Box<dyn BufRead>, Vec<u8>, Option<Packed>)> {
        let (source, head) = Source::file(File::open(&self.file.path)?, |_| {})?.unpack()?;
        let packed = source.packed();
        Ok((source.into_stream(), head, packed))
    }

    /// Writes with the compression that the file has.
    fn output(&self, packed: Option<Packed>, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let file = BufWriter::with_capacity(1 << 18, create(&self.target)?);
        let file = match packed {
            None => {
                let mut file = file;
                write(&mut file)?;
                file
            }
            Some(packed) => packed.write(file, write)?,
        };
        Ok(finish(file)?)
    }

    fn text(&self, target: &Path) -> Result<()> {
        match self.lines.get(&None).and_then(|decision| decision.text()) {
            Some(text) => Ok(create(target)?.write_all(text.as_bytes())?),
            None => Ok(()),
        }
    }

    /// The documents themselves, where the file cannot be written in its format.
    fn plain(&self) -> Result<Option<&'static str>> {
        #[derive(Serialize)]
        struct Row<'a> {
            id: &'a str,
            text: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            source: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            date: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            twicetold: Option<&'a Annotation>,
        }
        let mut out = BufWriter::new(create(&self.named(".jsonl"))?);
        for decision in self.lines.values() {
            let Some(text) = decision.text() else { continue };
            let Document { id, source, date, .. } = decision.document;
            let date = date.as_ref().map(twicetold::Date::as_str);
            let twicetold = decision.annotation.as_ref();
            serde_json::to_writer(&mut out, &Row { id, text, source: source.as_deref(), date, twicetold })?;
            out.write_all(b"\n")?;
        }
        finish(out)?;
        Ok(Some(PLAIN))
    }

    fn json_lines(&self) -> Result<()> {
        let (mut source, _, packed) = self.source()?;
        self.output(packed, |out| {
            let mut line = Vec::new();
            let mut number = 0;
            loop {
                line.clear();
                number += 1;
                if source.read_until(b'\n', &mut line)? == 0 {
                    return Ok(());
                }
                match self.lines.get(&Some(number)) {
                    // Lines that were skipped stay.
                    None => out.write_all(&line)?,
                    Some(decision) if decision.verdict == Verdict::Drop => {}
                    Some(decision) => {
                        let content = line.trim_ascii();
                        let bare = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
                        match self.changed(std::str::from_utf8(bare)?, decision)? {
                            None => out.write_all(&line)?,
                            Some(json) => {
                                out.write_all(json.get().as_bytes())?;
                                out.write_all(b"\n")?;
                            }
                        }
                    }
                }
            }
        })
    }

    fn json(&self) -> Result<()> {
        let (mut source, _, packed) = self.source()?;
        let mut text = String::new();
        source.read_to_string(&mut text)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let values = serde_json::Deserializer::from_str(text).into_iter::<Box<RawValue>>();
        let mut records: Vec<Box<RawValue>> = Vec::new();
        for value in values {
            let value = value?;
            match value.get().starts_with('[') {
                true => records.extend(serde_json::from_str::<Vec<Box<RawValue>>>(value.get())?),
                false => records.push(value),
            }
        }
        self.output(packed, |out| {
            out.write_all(b"[")?;
            let mut first = true;
            for (number, record) in (1..).zip(&records) {
                let changed = match self.lines.get(&Some(number)) {
                    Some(decision) if decision.verdict == Verdict::Drop => continue,
                    Some(decision) => self.changed(record.get(), decision)?,
                    None => None,
                };
                out.write_all(if std::mem::take(&mut first) { b"\n" } else { b",\n" })?;
                out.write_all(changed.as_ref().unwrap_or(record).get().as_bytes())?;
            }
            Ok(out.write_all(b"\n]\n")?)
        })
    }

    /// A JSON object with its new text and annotation, if it has any.
    fn changed(&self, json: &str, decision: &Decision) -> Result<Option<Box<RawValue>>> {
        if decision.verdict == Verdict::Keep && decision.annotation.is_none() {
            return Ok(None);
        }
        let mut entries: Entries = serde_json::from_str(json)?;
        if let Verdict::Cut(text) = &decision.verdict {
            let fields = self.settings.fields();
            let mut names = fields.text_names().iter();
            if !names.any(|name| entries.replace(name, &decision.document.text, text)) {
                bail!("the text of {} cannot be found again", decision.document.id);
            }
        }
        if let Some(annotation) = &decision.annotation {
            entries.0.push(("twicetold".to_owned(), to_raw_value(annotation)?));
        }
        Ok(Some(to_raw_value(&entries)?))
    }

    fn table(&self) -> Result<()> {
        let (source, head, packed) = self.source()?;
        let TableStream { stream: source, separator, encoding } =
            TableStream::new(source, &head, self.settings.encoding.as_deref())?;
        let mut table = csv::ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .flexible(true)
            .from_reader(source);
        let annotates = self.lines.values().any(|decision| decision.annotation.is_some());
        let names = self.settings.fields();
        self.output(packed, |out| {
            let mut writer = csv::WriterBuilder::new().delimiter(separator).flexible(true).from_writer(out);
            let mut row = csv::ByteRecord::new();
            let mut header: Vec<String> = Vec::new();
            while table.read_byte_record(&mut row)? {
                // What cannot be read stays as it is.
                let decode = |bytes: &[u8]| match field(bytes, encoding) {
                    Ok(text) => text.into_owned().into_bytes(),
                    Err(_) => bytes.to_vec(),
                };
                let mut cells: Vec<Vec<u8>> = row.iter().map(decode).collect();
                if header.is_empty() {
                    let name = |cell: &Vec<u8>| {
                        String::from_utf8_lossy(cell).trim_start_matches('\u{feff}').to_owned()
                    };
                    header = cells.iter().map(name).collect();
                    if annotates {
                        cells.extend(Annotation::COLUMNS.map(|name| name.as_bytes().to_vec()));
                    }
                    writer.write_record(&cells)?;
                    continue;
                }
                let line = row.position().map(csv::Position::line);
                let decision = self.lines.get(&line);
                match decision.map(|decision| &decision.verdict) {
                    Some(Verdict::Drop) => continue,
                    Some(Verdict::Cut(text)) => {
                        let old = decision.map_or("", |decision| &decision.document.text);
                        let mut columns = names
                            .text_names()
                            .iter()
                            .filter_map(|name| header.iter().position(|h| h == name));
                        let Some(column) = columns
                            .find(|&column| cells.get(column).is_some_and(|cell| cell == old.as_bytes()))
                        else {
                            bail!("the text of line {} cannot be found again", line.unwrap_or(0));
                        };
                        cells[column] = text.clone().into_bytes();
                    }
                    Some(Verdict::Keep) | None => {}
                }
                if annotates {
                    let annotation = decision.and_then(|decision| decision.annotation.as_ref());
                    cells.extend(
                        annotation.map(Annotation::cells).unwrap_or_default().map(String::into_bytes),
                    );
                }
                writer.write_record(&cells)?;
            }
            Ok(writer.flush()?)
        })
    }

    #[cfg(feature = "formats")]
    fn columns(&self) -> Result<Option<&'static str>> {
        use crate::cli::input::columns;
        let texts = |row: u64| match self.lines.get(&Some(row)).map(|decision| &decision.verdict) {
            Some(Verdict::Drop) => columns::Row::Drop,
            Some(Verdict::Cut(text)) => columns::Row::Text(text.clone()),
            Some(Verdict::Keep) | None => columns::Row::Keep,
        };
        let annotates = self.lines.values().any(|decision| decision.annotation.is_some());
        let added = |row: u64| {
            let annotation = self.lines.get(&Some(row)).and_then(|decision| decision.annotation.as_ref());
            annotation.map(Annotation::cells).unwrap_or_default()
        };
        let added = annotates.then_some((&Annotation::COLUMNS[..], &added as &dyn Fn(u64) -> [String; 4]));
        let (source, head) = Source::file(File::open(&self.file.path)?, |_| {})?.unpack()?;
        let whole = source.into_seekable()?;
        let fields = self.settings.fields();
        let format = match self.file.holds {
            Holds::Parquet => columns::Format::Parquet,
            _ if head.starts_with(b"ARROW1") => columns::Format::ArrowFile,
            _ => columns::Format::ArrowStream,
        };
        let mut out = BufWriter::new(create(&self.target)?);
        let written = columns::rewrite(whole, format, fields.text_names(), &texts, added, &mut out)?;
        finish(out)?;
        if written {
            return Ok(None);
        }
        fs::remove_file(&self.target)?;
        self.plain()
    }
}

impl Annotation {
    /// Its columns in a table.
    const COLUMNS: [&str; 4] =
        ["twicetold_originality", "twicetold_cluster", "twicetold_leader", "twicetold_dropped"];

    fn cells(&self) -> [String; 4] {
        [
            self.originality.map(|share| share.to_string()).unwrap_or_default(),
            self.cluster.map(|cluster| cluster.to_string()).unwrap_or_default(),
            self.leader.clone().unwrap_or_default(),
            self.dropped.clone().unwrap_or_default(),
        ]
    }
}

/// The fields of an object in their order, each as it is spelled.
#[derive(Debug)]
struct Entries(Vec<(String, Box<RawValue>)>);

impl Entries {
    /// Replaces the text of a field, whose inner fields are named by their
    /// path; tells whether it was there.
    fn replace(&mut self, name: &str, old: &str, new: &str) -> bool {
        for (key, value) in &mut self.0 {
            if key == name {
                if serde_json::from_str::<String>(value.get()).is_ok_and(|text| text == old)
                    && let Ok(text) = to_raw_value(new)
                {
                    *value = text;
                    return true;
                }
            } else if let Some(inner) =
                name.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix('.'))
                && let Ok(mut entries) = serde_json::from_str::<Entries>(value.get())
                && entries.replace(inner, old, new)
                && let Ok(changed) = to_raw_value(&entries)
            {
                *value = changed;
                return true;
            }
        }
        false
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Entries;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for Entries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_of_an_object_changes() {
        let json =
            r#"{"n":1.50,"doc":{"big":12345678901234567890123,"text":"old"},"text":"other","u":"\u00e9"}"#;
        let mut entries: Entries = serde_json::from_str(json).unwrap();
        assert!(!entries.replace("text", "old", "new"));
        assert!(entries.replace("doc.text", "old", "new"));
        assert_eq!(to_raw_value(&entries).unwrap().get(), json.replace("\"old\"", "\"new\""));
    }

    #[test]
    fn paths_stay_below_the_output() {
        assert_eq!(harmless("../../etc/passwd"), Path::new("etc/passwd"));
        assert_eq!(harmless("/abs/./a.txt"), Path::new("abs/a.txt"));
        assert_eq!(harmless(".."), Path::new("unnamed"));
        let parts = |path, windows| parts(path, windows).collect::<Vec<_>>().join("|");
        assert_eq!(parts("C:\\a\\..\\b.txt", false), "C:\\a\\..\\b.txt");
        assert_eq!(parts("C:\\a\\..\\b.txt", true), "C_|a|b.txt");
        assert_eq!(parts("\\\\server\\share/./x", true), "server|share|x");
        assert_eq!(parts("NUL.txt/com1/a:b/c. . /é\u{1}", true), "_NUL.txt|_com1|a_b|c|é_");
        assert_eq!(parts("... /..", true), "");
    }
}
