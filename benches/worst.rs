//! The worst that can be scanned: collections that break quadratic methods. Each
//! is measured in a process of its own, and set beside generated news: bytes per
//! second of processor time, and how many times more a byte takes.
//!
//! Names, or parts of them, after `--` measure only what has one of them. The JSON
//! Lines file that `TWICETOLD_BENCH_FILE` names is measured too.

#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]

mod input;
mod usage;

use input::generate::{Random, edited, prose};
use twicetold::{Config, Detector, Document, Report};
use usage::{UNKNOWN, Usage};

/// Makes a collection a given number of times smaller than it is measured.
type Make = fn(usize) -> Vec<Document>;

/// The first is what the others are set beside.
const COLLECTIONS: [(&str, Make); 13] = [
    ("news", |by| input::generated(20_000_000 / by)),
    ("one document 10,000 times", |by| {
        let text = article(&mut Random(1), 450);
        numbered(10_000 / by, |_| text.clone())
    }),
    ("one document 10,000 times, one word in twenty edited in each", |by| {
        let mut random = Random(2);
        let words = random.words(450);
        numbered(10_000 / by, |_| edited(&mut random, &words, 0.05).join(" "))
    }),
    ("a paragraph in each of 100,000 documents", |by| {
        let mut random = Random(3);
        let words = random.words(45);
        let paragraph = prose(&mut random, &words);
        numbered(100_000 / by, |_| format!("{}\n\n{paragraph}", article(&mut random, 60)))
    }),
    ("a paragraph in each of 100,000 documents, edited in each", |by| {
        let mut random = Random(4);
        let words = random.words(45);
        numbered(100_000 / by, |_| {
            let paragraph = edited(&mut random, &words, 0.05).join(" ");
            format!("{}\n\n{paragraph}", article(&mut random, 60))
        })
    }),
    ("templates with a few words filled in, 40 of 300 documents each", |by| {
        let mut random = Random(5);
        let templates: Vec<Vec<String>> = (0..40).map(|_| random.words(300)).collect();
        numbered(12_000 / by, |number| {
            let words = edited(&mut random, &templates[number % templates.len()], 0.03);
            words.chunks(25).map(|line| line.join(" ")).collect::<Vec<_>>().join("\n")
        })
    }),
    ("a text of ten words again and again", |by| {
        let round = "one two three four five six seven eight nine ten ";
        numbered(1, |_| round.repeat(10_000_000 / round.len() / by))
    }),
    ("the same, one word in twelve another", |by| numbered(1, |_| rounds(&mut Random(6), 2_000_000 / by))),
    ("the same in each of 4,000 documents", |by| {
        let mut random = Random(7);
        numbered(4_000 / by, |_| rounds(&mut random, 500))
    }),
    ("random digits", |by| {
        let mut random = Random(8);
        let mut digits = || (0..2_000).map(|_| format!("{} ", random.below(10))).collect();
        numbered(5_000 / by, |_| digits())
    }),
    ("random numbers in rows", |by| {
        let mut random = Random(9);
        let mut row = |_| format!("{} {} {}\n", random.below(100), random.below(100), random.below(1_000));
        numbered(1_000 / by, |_| (0..1_000).map(&mut row).collect())
    }),
    ("one line of 200 MB", |by| {
        let mut random = Random(10);
        let mut line = String::new();
        while line.len() < 200_000_000 / by {
            line.push_str(&random.word());
            line.push(' ');
        }
        numbered(1, |_| std::mem::take(&mut line))
    }),
    ("1,000,000 documents of 80 bytes", |by| {
        let mut random = Random(11);
        numbered(1_000_000 / by, |_| random.words(14).join(" "))
    }),
];

/// An article of so many words.
fn article(random: &mut Random, words: usize) -> String {
    let words = random.words(words);
    prose(random, &words)
}

fn numbered(count: usize, mut text: impl FnMut(usize) -> String) -> Vec<Document> {
    (0..count).map(|number| Document::new(format!("{number:07}"), text(number))).collect()
}

/// Nine words again and again, one in twelve another.
fn rounds(random: &mut Random, words: usize) -> String {
    let round = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let word = |number: usize| match random.below(12) {
        0 => format!("x{} ", random.below(1_000_000)),
        _ => format!("{} ", round[number % round.len()]),
    };
    (0..words).map(word).collect()
}

/// Names the collection that a process of its own measures.
const MEASURED: &str = "TWICETOLD_BENCH_WORST";

fn main() {
    if let Ok(name) = std::env::var(MEASURED) {
        return measure(&name);
    }
    let mut filters: Vec<String> = std::env::args().skip(1).collect();
    let brief = !filters.iter().any(|arg| arg == "--bench") || filters.iter().any(|arg| arg == "--test");
    filters.retain(|arg| !arg.starts_with("--"));
    let file = std::env::var(input::FILE).ok();
    let names: Vec<&str> = COLLECTIONS.iter().map(|collection| collection.0).chain(file.as_deref()).collect();
    if brief {
        // Whether it runs, on little.
        return names.iter().for_each(|name| drop(scan(&collection(name, 500))));
    }
    println!(
        "{:66} {:>7} {:>6} {:>13} {:>11} {:>7}",
        "", "MB", "CPU-s", "MB per CPU-s", "times news", "memory"
    );
    let is_wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
    let (first, others) = names.split_first().expect("news");
    let mut news = None;
    for name in std::iter::once(first).chain(others.iter().filter(|name| is_wanted(name))) {
        let row = usage::alone(MEASURED, name);
        let numbers: Vec<f64> = row.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [bytes, cpu, peak] = numbers[..] else {
            println!("{name:66} {UNKNOWN}");
            continue;
        };
        let news = *news.get_or_insert(cpu / bytes);
        println!(
            "{name:66} {:7.1} {cpu:6.2} {:13.1} {:11.2} {:7.2}",
            bytes / 1e6,
            bytes / 1e6 / cpu,
            cpu / bytes / news,
            peak / bytes,
        );
    }
}

fn collection(name: &str, by: usize) -> Vec<Document> {
    match COLLECTIONS.iter().find(|collection| collection.0 == name) {
        Some((_, make)) => make(by),
        None => input::from_file(name),
    }
}

fn scan(documents: &[Document]) -> Report {
    let mut config = Config::default();
    config.threads = 1;
    Detector::new(config).expect("valid settings").scan(documents).expect("unique ids")
}

/// Prints the bytes of a collection, and the processor time and memory of its scan
/// where they are known.
fn measure(name: &str) {
    let documents = collection(name, 1);
    let (report, usage) = Usage::of(|| scan(&documents));
    assert_eq!(report.documents.len(), documents.len(), "{name}");
    if let Some(Usage { cpu, peak, .. }) = usage {
        println!("{} {cpu} {peak}", input::bytes(&documents));
    }
}
