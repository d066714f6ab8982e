//! What a careful reader finds in the five sample articles.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use twicetold::{Config, Detector, Document, FamilyRow, Kind, Label, Report};

/// The articles, with ids "0" to "4".
fn seeds() -> Vec<Document> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert_eq!(paths.len(), 5);
    let read = |(number, path): (usize, &std::path::PathBuf)| {
        Document::new(number.to_string(), std::fs::read_to_string(path).unwrap())
    };
    paths.iter().enumerate().map(read).collect()
}

fn report() -> Report {
    Detector::new(Config::default()).unwrap().scan(&seeds()).unwrap()
}

/// The one family whose text contains these words.
fn family<'a>(report: &'a Report, words: &str) -> &'a FamilyRow {
    let found: Vec<_> = report.families.iter().filter(|family| plain(&family.text).contains(words)).collect();
    assert_eq!(found.len(), 1, "{words}: {found:#?}");
    found[0]
}

/// The articles use several kinds of spaces.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The stretches of a family's spans, as (document, printed text).
fn printed(report: &Report, family: &FamilyRow) -> Vec<(String, String)> {
    let seeds = seeds();
    let of_family = report.spans.iter().filter(|span| span.family == Some(family.family));
    of_family
        .map(|span| {
            let text = &seeds[span.doc.parse::<usize>().unwrap()].text;
            (span.doc.to_string(), plain(&text[span.start_byte as usize..span.end_byte as usize]))
        })
        .collect()
}

fn documents(report: &Report, family: &FamilyRow) -> Vec<String> {
    let mut documents: Vec<String> = printed(report, family).into_iter().map(|(doc, _)| doc).collect();
    documents.dedup();
    documents
}

#[test]
fn the_reuters_paragraph_is_stock_in_three_articles() {
    let report = report();
    let reuters = family(&report, "Reuters confirmed");
    assert_eq!(reuters.kind, Kind::Stock, "{}", reuters.reason);
    assert_eq!((reuters.df, reuters.occurrences, reuters.tokens, reuters.variants), (3, 3, 42, 2));
    assert!(plain(&reuters.text).starts_with("Reuters confirmed in a special report on December 23, 2019"));
    assert!(plain(&reuters.text).ends_with("on December 15, 2019."));
    let printed = printed(&report, reuters);
    let of: Vec<&str> = printed.iter().map(|(doc, _)| doc.as_str()).collect();
    assert_eq!(of, ["0", "1", "1", "2"], "the edited word splits the copy in article 1");
    assert!(printed[1].1.ends_with("(PMOI"));
    assert!(printed[2].1.starts_with("Iran) on December 15"), "{}", printed[2].1);
}

#[test]
fn the_footer_is_boilerplate() {
    let report = report();
    for words in ["MEK Iran (follow them on Twitter and Facebook)", "MEK IRAN – YouTube"] {
        let footer = family(&report, words);
        assert_eq!(footer.kind, Kind::Boilerplate, "{}", footer.reason);
        assert_eq!(documents(&report, footer), ["0", "1", "2"]);
        assert!(printed(&report, footer).iter().all(|(_, text)| text.contains(words)));
    }
}

#[test]
fn the_advertisement_size_is_boilerplate() {
    let report = report();
    let size = family(&report, "728 x 90");
    assert_eq!(size.kind, Kind::Boilerplate, "{}", size.reason);
    assert_eq!(printed(&report, size), [("3".into(), "728 x 90".into()), ("4".into(), "728 x 90".into())]);
}

#[test]
fn the_quotation_is_one_family_without_the_longer_rest() {
    let report = report();
    let quotation = family(&report, "The world community’s silence");
    assert_eq!((quotation.df, quotation.occurrences, quotation.tokens), (2, 2, 41));
    assert_eq!(quotation.kind, Kind::Quotation, "{}", quotation.reason);
    assert_eq!(documents(&report, quotation), ["0", "2"]);
    for (_, text) in printed(&report, quotation) {
        assert!(
            text.starts_with("Mrs. Maryam Rajavi") && text.ends_with("against the Iranian people."),
            "{text}"
        );
    }
}

#[test]
fn names_are_formulas_and_stay_unique() {
    let report = report();
    // The name also stands inside longer passages, so look for the shortest.
    let name = "People’s Mojahedin Organization of Iran (PMOI / MEK Iran)";
    let with_name = report.families.iter().filter(|family| plain(&family.text).contains(name));
    let organisation = with_name.min_by_key(|family| family.tokens).unwrap();
    assert_eq!(organisation.kind, Kind::Formula, "{}", organisation.reason);
    assert!(organisation.occurrences >= 11);
    let leaders = family(&report, "Ali Khamenei, its president Hassan Rouhani");
    assert_eq!((leaders.kind, leaders.df), (Kind::Formula, 2), "{}", leaders.reason);
    for formula in [organisation, leaders] {
        assert_eq!(printed(&report, formula), [], "formulas are unique in the ledger");
    }
}

#[test]
fn what_one_article_says_twice_is_a_repeat() {
    let report = report();
    let repeats = [
        ("Regime is Losing Control", "0", 2),
        ("Many people in Iran are renewing their calls for regime change", "1", 2),
        ("Resistance Units working hard inside Iran to amplify the voice of the people", "1", 2),
        ("The protest in January 2018 spread to 150 cities", "2", 2),
        ("gather in Paris to support Iran protests in Nov 2019", "3", 2),
        ("honor the memory of martyrs killed during Iran protests", "3", 2),
        ("Iranian youths in exile hold massive online conference", "4", 2),
        ("NCRI President-elect Maryam Rajavi", "4", 2),
        ("Betancourt, former Colombian senator and presidential candidate", "4", 3),
        ("Ramesh Sepehrad, Adjunct Faculty at George Mason University", "4", 3),
    ];
    for (words, document, least) in repeats {
        let repeat = family(&report, words);
        assert_eq!(repeat.kind, Kind::Repeat, "{words}: {}", repeat.reason);
        assert_eq!((&*repeat.first_doc, repeat.df), (document, 1), "{words}");
        assert!(repeat.occurrences >= least, "{words}: {}", repeat.occurrences);
        assert_eq!(printed(&report, repeat)[0].0, document);
    }
    // Articles and prepositions before it that agree by chance are no part of it.
    assert_eq!(family(&report, "Many people in Iran are renewing").tokens, 11);
    let lead = family(&report, "The protest in January 2018");
    assert_eq!(lead.tokens, 38, "the lead survives the five words inserted the second time");
    let second = printed(&report, lead);
    assert!(second[0].1.starts_with("The protest in January 2018 spread"));
    assert!(second.last().unwrap().1.ends_with("who played a key role."));
}

#[test]
fn what_stands_once_is_not_reported() {
    let report = report();
    assert!(report.families.iter().all(|family| !family.text.contains("Choose Your Platform")));
}

#[test]
fn every_ledger_sums_to_one() {
    let report = report();
    assert_eq!(report.counts.labels.iter().sum::<u64>(), report.counts.weight);
    for row in &report.documents {
        let scores = &row.scores;
        let shares = Label::ALL.map(|label| scores.share(label));
        let sum: f64 = shares.iter().map(|share| share.unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{}: {sum}", row.id);
        assert!(scores.originality.unwrap() > 0.75 && scores.originality.unwrap() < 1.0, "{}", row.id);
        assert!(scores.originality_max >= scores.originality);
    }
}
