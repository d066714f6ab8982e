//! The program as a user drives it: files, messages, results, statuses.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod generate;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use program::{json_of, piped, run, status, stderr, stdout};
use serde_json::{Value, json};
use tempfile::TempDir;

fn ids(output: &Output) -> Vec<String> {
    let all = json_of(output);
    let rows = all["documents"].as_array().unwrap();
    let scored = rows.iter().filter(|row| row["status"] != "skipped");
    scored.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

const NOTICE: &str = "Reprinted by kind permission of the editors of the Weekly Gazette of Springfield.";

/// A directory with two articles that share a notice.
fn articles() -> TempDir {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    let prose = |seed| {
        let mut random = generate::Random(seed);
        let words = random.words(80);
        generate::prose(&mut random, &words)
    };
    fs::write(at("a.txt"), format!("{}\n\n{NOTICE}\n", prose(1))).unwrap();
    fs::write(at("b.md"), format!("# News\n\n{}\n\n{NOTICE}\n", prose(2))).unwrap();
    directory
}

#[test]
fn directories_files_json_lines_gzip_and_standard_input_give_the_same_ledger() {
    let directory = articles();
    let texts = ["a.txt", "b.md"].map(|name| fs::read_to_string(directory.path().join(name)).unwrap());
    let lines: String = [("a.txt", &texts[0]), ("b.md", &texts[1])]
        .map(|(id, text)| format!("{}\n", json!({"url": id, "body": text, "other": [1, {"x": null}]})))
        .concat();
    fs::create_dir(directory.path().join("dump")).unwrap();
    fs::write(directory.path().join("dump/d.jsonl"), &lines).unwrap();
    // Two members, as log rotation and parallel compressors write them.
    let mut packed = Vec::new();
    for line in lines.lines() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(format!("{line}\n").as_bytes()).unwrap();
        packed.extend(encoder.finish().unwrap());
    }
    fs::write(directory.path().join("d.jsonl.gz"), &packed).unwrap();

    let json = ["--format", "json", "--quiet", "--id-field", "url", "--text-field", "body"];
    fn with<'a>(inputs: &[&'a str], json: &[&'a str]) -> Vec<&'a str> {
        [&["scan"], inputs, json].concat()
    }
    let with = |inputs| with(inputs, &json);
    let expected = run(directory.path(), &with(&["a.txt", "b.md"]));
    assert_eq!(status(&expected), 0, "{}", stderr(&expected));
    assert_eq!(ids(&expected), ["a.txt", "b.md"]);
    let ledger = |output: &Output| -> Vec<Value> {
        let all = json_of(output);
        let documents = all["documents"].as_array().unwrap().iter();
        let shares = |row: &Value| {
            json!([row["id"], row["boilerplate"], row["unique"], row["weight"], row["originality"]])
        };
        documents.map(shares).collect()
    };
    assert!(
        ledger(&expected)[0][1].as_f64().unwrap() > 0.05,
        "the notice is boilerplate: {}",
        stdout(&expected)
    );
    for inputs in [&["dump"][..], &["dump/d.jsonl"], &["d.jsonl.gz"], &["./a.txt", "b.md", "a.txt"]] {
        let output = run(directory.path(), &with(inputs));
        assert_eq!(status(&output), 0, "{inputs:?}: {}", stderr(&output));
        assert_eq!(ledger(&output), ledger(&expected), "{inputs:?}");
    }
    for input in [lines.as_bytes(), &packed] {
        let output = piped(directory.path(), &with(&["-"]), input);
        assert_eq!(ledger(&output), ledger(&expected));
    }
    // A directory of everything: each file once, duplicates of ids rejected.
    let output = run(directory.path(), &with(&["."]));
    assert_eq!(status(&output), 3);
}

#[test]
fn result_files_are_complete_sorted_and_the_same_for_any_threads_and_order() {
    let directory = TempDir::new().unwrap();
    let documents = generate::collection(17, 300_000);
    let (left, right) = documents.split_at(documents.len() / 3);
    for (name, part) in [("x.jsonl", left), ("y.jsonl", right)] {
        let lines: String = part.iter().map(|d| format!("{}\n", serde_json::to_string(d).unwrap())).collect();
        fs::write(directory.path().join(name), lines).unwrap();
    }
    let mut first: Option<BTreeMap<String, Vec<u8>>> = None;
    for (inputs, threads) in
        [(["x.jsonl", "y.jsonl"], "1"), (["y.jsonl", "x.jsonl"], "2"), (["x.jsonl", "y.jsonl"], "4")]
    {
        let output =
            run(directory.path(), &["scan", inputs[0], inputs[1], "--out", "results", "--threads", threads]);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(directory.path().join("results")).unwrap() {
            let entry = entry.unwrap();
            let mut bytes = fs::read(entry.path()).unwrap();
            if entry.file_name() == "run.json" {
                let mut run: Value = serde_json::from_slice(&bytes).unwrap();
                assert!(run["timing"].is_object());
                run["timing"].take();
                run["config"]["threads"].take();
                bytes = run.to_string().into_bytes();
            }
            files.insert(entry.file_name().into_string().unwrap(), bytes);
        }
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        let expected = [
            "clusters.jsonl",
            "documents.jsonl",
            "families.jsonl",
            "occurrences.jsonl",
            "pairs.jsonl",
            "report.html",
            "run.json",
            "spans.jsonl",
        ];
        assert_eq!(names, expected, "nothing temporary is left");
        match &first {
            None => first = Some(files),
            Some(first) => assert!(*first == files, "{threads} threads"),
        }
    }
    let rows = |name: &str| -> Vec<Value> {
        let bytes = &first.as_ref().unwrap()[name];
        let lines = std::str::from_utf8(bytes).unwrap().lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(rows("documents.jsonl").len(), documents.len());
    for name in ["families.jsonl", "occurrences.jsonl", "spans.jsonl", "pairs.jsonl", "clusters.jsonl"] {
        assert!(!rows(name).is_empty(), "{name}");
    }
    let texts: BTreeMap<&str, &str> = documents.iter().map(|d| (d.id.as_str(), d.text.as_str())).collect();
    for span in rows("spans.jsonl") {
        let slice = |doc: &str, start: &str, end: &str| {
            let (start, end) = (span[start].as_u64().unwrap() as usize, span[end].as_u64().unwrap() as usize);
            texts[span[doc].as_str().unwrap()][start..end].len()
        };
        assert!(slice("doc", "start_byte", "end_byte") > 0);
        assert!(slice("other_doc", "other_start_byte", "other_end_byte") > 0);
    }
}

/// The names of the fields in the order of the contract.
#[test]
fn fields_are_what_was_promised() {
    let directory = articles();
    fs::copy(directory.path().join("a.txt"), directory.path().join("c.txt")).unwrap();
    assert_eq!(status(&run(directory.path(), &["scan", ".", "--out", "out"])), 0);
    let fields = [
        (
            "documents",
            "id path line source date lang_unit bytes chars tokens weight status skip_reason cluster leader unique \
             first shared syndicated quotation stock boilerplate repeat ignored originality originality_max \
             originality_body fractional nearest nearest_containment top_source top_source_share",
        ),
        (
            "families",
            "family kind reason df occurrences sources first_date last_date first_doc tokens variants cohesion \
             rest_similarity quote_share position_mean position_sd edge_share block_share text text_hash",
        ),
        (
            "occurrences",
            "family doc variant start_byte end_byte start_char end_char start_line end_line identity",
        ),
        (
            "spans",
            "doc label family start_byte end_byte start_char end_char start_line end_line identity other_doc \
             other_start_byte other_end_byte",
        ),
        ("pairs", "a b resemblance containment_a_in_b containment_b_in_a shared_tokens"),
        ("clusters", "cluster leader size members min_resemblance"),
    ];
    for (name, expected) in fields {
        let text = fs::read_to_string(directory.path().join(format!("out/{name}.jsonl"))).unwrap();
        let line = text.lines().next().unwrap_or_else(|| panic!("{name} is empty"));
        // Keys in the order in which they stand in the file.
        let mut at: Vec<(usize, &str)> = expected
            .split_whitespace()
            .map(|key| {
                (
                    line.find(&format!("\"{key}\":"))
                        .unwrap_or_else(|| panic!("{name} has no {key}: {line}")),
                    key,
                )
            })
            .collect();
        let promised: Vec<&str> = at.iter().map(|field| field.1).collect();
        at.sort_unstable();
        assert_eq!(at.iter().map(|field| field.1).collect::<Vec<_>>(), promised, "{name}");
        let row: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
        assert_eq!(row.len(), promised.len(), "{name}: {line}");
    }
}

/// Each kind of bad input: what is said, the status, and that the rest is done.
#[test]
fn bad_input_is_named_and_the_rest_goes_on() {
    let directory = articles();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("damaged.txt"), ["äöüÄÖÜß".as_bytes(), b"\xff"].concat()).unwrap();
    fs::write(at("empty.txt"), "").unwrap();
    fs::write(at("word.txt"), "one").unwrap();
    fs::write(at("nul.txt"), "before\0after").unwrap();
    fs::create_dir(at("nothing")).unwrap();
    fs::write(at("nothing/picture.png"), "x").unwrap();
    fs::write(
        at("bad.jsonl"),
        "{\"id\": 1, \"text\": \"fine\"}\nnot json\n{\"id\": 2, \"other\": \"x\"}\n{\"id\": 3, \"text\": 5.5}\n\n\
         {\"id\": 1, \"text\": \"again\"}\n{\"text\": \"no id\", \"date\": \"someday\"}\n{\"id\": [], \"text\": \"x\"}\n\
         [\"no object\"]\n{\"id\": 9, \"text\": \"x\"} trailing\n",
    )
    .unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for number in 0..2000 {
        writeln!(encoder, "{}", json!({"id": number, "text": format!("zipped {}", number * number)}))
            .unwrap();
    }
    let packed = encoder.finish().unwrap();
    fs::write(at("cut.jsonl.gz"), &packed[..packed.len() - 9]).unwrap();

    let cases: [(&str, i32, &[&str]); 7] = [
        ("missing.txt", 3, &["missing.txt: no such file or directory", "hint: check the spelling"]),
        ("damaged.txt", 3, &["damaged.txt: not UTF-8 at byte 14", "hint: most of it is UTF-8"]),
        ("nothing", 3, &["nothing: a directory without any text file", "files of other types, not read: 1"]),
        ("empty.txt", 0, &[]),
        ("word.txt", 0, &[]),
        ("nul.txt", 0, &["text files with NUL bytes, which are taken as separators: 1"]),
        (
            "bad.jsonl",
            3,
            &[
                "bad.jsonl:2: not a JSON object at column",
                "bad.jsonl:3: no field `text`",
                "hint: --text-field names the field with the text; there are: other",
                "bad.jsonl:4: field `text` is not a string",
                "bad.jsonl:6: the id `1` stands at bad.jsonl:1 already",
                "bad.jsonl:8: field `id` is neither a string nor a number",
                "bad.jsonl:9: not a JSON object",
                "bad.jsonl:10: not a JSON object",
                "dates that could not be read and count as unknown: 1, first at bad.jsonl:7: `someday` is not a date",
            ],
        ),
    ];
    for (input, expected, messages) in cases {
        let output = run(directory.path(), &["scan", "a.txt", "b.md", input, "--format", "json"]);
        let said = stderr(&output);
        assert_eq!(status(&output), expected, "{input}: {said}");
        for message in messages {
            assert!(said.contains(message), "{input}: no `{message}` in\n{said}");
        }
        let found = ids(&output);
        assert!(
            found.contains(&"a.txt".to_owned()) && found.contains(&"b.md".to_owned()),
            "{input}: {found:?}"
        );
        let all = json_of(&output);
        let skipped = all["run"]["skipped"].as_array().unwrap().len();
        let rows = all["documents"].as_array().unwrap();
        assert_eq!(rows.iter().filter(|row| row["status"] == "skipped").count(), skipped, "{input}");
        assert_eq!(skipped > 0, expected == 3, "{input}");
    }
    let output = run(directory.path(), &["scan", "bad.jsonl", "--format", "json", "-q"]);
    assert_eq!(ids(&output), ["1", "bad.jsonl:7"]);

    let output = run(directory.path(), &["scan", "cut.jsonl.gz", "a.txt", "--format", "json"]);
    assert_eq!(status(&output), 3);
    assert!(stderr(&output).contains("the compressed data ends too early"), "{}", stderr(&output));

    let empty = run(directory.path(), &["scan", "empty.txt", "--format", "json"]);
    let row = &json_of(&empty)["documents"][0];
    assert_eq!((row["status"].as_str(), row["originality"].is_null()), (Some("empty"), true));
    let word = run(directory.path(), &["scan", "word.txt", "--format", "json"]);
    assert_eq!(json_of(&word)["documents"][0]["originality"], json!(1.0));
}

#[test]
fn nothing_is_done_on_wrong_usage() {
    let directory = articles();
    let cases: [(&[&str], &str); 7] = [
        (&["scan", "nowhere"], "no document could be read, nothing was done"),
        (&["scan", "a.txt", "--shingle", "1"], "setting `shingle` is 1, wanted 3 to 32"),
        (&["scan", "a.txt", "--similarity", "1.5"], "setting `similarity` is 1.5, wanted above 0, at most 1"),
        (
            &["scan", "a.txt", "--fail-below", "7"],
            "invalid value '7' for '--fail-below <SHARE>': wanted 0 to 1",
        ),
        (&["scan", "a.txt", "--formt", "json"], "a similar argument exists: '--format'"),
        (&["scan", "a.txt", "--sensitivity", "fast", "--window", "3"], "cannot be used with"),
        (&["scan", "a.txt", "--out", "a.txt/results"], "cannot write to a.txt/results"),
    ];
    for (args, message) in cases {
        let output = run(directory.path(), args);
        assert_eq!(status(&output), 2, "{args:?}");
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{args:?}");
    }
    assert!(!directory.path().join("results").exists());
}

#[test]
fn statuses_serve_scripts() {
    let directory = articles();
    let output = run(directory.path(), &["scan", ".", "--fail-below", "0.9", "-q"]);
    assert_eq!(status(&output), 1);
    let output = run(directory.path(), &["scan", ".", "--fail-below", "0.1", "-q"]);
    assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let directory = articles();
    let mut child = Command::new(env!("CARGO_BIN_EXE_twicetold"))
        .args(["scan", ".", "--format", "json"])
        .current_dir(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
}

/// Every command of the README is run, and prints what the README shows.
#[test]
fn the_readme_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let mut checked = 0;
    let out = TempDir::new().unwrap();
    // Later commands use what earlier ones wrote.
    let place = |arg: &str| match arg {
        "results" | "cleaned" | "ignore.jsonl" => out.path().join(arg).to_str().unwrap().to_owned(),
        _ => arg.to_owned(),
    };
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let (command, shown) = block.split_once('\n').unwrap();
        let args = command.strip_prefix("$ twicetold ").unwrap_or_else(|| panic!("{command}"));
        let (args, file) = args.split_once(" > ").map_or((args, None), |(args, file)| (args, Some(file)));
        let args: Vec<String> = args.split_whitespace().map(place).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = run(root, &args);
        assert_eq!(status(&output), 0, "{command}: {}", stderr(&output));
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        let printed = match file {
            Some(file) => fs::write(place(file), &output.stdout).map(|()| String::new()).unwrap(),
            None => stdout(&output),
        };
        assert_eq!(trimmed(&printed), trimmed(shown.trim_end_matches('\n')), "{command}");
        checked += 1;
    }
    assert!(checked >= 5);
    let test = readme.lines().any(|line| line == "cargo test");
    let install = readme
        .lines()
        .any(|line| line.starts_with("cargo install --path . --locked && twicetold scan seeds/"));
    assert!(test && install, "the two commands of a newcomer");
}

#[test]
fn two_texts_are_compared() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let story = "The old mill will close in spring and two hundred people will lose their work.";
    fs::write(path.join("a.txt"), format!("Headline\n\n{story}\nPrinted here first.\n")).unwrap();
    fs::write(path.join("b.md"), format!("Čas\n{}\n", story.replace("spring", "early May"))).unwrap();
    let output = run(path, &["compare", "a.txt", "b.md"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let shown = stdout(&output);
    assert!(
        shown.contains("a:3 b:2") && shown.contains("- The old mill") && shown.contains("in early May and")
    );

    let output = run(path, &["compare", "a.txt", "b.md", "--format", "json"]);
    let found = json_of(&output);
    let passage = &found["passages"][0];
    assert_eq!((&found["a"], &found["b"]), (&json!("a.txt"), &json!("b.md")));
    assert_eq!((&passage["b_start_byte"], &passage["b_start_char"]), (&json!(5), &json!(4)));
    assert_eq!((&passage["a_start_char"], &passage["tokens"]), (&json!(10), &json!(14)));

    fs::write(path.join("c.txt"), "Quite another text, with nothing of the others.").unwrap();
    let output = run(path, &["compare", "a.txt", "c.txt"]);
    assert_eq!(status(&output), 0);
    assert!(stderr(&output).contains("no passage stands in both"));
    for (args, message) in [
        (&["compare", "a.txt"][..], "compare takes two texts"),
        (&["compare", "a.txt", "missing.txt"], "missing.txt: no such file"),
        (&["compare", "a.txt", "."], "--pairs FILE lists which to compare"),
        (&["compare", "a.txt", "a.txt"], "two documents have the id `a.txt`"),
    ] {
        let output = run(path, args);
        assert_eq!((status(&output), stdout(&output).as_str()), (2, ""), "{args:?}");
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn listed_pairs_are_compared_in_their_order() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let story = "The old mill will close in spring and two hundred people will lose their work.";
    let lines =
        [("x", "Rain is expected in the north of the country on Friday."), ("y", story), ("z", story)];
    let rows = lines.map(|(id, text)| json!({"id": id, "text": text}).to_string());
    fs::write(path.join("all.jsonl"), rows.join("\n")).unwrap();
    fs::write(
        path.join("pairs.jsonl"),
        "{\"a\":\"z\",\"b\":\"y\",\"note\":1}\n\n{\"a\":\"x\",\"b\":\"y\"}\n{\"a\":\"y\",\"b\":\"z\"}\n",
    )
    .unwrap();
    let args = ["compare", "--pairs", "pairs.jsonl", "all.jsonl"];
    let output = run(path, &args);
    assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
    let found: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sides: Vec<(&str, &str)> =
        found.iter().map(|row| (row["a"].as_str().unwrap(), row["b"].as_str().unwrap())).collect();
    assert_eq!(sides, [("z", "y"), ("y", "z")]);
    assert_eq!(found[0]["a_end_byte"], json!(story.len()));
    for threads in ["1", "2"] {
        let again = run(path, &[&args[..], &["--threads", threads]].concat());
        assert_eq!(again.stdout, output.stdout);
    }

    fs::write(path.join("pairs.jsonl"), "{\"a\":\"z\",\"b\":\"w\"}\n[]\n{\"a\":\"y\",\"b\":\"z\"}\n")
        .unwrap();
    let output = run(path, &args);
    assert_eq!((status(&output), stdout(&output).lines().count()), (3, 1));
    let complaints = stderr(&output);
    assert!(complaints.contains("pairs.jsonl:1: no document has the id `w`"), "{complaints}");
    assert!(complaints.contains("pairs.jsonl:2: not an object with the ids `a` and `b`"), "{complaints}");

    fs::write(path.join("pairs.jsonl"), "\n").unwrap();
    for (args, message) in [
        (&args[..], "pairs.jsonl lists no pair"),
        (&args[..3], "needs the collection"),
        (&["compare", "--pairs", "none.jsonl", "all.jsonl"], "cannot read none.jsonl"),
    ] {
        let output = run(path, args);
        assert_eq!((status(&output), stdout(&output).as_str()), (2, ""), "{args:?}");
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
    }
}
