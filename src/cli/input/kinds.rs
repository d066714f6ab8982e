//! What a file holds: by its name where that tells, else by how it begins.

use std::path::Path;

/// A format that documents are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holds {
    Text,
    Html,
    JsonLines,
    /// An array of objects, or objects one after the other.
    Json,
    /// Values separated by commas, semicolons, tabs or bars.
    Table,
    Parquet,
    /// Arrow IPC, as a file or a stream.
    Arrow,
    /// Web archives, with pages (WARC) or their text (WET).
    Warc,
    Zip,
    Tar,
    Unknown,
}

/// What files are recognised by.
pub(crate) const ENDINGS: &str = "\
files are known by .txt .md .html .jsonl .ndjson .json .csv .tsv .parquet .arrow .feather .warc .wet .zip .tar, \
each also compressed as .gz .zst .bz2 or .xz";

impl Holds {
    /// By the name of a file, whatever it is compressed with.
    pub(crate) fn of_name(path: &Path) -> Holds {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let bare = [".gz", ".zst", ".zstd", ".bz2", ".xz"].iter().find_map(|end| name.strip_suffix(end));
        match bare.unwrap_or(&name).rsplit_once('.').map(|(_, end)| end) {
            Some("txt" | "text" | "md" | "markdown") => Holds::Text,
            Some("html" | "htm" | "xhtml") => Holds::Html,
            Some("jsonl" | "ndjson") => Holds::JsonLines,
            Some("json") => Holds::Json,
            Some("csv" | "tsv" | "tab") => Holds::Table,
            Some("parquet" | "pq") => Holds::Parquet,
            Some("arrow" | "arrows" | "ipc" | "feather") => Holds::Arrow,
            Some("warc" | "wet") => Holds::Warc,
            Some("zip") => Holds::Zip,
            Some("tar" | "tgz" | "tbz2" | "txz" | "tzst") => Holds::Tar,
            _ => Holds::Unknown,
        }
    }

    /// By how the content begins, which decides where it leaves no doubt.
    pub(crate) fn of_content(self, head: &[u8]) -> Holds {
        let sure = match head {
            [b'P', b'A', b'R', b'1', ..] => Some(Holds::Parquet),
            [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] => Some(Holds::Arrow),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Holds::Zip),
            _ if head.get(257..262) == Some(b"ustar") => Some(Holds::Tar),
            _ => None,
        };
        if let Some(sure) = sure {
            return sure;
        }
        if self != Holds::Unknown {
            return self;
        }
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let begins = |tag: &[u8]| head.len() >= tag.len() && head[..tag.len()].eq_ignore_ascii_case(tag);
        match head {
            [b'{', ..] => Holds::JsonLines,
            [b'[', rest @ ..] if matches!(rest.trim_ascii_start(), [b'{', ..] | []) => Holds::Json,
            [0xff, 0xff, 0xff, 0xff, ..] => Holds::Arrow,
            _ if begins(b"WARC/") => Holds::Warc,
            _ if begins(b"<!doctype html") || begins(b"<html") => Holds::Html,
            _ => Holds::Text,
        }
    }

    /// What a person calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Holds::Text | Holds::Unknown => "text",
            Holds::Html => "HTML",
            Holds::JsonLines => "JSON Lines",
            Holds::Json => "JSON",
            Holds::Table => "table",
            Holds::Parquet => "Parquet",
            Holds::Arrow => "Arrow",
            Holds::Warc => "WARC",
            Holds::Zip => "zip archive",
            Holds::Tar => "tar archive",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_beginnings_tell() {
        let of = |name: &str| Holds::of_name(Path::new(name));
        assert_eq!(of("a/b.JSONL.zst"), Holds::JsonLines);
        assert_eq!(of("a.tgz"), Holds::Tar);
        assert_eq!(of("a.warc.gz"), Holds::Warc);
        assert_eq!(of("gz"), Holds::Unknown);
        let begins = |head: &[u8]| Holds::Unknown.of_content(head);
        assert_eq!(begins(b" \n[ {"), Holds::Json);
        assert_eq!(begins(b"[1] a footnote"), Holds::Text);
        assert_eq!(begins(b"\xef\xbb\xbf<!DOCTYPE HTML>"), Holds::Html);
        assert_eq!(Holds::Text.of_content(b"{\"a\""), Holds::Text, "a name is believed");
        assert_eq!(Holds::Text.of_content(b"PAR1...."), Holds::Parquet, "but not against a signature");
    }
}
