//! What holds for every collection, on generated ones with edits, exact
//! duplicates, dates, lines and hostile characters.

#![allow(clippy::unwrap_used, reason = "tests")]

mod check;
mod generate;

use std::collections::BTreeMap;
use std::sync::Mutex;

use check::{check, check_weights, filler, letters_of, row_of};
use generate::{Random, edited, prose};
use proptest::prelude::*;
use twicetold::{Background, Config, Detector, Document, DocumentRow, Label, Only, Report};

fn scan(documents: &[Document], threads: usize) -> Report {
    let mut config = Config::default();
    config.threads = threads;
    Detector::new(config).unwrap().scan(documents).unwrap()
}

/// Every stage says what share of it is done, up to all of it.
#[test]
fn progress_is_told_to_the_end() {
    let documents: Vec<Document> = (0..20)
        .flat_map(|seed| {
            let renamed = |d: Document| Document { id: format!("{seed}-{}", d.id), ..d };
            collection(seed).into_iter().map(renamed).collect::<Vec<_>>()
        })
        .collect();
    let told = Mutex::new(BTreeMap::new());
    let detector = Detector::new(Config::default()).unwrap();
    let hear = |stage, done, total| {
        let mut told = told.lock().unwrap();
        let (sum, of) = told.entry(format!("{stage:?}")).or_insert((0, total));
        *sum += done;
        assert_eq!(*of, total);
    };
    detector.scan_with(&documents, Background::default(), &hear).unwrap();
    let told = told.into_inner().unwrap();
    assert_eq!(told.len(), 6, "{told:?}");
    assert!(told.values().all(|(sum, total)| sum == total && *total > 0), "{told:?}");
}

/// A small collection full of copies: paragraphs drawn from a common pool, some
/// edited, some documents doubled, some dated, some odd.
fn collection(seed: u64) -> Vec<Document> {
    let mut random = Random(seed);
    let pool: Vec<Vec<String>> = (0..6)
        .map(|_| {
            let count = 3 + random.below(40);
            random.words(count)
        })
        .collect();
    let count = 2 + random.below(8);
    let mut documents: Vec<Document> = Vec::new();
    for number in 0..count {
        let mut text = String::new();
        for _ in 0..random.below(6) {
            let which = random.below(pool.len());
            let words = match random.below(3) {
                0 => random.words(20),
                1 => pool[which].clone(),
                _ => edited(&mut random, &pool[which], 0.1),
            };
            text.push_str(&prose(&mut random, &words));
            text.push_str(["\n", "\n\n", " ", " “", "\r\n", "\0 \u{202e}"][random.below(6)]);
        }
        if number > 0 && random.chance(0.2) {
            text = documents[random.below(number)].text.clone();
        }
        if random.chance(0.1) {
            text = ["", "— …", "one", "漢字かな交じり文", "e\u{301}te\u{301}"][random.below(5)].to_owned();
        }
        let mut document = Document::new(format!("d{number}"), text);
        if random.chance(0.5) {
            document.date = format!("20{:02}-0{}", random.below(20), 1 + random.below(9)).parse().ok();
        }
        if random.chance(0.5) {
            document.source = Some(format!("s{}", random.below(3)));
        }
        documents.push(document);
    }
    documents
}

fn unique(report: &Report, id: &str) -> u64 {
    row_of(report, id).map_or(0, |row| letters_of(row.scores.unique, row.weight))
}

/// Looks for near-duplicates alone.
fn duplicates(documents: &[Document], threads: usize) -> Report {
    let mut config = Config::default();
    (config.only, config.threads) = (Some(Only::Duplicates), threads);
    Detector::new(config).unwrap().scan(documents).unwrap()
}

/// Scans with formulas counted as told before.
fn counting_formulas(documents: &[Document]) -> Report {
    let mut config = Config::default();
    config.count_formulas = true;
    Detector::new(config).unwrap().scan(documents).unwrap()
}

/// Whatever is ignored, the labels partition the text, and what is not
/// ignored keeps its label.
fn ignoring(documents: &[Document]) -> Result<(), TestCaseError> {
    let before = scan(documents, 1);
    let ignored: Vec<String> = before.families.iter().step_by(2).map(|family| family.text.clone()).collect();
    let hashes: Vec<String> =
        before.families.iter().skip(1).step_by(3).map(|f| f.text_hash.clone()).collect();
    let detector = Detector::new(Config::default()).unwrap();
    let background = Background { ignored: &ignored, ignored_hashes: &hashes, against: None };
    let after = detector.scan_with(documents, background, &|_, _, _| {}).unwrap();
    prop_assert_eq!(after.counts.labels.iter().sum::<u64>(), after.counts.weight);
    let of_label = |label: Label| (after.counts.labels[label as usize], before.counts.labels[label as usize]);
    let taken: u64 =
        Label::ALL.iter().map(|&label| of_label(label)).map(|(now, was)| was.saturating_sub(now)).sum();
    prop_assert_eq!(taken, of_label(Label::Ignored).0);
    for (number, family) in (1..).zip(&after.families) {
        prop_assert_eq!(family.family, number);
        // A word beside it that matches by chance may be left.
        let is_left = after.spans.iter().any(|span| span.family == Some(number));
        prop_assert!(!hashes.contains(&family.text_hash) || is_left, "{}", family.text);
    }
    for row in &after.documents {
        let Some(was) = row_of(&before, &row.id) else { continue };
        for label in Label::ALL.into_iter().filter(|label| *label != Label::Ignored) {
            let of = |row: &DocumentRow| letters_of(row.scores.share(label), row.weight);
            prop_assert!(of(row) <= of(was), "{} of {row:?} was {was:?}", label.as_str());
        }
        let spans: Vec<_> = after.spans.iter().filter(|span| span.doc == row.id).collect();
        prop_assert!(spans.windows(2).all(|pair| pair[0].end_byte <= pair[1].start_byte));
        for span in spans {
            prop_assert_eq!(span.label == Label::Ignored, span.family.is_none());
        }
    }
    Ok(())
}

/// So many ignored texts tell a passage that they alone are as many alignments as
/// are extended.
#[test]
fn a_crowd_of_ignored_texts_takes_nothing_from_the_rest() {
    ignoring(&collection(10_294_209_292_617_196_133)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 100 } else { 400 }))]

    #[test]
    fn near_duplicates_alone_are_those_of_the_whole_scan(seed in any::<u64>()) {
        let documents = collection(seed);
        let (whole, alone) = (scan(&documents, 1), duplicates(&documents, 2));
        prop_assert_eq!(&alone.pairs, &whole.pairs);
        prop_assert_eq!(&alone.clusters, &whole.clusters);
        prop_assert!(alone.families.is_empty() && alone.occurrences.is_empty() && alone.spans.is_empty());
        prop_assert_eq!(alone.counts.labels, [0; 9]);
        for (row, whole_row) in alone.documents.iter().zip(&whole.documents) {
            let partners: Vec<&str> = alone.pairs.iter()
                .filter_map(|pair| match (pair.a == row.id, pair.b == row.id) {
                    (true, _) => Some(&*pair.b),
                    (_, true) => Some(&*pair.a),
                    _ => None,
                }).collect();
            prop_assert_eq!(row.nearest.is_some(), !partners.is_empty());
            prop_assert!(row.nearest.as_deref().is_none_or(|nearest| partners.contains(&nearest)));
            let blank = DocumentRow {
                scores: Default::default(),
                nearest: row.nearest.clone(),
                nearest_containment: row.nearest_containment,
                top_source: None,
                top_source_share: None,
                ..whole_row.clone()
            };
            prop_assert_eq!(row, &blank);
        }
        prop_assert_eq!(alone.documents.len(), whole.documents.len());
    }

    #[test]
    fn the_report_is_consistent(seed in any::<u64>()) {
        let documents = collection(seed);
        let report = scan(&documents, 1);
        check(&documents, &report);
        check_weights(&documents, &report);
    }

    #[test]
    fn order_and_threads_change_nothing(seed in any::<u64>()) {
        let mut documents = collection(seed);
        documents.push(filler());
        let report = scan(&documents, 1);
        let mut random = Random(seed ^ 1);
        for at in (1..documents.len()).rev() {
            documents.swap(at, random.below(at + 1));
        }
        for threads in [2, 4] {
            prop_assert_eq!(&scan(&documents, threads), &report);
        }
    }

    #[test]
    fn a_document_told_twice_has_nothing_unique(seed in any::<u64>()) {
        let mut documents = collection(seed);
        let mut copy = documents[0].clone();
        copy.id = "copy".to_owned();
        documents.push(copy);
        let report = counting_formulas(&documents);
        check(&documents, &report);
        prop_assert_eq!(unique(&report, "copy"), 0);
        prop_assert_eq!(unique(&report, "d0"), 0);
    }

    /// For exact copies in text that has nothing else in common. A word or two
    /// that match by chance beside an edited passage may depend on which other
    /// document the passage was compared with.
    #[test]
    fn another_document_never_raises_what_is_unique(seed in any::<u64>()) {
        let mut random = Random(seed);
        let mut fresh = 1_000_000;
        let mut words_of_its_own = |count: usize| -> Vec<String> {
            fresh += count;
            (fresh - count..fresh).map(generate::word).collect()
        };
        let pool: Vec<Vec<String>> = (0..4).map(|_| words_of_its_own(30)).collect();
        let mut documents = Vec::new();
        for number in 0..5 {
            let mut words = words_of_its_own(15);
            for _ in 0..2 {
                // Thirds, so that two copies share ten tokens or none.
                let from = 10 * random.below(3);
                let to = from + 10 + 10 * random.below(3 - from / 10);
                words.extend_from_slice(&pool[random.below(pool.len())][from..to]);
                words.extend(words_of_its_own(5));
            }
            documents.push(Document::new(format!("d{number}"), words.join(" ")));
        }
        let before = counting_formulas(&documents[..4]);
        let after = counting_formulas(&documents);
        for document in &documents[..4] {
            prop_assert!(unique(&after, &document.id) <= unique(&before, &document.id), "{}", document.id);
        }
    }

    #[test]
    fn ignoring_a_text_takes_nothing_from_the_rest(seed in any::<u64>()) {
        ignoring(&collection(seed))?;
    }

    /// Against another collection, what is told is told there: every exact copy
    /// is found, and nothing is said of copies among the documents themselves.
    #[test]
    fn against_another_collection_only_its_text_is_told(seed in any::<u64>()) {
        let (old, mut new) = (collection(seed), collection(seed.wrapping_add(1)));
        let mut random = Random(!seed);
        let passage = random.words(30).join(" ");
        new.push(Document::new("own-1", format!("{} {passage}", random.words(20).join(" "))));
        new.push(Document::new("own-2", format!("{} {passage}", random.words(20).join(" "))));
        let full = old.iter().max_by_key(|document| document.text.len()).unwrap();
        new.push(Document::new("copy", full.text.clone()));
        let background = Background { against: Some(&old), ..Background::default() };
        let report = Detector::new(Config::default()).unwrap().scan_with(&new, background, &|_, _, _| {}).unwrap();
        prop_assert_eq!(report.documents.len(), new.len());
        prop_assert_eq!(report.counts.references, old.len() as u64);
        let texts: BTreeMap<&str, &str> = old.iter().map(|d| (d.id.as_str(), d.text.as_str())).collect();
        for span in &report.spans {
            prop_assert_ne!(&*span.doc, "own-2");
            let place = span.other_start_byte.unwrap() as usize..span.other_end_byte.unwrap() as usize;
            if span.label != Label::Repeat {
                prop_assert!(texts[span.other_doc.as_deref().unwrap()].get(place).is_some(), "{span:?}");
            }
        }
        for pair in &report.pairs {
            prop_assert!(texts.contains_key(&*pair.a) && new.iter().any(|d| d.id == *pair.b));
        }
        prop_assert!(report.clusters.is_empty());
        if let Some(row) = row_of(&report, "copy") {
            prop_assert_eq!(row.scores.originality, Some(0.0), "{:?}", full);
            prop_assert!(report.pairs.iter().any(|pair| &*pair.b == "copy"));
        }
    }

    #[test]
    fn any_bytes_make_a_consistent_report(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check::scan(&bytes);
    }

    #[test]
    fn any_text_is_scanned_without_a_panic(texts in prop::collection::vec("\\PC{0,80}|(\\PC{1,3} ){0,40}|[\\x00-\\x7f]{0,60}", 1..6)) {
        let documents: Vec<Document> =
            texts.iter().enumerate().map(|(number, text)| Document::new(number.to_string(), text.repeat(2))).collect();
        check(&documents, &scan(&documents, 2));
    }
}

/// Collections that break quadratic methods and careless arithmetic.
#[test]
fn odd_collections_are_scanned() {
    let many = |text: &str, count: usize| -> Vec<Document> {
        (0..count).map(|number| Document::new(format!("{number:06}"), text)).collect()
    };
    let mut random = Random(3);
    let digits: String = (0..20_000).map(|_| format!("{} ", random.below(10))).collect();
    let periodic = "one two three four five six seven eight nine ten ".repeat(20_000);
    let mut edits = |count: usize| -> String {
        let word = |number: usize| match random.below(12) {
            0 => format!("x{} ", random.below(1_000_000)),
            _ => format!(
                "{} ",
                ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][number % 9]
            ),
        };
        (0..count).map(word).collect()
    };
    // Every alignment could be extended to the end of the text.
    let (round, short_rounds) = (edits(50_000), (0..60).map(|_| edits(500)).collect::<Vec<_>>());
    let line = "word ".repeat(50_000);
    let letters = "x".repeat(200_000);
    let cases: [(&str, Vec<Document>); 9] = [
        (
            "one document many times",
            many("The mill burned down on Monday night, and nobody was hurt.", 3_000),
        ),
        ("no documents", Vec::new()),
        ("digits", many(&digits, 1)),
        ("periodic", many(&periodic, 1)),
        ("periodic with edits", many(&round, 1)),
        (
            "periodic with edits, many",
            short_rounds
                .iter()
                .enumerate()
                .map(|(n, text)| Document::new(n.to_string(), text.as_str()))
                .collect(),
        ),
        ("one word again and again", many(&line, 1)),
        ("one long word", many(&letters, 2)),
        (
            "tiny documents",
            (0..5_000).map(|n| Document::new(n.to_string(), format!("note {}", n % 700))).collect(),
        ),
    ];
    for (name, documents) in cases {
        let report = scan(&documents, 2);
        assert_eq!(report.documents.len(), documents.len(), "{name}");
        assert_eq!(report.counts.labels.iter().sum::<u64>(), report.counts.weight, "{name}");
    }
}

#[test]
fn dates_decide_who_told_it_first() {
    let passage =
        "The minister said on Tuesday that the bridge would be closed to all traffic until the spring.";
    let mut documents: Vec<Document> = ["old", "new", "undated"]
        .map(|id| {
            let mut random = Random(u64::from(id.as_bytes()[0]));
            let (before, after) = (random.words(60).join(" "), random.words(60).join(" "));
            Document::new(id, format!("{before} {passage} {after}"))
        })
        .to_vec();
    documents[0].date = "2019-05-01".parse().ok();
    documents[1].date = "2019-05-02".parse().ok();
    let label = |report: &Report, id: &str| {
        report.spans.iter().filter(|span| &*span.doc == id).map(|span| span.label).next().unwrap()
    };
    let dated = scan(&documents[..2], 1);
    assert_eq!(label(&dated, "old"), Label::First);
    assert_ne!(label(&dated, "new"), Label::First);
    let row = |id: &str| dated.documents.iter().find(|row| &*row.id == id).unwrap();
    assert_eq!(row("old").scores.originality, Some(1.0));
    assert_eq!(row("new").scores.originality, row("new").scores.originality_max);

    // An undated copy might be older, so nobody is known to be first.
    let all = scan(&documents, 1);
    assert_ne!(label(&all, "old"), Label::First);
    let row = |id: &str| all.documents.iter().find(|row| &*row.id == id).unwrap();
    assert_eq!(row("old").scores.originality_max, Some(1.0));
    assert!(row("new").scores.originality_max < Some(1.0));
    assert_eq!(row("undated").scores.originality_max, Some(1.0));
}
