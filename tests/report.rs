//! `report.html`: what it holds, and that nothing in it is markup. What it shows
//! is tested in a browser, by `tests/browser`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod program;

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use program::{copy, done, lines, refused};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A directory with the sample collection.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds"), &directory.path().join("seeds"));
    directory
}

/// A block of a report, unpacked.
fn block(page: &str, name: &str) -> Value {
    let (_, rest) = page.split_once(&format!("id=\"{name}\">")).unwrap_or_else(|| panic!("no block {name}"));
    let packed = STANDARD.decode(rest.split_once('<').unwrap().0).unwrap();
    serde_json::from_reader(GzDecoder::new(&packed[..])).unwrap()
}

#[test]
fn a_report_holds_the_results_and_is_written_again() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let page = || fs::read_to_string(at("results/report.html")).unwrap();
    done(directory.path(), &["scan", "seeds", "--out", "results"]);
    let first = page();
    let rows = lines(at("results/documents.jsonl"));
    let columns = block(&first, "documents");
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(columns["id"][number], row["id"]);
        let letters = |label: usize| columns["labels"][label][number].as_u64().unwrap();
        let weight = row["weight"].as_u64().unwrap();
        assert_eq!((0..9).map(letters).sum::<u64>(), weight);
        let originality = (letters(0) + letters(1)) as f64 / (weight - letters(8)) as f64;
        assert_eq!(row["originality"], json!(originality));
    }
    let kinds = ["boilerplate", "stock", "syndicated", "quotation", "repeat", "formula", "shared"];
    let (families, opened) = (block(&first, "families"), block(&first, "f0"));
    for (number, row) in lines(at("results/families.jsonl")).iter().enumerate() {
        let kind = families["kind"][number].as_u64().unwrap();
        assert_eq!(json!(kinds[kind as usize]), row["kind"]);
        assert_eq!((&families["df"][number], &opened[number]["text"]), (&row["df"], &row["text"]));
        let places = opened[number]["places"].as_array().unwrap().len();
        assert_eq!(json!(places), row["occurrences"]);
    }
    // Spans slice to what they are of, in UTF-16.
    let of = rows.iter().position(|row| row["id"] == "seeds/001_670a2c3c5825d97d.txt").unwrap();
    let place = &block(&first, "texts")[of];
    let text = &block(&first, "t0")[place[1].as_u64().unwrap() as usize];
    let units: Vec<u16> = text["text"].as_str().unwrap().encode_utf16().collect();
    let shown: Vec<String> = text["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| (span[0].as_u64().unwrap() as usize, span[1].as_u64().unwrap() as usize))
        .map(|(start, length)| String::from_utf16(&units[start..start + length]).unwrap())
        .collect();
    assert!(shown.iter().any(|text| text.starts_with("Reuters confirmed")), "{shown:?}");

    fs::remove_file(at("results/report.html")).unwrap();
    done(directory.path(), &["report", "results"]);
    assert!(page() == first, "the same bytes");
    done(directory.path(), &["report", "results", "--report-docs", "2"]);
    let texts = block(&page(), "texts");
    assert_eq!(texts.as_array().unwrap().iter().filter(|place| !place.is_null()).count(), 2);
    let document = at("seeds/000_a94cddf77bc4e149.txt");
    let changed = fs::read_to_string(&document).unwrap() + " more";
    fs::write(&document, changed).unwrap();
    let kept = page();
    assert!(refused(directory.path(), &["report", "results"]).contains("are not what was scanned"));
    assert!(page() == kept, "the earlier one stays");
    done(directory.path(), &["scan", "seeds", "--out", "results", "--no-report"]);
    assert!(!at("results/report.html").exists(), "of the earlier run");
}

#[test]
fn results_that_do_not_belong_together_are_refused() {
    let directory = directory();
    let at = |name: &str| directory.path().join("results").join(name);
    for (table, from, to) in [
        ("documents.jsonl", "{\"id\":\"seeds/000", "{\"id\":\"other/000"),
        ("occurrences.jsonl", "\"doc\":\"seeds/000", "\"doc\":\"other/000"),
        ("families.jsonl", "{\"family\":2,", "{\"family\":200,"),
    ] {
        done(directory.path(), &["scan", "seeds", "--out", "results"]);
        let text = fs::read_to_string(at(table)).unwrap();
        assert!(text.contains(from), "{table}");
        fs::write(at(table), text.replacen(from, to, 1)).unwrap();
        let error = refused(directory.path(), &["report", "results"]);
        assert!(error.contains("do not belong together"), "{table}: {error}");
    }
}

#[test]
fn names_from_the_collection_are_no_markup() {
    let directory = directory();
    let hostile = "<script>alert(1)<|script>\"'&{{ 7 * 7 }}";
    fs::create_dir(directory.path().join(hostile)).unwrap();
    fs::write(directory.path().join(hostile).join("a.txt"), "</script><img src=x onerror=alert(1)>").unwrap();
    done(directory.path(), &["scan", hostile, "--out", "results"]);
    let page = fs::read_to_string(directory.path().join("results/report.html")).unwrap();
    assert!(
        page.contains("<title>&lt;script&gt;alert(1)&lt;|script&gt;&quot;&#x27;&amp;{{ 7 * 7 }}"),
        "{}",
        &page[..900]
    );
    assert!(!page.contains("alert(1)<|script>") && !page.contains("onerror=alert"));
    // One document, several scripts: only the last is run, and only by its hash.
    let policy = page.split_once("http-equiv=\"Content-Security-Policy\" content=\"").unwrap().1;
    let policy = policy.split_once("\">").unwrap().0.replace("&#x27;", "'");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert!(!page.contains("https://") && !page.contains("src=\""));
}

#[test]
fn a_report_holds_both_collections() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("old")).unwrap();
    fs::rename(at("seeds/001_670a2c3c5825d97d.txt"), at("old/one.txt")).unwrap();
    done(directory.path(), &["scan", "seeds", "--against", "old", "--out", "results"]);
    let page = fs::read_to_string(at("results/report.html")).unwrap();
    let core = block(&page, "core");
    assert_eq!((&core["judged"], &block(&page, "documents")["id"][4]), (&json!(4), &json!("old/one.txt")));
    done(directory.path(), &["report", "results", "--out", "again.html"]);
    assert!(fs::read_to_string(at("again.html")).unwrap() == page);
    fs::write(at("old/one.txt"), "other").unwrap();
    assert!(refused(directory.path(), &["report", "results"]).contains("old"));
}
