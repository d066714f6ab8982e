//! Random collections under random settings for a while, judged by oracles;
//! memory must not drift. `TWICETOLD_SOAK` is how many seconds it takes:
//!
//! `TWICETOLD_SOAK=1200 cargo test --release --test soak -- --nocapture`

#![allow(clippy::unwrap_used, reason = "tests")]

mod check;
mod generate;

use std::fs;
use std::time::{Duration, Instant};

use generate::{Random, edited, prose};
use twicetold::{Config, DedupeOn, Detector, Document, Unit};

/// Settings drawn from their ranges.
fn settings(random: &mut Random) -> Config {
    let mut config = Config::default();
    config.shingle = 3 + random.below(6);
    config.window = 1 + random.below(8);
    config.min_tokens = config.shingle + random.below(8);
    config.similarity = 0.5 + random.share() / 2.0;
    config.dedupe_on = [DedupeOn::Text, DedupeOn::Body][random.below(2)];
    config.unit = [Unit::Auto, Unit::Word, Unit::Char][random.below(3)];
    config.count_formulas = random.chance(0.5);
    config.formula_tokens = random.below(30);
    config.stock_tokens = random.below(40);
    config.stock_df = 2 + random.below(5);
    config.syndicated_share = random.share();
    config.boilerplate_share = random.share();
    config.threads = 1 + random.below(4);
    config
}

/// Near-duplicates of a few originals; returns how many pairs there are, and how
/// many were found.
fn near_duplicates(random: &mut Random) -> (usize, usize) {
    let mut documents = Vec::new();
    for group in 0..8 {
        let count = 40 + random.below(200);
        let original = random.words(count);
        for version in 0..4 {
            let rate = random.share() * 0.08;
            let words = edited(random, &original, rate);
            documents.push(Document::new(format!("{group}-{version}"), prose(random, &words)));
        }
    }
    let mut config = Config::default();
    config.similarity = 0.5 + random.below(9) as f64 / 20.0;
    let least = config.similarity;
    let report = Detector::new(config).unwrap().scan(&documents).unwrap();
    let mut exact = 0;
    for (at, a) in documents.iter().enumerate() {
        for b in &documents[at + 1..] {
            let value = check::resemblance(&a.text, &b.text);
            let found = report.pairs.iter().find(|pair| *pair.a == *a.id && *pair.b == *b.id);
            exact += usize::from(value >= least);
            if let Some(pair) = found {
                assert!((pair.resemblance - value).abs() < 1e-12, "{pair:?} has {value}");
            }
        }
    }
    (exact, report.pairs.len())
}

/// Bytes of memory in use, where that can be told.
fn memory() -> Option<u64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[test]
fn nothing_goes_wrong_for_a_while() {
    let seconds = std::env::var("TWICETOLD_SOAK").map_or(5, |seconds| seconds.parse().unwrap());
    let until = Duration::from_secs(seconds);
    let seed = std::env::var("TWICETOLD_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    let started = Instant::now();
    let (mut rounds, mut exact, mut found) = (0u64, 0, 0);
    let mut used = Vec::new();
    while started.elapsed() < until || rounds == 0 {
        // What fails can be run again from here.
        let here = random.0;
        let round = std::panic::catch_unwind(|| {
            let mut random = Random(here);
            let config = settings(&mut random);
            let documents = generate::collection(random.next(), 1000 << random.below(7));
            let report = Detector::new(config.clone()).unwrap().scan(&documents).unwrap();
            check::check_with(&documents, &report, config.similarity);
            let mut words = config;
            (words.count_formulas, words.unit) = (true, Unit::Word);
            let (count, copies) = (1 + random.below(6), random.below(12));
            let texts = generate::repeats(&mut random, count, copies, 80, 5..35);
            check::check_repeats(&texts, words);
            let bytes: Vec<u8> = (0..random.below(600)).map(|_| random.next() as u8).collect();
            check::scan(&bytes);
            (near_duplicates(&mut random), random.0)
        });
        let ((pairs, told), next) = round.unwrap_or_else(|_| panic!("again with TWICETOLD_SEED={here}"));
        (exact, found, rounds) = (exact + pairs, found + told, rounds + 1);
        random = Random(next);
        if started.elapsed() * 20 >= until * used.len() as u32 {
            used.extend(memory());
        }
    }
    let recall = found as f64 / exact as f64;
    println!("{rounds} rounds, {exact} pairs of near-duplicates, recall {recall:.4}");
    println!("memory in MB: {:?}", used.iter().map(|bytes| bytes >> 20).collect::<Vec<_>>());
    assert!(exact < 1000 || recall >= 0.99, "recall {recall:.4} of {exact}");
    // Allocators keep what they had; but it must not go on growing.
    if let (Some(first), Some(&last)) = (used.iter().take(used.len().div_ceil(4)).max(), used.last()) {
        assert!(last <= first * 3 / 2 + (64 << 20), "memory grew from {first} to {last}");
    }
}
