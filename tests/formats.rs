//! One collection in many formats, made by other tools, gives one ledger; what
//! is broken is named with its place, and the rest is read.

#![cfg(feature = "formats")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use program::{json_of, run, status, stderr};
use serde_json::{Value, json};
use tempfile::TempDir;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

fn scan(directory: &Path, args: &[&str]) -> Output {
    run(directory, &[&["scan", "--format", "json"], args].concat())
}

/// The scored documents: what they are, and their ledgers.
fn ledgers(output: &Output, fields: &[&str]) -> Vec<Value> {
    let all = json_of(output);
    let rows = all["documents"].as_array().unwrap().iter().filter(|row| row["status"] == "ok");
    rows.map(|row| fields.iter().map(|&field| row[field].clone()).collect()).collect()
}

const LEDGER: [&str; 5] = ["weight", "unique", "boilerplate", "originality", "chars"];

#[test]
fn records_of_every_format_give_the_same_rows() {
    let fields = [&["id", "source", "bytes"][..], &LEDGER].concat();
    let expected = scan(&samples(), &["articles.jsonl"]);
    assert_eq!(status(&expected), 0, "{}", stderr(&expected));
    let expected = ledgers(&expected, &fields);
    assert_eq!(expected.len(), 3);
    assert!(expected[0][5].as_f64().unwrap() > 0.1, "the notice is boilerplate: {expected:?}");
    for name in [
        "articles.jsonl.gz",
        "articles.jsonl.zst",
        "articles.jsonl.bz2",
        "articles.jsonl.xz",
        "articles.json",
        "articles.csv",
        "articles.tsv",
        "latin.csv",
        "articles.parquet",
        "articles.feather",
        "articles.arrows",
    ] {
        let output = scan(&samples(), &[name]);
        assert_eq!(status(&output), 0, "{name}: {}", stderr(&output));
        assert_eq!(ledgers(&output, &fields), expected, "{name}");
        let dates = ledgers(&output, &["date"]);
        let day = |row: &Value| row[0].as_str().unwrap()[..10].to_owned();
        assert_eq!(dates.iter().map(day).collect::<Vec<_>>(), ["2020-01-01", "2020-01-02", "2020-01-03"]);
    }
    let output = scan(&samples(), &["nested.parquet", "--text-field", "doc.text", "--id-field", "meta.id"]);
    assert_eq!(ledgers(&output, &fields), expected);
    assert!(stderr(&output).contains("text from `doc.text` (3)"), "{}", stderr(&output));
    assert!(stderr(&output).contains("source from `publisher` (3)"), "{}", stderr(&output));
}

#[test]
fn texts_pages_and_archives_give_the_same_ledgers() {
    let expected = ledgers(&scan(&samples(), &["texts"]), &LEDGER);
    assert_eq!(expected, ledgers(&scan(&samples(), &["articles.jsonl"]), &LEDGER));
    for name in ["texts.zip", "texts.tar.gz", "pages", "pages.warc.gz", "pages.wet"] {
        let output = scan(&samples(), &[name]);
        assert_eq!(status(&output), 0, "{name}: {}", stderr(&output));
        let found = ledgers(&output, &LEDGER);
        assert_eq!(found, expected, "{name}");
    }
    let zipped = ledgers(&scan(&samples(), &["texts.zip"]), &["id"]);
    assert_eq!(zipped[0], json!(["texts.zip/texts/gazette-1.txt"]));
    let pages = ledgers(&scan(&samples(), &["pages.warc.gz"]), &["id", "source", "date", "line"]);
    assert_eq!(
        pages[1],
        json!(["20200201000000/https://www.gazette.example/gazette-2", "gazette.example", "2020-01-02", 3])
    );
    let all = ledgers(&scan(&samples(), &["pages", "--html", "all-text"]), &["weight"]);
    assert!(all[0][0].as_u64() > expected[0][0].as_u64(), "with the navigation");
}

#[test]
fn other_encodings_are_decoded_and_told() {
    let output = scan(&samples(), &["wide.txt"]);
    assert!(stderr(&output).contains("decoded from UTF-16LE 1"), "{}", stderr(&output));
    let one = ledgers(&scan(&samples(), &["texts/gazette-1.txt"]), &["weight", "tokens"]);
    assert_eq!(ledgers(&output, &["weight", "tokens"]), one);
    let output = scan(&samples(), &["latin.csv"]);
    assert!(stderr(&output).contains("decoded from windows-1252 1"), "{}", stderr(&output));
    // As a spreadsheet saves "Unicode text".
    let directory = TempDir::new().unwrap();
    let tsv = fs::read_to_string(samples().join("articles.tsv")).unwrap();
    let wide: Vec<u8> = format!("\u{feff}{tsv}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(directory.path().join("wide.tsv"), wide).unwrap();
    let output = scan(directory.path(), &["wide.tsv"]);
    assert!(stderr(&output).contains("decoded from UTF-16LE 1"), "{}", stderr(&output));
    let expected = scan(&samples(), &["articles.jsonl"]);
    assert_eq!(ledgers(&output, &LEDGER), ledgers(&expected, &LEDGER));
    let output = scan(&samples(), &["wide.txt", "--encoding", "nonsense"]);
    assert_eq!(status(&output), 2);
}

/// A directory of broken files, and one that is good.
fn broken() -> TempDir {
    let directory = TempDir::new().unwrap();
    let sample = |name: &str| fs::read(samples().join(name)).unwrap();
    let cut = |name: &str| {
        let bytes = sample(name);
        bytes[..bytes.len() * 3 / 5].to_vec()
    };
    let files: [(&str, Vec<u8>); 13] = [
        ("cut.jsonl.gz", cut("articles.jsonl.gz")),
        ("cut.jsonl.zst", cut("articles.jsonl.zst")),
        ("cut.jsonl.xz", cut("articles.jsonl.xz")),
        ("cut.parquet", cut("articles.parquet")),
        ("cut.feather", cut("articles.feather")),
        ("cut.wet", cut("pages.wet")),
        ("cut.json", cut("articles.json")),
        ("cut.zip", cut("texts.zip")),
        ("short.csv", b"id,text\n1,a good row\n2\n3,\"another, good one\"\n".to_vec()),
        ("other.csv", b"id,texte\n1,a row\n".to_vec()),
        ("list.json", br#"[{"id": "l1", "text": "first"}, 7, {"id": "l2", "text": ["x"]}, {"id": "l3", "text": "last"}]"#.to_vec()),
        ("deep.html", "<div>".repeat(2000).into_bytes()),
        ("good.txt", b"a good text".to_vec()),
    ];
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    directory
}

#[test]
fn what_is_broken_is_named_with_place_and_cause_and_the_rest_is_read() {
    let directory = broken();
    let output = scan(directory.path(), &["."]);
    assert_eq!(status(&output), 3, "{}", stderr(&output));
    let all = json_of(&output);
    let skipped = all["run"]["skipped"].as_array().unwrap();
    let reason = |path: &str, line: Option<u64>| {
        let found =
            skipped.iter().find(|row| row["path"] == path && line.is_none_or(|line| row["line"] == line));
        found.map_or_else(
            || panic!("{path} {line:?}: {skipped:#?}"),
            |row| row["reason"].as_str().unwrap().to_owned(),
        )
    };
    assert!(reason("cut.jsonl.gz", Some(2)).contains("the lines before it were read"));
    assert!(
        reason("cut.jsonl.zst", None).contains("ends too early")
            || reason("cut.jsonl.zst", None).contains("incomplete"),
        "{}",
        reason("cut.jsonl.zst", None)
    );
    reason("cut.jsonl.xz", None);
    assert!(reason("cut.parquet", None).starts_with("a broken Parquet file"));
    assert!(reason("cut.feather", None).starts_with("a broken Arrow file"));
    assert!(reason("cut.wet", None).contains("the file ends inside it"));
    assert!(reason("cut.json", None).contains("records read before it: 1"));
    reason("cut.zip", None);
    assert_eq!(reason("short.csv", Some(3)), "a row of 1 fields under a header of 2");
    assert_eq!(reason("other.csv", Some(2)), "no field `text`");
    assert!(stderr(&output).contains("did you mean `--text-field texte`"), "{}", stderr(&output));
    assert_eq!(reason("list.json", Some(2)), "not an object");
    assert_eq!(reason("list.json", Some(3)), "field `text` is not a string");
    assert!(reason("deep.html", None).contains("nested"));
    let ids: Vec<String> =
        ledgers(&output, &["id"]).iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
    for id in ["1", "3", "l1", "l3", "good.txt", "gazette-1"] {
        assert!(ids.iter().any(|found| found == id), "{id}: {ids:?}");
    }
}

#[test]
fn globs_and_hidden_files() {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("a/.git")).unwrap();
    for name in ["a/one.txt", "a/two.log", "a/.git/three.txt", ".four.txt"] {
        fs::write(at(name), format!("the text of {name}")).unwrap();
    }
    let ids = |args: &[&str]| -> Vec<String> {
        let output = scan(directory.path(), args);
        ledgers(&output, &["id"]).iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&["."]), ["a/one.txt"]);
    assert!(stderr(&scan(directory.path(), &["."])).contains("not read without --hidden: 2"));
    assert_eq!(ids(&[".", "--hidden"]), [".four.txt", "a/.git/three.txt", "a/one.txt"]);
    assert_eq!(ids(&[".", "--glob", "*.log"]), ["a/two.log"]);
    assert_eq!(ids(&[".", "--glob", "a/*.{log,txt}"]), ["a/one.txt", "a/two.log"]);
    assert_eq!(ids(&["a/two.log"]), ["a/two.log"], "a file that is named is read whatever it is called");
}
