//! Generated text for tests and benches: prose of made-up words with a natural
//! distribution, and passages planted in it, so that the truth is known.

#![allow(dead_code, reason = "each test and bench uses a part")]
#![allow(clippy::unwrap_used, reason = "test support")]

use twicetold::Document;

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
    let mut out = Vec::new();
    for word in words {
        if !random.chance(rate) {
            out.push(word.clone());
            continue;
        }
        match random.below(4) {
            0 => {}
            1 => out.extend([word.clone(), random.word()]),
            _ => out.push(random.word()),
        }
    }
    out
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

/// Documents of one-line prose with passages planted at random places. Word
/// numbers are token numbers.
pub struct Planted {
    pub documents: Vec<Document>,
    pub copies: Vec<Copy>,
    /// Byte where each word of each document starts, and where it ends.
    pub places: Vec<Vec<(usize, usize)>>,
}

/// Plants `passages` passages of `length` words, each in `copies` of the
/// documents, every copy with a share `rate` of its words edited.
pub fn planted(
    seed: u64,
    documents: usize,
    passages: usize,
    copies: usize,
    length: usize,
    rate: f64,
) -> Planted {
    let mut random = Random(seed);
    let mut parts: Vec<Vec<(Option<usize>, Vec<String>)>> = (0..documents)
        .map(|_| {
            let words = 200 + random.below(200);
            vec![(None, random.words(words))]
        })
        .collect();
    for passage in 0..passages {
        let original = random.words(length);
        let mut chosen: Vec<usize> = (0..documents).collect();
        for at in 0..copies {
            let other = at + random.below(documents - at);
            chosen.swap(at, other);
            let parts = &mut parts[chosen[at]];
            // Into the middle of a stretch of its own words.
            let stretches: Vec<usize> =
                (0..parts.len()).filter(|&n| parts[n].0.is_none() && parts[n].1.len() > 60).collect();
            let Some(&stretch) = stretches.get(random.below(stretches.len().max(1))) else { continue };
            let cut = 20 + random.below(parts[stretch].1.len() - 40);
            let rest = parts[stretch].1.split_off(cut);
            let copy = edited(&mut random, &original, rate);
            parts.splice(stretch + 1..stretch + 1, [(Some(passage), copy), (None, rest)]);
        }
    }
    let mut planted = Planted { documents: Vec::new(), copies: Vec::new(), places: Vec::new() };
    for (document, parts) in parts.into_iter().enumerate() {
        let mut words = Vec::new();
        for (passage, part) in parts {
            let start = words.len();
            words.extend(part);
            if let Some(passage) = passage {
                planted.copies.push(Copy { passage, document, start, end: words.len() });
            }
        }
        let mut places = Vec::new();
        let mut text = String::new();
        for word in &words {
            places.push((text.len(), text.len() + word.len()));
            text.push_str(word);
            text.push(' ');
        }
        planted.documents.push(Document::new(format!("{document:05}"), text));
        planted.places.push(places);
    }
    planted
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
