//! What is done with results: explained, exported, ignored, and the collection
//! cleaned.

#![cfg(feature = "formats")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, ListAccessor, Row};
use program::{copy, done, json_of, lines, refused, run, status};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A directory with the samples and the sample collection.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (from, to) in [("tests/samples", "samples"), ("seeds", "seeds")] {
        copy(&root.join(from), &directory.path().join(to));
    }
    directory
}

/// Every file below a directory with its bytes.
fn tree(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walkdir::WalkDir::new(directory).into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    files.map(|entry| (entry.path().to_owned(), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn near_duplicates_alone_are_found_cleaned_and_never_taken_for_all() {
    let directory = directory();
    let story = "The old mill by the river burned down on Monday night, and the whole town came out to see.";
    let rows =
        ["a", "b", "c"].map(|id| json!({"id": id, "text": format!("{story} {id}")}).to_string() + "\n");
    fs::write(directory.path().join("in.jsonl"), rows.concat()).unwrap();
    let shown = done(directory.path(), &["scan", "in.jsonl", "--only", "duplicates", "--out", "results"]);
    assert!(shown.contains("3 near-duplicate documents in 1 cluster\n"), "{shown}");
    for word in ["passage", "original", "Originality"] {
        assert!(!shown.contains(word), "{shown}");
    }
    let documents = lines(directory.path().join("results/documents.jsonl"));
    assert!(documents.iter().all(|row| row["status"] == "ok" && row["originality"].is_null()));
    assert_eq!(lines(directory.path().join("results/pairs.jsonl")).len(), 3);
    assert!(!directory.path().join("results/report.html").exists());
    // What needs passages says that there are none.
    for args in [
        &["explain", "results", "a"][..],
        &["families", "results"],
        &["report", "results"],
        &["clean", "results", "--drop", "boilerplate", "--dry-run"],
        &["clean", "results", "--min-originality", "0.5", "--dry-run"],
    ] {
        assert!(refused(directory.path(), args).contains("scan again without --only"), "{args:?}");
    }
    let args = ["clean", "results", "--near-duplicates", "drop", "--out", "cleaned"];
    done(directory.path(), &args);
    assert_eq!(lines(directory.path().join("cleaned/in.jsonl")).len(), 1);
    let args = ["scan", "in.jsonl", "--only", "duplicates", "--against", "cleaned/in.jsonl"];
    assert!(done(directory.path(), &args).contains("\n3 pairs of near-duplicates"));
    for more in [["--dedupe-on", "body"], ["--fail-below", "0.5"], ["--ignore", "in.jsonl"]] {
        let args = [&["scan", "in.jsonl", "--only", "duplicates"][..], &more].concat();
        assert_eq!(status(&run(directory.path(), &args)), 2, "{more:?}");
    }
}

#[test]
fn a_document_is_explained_with_all_its_text() {
    let directory = directory();
    done(directory.path(), &["scan", "seeds", "--out", "results"]);
    let id = "seeds/001_670a2c3c5825d97d.txt";
    let shown = done(directory.path(), &["explain", "results", id]);
    assert!(shown.starts_with(&format!("{id}\n83.2 % original")), "{shown}");
    assert!(
        shown.contains(
            "stock  line 17  passage 2, stock: prose of 42 tokens in 3 documents whose rest differs"
        )
    );
    assert!(shown.contains("97.6 % the same; also in seeds/000_a94cddf77bc4e149.txt, bytes 3702–3960"));
    // Nothing of the text is lost.
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let text: String =
        shown.lines().filter_map(|line| line.trim().strip_prefix('│')).map(|l| format!("{l}\n")).collect();
    assert_eq!(words(&text), words(&fs::read_to_string(directory.path().join(id)).unwrap()));

    assert!(
        refused(directory.path(), &["explain", "results", "seeds/001_670a2c3c5825d97d"])
            .contains("did you mean `seeds/001_670a2c3c5825d97d.txt`")
    );
    assert!(refused(directory.path(), &["explain", "seeds", "x"]).contains("no results in seeds"));
    fs::write(directory.path().join(id), "changed").unwrap();
    assert!(refused(directory.path(), &["explain", "results", id]).contains("not what was scanned"));
}

#[test]
fn families_are_listed_exported_and_ignored() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    done(directory.path(), &["scan", "seeds", "--out", "results"]);
    let listed =
        done(directory.path(), &["families", "results", "--kind", "stock,quotation", "--format", "json"]);
    let kinds: Vec<Value> =
        listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone()).collect();
    assert_eq!(kinds, ["stock", "quotation"]);
    let exported = done(directory.path(), &["families", "results", "--kind", "boilerplate", "--as-ignore"]);
    assert_eq!(exported.lines().count(), 2);
    fs::write(at("texts.jsonl"), &exported).unwrap();
    let hash =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["text_hash"].as_str().unwrap().to_owned();
    let hashes: Vec<String> = exported.lines().map(hash).collect();
    fs::write(at("hashes.txt"), hashes.join("\n")).unwrap();
    fs::write(at("plain.txt"), "728 x 90\n\nNo such text stands anywhere in these articles.\n").unwrap();

    let before = lines(at("results/documents.jsonl"));
    let share =
        |rows: &[Value], label: &str| rows.iter().map(|row| row[label].as_f64().unwrap()).collect::<Vec<_>>();
    for list in ["texts.jsonl", "hashes.txt"] {
        done(directory.path(), &["scan", "seeds", "--ignore", list, "--out", "ignoring"]);
        let after = lines(at("ignoring/documents.jsonl"));
        assert_eq!(share(&after, "ignored"), share(&before, "boilerplate"), "{list}");
        assert_eq!(share(&after, "unique"), share(&before, "unique"), "{list}");
        assert!(share(&after, "boilerplate").iter().all(|share| *share == 0.0));
        let families = lines(at("ignoring/families.jsonl"));
        assert!(
            families.iter().all(|family| !hashes.contains(&family["text_hash"].as_str().unwrap().to_owned()))
        );
        let span =
            lines(at("ignoring/spans.jsonl")).into_iter().find(|span| span["label"] == "ignored").unwrap();
        assert_eq!((&span["family"], &span["other_doc"]), (&Value::Null, &Value::Null));
    }
    let one = done(directory.path(), &["scan", "seeds", "--ignore", "plain.txt"]);
    assert!(one.contains("  ignored      <0.1 %") && one.contains("  boilerplate   1.3 %"), "{one}");
    // Edited, it is ignored but for the words that differ.
    let edited = "MEK Iran (follow us on Twitter and on Facebook) and People’s Mojahedin Organisation of Iran – MEK IRAN – YouTube";
    fs::write(at("edited.txt"), edited).unwrap();
    done(directory.path(), &["scan", "seeds", "--ignore", "edited.txt", "--out", "ignoring"]);
    let spans = lines(at("ignoring/spans.jsonl"));
    let ignored = spans.iter().filter(|span| span["label"] == "ignored" && span["doc"] == before[2]["id"]);
    let text = fs::read_to_string(at(before[2]["id"].as_str().unwrap())).unwrap();
    let slice = |span: &Value| {
        let [start, end] = ["start_byte", "end_byte"].map(|byte| span[byte].as_u64().unwrap() as usize);
        text[start..end].replace('\u{a0}', " ")
    };
    let ignored: Vec<String> = ignored.map(slice).collect();
    assert_eq!(
        ignored,
        [
            "MEK Iran (follow",
            "on Twitter and Facebook)\n\nand People’s Mojahedin",
            "of Iran – MEK IRAN – YouTube"
        ]
    );
    fs::write(at("empty.txt"), "\n\n").unwrap();
    assert!(
        refused(directory.path(), &["scan", "seeds", "--ignore", "empty.txt"]).contains("empty.txt is empty")
    );
    fs::write(at("wrong.jsonl"), "{\"text\": \"x\"}\n{\"txt\": 1}\n").unwrap();
    assert!(
        refused(directory.path(), &["scan", "seeds", "--ignore", "wrong.jsonl"])
            .contains("line 2 has neither")
    );
}

#[test]
fn another_collection_is_told_from_and_not_judged() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let release =
        "The mill will close in spring, and two hundred people will lose their work, the owners said.";
    let own = "Our reporter counted forty carts before the gates, and not one of them was full.";
    fs::create_dir_all(at("old")).unwrap();
    fs::create_dir_all(at("new")).unwrap();
    fs::write(at("old/release.txt"), release).unwrap();
    fs::write(at("old/other.txt"), format!("{release}\n\nMore on Monday.")).unwrap();
    fs::write(at("new/article.txt"), format!("{own}\n\n{release}")).unwrap();
    fs::write(at("new/reprint.txt"), format!("From another paper. {own}")).unwrap();
    done(directory.path(), &["scan", "new", "--against", "old", "--out", "results"]);
    let documents = lines(at("results/documents.jsonl"));
    let originality: Vec<&Value> = documents.iter().map(|row| &row["originality"]).collect();
    assert_eq!(documents.len(), 2);
    assert!(originality[0].as_f64().unwrap() < 0.6 && originality[1] == &json!(1.0), "{originality:?}");
    let spans = lines(at("results/spans.jsonl"));
    assert_eq!(spans.len(), 1);
    assert_eq!(
        (&spans[0]["doc"], &spans[0]["other_doc"]),
        (&json!("new/article.txt"), &json!("old/other.txt"))
    );
    assert!(refused(directory.path(), &["scan", "new", "--against", "nowhere"]).contains("other collection"));
}

/// A row of a Parquet file as JSON.
fn object(row: &Row) -> Value {
    let value = |field: &Field| match field {
        Field::Null => Value::Null,
        Field::Str(text) => json!(text),
        Field::ULong(count) => json!(count),
        Field::Double(share) => json!(share),
        Field::ListInternal(list) => {
            let text = |at| ListAccessor::get_string(list, at).unwrap().as_str();
            json!((0..list.len()).map(text).collect::<Vec<_>>())
        }
        other => panic!("{other:?}"),
    };
    row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect()
}

#[test]
fn tables_hold_the_same_in_every_format() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    fs::write(
        at("formulas.jsonl"),
        "{\"id\": \"=1+1\", \"text\": \"One two three four five six seven eight nine.\"}\n\
         {\"id\": \"b\", \"text\": \"One two three four five six seven eight nine.\"}\n",
    )
    .unwrap();
    let inputs = ["scan", "seeds", "formulas.jsonl", "--quiet", "--out", "results"];
    done(directory.path(), &[&inputs[..], &["--passim"]].concat());
    let names = ["documents", "families", "occurrences", "spans", "pairs", "clusters"];
    let json: Vec<Vec<Value>> =
        names.iter().map(|name| lines(at(&format!("results/{name}.jsonl")))).collect();
    let passim = fs::read_to_string(at("results/passim.csv")).unwrap();
    assert_eq!(passim.lines().next(), Some("cluster,size,begin,end,uid,gid"));
    assert_eq!(passim.lines().count(), 1 + json[2].len(), "one line a place");

    done(directory.path(), &[&inputs[..], &["--output-format", "csv"]].concat());
    assert!(
        !at("results/documents.jsonl").exists() && !at("results/passim.csv").exists(),
        "of the earlier run"
    );
    for (name, rows) in names.iter().zip(&json) {
        let mut table = csv::Reader::from_path(at(&format!("results/{name}.csv"))).unwrap();
        let header: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
        let found: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
        assert_eq!(found.len(), rows.len(), "{name}");
        for (row, cells) in rows.iter().zip(&found) {
            assert_eq!(row.as_object().unwrap().len(), header.len(), "{name}");
            for (column, cell) in header.iter().zip(cells) {
                let expected = match &row[column] {
                    Value::Null => String::new(),
                    Value::String(text) if text.starts_with('=') => format!("'{text}"),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                assert_eq!(cell, expected, "{name} {column}");
            }
        }
    }

    done(directory.path(), &[&inputs[..], &["--output-format", "parquet"]].concat());
    for (name, rows) in names.iter().zip(&json) {
        let file = fs::File::open(at(&format!("results/{name}.parquet"))).unwrap();
        let table = SerializedFileReader::new(file).unwrap();
        let found: Vec<Value> = table.get_row_iter(None).unwrap().map(|row| object(&row.unwrap())).collect();
        assert_eq!(&found, rows, "{name}");
    }
    let error = refused(directory.path(), &["explain", "results", "b"]);
    assert!(error.contains("are parquet files"), "{error}");
}

#[test]
fn a_collection_is_cleaned_in_its_own_format() {
    let directory = directory();
    let before = tree(directory.path());
    let samples = directory.path().join("samples");
    let notice = "Reprinted by kind permission";
    let letters: Vec<u64> = (1..=3)
        .map(|number| {
            let text = fs::read_to_string(samples.join(format!("texts/gazette-{number}.txt"))).unwrap();
            let (body, _) = text.split_once(notice).unwrap();
            body.chars().filter(|c| c.is_alphanumeric()).count() as u64
        })
        .collect();
    for (name, extra) in [
        ("articles.jsonl", &[][..]),
        ("articles.jsonl.gz", &[]),
        ("articles.jsonl.zst", &[]),
        ("articles.jsonl.bz2", &[]),
        ("articles.jsonl.xz", &[]),
        ("articles.json", &[]),
        ("articles.csv", &[]),
        ("articles.tsv", &[]),
        ("latin.csv", &[]),
        ("articles.parquet", &[]),
        ("articles.feather", &[]),
        ("articles.arrows", &[]),
        ("nested.parquet", &["--text-field", "doc.text", "--id-field", "meta.id"]),
        ("pages.warc.gz", &[]),
        ("texts.zip", &[]),
        ("pages", &[]),
    ] {
        let work = TempDir::new().unwrap();
        let at = |name: &str| work.path().join(name).to_str().unwrap().to_owned();
        let results = at("results");
        done(&samples, &[&["scan", name, "-q", "--out", &results][..], extra].concat());
        let said = done(&samples, &["clean", &results, "--drop", "boilerplate", "--dry-run"]);
        assert!(said.starts_with("3 documents read; 0 dropped, 3 cut; 28.8 %"), "{said}");
        assert!(!work.path().join("cleaned").exists());
        done(&samples, &["clean", &results, "--drop", "boilerplate", "--out", &at("cleaned")]);
        assert_eq!(lines(work.path().join("cleaned/manifest.jsonl")).len(), 3);
        fs::remove_file(work.path().join("cleaned/manifest.jsonl")).unwrap();
        // What is read back is the same documents without the notice.
        let read = |of: &Path, args: &[&str]| -> Vec<(Value, Value)> {
            let output = run(of, &[&["scan", ".", "-q", "--format", "json"], args].concat());
            let all = json_of(&output);
            let rows = all["documents"].as_array().unwrap().iter();
            rows.map(|row| (row["weight"].clone(), row["unique"].clone())).collect()
        };
        let cleaned = read(&work.path().join("cleaned"), if name == "nested.parquet" { &[] } else { extra });
        let weights: Vec<u64> = cleaned.iter().map(|row| row.0.as_u64().unwrap()).collect();
        assert_eq!(weights, letters, "{name}");
        assert!(cleaned.iter().all(|row| row.1 == json!(1.0)), "{name}");
        for bytes in tree(&work.path().join("cleaned")).values() {
            assert!(!String::from_utf8_lossy(bytes).contains(notice), "{name}");
        }
    }
    assert_eq!(tree(directory.path()), before, "inputs are only read");
}

#[test]
fn what_is_not_changed_stays_byte_for_byte() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let own = "{\"id\": 1,  \"n\": 1.50, \"text\": \"Nothing here is told again.\", \"u\": \"\\u00e9\"}\r\n";
    let broken = "not json at all\n";
    let notice = "The editors thank the readers of the Gazette for their letters.";
    let with = |id: u32, text: &str| {
        format!("{{\"id\":{id},\"text\":\"{text}\\n\\n{notice}\",\"big\":123456789012345678901234567890}}\n")
    };
    let texts = [
        "It rained all day on the northern hills, and the lower road was closed until the evening.",
        "Wheat was dearer again on Friday, while barley and oats fetched what they had a week before.",
    ];
    let file = format!("{own}{broken}\n{}{}", with(2, texts[0]), with(3, texts[1]));
    fs::write(at("mixed.jsonl"), &file).unwrap();
    fs::write(at("damaged.txt"), b"\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xff").unwrap();
    assert_eq!(
        status(&run(directory.path(), &["scan", "mixed.jsonl", "damaged.txt", "--out", "results"])),
        3
    );
    let output = run(directory.path(), &["clean", "results", "--drop", "boilerplate", "--out", "cleaned"]);
    assert_eq!(status(&output), 3, "one line was skipped by the scan");
    let expected = file.replace(&format!("\\n\\n{notice}"), "");
    assert_eq!(fs::read_to_string(at("cleaned/mixed.jsonl")).unwrap(), expected);
    let skipped =
        lines(at("cleaned/manifest.jsonl")).into_iter().find(|change| change["action"] == "skipped");
    assert_eq!(skipped.unwrap()["path"], "damaged.txt");
    assert!(
        refused(directory.path(), &["clean", "results", "--drop", "stock", "--out", "cleaned"])
            .contains("is not empty")
    );
    assert!(refused(directory.path(), &["clean", "results", "--out", "new"]).contains("nothing to do"));
}

/// Writes rows as a file of JSON Lines.
fn write_lines(path: &Path, rows: &[Value]) {
    let file: String = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(path, file).unwrap();
}

#[test]
fn only_the_main_text_stays_if_asked() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let menu = "Home and news of the whole region\nWeather and traffic for all of the county";
    let foot = "All rights reserved by the publisher of these pages\nTerms of use and privacy policy of the publisher";
    let page = |number: usize, teaser: &str, story: &str| {
        let by = ["Anna", "Bert", "Carla"][number - 1];
        let text = format!("{menu}\n{teaser}\n{foot}\n{by}\n{story}\n{menu}\n{by}\n{foot}\n");
        json!({"id": format!("p{number}"), "text": text})
    };
    let rows = [
        page(
            1,
            "Mayor opens bridge",
            "Fire destroyed an old mill by a river on Monday night; nobody got hurt.",
        ),
        page(2, "Cows on the road", "Two hundred people came when first cherries were sold at market."),
        page(3, "Rain until Friday", "City library stays closed until its roof has been mended by the town."),
    ];
    write_lines(&at("pages.jsonl"), &rows);
    done(directory.path(), &["scan", "pages.jsonl", "--out", "results"]);
    let drop = "boilerplate,stock,shared,repeat,first,syndicated";
    let cleaned = |args: &[&str], out: &str| -> Vec<String> {
        done(directory.path(), &[&["clean", "results", "--drop", drop, "--out", out], args].concat());
        let rows = lines(at(out).join("pages.jsonl"));
        rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
    };
    let story = "Anna\nFire destroyed an old mill by a river on Monday night; nobody got hurt.\n";
    let kept = cleaned(&[], "a");
    assert_eq!(kept[0], format!("Mayor opens bridge\n{story}Anna\n"));
    assert_eq!(cleaned(&["--main"], "b")[0], story);
    assert_eq!(cleaned(&["--main=80"], "c")[0], kept[0]);
    let reasons = lines(at("b/manifest.jsonl"));
    assert_eq!(reasons.iter().filter(|change| change["reason"] == "outside the main text").count(), 6);
    assert!(refused(directory.path(), &["clean", "results", "--main", "--out", "e"]).contains("--drop"));
}

#[test]
fn clusters_keep_one_and_passages_too_if_asked() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let story = "The mill by the river burned down on Monday night, and nobody was hurt, but the miller lost all he owned in the fire that the whole town came to see.";
    let rows = [
        json!({"id": "a", "source": "Post", "date": "2020-01-03", "text": story}),
        json!({"id": "b", "source": "Gazette", "date": "2020-01-02", "text": format!("{story} It was the oldest mill.")}),
        json!({"id": "c", "source": "Times", "date": "2020-01-01", "text": story}),
        json!({"id": "d", "source": "Times", "text": "Something else entirely happened in the next town."}),
    ];
    write_lines(&at("stories.jsonl"), &rows);
    done(directory.path(), &["scan", "stories.jsonl", "--similarity", "0.7", "--out", "results"]);
    let kept = |args: &[&str]| -> Vec<String> {
        let _ = fs::remove_dir_all(at("cleaned"));
        done(directory.path(), &[&["clean", "results", "--out", "cleaned"], args].concat());
        let rows = lines(at("cleaned/stories.jsonl"));
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kept(&["--near-duplicates", "drop"]), ["a", "d"]);
    assert_eq!(kept(&["--near-duplicates", "drop", "--keep-copy", "longest"]), ["b", "d"]);
    assert_eq!(kept(&["--near-duplicates", "drop", "--keep-copy", "earliest"]), ["c", "d"]);
    let by_source =
        ["--near-duplicates", "drop", "--keep-copy", "source-order", "--sources", "Gazette,Times"];
    assert_eq!(kept(&by_source), ["b", "d"]);
    assert_eq!(
        kept(&["--near-duplicates", "drop", "--min-originality", "0.5"]),
        ["a", "d"],
        "one of a cluster stays"
    );
    assert_eq!(kept(&["--min-originality", "0.5"]), ["c", "d"], "the first told is original");
    // Every copy of the story that is not the first goes, unless one is to stay.
    assert_eq!(kept(&["--drop", "syndicated,first"]), ["b", "d"], "only the added sentence is left");
    assert_eq!(kept(&["--drop", "syndicated,first", "--keep-copy", "first"]), ["a", "b", "d"]);
    assert_eq!(
        kept(&["--drop", "syndicated", "--keep-copy", "first"]),
        ["b", "c", "d"],
        "the first told is left"
    );
    assert!(
        refused(
            directory.path(),
            &["clean", "results", "--out", "x", "--near-duplicates", "drop", "--keep-copy", "source-order"]
        )
        .contains("needs --sources")
    );

    let _ = fs::remove_dir_all(at("cleaned"));
    done(
        directory.path(),
        &["clean", "results", "--annotate", "--near-duplicates", "drop", "--out", "cleaned"],
    );
    let rows = lines(at("cleaned/stories.jsonl"));
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[3]["twicetold"]["originality"], json!(1.0));
    assert!(rows[1]["twicetold"]["dropped"].as_str().unwrap().starts_with("near-duplicate of a"));
    assert_eq!(rows[1]["twicetold"]["cluster"], json!(1));
    assert_eq!(rows[1]["text"], json!(format!("{story} It was the oldest mill.")));
    assert!(!rows[1]["twicetold"]["spans"].as_array().unwrap().is_empty());
}

#[test]
fn bytes_of_a_table_that_cannot_be_read_stay() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let mut table = fs::read(at("samples/articles.csv")).unwrap();
    // Behind the part by which the encoding is told.
    table.extend(format!("gazette-4,{},Gazette,2020-01-04\n", "filler ".repeat(150)).bytes());
    let row = b"gazette-5,\"broken \xff here\",Gazette,2020-01-05\n";
    table.extend(row);
    fs::write(at("table.csv"), &table).unwrap();
    assert_eq!(status(&run(directory.path(), &["scan", "table.csv", "--out", "results"])), 3);
    let output = run(directory.path(), &["clean", "results", "--drop", "boilerplate", "--out", "cleaned"]);
    assert_eq!(status(&output), 3);
    let cleaned = fs::read(at("cleaned/table.csv")).unwrap();
    assert!(
        cleaned.windows(9).any(|bytes| bytes == b"broken \xff ")
            && !cleaned.windows(9).any(|b| b == b"Reprinted")
    );
}

#[test]
fn no_file_is_written_over_another() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("a/b")).unwrap();
    fs::copy(at("samples/pages/gazette-1.html"), at("a/page.html")).unwrap();
    fs::copy(at("samples/texts/gazette-2.txt"), at("a/page.txt")).unwrap();
    done(&at("a"), &["scan", "page.html", "page.txt", "--out", "../results"]);
    done(&at("a"), &["clean", "../results", "--drop", "boilerplate", "--out", "../cleaned"]);
    assert!(at("cleaned/page.html.txt").exists() && at("cleaned/page.txt").exists());
    fs::write(at("a/b/page.txt"), "Another text, of the same name one directory down.").unwrap();
    done(&at("a/b"), &["scan", "page.txt", "../page.txt", "--out", "../../both"]);
    let error = refused(&at("a/b"), &["clean", "../../both", "--drop", "boilerplate", "--out", "../../new"]);
    assert!(
        error.contains("cannot write ../page.txt again") || error.contains("cannot write page.txt again"),
        "{error}"
    );
    assert!(fs::read_dir(at("new")).unwrap().next().is_none(), "all or nothing");
}

#[test]
fn tables_are_annotated_with_columns() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    done(directory.path(), &["scan", "samples/latin.csv", "--out", "results"]);
    done(directory.path(), &["clean", "results", "--annotate", "--out", "annotated"]);
    let mut table =
        csv::ReaderBuilder::new().delimiter(b';').from_path(at("annotated/samples/latin.csv")).unwrap();
    let header: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
    let added = ["twicetold_originality", "twicetold_cluster", "twicetold_leader", "twicetold_dropped"];
    assert_eq!(header, [&["id", "text", "source", "date"][..], &added].concat());
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let texts = lines(at("samples/articles.jsonl"));
    for (row, expected) in rows.iter().zip(&texts) {
        assert_eq!(&row[1], expected["text"].as_str().unwrap());
        assert!((0.6..0.8).contains(&row[4].parse::<f64>().unwrap()), "{row:?}");
    }
}

#[test]
fn settings_come_from_a_file_and_flags_override_them() {
    let directory = directory();
    let file = directory.path().join("twicetold.toml");
    fs::write(&file, "min-tokens = 30\n[scan]\nformat = 'json'\n[clean]\ndrop = ['boilerplate']\n").unwrap();
    let min_tokens = |args: &[&str]| {
        let shown =
            done(directory.path(), &[&["scan", "seeds", "--config", "twicetold.toml"], args].concat());
        serde_json::from_str::<Value>(&shown).unwrap()["run"]["config"]["min_tokens"].clone()
    };
    assert_eq!(min_tokens(&[]), json!(30));
    assert_eq!(min_tokens(&["--min-tokens", "12"]), json!(12));
    fs::write(&file, "min-token = 30\n").unwrap();
    let error = refused(directory.path(), &["scan", "seeds", "--config", "twicetold.toml"]);
    assert!(
        error.contains(
            "cannot use the settings in twicetold.toml: `min-token` is no flag; did you mean `min-tokens`?"
        ),
        "{error}"
    );
    assert!(refused(directory.path(), &["scan", "seeds", "--config", "none.toml"]).contains("No such file"));
}

#[test]
fn a_dry_run_tells_what_would_be_read() {
    let directory = directory();
    let said =
        done(directory.path(), &["scan", "samples/texts.zip", "seeds", "--dry-run", "--out", "results"]);
    assert!(said.contains("text        samples/texts.zip/texts/gazette-1.txt"), "{said}");
    assert!(said.ends_with("8 files, 8 documents, 27.0 kB of text\n"), "{said}");
    assert!(!directory.path().join("results").exists());
}

#[test]
fn shells_and_manuals_are_served() {
    let directory = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(done(directory.path(), &["completions", shell]).contains("near-duplicates"), "{shell}");
    }
    let page = done(directory.path(), &["man"]);
    for word in [".TH twicetold 1", "keep\\-copy", "against", "Exit status"] {
        assert!(page.contains(word), "{word}");
    }
}
