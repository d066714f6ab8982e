//! How much is found, against oracles and against planted truth.

#![allow(clippy::unwrap_used, reason = "tests")]

mod check;
mod generate;

use std::collections::BTreeMap;

use check::resemblance;
use generate::{Plan, Random, Score, edited};
use proptest::prelude::*;
use twicetold::{Config, DedupeOn, Detector, Document, Label, Report};

fn scan(documents: &[Document]) -> Report {
    Detector::new(Config::default()).unwrap().scan(documents).unwrap()
}

#[test]
fn planted_passages_are_found_with_their_boundaries_in_one_family() {
    for (edits, least, pure) in
        [(0.0, 0.99, 0.99), (0.05, 0.99, 0.99), (0.10, 0.98, 0.99), (0.20, 0.92, 0.94)]
    {
        let planted = Plan { edits, ..Plan::USUAL }.plant();
        let Score { recall, boundary, purity, extra, originality, .. } =
            planted.score(&scan(&planted.documents));
        println!(
            "edited {edits:.2}: recall {recall:.4}, boundary error {boundary:.2} words, purity {purity:.4}, \
             extra {extra:.4}, originality off by {originality:.4}"
        );
        assert!(recall >= least, "recall {recall:.4} at {edits}");
        assert!(boundary <= 1.0, "boundary error {boundary:.2} words at {edits}");
        assert!(purity >= pure, "purity {purity:.4} at {edits}");
        assert!(extra <= 0.005, "extra coverage {extra:.4} at {edits}");
        assert!(originality <= 0.01, "originality off by {originality:.4} at {edits}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 150 } else { 1000 }))]

    /// Exact repeats of eight tokens, or as many as other settings guarantee: all
    /// found, and nothing found is invented.
    #[test]
    fn exact_repeats_equal_the_naive_ones(
        seed in any::<u64>(),
        documents in 1usize..6,
        copies in 0usize..10,
        (shingle, window, more) in prop_oneof![Just((5, 4, 3)), (3usize..9, 1usize..9, 0usize..8)],
    ) {
        let mut random = Random(seed);
        let texts = generate::repeats(&mut random, documents, copies, 60, 8..22);
        let mut config = Config::default();
        (config.shingle, config.window, config.min_tokens) = (shingle, window, shingle + more);
        config.count_formulas = true;
        check::check_repeats(&texts, config);
    }
}

/// What goes round with one period ends before what goes round in it with another.
#[test]
fn a_repeat_is_told_beyond_the_round_it_begins_in() {
    let rounds = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let text = [&rounds[..], &rounds, &rounds[..10], &[0, 1, 2, 3, 9, 5, 6, 7, 8, 9]].concat();
    let mut config = Config::default();
    config.count_formulas = true;
    check::check_repeats(&[text], config);
}

#[test]
fn near_duplicates_equal_the_exact_pairs() {
    let mut random = Random(11);
    let mut documents = Vec::new();
    for group in 0..60 {
        let count = 60 + random.below(300);
        let original = random.words(count);
        for version in 0..5 {
            let rate = [0.0, 0.005, 0.01, 0.02, 0.05][random.below(5)];
            let words = edited(&mut random, &original, rate);
            documents.push(Document::new(format!("{group:03}-{version}"), words.join(" ")));
        }
    }
    let report = scan(&documents);
    let mut exact: BTreeMap<(String, String), f64> = BTreeMap::new();
    for (at, a) in documents.iter().enumerate() {
        for b in &documents[at + 1..] {
            let value = resemblance(&a.text, &b.text);
            if value >= 0.8 {
                exact.insert((a.id.clone(), b.id.clone()), value);
            }
        }
    }
    let mut found = 0;
    for pair in &report.pairs {
        let value = exact.get(&(pair.a.to_string(), pair.b.to_string()));
        assert!(value.is_some_and(|value| (value - pair.resemblance).abs() < 1e-12), "{pair:?} is no pair");
        found += 1;
    }
    let recall = f64::from(found) / exact.len() as f64;
    println!("{} pairs at resemblance 0.8, recall {recall:.4}", exact.len());
    assert!(exact.len() > 200 && recall >= 0.99, "recall {recall:.4} of {}", exact.len());
    for cluster in &report.clusters {
        assert!(cluster.min_resemblance >= 0.8 && cluster.members[0] == cluster.leader);
    }
}

#[test]
fn a_stock_paragraph_in_thousands_of_documents_is_one_family() {
    let mut random = Random(5);
    let stock = random.words(45);
    let mut documents = Vec::new();
    for number in 0..9_000 {
        let mut words = random.words(40);
        words.extend(edited(&mut random, &stock, 0.05));
        words.extend(random.words(40));
        documents.push(Document::new(format!("{number:05}"), words.join(" ")));
    }
    // The work is counted, not timed: spans and places grow with the documents.
    for count in [1_000, 3_000, 9_000] {
        let report = scan(&documents[..count]);
        let largest = report.families.iter().max_by_key(|family| family.df).unwrap();
        assert!(f64::from(largest.df) >= 0.99 * count as f64, "{} of {count}", largest.df);
        let others =
            report.families.iter().filter(|f| f.family != largest.family && f.tokens >= 20 && f.df > 2);
        assert_eq!(others.map(|f| (f.df, f.text.clone())).collect::<Vec<_>>(), []);
        let places: u64 = report.families.iter().map(|family| u64::from(family.occurrences)).sum();
        assert!(places <= 8 * count as u64, "{places} places in {count} documents");
        let told =
            report.counts.labels[Label::Stock as usize] + report.counts.labels[Label::Boilerplate as usize];
        assert!(told > 0);
    }
}

/// Stories of two sites, each with a template of its own that is longer than
/// most of them, and one story that both print.
#[test]
fn bodies_are_compared_without_their_templates() {
    let mut random = Random(11);
    let mut text = |count: usize| {
        let words = random.words(count);
        generate::prose(&mut random, &words)
    };
    let sites: Vec<(String, String)> = (0..2).map(|_| (text(200), text(200))).collect();
    let printed_twice = text(60);
    let mut documents = Vec::new();
    for (site, (head, foot)) in sites.iter().enumerate() {
        for number in 0..5 {
            let story = if number == 0 { printed_twice.clone() } else { text(40) };
            let page = format!("{head}\n\n{story}\n\n{foot}");
            documents.push(Document::new(format!("{site}-{number}"), page));
        }
    }
    let report = |dedupe_on: DedupeOn| {
        let mut config = Config::default();
        config.dedupe_on = dedupe_on;
        Detector::new(config).unwrap().scan(&documents).unwrap()
    };
    let pairs = |report: &Report| -> Vec<(String, String)> {
        report.pairs.iter().map(|pair| (pair.a.to_string(), pair.b.to_string())).collect()
    };
    let by_text = pairs(&report(DedupeOn::Text));
    assert!(by_text.len() > 5 && by_text.iter().all(|(a, b)| a[..1] == b[..1]), "{by_text:?}");
    let by_body = report(DedupeOn::Body);
    assert_eq!(pairs(&by_body), [("0-0".to_owned(), "1-0".to_owned())]);
    for row in &by_body.documents {
        assert!(row.scores.boilerplate.unwrap() > 0.8, "{row:?}");
        let is_told = row.id.ends_with("-0");
        assert_eq!(row.scores.originality_body, Some(if is_told { 0.0 } else { 1.0 }), "{row:?}");
    }
}
