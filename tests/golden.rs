//! Result files as they were: what other programs read does not change by
//! accident. `TWICETOLD_BLESS=1` writes them anew where it does by intent.

#![cfg(feature = "formats")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod program;

use std::fs;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use program::{copy, done, run, status};
use serde_json::Value;
use tempfile::TempDir;

const TABLES: [&str; 6] = ["documents", "families", "occurrences", "spans", "pairs", "clusters"];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A collection with near-duplicates, two sources and dates, and what could not
/// be read.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds"), &directory.path().join("seeds"));
    let story = "The old mill by the river burned down on Monday night, and the whole town came out to see \
                 the flames, which rose higher than the church. Nobody was hurt, said the fire chief.";
    let lines = [
        ("first", "2020-01-02", "gazette", story.to_owned()),
        ("copy", "2020-01-03", "herald", story.replace("Monday", "Tuesday")),
        ("=twin", "2020-01-04", "herald", story.to_owned()),
        ("empty", "2020", "herald", "— …".to_owned()),
    ]
    .map(|(id, date, source, text)| {
        serde_json::json!({"id": id, "date": date, "source": source, "text": text}).to_string() + "\n"
    });
    fs::write(directory.path().join("more.jsonl"), lines.concat() + "{\"id\": 5}\n").unwrap();
    directory
}

/// `run.json` without what differs between equal runs and between releases.
fn run_of(path: &Path) -> String {
    let mut run: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    for name in ["timing", "version"] {
        assert!(!run[name].take().is_null());
    }
    run["config"]["threads"].take();
    serde_json::to_string_pretty(&run).unwrap() + "\n"
}

fn same(name: &str, found: &str) {
    let path = golden().join(name);
    if std::env::var_os("TWICETOLD_BLESS").is_some() {
        fs::create_dir_all(golden()).unwrap();
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    for (number, (found, expected)) in (1..).zip(found.lines().zip(expected.lines())) {
        assert_eq!(found, expected, "{name}:{number}");
    }
    assert_eq!(found, expected, "{name}");
}

#[test]
fn result_files_are_as_they_were() {
    let directory = directory();
    let at = |name: &str| directory.path().join("results").join(name);
    let text = |name: &str| fs::read_to_string(at(name)).unwrap();
    let scan = |format: &str| {
        let args =
            ["scan", "seeds", "more.jsonl", "-q", "--passim", "--out", "results", "--output-format", format];
        assert_eq!(status(&run(directory.path(), &args)), 3, "one line is no document");
    };
    scan("jsonl");
    for table in TABLES {
        same(&format!("{table}.jsonl"), &text(&format!("{table}.jsonl")));
    }
    same("passim.csv", &text("passim.csv"));
    same("run.json", &run_of(&at("run.json")));
    scan("csv");
    for table in TABLES {
        same(&format!("{table}.csv"), &text(&format!("{table}.csv")));
    }
    // Of Parquet the schema: how it is packed may change with the library. That
    // the rows are those of the other formats is tested beside them.
    scan("parquet");
    let mut schemas = Vec::new();
    for table in TABLES {
        let file = fs::File::open(at(&format!("{table}.parquet"))).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let schema = reader.metadata().file_metadata().schema();
        schemas.extend(format!("{table}\n").bytes());
        parquet::schema::printer::print_schema(&mut schemas, schema);
    }
    same("parquet-schemas.txt", &String::from_utf8(schemas).unwrap());
}

/// What an earlier release wrote can be used.
#[test]
fn earlier_results_are_read() {
    let directory = directory();
    let results = directory.path().join("results");
    copy(&golden(), &results);
    // The golden file has no version and threads, which are not needed.
    let listed = done(directory.path(), &["families", "results", "--kind", "boilerplate"]);
    assert!(listed.contains("728 x 90"), "{listed}");
    let explained = done(directory.path(), &["explain", "results", "copy"]);
    assert!(explained.contains("Tuesday"), "{explained}");
    done(directory.path(), &["report", "results", "-q"]);
    assert!(results.join("report.html").exists());
}
