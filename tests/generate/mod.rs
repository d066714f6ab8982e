//! Generated text for tests and benches: prose of made-up words with a natural
//! distribution, and passages planted in it, so that the truth is known.

#![allow(dead_code, reason = "each test and bench uses a part")]
#![allow(clippy::unwrap_used, reason = "test support")]

use std::collections::BTreeMap;

use twicetold::{Document, Report};

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// A number from 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with a probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A word of a vocabulary of 20,000; the n-th is about 1/n as frequent as
    /// the first.
    pub fn word(&mut self) -> String {
        const SIZE: f64 = 20_000.0;
        word((SIZE.powf(self.share()) - 1.0) as usize)
    }

    pub fn words(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.word()).collect()
    }
}

/// The n-th word of the vocabulary; frequent ones are short.
pub fn word(number: usize) -> String {
    const SYLLABLES: [&str; 24] = [
        "ta", "re", "mi", "so", "lo", "ne", "ka", "du", "vi", "pe", "ri", "fo", "ga", "zu", "be", "ho", "an",
        "er", "in", "os", "ul", "sta", "tri", "ble",
    ];
    let mut number = number;
    let mut out = String::new();
    loop {
        out.push_str(SYLLABLES[number % SYLLABLES.len()]);
        number /= SYLLABLES.len();
        if number == 0 {
            return out;
        }
        number -= 1;
    }
}

/// Replaces, drops or inserts about this share of the words.
pub fn edited(random: &mut Random, words: &[String], rate: f64) -> Vec<String> {
    edited_and_kept(random, words, rate, &mut MadeUp).into_iter().map(|(word, _)| word).collect()
}

/// Where the words of planted texts come from.
pub trait Words {
    /// Some words of running text.
    fn some(&mut self, random: &mut Random, count: usize) -> Vec<String>;
    /// A word by itself.
    fn one(&mut self, random: &mut Random) -> String;
    /// What stands between two words.
    const BETWEEN: &'static str = " ";
}

/// Words of the made-up vocabulary.
pub struct MadeUp;

impl Words for MadeUp {
    fn some(&mut self, random: &mut Random, count: usize) -> Vec<String> {
        random.words(count)
    }

    fn one(&mut self, random: &mut Random) -> String {
        random.word()
    }
}

/// The same as [`edited`], with the number of each word that was kept.
pub fn edited_and_kept(
    random: &mut Random,
    words: &[String],
    rate: f64,
    source: &mut impl Words,
) -> Vec<(String, Option<usize>)> {
    let mut out = Vec::new();
    for (number, word) in words.iter().enumerate() {
        if !random.chance(rate) {
            out.push((word.clone(), Some(number)));
            continue;
        }
        match random.below(4) {
            0 => {}
            1 => out.extend([(word.clone(), Some(number)), (source.one(random), None)]),
            _ => out.push((source.one(random), None)),
        }
    }
    out
}

/// Replaces, drops or inserts about this share of the letters, as the
/// recognition of printed text does; no word is lost.
pub fn misread(random: &mut Random, words: &[String], rate: f64) -> Vec<String> {
    let letter = |random: &mut Random| char::from(b'a' + random.below(26) as u8);
    let misread = |word: &String| {
        if rate == 0.0 {
            return word.clone();
        }
        let mut out = String::new();
        for character in word.chars() {
            match random.chance(rate).then(|| random.below(4)) {
                None => out.push(character),
                Some(0) => {}
                Some(1) => out.extend([character, letter(random)]),
                Some(_) => out.push(letter(random)),
            }
        }
        if out.is_empty() {
            out.push(letter(random));
        }
        out
    };
    words.iter().map(misread).collect()
}

/// Words as sentences in paragraphs, about six lines each; the words keep their
/// order and number.
pub fn prose(random: &mut Random, words: &[String]) -> String {
    let mut out = String::new();
    let mut starts = true;
    for (at, word) in words.iter().enumerate() {
        if starts {
            out.push_str(&word[..1].to_uppercase());
            out.push_str(&word[1..]);
        } else {
            out.push_str(word);
        }
        starts = random.chance(0.06);
        if at + 1 == words.len() {
            out.push('.');
        } else if starts {
            out.push_str(if random.chance(0.2) { ".\n\n" } else { ". " });
        } else {
            out.push(' ');
        }
    }
    out
}

/// One copy of a passage: which, and the words of the document it occupies.
pub struct Copy {
    pub passage: usize,
    pub document: usize,
    pub start: usize,
    pub end: usize,
}

/// Documents of prose with passages planted at random places. Word numbers are
/// token numbers, unless letters are.
pub struct Planted {
    pub documents: Vec<Document>,
    pub copies: Vec<Copy>,
    /// Byte where each word of each document starts, and where it ends.
    pub places: Vec<Vec<(usize, usize)>>,
    /// Whether each word is one of a copy that another copy has kept too.
    pub told: Vec<Vec<bool>>,
}

/// How passages are planted.
#[derive(Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    pub documents: usize,
    pub passages: usize,
    /// Documents that have each passage.
    pub copies: usize,
    /// Words of a passage.
    pub length: usize,
    /// Share of the words that is edited in each copy.
    pub edits: f64,
    /// Share of all letters that is misread.
    pub noise: f64,
    /// Whether a copy is a paragraph of its own or stands inside a line.
    pub paragraphs: bool,
}

impl Plan {
    /// Passages of 45 words, each in five of the documents.
    pub const USUAL: Plan = Plan {
        seed: 7,
        documents: 600,
        passages: 150,
        copies: 5,
        length: 45,
        edits: 0.0,
        noise: 0.0,
        paragraphs: false,
    };

    pub fn plant(self) -> Planted {
        self.plant_words(&mut MadeUp)
    }

    pub fn plant_words<W: Words>(self, source: &mut W) -> Planted {
        type Part = (Option<usize>, Vec<(String, Option<usize>)>);
        let mut random = Random(self.seed);
        let own = |words: Vec<String>| words.into_iter().map(|word| (word, None)).collect();
        let mut parts: Vec<Vec<Part>> = (0..self.documents)
            .map(|_| {
                let words = 200 + random.below(200);
                vec![(None, own(source.some(&mut random, words)))]
            })
            .collect();
        // How many copies have kept each word of each passage.
        let mut keepers = vec![vec![0; self.length]; self.passages];
        for (passage, keepers) in keepers.iter_mut().enumerate() {
            let original = source.some(&mut random, self.length);
            let mut chosen: Vec<usize> = (0..self.documents).collect();
            for at in 0..self.copies {
                let other = at + random.below(self.documents - at);
                chosen.swap(at, other);
                let parts = &mut parts[chosen[at]];
                // Into the middle of a stretch of its own words.
                let stretches: Vec<usize> =
                    (0..parts.len()).filter(|&n| parts[n].0.is_none() && parts[n].1.len() > 60).collect();
                let Some(&stretch) = stretches.get(random.below(stretches.len().max(1))) else { continue };
                let cut = 20 + random.below(parts[stretch].1.len() - 40);
                let rest = parts[stretch].1.split_off(cut);
                let copy = edited_and_kept(&mut random, &original, self.edits, source);
                copy.iter().filter_map(|word| word.1).for_each(|number| keepers[number] += 1);
                parts.splice(stretch + 1..stretch + 1, [(Some(passage), copy), (None, rest)]);
            }
        }
        let mut planted =
            Planted { documents: Vec::new(), copies: Vec::new(), places: Vec::new(), told: Vec::new() };
        for (document, parts) in parts.into_iter().enumerate() {
            let (mut places, mut told) = (Vec::new(), Vec::new());
            let mut text = String::new();
            for (passage, part) in parts {
                let start = places.len();
                let (words, kept): (Vec<String>, Vec<Option<usize>>) = part.into_iter().unzip();
                let is_told = |passage: usize, number: usize| keepers[passage][number] > 1;
                told.extend(
                    kept.into_iter().map(|kept| passage.zip(kept).is_some_and(|(p, n)| is_told(p, n))),
                );
                for word in misread(&mut random, &words, self.noise) {
                    places.push((text.len(), text.len() + word.len()));
                    text.push_str(&word);
                    text.push_str(W::BETWEEN);
                }
                if self.paragraphs {
                    text.push_str("\n\n");
                }
                if let Some(passage) = passage {
                    planted.copies.push(Copy { passage, document, start, end: places.len() });
                }
            }
            planted.documents.push(Document::new(format!("{document:05}"), text));
            planted.places.push(places);
            planted.told.push(told);
        }
        planted
    }
}

/// What planted copies come to in a report.
pub struct Score {
    /// Copies of which at least 80 % of the words stand in one family.
    pub recall: f64,
    /// Copies of which at least 80 % of the words that another has too are told, by
    /// whatever families.
    pub told: f64,
    /// Words by which a copy's boundaries are missed, on average.
    pub boundary: f64,
    /// Copies that are in the family that most copies of their passage are in.
    pub purity: f64,
    /// Share of all other words that are told elsewhere by mistake.
    pub extra: f64,
    /// Mean distance of a document's originality from the truth.
    pub originality: f64,
}

impl Planted {
    pub fn score(&self, report: &Report) -> Score {
        // The stretch of each family in each document, in bytes.
        let mut stretches: BTreeMap<(usize, u32), (u32, u32)> = BTreeMap::new();
        let mut extra = 0;
        let mut is_copy: Vec<Vec<bool>> = self.told.iter().map(|words| vec![false; words.len()]).collect();
        let mut is_told = is_copy.clone();
        for copy in &self.copies {
            is_copy[copy.document][copy.start..copy.end].fill(true);
        }
        let word = |document: usize, byte: u32| {
            self.places[document].partition_point(|place| place.0 < byte as usize)
        };
        for span in &report.spans {
            let document = span.doc.parse().unwrap();
            let stretch =
                stretches.entry((document, span.family.unwrap())).or_insert((span.start_byte, span.end_byte));
            stretch.1 = span.end_byte;
            let words = word(document, span.start_byte)..word(document, span.end_byte);
            extra += is_copy[document][words.clone()].iter().filter(|is_copy| !**is_copy).count();
            is_told[document][words].fill(true);
        }
        let (mut found, mut errors, mut boundaries) = (0, 0, 0);
        let mut families: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for copy in &self.copies {
            let word = |byte: u32| word(copy.document, byte);
            let overlap = |(start, end): (u32, u32)| {
                let (start, end) = (word(start), word(end));
                end.min(copy.end).saturating_sub(start.max(copy.start))
            };
            let of_document = stretches.range((copy.document, 0)..(copy.document + 1, 0));
            let best = of_document.max_by_key(|(_, stretch)| overlap(**stretch));
            let Some((&(_, family), &stretch)) = best else { continue };
            if 10 * overlap(stretch) >= 8 * (copy.end - copy.start) {
                found += 1;
                errors += word(stretch.0).abs_diff(copy.start) + word(stretch.1).abs_diff(copy.end);
                boundaries += 2;
                families.entry(copy.passage).or_default().push(family);
            }
        }
        let majority = |of_passage: &Vec<u32>| {
            let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
            of_passage.iter().for_each(|&family| *counts.entry(family).or_default() += 1);
            counts.into_values().max().unwrap()
        };
        let originality = |row: &twicetold::DocumentRow| {
            let document: usize = row.id.parse().unwrap();
            let letters = |told: bool| -> f64 {
                let words = self.places[document].iter().zip(&self.told[document]);
                words.filter(|word| *word.1 == told).map(|((start, end), _)| (end - start) as f64).sum()
            };
            let own = letters(false);
            (row.scores.originality.unwrap() - own / (own + letters(true))).abs()
        };
        let is_told = |copy: &&Copy| {
            let words = || copy.start..copy.end;
            let shared = words().filter(|&word| self.told[copy.document][word]);
            let told = shared.clone().filter(|&word| is_told[copy.document][word]);
            10 * told.count() >= 8 * shared.count()
        };
        let own = is_copy.iter().flatten().filter(|is_copy| !**is_copy).count();
        Score {
            recall: f64::from(found) / self.copies.len() as f64,
            told: self.copies.iter().filter(is_told).count() as f64 / self.copies.len() as f64,
            boundary: errors as f64 / f64::from(boundaries),
            purity: families.values().map(majority).sum::<usize>() as f64 / f64::from(found),
            extra: extra as f64 / own as f64,
            originality: report.documents.iter().map(originality).sum::<f64>()
                / report.documents.len() as f64,
        }
    }
}

/// Texts of numbers, each of which stands once, and copies of stretches of them
/// put in anywhere: texts of 10 and up to `more` further numbers, copies of a
/// length in `lengths`.
pub fn repeats(
    random: &mut Random,
    documents: usize,
    copies: usize,
    more: usize,
    lengths: std::ops::Range<usize>,
) -> Vec<Vec<u32>> {
    let mut next = 0;
    let mut fresh = |count: usize| -> Vec<u32> {
        next += count as u32;
        (next - count as u32..next).collect()
    };
    let mut texts: Vec<Vec<u32>> = (0..documents).map(|_| fresh(10 + random.below(more))).collect();
    for _ in 0..copies {
        let from = random.below(documents);
        let len = (lengths.start + random.below(lengths.len())).min(texts[from].len());
        let start = random.below(texts[from].len() - len + 1);
        let copy = texts[from][start..start + len].to_vec();
        let to = random.below(documents);
        let at = random.below(texts[to].len() + 1);
        texts[to].splice(at..at, copy);
    }
    texts
}

/// News-like documents of about this many bytes in all: original prose,
/// a stock paragraph in every fifth, a footer in every second, a lightly edited
/// reprint now and then.
pub fn collection(seed: u64, bytes: usize) -> Vec<Document> {
    let mut random = Random(seed);
    let stock: Vec<Vec<String>> = (0..8).map(|_| random.words(45)).collect();
    let footers: Vec<String> = (0..8)
        .map(|_| {
            let words = random.words(12);
            prose(&mut random, &words)
        })
        .collect();
    let mut documents: Vec<Document> = Vec::new();
    let mut total = 0;
    while total < bytes {
        let number = documents.len();
        let count = 150 + random.below(500);
        let own = match documents.len() {
            many if many > 10 && random.chance(0.05) => {
                let earlier = &documents[random.below(many)].text;
                let words: Vec<String> = earlier.split_whitespace().map(str::to_owned).collect();
                edited(&mut random, &words, 0.02).join(" ")
            }
            _ => {
                let words = random.words(count);
                prose(&mut random, &words)
            }
        };
        let mut text = own;
        if random.chance(0.2) {
            let which = random.below(stock.len());
            let paragraph = edited(&mut random, &stock[which], 0.05);
            text = format!("{text}\n\n{}", prose(&mut random, &paragraph).replace("\n\n", " "));
        }
        let source = random.below(footers.len());
        if random.chance(0.5) {
            text = format!("{text}\n\n{}", footers[source]);
        }
        total += text.len();
        let mut document = Document::new(format!("{number:08}"), text);
        document.source = Some(format!("source-{source}"));
        documents.push(document);
    }
    documents
}
