//! What is found, against planted truth and against labelled sets; no timing.
//!
//! Prints one table. The planted part runs anywhere. The rest needs a folder of
//! labelled sets as JSON Lines with gzip, named by the environment variable
//! `TWICETOLD_CORPORA`; sets that are not there are passed over.

#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]

#[path = "../tests/generate/mod.rs"]
mod generate;
mod plagdet;
#[cfg(feature = "cli")]
#[path = "../tests/program/mod.rs"]
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use generate::{Plan, Random, Score, Words};
use plagdet::Passage;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use twicetold::{Config, Detector, Document, OccurrenceRow, Sensitivity, Unit};
use unicode_normalization::UnicodeNormalization;

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let brief = !std::env::args().any(|arg| arg == "--bench") || std::env::args().any(|arg| arg == "--test");
    planted(brief);
    println!();
    judged("seeds", Some(seeds()));
    match std::env::var_os("TWICETOLD_CORPORA").map(PathBuf::from) {
        Some(folder) => {
            for set in ["senate-press-releases-a", "digitalgov"] {
                judged(set, dated(&folder, set));
            }
            in_real_text(&folder);
            passages(&folder);
            near_duplicates(&folder);
            same_message(&folder);
            short_answers(&folder);
            #[cfg(feature = "cli")]
            web_pages(&folder);
        }
        None => println!(
            "\nTWICETOLD_CORPORA names no folder of labelled sets; only planted passages were measured"
        ),
    }
}

fn detector(config: Config) -> Detector {
    Detector::new(config).expect("valid settings")
}

/// Passages planted in made-up prose.
fn planted(brief: bool) {
    println!("Planted passages                      recall    told  purity   extra  boundary  originality");
    println!("                                                                       (words)     (off by)");
    let row = |name: &str, plan: Plan, config: Config| {
        let planted = plan.plant();
        let report = detector(config).scan(&planted.documents).expect("unique ids");
        let Score { recall, told, boundary, purity, extra, originality } = planted.score(&report);
        println!(
            "{name:36} {recall:7.4} {told:7.4} {purity:7.4} {extra:7.4} {boundary:9.2} {originality:12.4}"
        );
    };
    let lengths = if brief { &[45][..] } else { &[20, 45, 120] };
    for &length in lengths {
        for copies in [2, 5, 20] {
            for edits in [0.0, 0.05, 0.1, 0.2] {
                let plan = Plan { length, copies, edits, passages: 750 / copies, ..Plan::USUAL };
                let name = format!("{length} words, {copies} copies, {:.0} % edited", 100.0 * edits);
                row(&name, plan, Config::default());
            }
        }
    }
    let own = Plan { paragraphs: true, edits: 0.1, ..Plan::USUAL };
    row("45 words, own paragraph, 10 % edited", own, Config::default());
    for noise in [0.02, 0.05] {
        let plan = Plan { noise, ..Plan::USUAL };
        let percent = 100.0 * noise;
        row(&format!("45 words, {percent:.0} % of letters misread"), plan, Config::default());
        let mut config = Config::default();
        config.unit = Unit::Char;
        row("  the same with --unit char", plan, config);
    }
}

/// Reads a set, if it is there.
fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Option<Vec<T>> {
    let path = folder.join(format!("{name}.jsonl.gz"));
    let file = File::open(&path).ok()?;
    let line = |line: std::io::Result<String>| {
        let line = line.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    Some(BufReader::new(MultiGzDecoder::new(file)).lines().map(line).collect())
}

#[derive(Deserialize)]
struct Text {
    id: String,
    text: String,
}

/// Reads the documents of a set, if it is there.
fn documents(folder: &Path, name: &str) -> Option<Vec<Document>> {
    let texts = read::<Text>(folder, name)?;
    Some(texts.into_iter().map(|Text { id, text }| Document::new(id, text)).collect())
}

/// The same with what else is known of them, the first of each id.
fn dated(folder: &Path, name: &str) -> Option<Vec<Document>> {
    #[derive(Deserialize)]
    struct Dated {
        id: String,
        text: String,
        source: Option<String>,
        date: Option<String>,
    }
    let document = |row: Dated| {
        let mut document = Document::new(row.id, row.text);
        document.source = row.source;
        document.date = row.date.and_then(|date| date.parse().ok());
        document
    };
    let mut seen = BTreeSet::new();
    let texts = read::<Dated>(folder, name)?.into_iter().map(document);
    Some(texts.filter(|document| seen.insert(document.id.clone())).collect())
}

/// The sample articles.
fn seeds() -> Vec<Document> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let files = folder.read_dir().expect("seeds/ is part of the project");
    let paths = files.map(|entry| entry.expect("a directory entry").path());
    let document = |path: PathBuf| {
        let id = format!("seeds/{}", path.file_name().expect("a file").to_string_lossy());
        Document::new(id, std::fs::read_to_string(path).expect("UTF-8"))
    };
    paths.map(document).collect()
}

/// A passage and the kind it was judged to be by a reader who saw its text, its
/// places and its figures, but, the samples apart, not what the program says. Where another reader
/// might say otherwise, that stands in `also`. The rules were made on the `first`
/// ones; of the `later` ones only one bound was moved.
#[derive(Deserialize)]
struct Judged {
    set: String,
    part: String,
    doc: String,
    start_byte: u32,
    end_byte: u32,
    text: String,
    kind: String,
    also: Vec<String>,
    reason: String,
}

/// How often the kinds of passages are those that a reader gave them.
fn judged(set: &str, documents: Option<Vec<Document>>) {
    let Some(documents) = documents else { return };
    let rows = include_str!("input/judged.jsonl").lines();
    let rows = rows.map(|row| serde_json::from_str::<Judged>(row).expect("a row as described"));
    let rows: Vec<Judged> = rows.filter(|row| row.set == set).collect();
    let report = detector(Config::default()).scan(&documents).expect("unique ids");
    let mut places: BTreeMap<&str, Vec<&OccurrenceRow>> = BTreeMap::new();
    for row in &report.occurrences {
        places.entry(&row.doc).or_default().push(row);
    }
    for part in ["first", "later"] {
        let rows: Vec<&Judged> = rows.iter().filter(|row| row.part == part).collect();
        if rows.is_empty() {
            continue;
        }
        let (mut same, mut either) = (0, 0);
        for row in &rows {
            // The occurrence that has most in common with the place.
            let both = |o: &OccurrenceRow| {
                row.end_byte.min(o.end_byte).saturating_sub(row.start_byte.max(o.start_byte))
            };
            let common = |o: &&&OccurrenceRow| 2 * i64::from(both(o)) - i64::from(o.end_byte - o.start_byte);
            let there = places.get(&*row.doc).into_iter().flatten().filter(|o| both(o) > 0);
            let found = there.max_by_key(common);
            let found = found.map(|o| &report.families[o.family as usize - 1]);
            let kind = found.map_or("none", |family| family.kind.as_str());
            same += usize::from(kind == row.kind);
            if kind == row.kind || row.also.iter().any(|also| also == kind) {
                either += 1;
            } else {
                let said = found.map_or("", |family| &family.reason);
                println!("  {kind} ({said}), judged {} ({}): {}", row.kind, row.reason, row.text);
            }
        }
        let share = |count: usize| count as f64 / rows.len() as f64;
        println!(
            "{set}, {} {part} kinds judged by hand: {:.3} the same, {:.3} with second opinions",
            rows.len(),
            share(same),
            share(either)
        );
    }
}

/// The words of a collection, or its characters, in their order and each once.
struct Real<const CHARACTERS: bool> {
    words: Vec<String>,
    taken: usize,
}

impl<const CHARACTERS: bool> Real<CHARACTERS> {
    fn new(documents: &[Document]) -> Self {
        let words = documents.iter().flat_map(|document| {
            let text = document.text.chars();
            let clean: String = text.map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
            match CHARACTERS {
                // Letters of addresses would run together.
                true => clean.chars().filter(|c| !c.is_ascii()).map(String::from).collect::<Vec<_>>(),
                false => clean.split_whitespace().map(str::to_owned).collect(),
            }
        });
        Real { words: words.collect(), taken: 0 }
    }
}

impl<const CHARACTERS: bool> Words for Real<CHARACTERS> {
    fn some(&mut self, _: &mut Random, count: usize) -> Vec<String> {
        let from = self.taken;
        self.taken += count;
        assert!(self.taken <= self.words.len(), "the collection is too small");
        self.words[from..self.taken].to_vec()
    }

    fn one(&mut self, random: &mut Random) -> String {
        self.words[random.below(self.words.len())].clone()
    }

    const BETWEEN: &'static str = if CHARACTERS { "" } else { " " };
}

/// Passages planted in the words of real collections. What these tell twice by
/// themselves counts as told by mistake.
fn in_real_text(folder: &Path) {
    fn row<const CHARACTERS: bool>(folder: &Path, name: &str) {
        let Some(documents) = documents(folder, name) else { return };
        for edits in [0.0, 0.05, 0.1] {
            // A word in a script without spaces is about two characters.
            let length = if CHARACTERS { 90 } else { 45 };
            let plan = Plan { edits, length, ..Plan::USUAL };
            let planted = plan.plant_words(&mut Real::<CHARACTERS>::new(&documents));
            let report = detector(Config::default()).scan(&planted.documents).expect("unique ids");
            let Score { recall, told, boundary, purity, .. } = planted.score(&report);
            let unit = if CHARACTERS { "characters" } else { "words" };
            let name = format!("{name}, {length} {unit}, {:.0} % edited", 100.0 * edits);
            println!("{name:50} {recall:7.4} {told:7.4} {purity:7.4} {boundary:9.2}");
        }
    }
    println!(
        "\nPlanted in real text                                recall    told  purity  boundary (words or characters)"
    );
    row::<false>(folder, "arabic-antcorpus");
    row::<false>(folder, "persian-news");
    row::<false>(folder, "french-gilets-jaunes");
    row::<true>(folder, "chinese-xwlb");
    row::<true>(folder, "japanese-livedoor");
}

#[derive(Deserialize)]
struct Listed {
    a: String,
    b: String,
    category: String,
}

#[derive(Deserialize)]
struct Labelled {
    susp: String,
    susp_start: u64,
    susp_len: u64,
    src: String,
    src_start: u64,
    src_len: u64,
}

/// Copied and rewritten passages in listed pairs, by the measure of the PAN
/// text alignment task.
fn passages(folder: &Path) {
    let sets = (documents(folder, "pan13-train.docs"), read::<Listed>(folder, "pan13-train.pairs"));
    let ((Some(documents), Some(pairs)), Some(labels)) =
        (sets, read::<Labelled>(folder, "pan13-train.labels"))
    else {
        return;
    };
    let places: BTreeMap<&str, usize> = documents.iter().zip(0..).map(|(d, at)| (&*d.id, at)).collect();
    let numbers: Vec<(usize, usize)> =
        pairs.iter().map(|pair| (places[&*pair.a], places[&*pair.b])).collect();
    let category: BTreeMap<(usize, usize), &str> =
        numbers.iter().copied().zip(pairs.iter().map(|pair| &*pair.category)).collect();
    // Settings were chosen on the pairs whose two numbers have an even sum.
    let digits = |id: &str| id.chars().rev().find_map(|c| c.to_digit(10)).unwrap_or(0);
    let kept_apart =
        |pair: (usize, usize)| (digits(&documents[pair.0].id) + digits(&documents[pair.1].id)) % 2 == 1;
    let truth: Vec<Passage> = labels
        .iter()
        .map(|label| Passage {
            pair: (places[&*label.susp], places[&*label.src]),
            a: label.susp_start..label.susp_start + label.susp_len,
            b: label.src_start..label.src_start + label.src_len,
        })
        .collect();
    println!(
        "\npan13-train, plagdet               none  random  translated  summary     all  granularity: none   all  false"
    );
    for (name, sensitivity) in [("normal", Sensitivity::Normal), ("high", Sensitivity::High)] {
        let found = detector(Config::with_sensitivity(sensitivity))
            .compare(&documents, &numbers)
            .expect("unique ids");
        let found: Vec<Passage> = numbers
            .iter()
            .zip(&found)
            .flat_map(|(&pair, comparison)| {
                comparison.passages.iter().map(move |row| Passage {
                    pair,
                    a: row.a_start_char.into()..row.a_end_char.into(),
                    b: row.b_start_char.into()..row.b_end_char.into(),
                })
            })
            .collect();
        for (half, all) in [("all pairs", true), ("half not used for choosing", false)] {
            let score = |of: Option<&str>| {
                let chosen = |passage: &&Passage| {
                    (all || kept_apart(passage.pair)) && of.is_none_or(|of| category[&passage.pair] == of)
                };
                let truth: Vec<Passage> = truth.iter().filter(chosen).cloned().collect();
                let found: Vec<Passage> = found.iter().filter(chosen).cloned().collect();
                (plagdet::score(&truth, &found), found.len())
            };
            print!("{:32}", format!("{name}, {half}"));
            for (of, width) in [("no", 7), ("random", 8), ("translation", 12), ("summary", 9)] {
                print!("{:width$.3}", score(Some(&format!("{of}-obfuscation"))).0.plagdet);
            }
            let (_, wrong) = score(Some("no-plagiarism"));
            let (total, _) = score(None);
            let (copied, _) = score(Some("no-obfuscation"));
            println!("{:8.3} {:18.3} {:5.3} {wrong:6}", total.plagdet, copied.granularity, total.granularity);
        }
    }
}

/// Near-duplicates against the exact resemblance of all pairs.
fn near_duplicates(folder: &Path) {
    const DOCUMENTS: usize = 3_000;
    println!(
        "\nNear-duplicates, first {DOCUMENTS} documents       0.5    0.7    0.8    0.9   (recall of exact pairs)"
    );
    for name in ["senate-press-releases-a", "reuters21578", "french-gilets-jaunes", "license-texts"] {
        let Some(mut documents) = documents(folder, name) else { continue };
        documents.truncate(DOCUMENTS);
        let exact = resemblances(&documents, 0.5);
        print!("{name:38}");
        for least in [0.5, 0.7, 0.8, 0.9] {
            let mut config = Config::default();
            config.similarity = least;
            let report = detector(config).scan(&documents).expect("unique ids");
            let found: BTreeSet<(&str, &str)> =
                report.pairs.iter().map(|pair| sorted(&pair.a, &pair.b)).collect();
            let expected: BTreeSet<(&str, &str)> = exact
                .iter()
                .filter(|pair| pair.1 >= least)
                .map(|((a, b), _)| sorted(&documents[*a].id, &documents[*b].id))
                .collect();
            let wrong = found.difference(&expected).count();
            let recall = found.intersection(&expected).count() as f64 / expected.len() as f64;
            let wrong = if wrong > 0 { format!(" ({wrong} wrong)") } else { String::new() };
            print!(" {recall:.4}{wrong}");
        }
        println!();
    }
}

fn sorted<'a>(a: &'a str, b: &'a str) -> (&'a str, &'a str) {
    (a.min(b), a.max(b))
}

/// All pairs of at least this resemblance in shingles of five words.
fn resemblances(documents: &[Document], least: f64) -> Vec<((usize, usize), f64)> {
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let sets: Vec<Vec<u64>> = documents
        .iter()
        .map(|document| {
            let words: Vec<u64> = document
                .text
                .split(|c: char| !c.is_alphanumeric() && !"'’\u{ad}".contains(c))
                .map(|word| word.to_lowercase().nfkd().filter(|c| c.is_alphanumeric()).collect::<String>())
                .filter(|word| !word.is_empty())
                .map(|word| {
                    let next = numbers.len() as u32;
                    u64::from(*numbers.entry(word).or_insert(next))
                })
                .collect();
            let hash = |words: &[u64]| {
                words
                    .iter()
                    .fold(0u64, |sum, word| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
            };
            let mut set: Vec<u64> = words.windows(5.min(words.len().max(1))).map(hash).collect();
            set.sort_unstable();
            set.dedup();
            set
        })
        .collect();
    let mut found = Vec::new();
    for a in 0..sets.len() {
        for b in a + 1..sets.len() {
            let (less, more) = (sets[a].len().min(sets[b].len()), sets[a].len().max(sets[b].len()));
            if less == 0 || (less as f64) < least * more as f64 {
                continue;
            }
            let (mut i, mut j, mut shared) = (0, 0, 0);
            while i < sets[a].len() && j < sets[b].len() {
                let (x, y) = (sets[a][i], sets[b][j]);
                shared += usize::from(x == y);
                i += usize::from(x <= y);
                j += usize::from(y <= x);
            }
            let resemblance = shared as f64 / (less + more - shared) as f64;
            if resemblance >= least {
                found.push(((a, b), resemblance));
            }
        }
    }
    found
}

#[derive(Deserialize)]
struct LabelledPair {
    a: String,
    b: String,
    label: String,
}

/// Posts that were sent to several groups.
fn same_message(folder: &Path) {
    let (Some(documents), Some(pairs)) =
        (documents(folder, "newsgroups20.docs"), read::<LabelledPair>(folder, "newsgroups20.labels"))
    else {
        return;
    };
    let report = detector(Config::default()).scan(&documents).expect("unique ids");
    let found: BTreeSet<(&str, &str)> = report.pairs.iter().map(|pair| sorted(&pair.a, &pair.b)).collect();
    let hit = pairs.iter().filter(|pair| found.contains(&sorted(&pair.a, &pair.b))).count();
    println!(
        "\nnewsgroups20: {hit} of {} pairs with one Message-ID are near-duplicates at 0.8 ({:.3})",
        pairs.len(),
        hit as f64 / pairs.len() as f64
    );
}

/// Answers copied, edited lightly or heavily, or written freely.
fn short_answers(folder: &Path) {
    let (Some(documents), Some(pairs)) =
        (documents(folder, "clough-stevenson.docs"), read::<LabelledPair>(folder, "clough-stevenson.labels"))
    else {
        return;
    };
    let places: BTreeMap<&str, usize> = documents.iter().zip(0..).map(|(d, at)| (&*d.id, at)).collect();
    let numbers: Vec<(usize, usize)> =
        pairs.iter().map(|pair| (places[&*pair.a], places[&*pair.b])).collect();
    println!(
        "\nclough-stevenson, own share of the answer: mean by class, and F1 of reused or not (own share below 0.9, 0.99)"
    );
    for (name, sensitivity) in [("normal", Sensitivity::Normal), ("high", Sensitivity::High)] {
        let found = detector(Config::with_sensitivity(sensitivity))
            .compare(&documents, &numbers)
            .expect("unique ids");
        let mut classes: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (pair, comparison) in pairs.iter().zip(&found) {
            classes.entry(&pair.label).or_default().push(1.0 - comparison.a_in_b.unwrap_or(0.0));
        }
        print!("{name:8}");
        for class in ["cut", "light", "heavy", "non"] {
            let own = &classes[class];
            print!("  {class} {:.3}", own.iter().sum::<f64>() / own.len() as f64);
        }
        let all = ["cut", "light", "heavy"].map(|class| classes[class].len() as f64).iter().sum::<f64>();
        for least in [0.9, 0.99] {
            let hits = |class: &str| classes[class].iter().filter(|own| **own < least).count() as f64;
            let right = hits("cut") + hits("light") + hits("heavy");
            print!("  F1 {:.3}", 2.0 * right / (right + hits("non") + all));
        }
        println!();
    }
}

/// Web pages cleaned by the program, against the article that people saw in each.
#[cfg(feature = "cli")]
fn web_pages(folder: &Path) {
    let (Some(pages), Some(articles)) =
        (documents(folder, "cleanportaleval.docs"), documents(folder, "cleanportaleval.gold"))
    else {
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    let lines: String = pages.iter().map(|page| serde_json::to_string(page).expect("JSON") + "\n").collect();
    std::fs::write(directory.path().join("pages.jsonl"), lines).expect("room on the disk");
    program::done(directory.path(), &["scan", "pages.jsonl", "--quiet", "--top", "0", "--out", "results"]);
    let words = |text: &str| {
        let mut words: BTreeMap<String, u64> = BTreeMap::new();
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            *words.entry(word.to_lowercase()).or_default() += 1;
        }
        words
    };
    println!("\ncleanportaleval, words left by `clean --drop boilerplate,stock,shared`, all pages together");
    for (number, main) in [None, Some("--main=30"), Some("--main"), Some("--main=80")].into_iter().enumerate()
    {
        let out = format!("cleaned-{number}");
        let mut args =
            vec!["clean", "results", "--quiet", "--drop", "boilerplate,stock,shared", "--out", &out];
        args.extend(main);
        program::done(directory.path(), &args);
        let cleaned = program::lines(directory.path().join(out).join("pages.jsonl"));
        let cleaned: BTreeMap<&str, &str> =
            cleaned.iter().filter_map(|page| page["id"].as_str().zip(page["text"].as_str())).collect();
        let (mut right, mut left, mut wanted) = (0, 0, 0);
        for article in &articles {
            let (expected, found) = (words(&article.text), words(cleaned.get(&*article.id).unwrap_or(&"")));
            left += found.values().sum::<u64>();
            wanted += expected.values().sum::<u64>();
            let both = found.iter().map(|(word, count)| *count.min(expected.get(word).unwrap_or(&0)));
            right += both.sum::<u64>();
        }
        let (right, left, wanted) = (right as f64, left as f64, wanted as f64);
        println!(
            "{:9}  precision {:.3}  recall {:.3}  F {:.3}",
            main.unwrap_or_default(),
            right / left,
            right / wanted,
            2.0 * right / (left + wanted)
        );
    }
}
