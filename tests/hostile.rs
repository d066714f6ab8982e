//! Inputs made to do harm: none does, and each is told. `SECURITY.md` lists them.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod program;

use std::fs;
use std::io::Write;
use std::path::Path;
#[cfg(unix)]
use std::process::Command;

use program::{done, json_of, run, status, stderr, stdout};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Texts that share a notice.
fn texts() -> [String; 2] {
    let notice = "Reprinted by kind permission of the editors of the Weekly Gazette of Springfield.";
    [
        "The mill burned down on Monday night, but nobody was hurt.",
        "Forty stalls will line Market Street on Saturday.",
    ]
    .map(|story| format!("{story}\n\n{notice}\n"))
}

fn articles() -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in ["a.txt", "b.txt"].iter().zip(texts()) {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// The ids of what was read of a file, and the reasons why something was not.
fn read(directory: &Path, args: &[&str]) -> (Vec<String>, Vec<String>) {
    let output = run(directory, &[&["scan", "--format", "json", "-q"], args].concat());
    let all = json_of(&output);
    let rows = all["documents"].as_array().unwrap();
    let of = |skipped: bool, name: &str| {
        let rows = rows.iter().filter(|row| (row["status"] == "skipped") == skipped);
        rows.map(|row| row[name].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (ids, reasons) = (of(false, "id"), of(true, "skip_reason"));
    assert_eq!(status(&output), if reasons.is_empty() { 0 } else { 3 });
    (ids, reasons)
}

#[cfg(unix)]
#[test]
fn pipes_loops_and_unreadable_files_do_no_harm() {
    let directory = articles();
    std::os::unix::fs::symlink(directory.path(), directory.path().join("loop")).unwrap();
    let made = Command::new("mkfifo").arg(directory.path().join("pipe.txt")).status().unwrap();
    assert!(made.success());
    let output = run(directory.path(), &["scan", "."]);
    assert_eq!(status(&output), 3);
    assert!(stderr(&output).contains("pipe.txt: not a regular file"), "{}", stderr(&output));
    assert!(stderr(&output).contains("leads back to its own directory"), "{}", stderr(&output));
    assert!(stdout(&output).contains("2 documents"));

    use std::os::unix::fs::PermissionsExt;
    let path = directory.path().join("a.txt");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // The administrator can read everything.
    if fs::read(&path).is_err() {
        let output = run(directory.path(), &["scan", "a.txt", "b.md"]);
        assert_eq!(status(&output), 3);
        assert!(stderr(&output).contains("a.txt: permission denied"), "{}", stderr(&output));
    }
}

/// A file that somebody is still writing is read as far as it goes.
#[test]
fn a_growing_file_does_no_harm() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a.jsonl");
    let line = |number: usize| {
        json!({"id": number, "text": format!("Story {number}: {}", texts()[0])}).to_string() + "\n"
    };
    fs::write(&path, (0..2000).map(line).collect::<String>()).unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let writer = std::thread::spawn(move || {
        for number in 2000..6000 {
            // In pieces, so that a line may be there in part.
            let line = line(number);
            let (first, rest) = line.split_at(line.len() / 2);
            file.write_all(first.as_bytes()).unwrap();
            file.write_all(rest.as_bytes()).unwrap();
        }
    });
    let output = run(directory.path(), &["scan", "a.jsonl", "--format", "json", "-q"]);
    let all = json_of(&output);
    let rows = all["documents"].as_array().unwrap();
    let scored = rows.iter().filter(|row| row["status"] == "ok").count();
    assert!(scored >= 2000 && rows.len() <= scored + 1, "{scored} of {}", rows.len());
    assert!([0, 3].contains(&status(&output)));
    writer.join().unwrap();
}

#[test]
fn hostile_text_is_never_sent_to_the_terminal() {
    let directory = TempDir::new().unwrap();
    let text = format!(
        "\x1b]0;owned\x07\x1b[31mred\u{202e} {}",
        "the same hostile words once again here and there ".repeat(2)
    );
    let lines: String =
        (0..2).map(|n| format!("{}\n", json!({"id": format!("../x\x1b[2J{n}"), "text": text}))).collect();
    fs::write(directory.path().join("x.jsonl"), lines + "{\"id\": \"../x\x1b[2J0\"}\n").unwrap();
    let output = run(directory.path(), &["scan", "x.jsonl", "--color", "never", "--out", "out"]);
    assert_eq!(status(&output), 3);
    for said in [stdout(&output), stderr(&output)] {
        assert!(!said.contains('\x1b') && !said.contains('\u{202e}') && !said.contains('\x07'), "{said:?}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "ids are no file names");
}

/// The sizes that a user sets hold in every format.
#[test]
fn sizes_are_bounded_where_the_user_says() {
    let directory = articles();
    let at = |name: &str| directory.path().join(name);
    let long = "word ".repeat(1000);
    let [a, b] = texts();
    fs::write(at("long.txt"), &long).unwrap();
    fs::write(at("long.html"), format!("<html><body><article><p>{long}</p></article></body></html>"))
        .unwrap();
    let rows = [("a", &a), ("long", &long), ("b", &b)];
    let lines = rows.map(|(id, text)| json!({"id": id, "text": text}).to_string() + "\n").concat();
    fs::write(at("c.jsonl"), &lines).unwrap();
    fs::write(at("d.json"), format!("[{}]", lines.trim_end().replace('\n', ","))).unwrap();
    let table = rows.map(|(id, text)| format!("{id},\"{text}\"\n")).concat();
    fs::write(at("e.csv"), format!("id,text\n{table}")).unwrap();
    for file in ["c.jsonl", "d.json", "e.csv"] {
        let (ids, reasons) = read(directory.path(), &[file, "--max-document", "1kB"]);
        assert_eq!(ids, ["a", "b"], "{file}");
        assert_eq!(reasons.len(), 1);
        assert!(reasons[0].contains("a text of 5000 bytes, longer than 1000"), "{}", reasons[0]);
        assert_eq!(read(directory.path(), &[file, "--max-document", "5kB"]).0.len(), 3);
    }
    let (ids, reasons) = read(directory.path(), &["a.txt", "long.txt", "--max-document", "1kB"]);
    assert_eq!((ids.len(), reasons.len()), (1, 1));
    assert!(reasons[0].contains("longer than 1000 bytes"));
    #[cfg(feature = "formats")]
    assert_eq!(read(directory.path(), &["a.txt", "long.html", "--max-document", "1kB"]).1.len(), 1);

    for inputs in [&["c.jsonl"][..], &["d.json"], &["e.csv"], &["a.txt", "long.txt"], &["."]] {
        let output =
            run(directory.path(), &[&["scan", "--max-input", "1kB", "--out", "results"], inputs].concat());
        assert_eq!((status(&output), stdout(&output).as_str()), (2, ""), "{inputs:?}");
        assert!(
            stderr(&output).contains("more than the 1000 bytes that --max-input allows, reached at"),
            "{}",
            stderr(&output)
        );
        assert!(!at("results/run.json").exists());
        done(
            directory.path(),
            &[&["scan", "--max-input", "1MiB"], inputs]
                .concat()
                .iter()
                .filter(|i| **i != ".")
                .copied()
                .collect::<Vec<_>>(),
        );
    }
    // Reading again holds to the same.
    let status_of = |args: &[&str]| status(&run(directory.path(), args));
    assert_eq!(status_of(&["scan", "c.jsonl", "-q", "--max-document", "1kB", "--out", "results"]), 3);
    assert_eq!(status_of(&["explain", "results", "b"]), 0);
    let wrong = run(directory.path(), &["scan", "a.txt", "--max-input", "many"]);
    assert_eq!(status(&wrong), 2);
}

/// JSON that is deep, wide or long.
#[test]
fn json_of_any_shape_is_read_or_named() {
    let directory = TempDir::new().unwrap();
    let good = |id: &str| json!({"id": id, "text": texts()[0]}).to_string();
    let deep = format!(
        "{{\"id\": \"deep\", \"x\": {}{}, \"text\": \"t\"}}",
        "[".repeat(500_000),
        "]".repeat(500_000)
    );
    let deeper = format!("{{\"text\": {}1{}}}", "{\"text\": ".repeat(300_000), "}".repeat(300_000));
    let fields: String = (0..300_000).map(|n| format!("\"f{n}\": {n}, ")).collect();
    let wide = format!("{{{fields}\"id\": \"wide\", \"text\": \"{}\"}}", "wide text");
    let twice = r#"{"id": "twice", "text": "one", "text": "two"}"#.to_owned();
    let long = format!("{{\"id\": \"long\", \"raw\": \"{}\"}}", "r".repeat(70 << 20));
    let lines = [good("first"), deep, deeper, wide, twice, long, good("last")].join("\n");
    fs::write(directory.path().join("a.jsonl"), &lines).unwrap();
    let (ids, reasons) = read(directory.path(), &["a.jsonl", "--max-document", "1MB"]);
    // What is passed over may be as deep as it likes.
    assert_eq!(ids, ["deep", "first", "last", "twice", "wide"]);
    assert_eq!(reasons.len(), 2);
    assert_eq!(reasons[0], "field `text` is not a string");
    assert!(reasons[1].contains("a line longer than 67108864 bytes"), "{reasons:?}");
}

/// A file of more bytes than 32 bits count, most of them a hole, is read to its
/// end.
#[cfg(unix)]
#[test]
fn a_file_beyond_four_gigabytes_is_read_to_its_end() {
    use std::io::{Seek, SeekFrom};
    let directory = TempDir::new().unwrap();
    let mut file = fs::File::create(directory.path().join("a.jsonl")).unwrap();
    let line = |id: &str| json!({"id": id, "text": texts()[0]}).to_string();
    file.write_all(format!("{}\n", line("first")).as_bytes()).unwrap();
    file.seek(SeekFrom::Start((1 << 32) + 100)).unwrap();
    file.write_all(format!("\n{}\n", line("last")).as_bytes()).unwrap();
    drop(file);
    let output = run(directory.path(), &["scan", "a.jsonl", "--max-document", "1MB", "--format", "json"]);
    assert!(stderr(&output).contains("a.jsonl:2: a line longer than 67108864 bytes"), "{}", stderr(&output));
    let rows = json_of(&output)["documents"].clone();
    let places: Vec<_> =
        rows.as_array().unwrap().iter().map(|row| (row["id"].clone(), row["line"].clone())).collect();
    assert_eq!(places[..2], [(json!("first"), json!(1)), (json!("last"), json!(3))]);
}

/// Tables with very many columns, and cells that begin or end anywhere.
#[test]
fn tables_of_any_shape_are_read_or_named() {
    let directory = TempDir::new().unwrap();
    let many = |cell: &str| vec![cell; 500_000].join(",");
    let text = format!("\"{}\"", texts()[0]);
    let table = format!("id,text,{}\n1,{text},{}\n2,{text}\n3,{text},{}\n", many("x"), many("y"), many(""));
    fs::write(directory.path().join("wide.csv"), table).unwrap();
    let (ids, reasons) = read(directory.path(), &["wide.csv"]);
    assert_eq!((ids, reasons.len()), (vec!["1".to_owned(), "3".to_owned()], 1));
    assert!(reasons[0].contains("a row of 2 fields under a header of 500002"), "{}", reasons[0]);
    // A quote that is never closed takes the rest of the file as its cell.
    fs::write(directory.path().join("open.csv"), format!("id,text\n1,{text}\n2,\"{}", "x\n".repeat(100_000)))
        .unwrap();
    assert_eq!(read(directory.path(), &["open.csv"]).0, ["1", "2"]);
}

/// A file of nothing but broken records is given up, and the next one read.
#[test]
fn endless_broken_records_are_not_all_listed() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("a.jsonl"), "x\n".repeat(300_000)).unwrap();
    fs::write(directory.path().join("b.json"), format!("[{}]", vec!["1"; 300_000].join(","))).unwrap();
    let output = run(directory.path(), &["scan", ".", "--format", "json", "-q"]);
    assert_eq!(status(&output), 2, "nothing is left to scan");
    fs::write(directory.path().join("b.txt"), &texts()[0]).unwrap();
    let output = run(directory.path(), &["scan", ".", "--format", "json", "-q"]);
    let all = json_of(&output);
    let rows = all["documents"].as_array().unwrap();
    let of = |file: &str| rows.iter().filter(|row| row["path"] == file).count();
    assert_eq!((of("a.jsonl"), of("b.json"), of("b.txt")), (100_002, 100_002, 1));
    // Where some are sound, all are tried; and what the user does not want is not
    // broken.
    let some: String =
        (0..40_000).map(|n| format!("{{\"id\": {n}, \"text\": \"{n}\"}}\nx\nx\nx\nx\n")).collect();
    fs::write(directory.path().join("c.jsonl"), some).unwrap();
    let output = run(directory.path(), &["scan", "c.jsonl", "--dry-run"]);
    assert!(stdout(&output).contains("40,000 documents"), "{}", stdout(&output));
    assert!(stderr(&output).contains("159980 more inputs were skipped"), "{}", stderr(&output));
    let long = "{\"text\": \"longer\"}\n".repeat(150_000) + "{\"text\": \"short\"}\n";
    fs::write(directory.path().join("d.jsonl"), long).unwrap();
    let output = run(directory.path(), &["scan", "d.jsonl", "--dry-run", "--max-document", "5"]);
    assert!(stdout(&output).contains("1 document"), "{}", stdout(&output));
    assert!(stderr(&output).contains("149980 more inputs were skipped"), "{}", stderr(&output));
}

/// Patterns that take a careless matcher for ever.
#[test]
fn patterns_are_matched_in_reasonable_time() {
    let directory = TempDir::new().unwrap();
    let name = format!("{}.txt", "a".repeat(200));
    fs::write(directory.path().join(&name), texts()[0].as_str()).unwrap();
    for pattern in [
        format!("{}b", "a*".repeat(60)),
        format!("{}b", "**/".repeat(60)),
        "{a,a*}".repeat(30),
        "[".repeat(500),
        "(a+)+$".to_owned(),
    ] {
        let output = run(directory.path(), &["scan", ".", "--glob", &pattern, "-q"]);
        assert_eq!(status(&output), 2, "{pattern}: {}", stdout(&output));
    }
    done(directory.path(), &["scan", ".", "--glob", "a*a*a*.txt", "-q"]);
}

/// Archives whose members are named to be written elsewhere.
#[cfg(feature = "formats")]
#[test]
fn members_named_to_escape_stay_where_they_are_put() {
    let directory = TempDir::new().unwrap();
    let mut archive = Vec::new();
    let notice = "Subscribe to the Gazette for more news from around the county.";
    let names = [
        "../../escaped.txt",
        "/tmp/twicetold-absolute.txt",
        "a/../../../b.txt",
        "C:\\windows\\c.txt",
        "plain.txt",
    ];
    for (number, name) in names.iter().enumerate() {
        let text = format!("Story number {number} of this archive, unlike the others.\n\n{notice}\n");
        // A tar header by hand: libraries refuse to write such names.
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", text.len()).as_bytes());
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend(header);
        archive.extend(text.as_bytes());
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    let inner = directory.path().join("deep/inside");
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("a.tar"), archive).unwrap();
    done(&inner, &["scan", "a.tar", "--out", "results", "-q"]);
    done(&inner, &["clean", "results", "--out", "cleaned", "--drop", "boilerplate"]);
    let outside: Vec<_> = walkdir::WalkDir::new(directory.path())
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && !entry.path().starts_with(&inner))
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
    assert!(!Path::new("/tmp/twicetold-absolute.txt").exists());
    let written = walkdir::WalkDir::new(inner.join("cleaned")).into_iter().filter_map(Result::ok);
    assert_eq!(
        written.filter(|entry| entry.path().extension().is_some_and(|end| end == "txt")).count(),
        names.len()
    );
}

/// One document very many times: all are copies of the first.
#[test]
fn a_document_told_very_often_is_one_cluster() {
    let directory = TempDir::new().unwrap();
    let count = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };
    let lines: String =
        (0..count).map(|number| json!({"id": number, "text": texts()[0]}).to_string() + "\n").collect();
    fs::write(directory.path().join("a.jsonl"), lines).unwrap();
    done(directory.path(), &["scan", "a.jsonl", "--out", "results", "-q"]);
    let run: Value =
        serde_json::from_slice(&fs::read(directory.path().join("results/run.json")).unwrap()).unwrap();
    assert_eq!(run["counts"]["documents"], json!(count));
    let clusters = program::lines(directory.path().join("results/clusters.jsonl"));
    assert_eq!((clusters.len(), &clusters[0]["size"]), (1, &json!(count)));
}
