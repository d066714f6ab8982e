//! What holds for every report, on generated collections and in fuzzing.

#![allow(clippy::unwrap_used, reason = "test support")]
#![allow(dead_code, reason = "each user takes a part")]

use std::collections::{BTreeMap, BTreeSet};

use twicetold::{
    Config, DedupeOn, Detector, Document, DocumentRow, Kind, Label, OccurrenceRow, Report, Sensitivity,
    Status, Unit,
};
use unicode_normalization::char::is_combining_mark;

/// Makes a collection of any bytes, scans it in two ways, and judges both
/// reports.
pub fn scan(bytes: &[u8]) {
    let (&settings, bytes) = bytes.split_first().unwrap_or((&0, bytes));
    let mut documents = documents(bytes);
    if settings & 16 != 0 {
        documents.push(filler());
    }
    let mut config = match settings & 2 {
        0 => Config::default(),
        _ => Config::with_sensitivity(Sensitivity::High),
    };
    config.threads = 1;
    if settings & 1 != 0 {
        config.unit = Unit::Char;
    }
    if settings & 4 != 0 {
        config.count_formulas = true;
    }
    if settings & 8 != 0 {
        config.dedupe_on = DedupeOn::Body;
    }
    let report = Detector::new(config.clone()).unwrap().scan(&documents).unwrap();
    check(&documents, &report);
    check_weights(&documents, &report);
    // Another order and another number of threads.
    config.threads = 2;
    let turned: Vec<Document> = documents.iter().rev().cloned().collect();
    assert!(Detector::new(config).unwrap().scan(&turned).unwrap() == report);
}

/// A document that repeats nothing, so long that its collection is worth several threads.
pub fn filler() -> Document {
    let words: Vec<String> = (0..6_000).map(|number| format!("filler{number:04}")).collect();
    Document::new("filler", words.join(" "))
}

/// Documents of words, lines, and passages of what was said before; all of
/// them from any bytes.
pub fn documents(bytes: &[u8]) -> Vec<Document> {
    let mut texts = vec![String::new()];
    let mut said: Vec<String> = Vec::new();
    let mut bytes = bytes.iter().copied();
    while let Some(byte) = bytes.next() {
        let text = texts.last_mut().unwrap();
        match byte {
            0..=3 => texts.push(String::new()),
            4..=31 => {
                // A place in what was said, and how much of it.
                let (from, count) = (bytes.next().unwrap_or(0), bytes.next().unwrap_or(30));
                let words: Vec<String> =
                    said.iter().skip(usize::from(from)).take(usize::from(count)).cloned().collect();
                words.iter().for_each(|word| text.push_str(word));
            }
            32..=127 => {
                let word = format!(
                    "{}{} ",
                    ["mill", "Brücke", "r", "naïve", "don’t", "1,5"][usize::from(byte) % 6],
                    byte / 6
                );
                text.push_str(&word);
                said.push(word);
            }
            _ => {
                const MARKS: [&str; 16] = [
                    "\n",
                    "\n\n",
                    "\r\n",
                    ". ",
                    "“",
                    "”",
                    "\0",
                    "\u{301}",
                    "漢字",
                    "ไทย",
                    "\u{ad}",
                    " — ",
                    "한",
                    "http://a.b/c ",
                    "728 x 90\n",
                    "= ",
                ];
                let mark = MARKS[usize::from(byte) % 16].to_owned();
                text.push_str(&mark);
                said.push(mark);
            }
        }
    }
    let document = |(number, text): (usize, String)| {
        let mut document = Document::new(format!("{number:03}"), text);
        document.source = (number % 3 > 0).then(|| format!("source {}", number % 3));
        document.date = (number % 4 > 0).then(|| format!("20{:02}-01-01", number % 4).parse().unwrap());
        document
    };
    texts.into_iter().enumerate().map(document).collect()
}

/// Judges a report that was made with the usual settings.
pub fn check(documents: &[Document], report: &Report) {
    check_with(documents, report, Config::default().similarity);
}

/// Judges a report in which documents of such a resemblance are
/// near-duplicates.
pub fn check_with(documents: &[Document], report: &Report, similarity: f64) {
    let texts: BTreeMap<&str, &str> = documents.iter().map(|d| (d.id.as_str(), d.text.as_str())).collect();
    assert_eq!(report.documents.len(), documents.len());
    let mut ends: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for span in &report.spans {
        let text = texts[&*span.doc];
        let (start, end) = (span.start_byte as usize, span.end_byte as usize);
        // On character boundaries, or slicing panics.
        let printed = &text[start..end];
        assert!(!printed.is_empty(), "{span:?}");
        assert_eq!(text[..start].chars().count() as u32, span.start_char);
        assert_eq!(text[..end].chars().count() as u32, span.end_char);
        assert_eq!(1 + text[..start].matches('\n').count() as u32, span.start_line);
        assert_eq!(1 + text[..end].matches('\n').count() as u32, span.end_line);
        let place = span.other_start_byte.unwrap() as usize..span.other_end_byte.unwrap() as usize;
        assert!(!texts[span.other_doc.as_deref().unwrap()][place].is_empty());
        assert_ne!(span.label, Label::Unique);
        assert!(span.identity > 0.0 && span.identity <= 1.0);
        // Sorted and disjoint inside a document.
        let last = ends.insert(&span.doc, (span.start_byte, span.end_byte)).unwrap_or((0, 0));
        assert!(last.1 <= span.start_byte, "{span:?} after {last:?}");
        let family = &report.families[span.family.unwrap() as usize - 1];
        assert_eq!(Some(family.family), span.family);
        assert!(span.label != Label::Boilerplate || family.kind == Kind::Boilerplate);
    }
    assert_eq!(report.counts.labels.iter().sum::<u64>(), report.counts.weight);
    for row in &report.documents {
        let scores = &row.scores;
        let shares = Label::ALL.map(|label| scores.share(label));
        if row.status == Status::Empty {
            assert!(shares.iter().all(Option::is_none) && scores.originality.is_none() && row.weight == 0);
            continue;
        }
        // Shares are whole letters: they add up as integers.
        let letters: f64 = shares.iter().map(|share| (share.unwrap() * row.weight as f64).round()).sum();
        assert_eq!(letters as u64, row.weight, "{row:?}");
        let (least, most) = (scores.originality.unwrap(), scores.originality_max.unwrap());
        assert!(0.0 <= least && least <= most && most <= 1.0);
        assert!(scores.fractional.unwrap() <= row.weight as f64 + 1e-9);
    }
    check_occurrences(&texts, report);
    for family in &report.families {
        assert!(family.occurrences > 1 && family.df >= 1 && family.df <= family.occurrences);
        assert!(family.cohesion > 0.0 && family.cohesion <= 1.0);
        assert!(family.tokens > 0 && family.text.len() >= family.tokens as usize);
        assert!(texts.values().any(|text| text.contains(&family.text)), "{}", family.text);
    }
    for pair in &report.pairs {
        assert!(pair.resemblance >= similarity && pair.a != pair.b);
    }
}

/// Occurrences are what families count and what spans are made of.
fn check_occurrences(texts: &BTreeMap<&str, &str>, report: &Report) {
    let mut places: BTreeMap<u32, Vec<&OccurrenceRow>> = BTreeMap::new();
    for row in &report.occurrences {
        let text = texts[&*row.doc];
        let (start, end) = (row.start_byte as usize, row.end_byte as usize);
        assert!(!text[start..end].is_empty(), "{row:?}");
        let count = |to: usize| (text[..to].chars().count(), 1 + text[..to].matches('\n').count());
        assert_eq!(count(start), (row.start_char as usize, row.start_line as usize));
        assert_eq!(count(end), (row.end_char as usize, row.end_line as usize));
        assert!(row.identity > 0.0 && row.identity <= 1.0);
        places.entry(row.family).or_default().push(row);
    }
    assert_eq!(places.len(), report.families.len());
    for (family, rows) in report.families.iter().zip(places.values()) {
        assert_eq!(family.occurrences as usize, rows.len());
        let documents: BTreeSet<&str> = rows.iter().map(|row| &*row.doc).collect();
        assert_eq!(family.df as usize, documents.len());
        assert_eq!(family.first_doc, rows[0].doc);
        let variants: BTreeSet<u32> = rows.iter().map(|row| row.variant).collect();
        assert!(variants.iter().copied().eq(1..=family.variants), "{variants:?}");
        let printed = |row: &OccurrenceRow| &texts[&*row.doc][row.start_byte as usize..row.end_byte as usize];
        let commonest = rows.iter().find(|row| row.variant == 1).unwrap();
        assert_eq!(printed(commonest), family.text);
        let times = |variant| rows.iter().filter(|row| row.variant == variant).count();
        assert!((2..=family.variants).all(|variant| times(variant) <= times(variant - 1)));
    }
    for span in &report.spans {
        let rows = &places[&span.family.unwrap()];
        // A span may take in a matched word or two beside the occurrence.
        let meets = |row: &&&OccurrenceRow| {
            row.doc == span.doc && row.start_byte < span.end_byte && span.start_byte < row.end_byte
        };
        assert!(rows.iter().any(|row| meets(&row)), "{span:?}");
        let other = (span.other_doc.as_ref(), span.other_start_byte, span.other_end_byte);
        let same = |row: &&OccurrenceRow| (Some(&row.doc), Some(row.start_byte), Some(row.end_byte)) == other;
        assert!(rows.iter().any(same), "{span:?}");
    }
}

/// The spans of a document weigh what its ledger says.
pub fn check_weights(documents: &[Document], report: &Report) {
    for (document, row) in
        documents.iter().filter_map(|document| Some((document, row_of(report, &document.id)?)))
    {
        let spans = report.spans.iter().filter(|span| span.doc == row.id);
        let told: u64 = spans
            .map(|span| &document.text[span.start_byte as usize..span.end_byte as usize])
            .map(|text| text.chars().filter(|&c| is_letter_or_digit(c)).count() as u64)
            .sum();
        assert_eq!(told, row.weight - letters_of(row.scores.unique, row.weight), "{row:?}");
    }
}

/// The row of a document, if it was scored.
pub fn row_of<'a>(report: &'a Report, id: &str) -> Option<&'a DocumentRow> {
    report.documents.iter().find(|row| &*row.id == id && row.status == Status::Ok)
}

/// Combining marks belong to a letter and weigh nothing by themselves.
fn is_letter_or_digit(c: char) -> bool {
    c.is_alphanumeric() && !is_combining_mark(c)
}

pub fn letters_of(share: Option<f64>, weight: u64) -> u64 {
    (share.unwrap() * weight as f64).round() as u64
}

/// Every token inside an exact repeat of at least `least` tokens that stands in
/// another document or earlier in its own, by looking at each pair of places;
/// the two may not overlap each other. Without `own` only other documents count. A repeat
/// without a shingle of three distinct words is not asked for.
fn naive_repeats(texts: &[Vec<u32>], least: usize, shingle: usize, own: bool) -> Vec<Vec<bool>> {
    let tells = |run: &[u32]| run.windows(shingle).any(|words| BTreeSet::from_iter(words).len() > 2);
    let mut told: Vec<Vec<bool>> = texts.iter().map(|text| vec![false; text.len()]).collect();
    for a in 0..texts.len() {
        for b in a..texts.len() {
            for i in 0..texts[a].len() {
                for j in 0..texts[b].len() {
                    if a == b && (!own || j < i + least) {
                        continue;
                    }
                    let room = if a == b { j - i } else { usize::MAX };
                    let same = texts[a][i..]
                        .iter()
                        .zip(&texts[b][j..])
                        .take_while(|(x, y)| x == y)
                        .count()
                        .min(room);
                    if same >= least && tells(&texts[b][j..j + same]) {
                        if a != b {
                            told[a][i..i + same].fill(true);
                        }
                        told[b][j..j + same].fill(true);
                    }
                }
            }
        }
    }
    told
}

fn document(number: usize, words: &[u32]) -> Document {
    let text: Vec<String> = words.iter().map(|&word| format!("word{word:04}")).collect();
    Document::new(number.to_string(), text.join(" "))
}

/// Exact repeats of as many tokens as the settings guarantee: all found, and
/// nothing found is invented. The settings must count formulas. With others than
/// the usual lengths, what a document repeats of itself is not asked for: where
/// its repeats lie over one another some may be missed.
pub fn check_repeats(texts: &[Vec<u32>], config: Config) {
    let collection: Vec<Document> = texts.iter().enumerate().map(|(n, words)| document(n, words)).collect();
    let (least, shingle) = (config.guaranteed_tokens(), config.shingle);
    let usual = Config::default();
    let own =
        (config.shingle, config.window, config.min_tokens) == (usual.shingle, usual.window, usual.min_tokens);
    let report = Detector::new(config).unwrap().scan(&collection).unwrap();

    // Each token found has an equal token elsewhere: nothing is invented.
    let mut places: BTreeMap<u32, usize> = BTreeMap::new();
    texts.iter().flatten().for_each(|&word| *places.entry(word).or_default() += 1);
    let mut found: Vec<Vec<bool>> = texts.iter().map(|text| vec![false; text.len()]).collect();
    for span in &report.spans {
        let number: usize = span.doc.parse().unwrap();
        for at in span.start_byte as usize / 9..(span.end_byte as usize).div_ceil(9) {
            found[number][at] = true;
            assert!(places[&texts[number][at]] > 1, "token {at} of {number} is told once");
        }
    }
    let told = naive_repeats(texts, least, shingle, own);
    for (number, told) in told.iter().enumerate() {
        for (at, told) in told.iter().enumerate() {
            assert!(!told || found[number][at], "token {at} of {number} in {texts:?}");
        }
    }
}

/// Exact resemblance of two texts in shingles of five words, by sets.
pub fn resemblance(a: &str, b: &str) -> f64 {
    let shingles = |text: &str| -> BTreeSet<Vec<String>> {
        let words: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(str::to_lowercase)
            .collect();
        words.windows(5).map(<[String]>::to_vec).collect()
    };
    let (a, b) = (shingles(a), shingles(b));
    let shared = a.intersection(&b).count() as f64;
    shared / (a.len() as f64 + b.len() as f64 - shared)
}
