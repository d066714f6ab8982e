//! Sentences: passages that were reworded, found as sets of words.
//!
//! A rewritten or shuffled copy shares few runs with its original but many
//! words. The sentences of two documents are compared as bags of words, weighted
//! by how few sentences have each word (Spärck Jones, *A statistical
//! interpretation of term specificity*, 1972); those alike enough are seeds.
//! Seeds that stand close together in both documents are joined into a passage,
//! across gaps that are narrowed until the passage as a whole is alike
//! (Sanchez-Perez, Sidorov, Gelbukh, *A Winning Approach to Text Alignment for
//! Text Reuse Detection at PAN 2014*, section 3). Frequent words propose no
//! pairs, so the time is near linear in the texts.

use std::ops::Range;

use ahash::AHashMap;

use crate::tokens::Tokens;

/// Fewest tokens of a sentence; a shorter one goes with the next.
const SHORT: usize = 5;
/// Most tokens of a sentence; a list or table without full stops is cut.
const LONG: usize = 60;
/// Cosine and Dice coefficient of two sentences from which they are a seed.
const COSINE: f64 = 0.28;
const DICE: f64 = 0.28;
/// Cosine of two passages as a whole.
const WHOLE: f64 = 0.4;
/// Most sentences between two seeds of a passage.
const GAP: usize = 4;
/// Sentences of one document a word may stand in to propose pairs.
const FREQUENT: usize = 64;

/// A passage: tokens of `a` and of `b`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reworded {
    pub a: Range<u32>,
    pub b: Range<u32>,
}

/// The reworded passages of two documents, sorted by their place in `b`.
pub(crate) fn reworded(a: &Tokens, b: &Tokens) -> Vec<Reworded> {
    let texts = Texts::new(a, b);
    let mut found = Vec::new();
    texts.grow(texts.seeds(), GAP, &mut found);
    found.sort_unstable_by_key(|passage: &Reworded| {
        (passage.b.start, passage.a.start, passage.b.end, passage.a.end)
    });
    found
}

/// A sentence of the one document and one of the other.
type Seed = (usize, usize);

/// A bag of words: their numbers, sorted, with their counts.
type Bag = Vec<(u32, u32)>;

/// Two documents as sentences.
struct Texts {
    a: Sentences,
    b: Sentences,
    /// The weight of each word.
    weights: Vec<f64>,
}

struct Sentences {
    /// First token of each sentence, and the number of tokens.
    starts: Vec<usize>,
    bags: Vec<Bag>,
    /// The length of each bag as a weighted vector.
    norms: Vec<f64>,
}

impl Texts {
    fn new(a: &Tokens, b: &Tokens) -> Texts {
        let mut numbers: AHashMap<u32, u32> = AHashMap::new();
        let mut sentences = |tokens: &Tokens| {
            let starts = starts(tokens);
            let bags = starts.windows(2).map(|ends| {
                let mut words: Vec<u32> = Vec::with_capacity(ends[1] - ends[0]);
                for &word in &tokens.words[ends[0]..ends[1]] {
                    let next = numbers.len() as u32;
                    words.push(*numbers.entry(word).or_insert(next));
                }
                bag(words.into_iter().map(|word| (word, 1)).collect())
            });
            Sentences { bags: bags.collect(), starts, norms: Vec::new() }
        };
        let (mut a, mut b) = (sentences(a), sentences(b));
        let mut frequencies = vec![0u32; numbers.len()];
        let all = a.bags.iter().chain(&b.bags);
        all.flatten().for_each(|&(word, _)| frequencies[word as usize] += 1);
        let total = (a.bags.len() + b.bags.len()) as f64;
        let weights: Vec<f64> = frequencies.iter().map(|&count| (total / f64::from(count)).ln()).collect();
        for side in [&mut a, &mut b] {
            side.norms = side.bags.iter().map(|bag| norm(bag, &weights)).collect();
        }
        Texts { a, b, weights }
    }

    /// Pairs of sentences that are alike.
    fn seeds(&self) -> Vec<Seed> {
        let mut with: Vec<Vec<u32>> = vec![Vec::new(); self.weights.len()];
        for (bag, number) in self.a.bags.iter().zip(0..) {
            bag.iter().for_each(|&(word, _)| with[word as usize].push(number));
        }
        let mut seeds = Vec::new();
        // The last sentence of b for which a sentence of a was looked at.
        let mut seen = vec![usize::MAX; self.a.bags.len()];
        for (j, y) in self.b.bags.iter().enumerate() {
            let rare = y.iter().map(|&(word, _)| &with[word as usize]).filter(|with| with.len() <= FREQUENT);
            for &i in rare.flatten() {
                let i = i as usize;
                if std::mem::replace(&mut seen[i], j) == j {
                    continue;
                }
                let x = &self.a.bags[i];
                let (dot, common) = shared(x, y, &self.weights);
                let alike = dot > COSINE * self.a.norms[i] * self.b.norms[j];
                if alike && 2.0 * f64::from(common) > DICE * (x.len() + y.len()) as f64 {
                    seeds.push((i, j));
                }
            }
        }
        seeds
    }

    /// Joins seeds that are at most `gap` sentences apart in both documents, and
    /// tries again with smaller gaps where the whole is not alike.
    fn grow(&self, seeds: Vec<Seed>, gap: usize, found: &mut Vec<Reworded>) {
        for group in split(seeds, gap) {
            let extent = |side: fn(&Seed) -> usize| {
                let places = || group.iter().map(side);
                places().min().unwrap_or(0)..places().max().map_or(0, |last| last + 1)
            };
            let (a, b) = (extent(|seed| seed.0), extent(|seed| seed.1));
            if self.alike(a.clone(), b.clone()) {
                let tokens = |side: &Sentences, sentences: Range<usize>| {
                    side.starts[sentences.start] as u32..side.starts[sentences.end] as u32
                };
                found.push(Reworded { a: tokens(&self.a, a), b: tokens(&self.b, b) });
            } else if gap > 0 {
                self.grow(group, gap - 1, found);
            }
        }
    }

    /// Whether two stretches of sentences are alike as a whole.
    fn alike(&self, a: Range<usize>, b: Range<usize>) -> bool {
        let whole = |side: &Sentences, sentences: Range<usize>| bag(side.bags[sentences].concat());
        let (x, y) = (whole(&self.a, a), whole(&self.b, b));
        let (dot, _) = shared(&x, &y, &self.weights);
        dot > WHOLE * norm(&x, &self.weights) * norm(&y, &self.weights)
    }
}

/// Where the sentences of a text start, and its end.
fn starts(tokens: &Tokens) -> Vec<usize> {
    let mut starts: Vec<usize> = Vec::new();
    for at in 0..tokens.len() {
        let begins = match starts.last() {
            None => true,
            Some(start) => {
                at - start >= SHORT
                    && (at - start >= LONG || tokens.starts_block(at) || tokens.starts_sentence(at))
            }
        };
        if begins {
            starts.push(at);
        }
    }
    starts.push(tokens.len());
    starts
}

/// Sorts a bag and adds up what it holds twice.
fn bag(mut words: Bag) -> Bag {
    words.sort_unstable();
    words.dedup_by(|next, last| {
        let same = next.0 == last.0;
        last.1 += if same { next.1 } else { 0 };
        same
    });
    words
}

fn norm(bag: &Bag, weights: &[f64]) -> f64 {
    let square = |&(word, count): &(u32, u32)| (weights[word as usize] * f64::from(count)).powi(2);
    bag.iter().map(square).sum::<f64>().sqrt()
}

/// The inner product of two bags, and the number of words in both.
fn shared(x: &Bag, y: &Bag, weights: &[f64]) -> (f64, u32) {
    let (mut dot, mut common) = (0.0, 0);
    let mut rest = y.iter().peekable();
    for &(word, count) in x {
        while rest.next_if(|other| other.0 < word).is_some() {}
        if let Some(other) = rest.next_if(|other| other.0 == word) {
            dot += weights[word as usize].powi(2) * f64::from(count) * f64::from(other.1);
            common += 1;
        }
    }
    (dot, common)
}

/// Splits seeds into groups in which none is more than `gap` sentences from the
/// next in either document.
fn split(seeds: Vec<Seed>, gap: usize) -> Vec<Vec<Seed>> {
    let mut open = vec![seeds];
    let mut done = Vec::new();
    while let Some(mut group) = open.pop() {
        let before = open.len();
        for side in [|seed: &Seed| seed.0, |seed: &Seed| seed.1] {
            group.sort_unstable_by_key(side);
            let parts = || group.chunk_by(|x, y| side(y) - side(x) <= gap + 1);
            if parts().count() > 1 {
                open.extend(parts().map(<[Seed]>::to_vec));
                break;
            }
        }
        if open.len() == before && !group.is_empty() {
            done.push(group);
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::tokens::TokenChunk;

    fn texts(a: &str, b: &str) -> Texts {
        let chunk = TokenChunk::new([a, b].into_iter(), false);
        Texts::new(&chunk.get(0, a), &chunk.get(1, b))
    }

    #[test]
    fn sentences_end_at_stops_and_blocks_but_not_in_numbers() {
        let text = "It took 3.5 years in all. \u{201c}Was it worth it?\u{201d} she asked him twice.\n\nA heading of five words\n\nNo.";
        let chunk = TokenChunk::new(std::iter::once(text), false);
        // A lone word goes with nothing after it.
        assert_eq!(starts(&chunk.get(0, text)), [0, 7, 15, 20, 21]);
    }

    /// All pairs of sentences, compared with maps.
    fn naive_seeds(texts: &Texts) -> BTreeSet<Seed> {
        let map = |bag: &Bag| bag.iter().copied().collect::<BTreeMap<u32, u32>>();
        let weighted = |word: &u32, count: &u32| texts.weights[*word as usize] * f64::from(*count);
        let norm =
            |bag: &BTreeMap<u32, u32>| bag.iter().map(|(w, c)| weighted(w, c).powi(2)).sum::<f64>().sqrt();
        let mut seeds = BTreeSet::new();
        for (i, x) in texts.a.bags.iter().map(map).enumerate() {
            for (j, y) in texts.b.bags.iter().map(map).enumerate() {
                let common: Vec<&u32> = x.keys().filter(|word| y.contains_key(word)).collect();
                let dot: f64 =
                    common.iter().map(|word| weighted(word, &x[word]) * weighted(word, &y[word])).sum();
                let dice = 2.0 * common.len() as f64 / (x.len() + y.len()) as f64;
                // A hair's breadth aside, sums in another order may differ.
                if !common.is_empty() && dot > COSINE * norm(&x) * norm(&y) + 1e-9 && dice > DICE {
                    seeds.insert((i, j));
                }
            }
        }
        seeds
    }

    proptest! {
        #[test]
        fn seeds_equal_those_of_all_pairs(
            a in prop::collection::vec(prop::collection::vec(0u8..20, 5..9), 0..8),
            b in prop::collection::vec(prop::collection::vec(0u8..20, 5..9), 0..8),
        ) {
            let text = |sentences: &[Vec<u8>]| -> String {
                let sentence = |words: &Vec<u8>| words.iter().map(|word| format!("w{word} ")).collect::<String>();
                sentences.iter().map(|words| sentence(words) + "end. ").collect()
            };
            let texts = texts(&text(&a), &text(&b));
            let found: BTreeSet<Seed> = texts.seeds().into_iter().collect();
            let expected = naive_seeds(&texts);
            prop_assert!(expected.is_subset(&found), "{expected:?} in {found:?}");
            prop_assert!(found.len() <= expected.len() + 1);
        }

        #[test]
        fn groups_are_those_of_linked_seeds(seeds in prop::collection::btree_set((0usize..30, 0usize..30), 0..25), gap in 0usize..4) {
            let groups = split(seeds.iter().copied().collect(), gap);
            let all: BTreeSet<Seed> = groups.iter().flatten().copied().collect();
            prop_assert_eq!(&all, &seeds);
            prop_assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), seeds.len());
            for group in &groups {
                for side in [|seed: &Seed| seed.0, |seed: &Seed| seed.1] {
                    let places: BTreeSet<usize> = group.iter().map(side).collect();
                    let places: Vec<usize> = places.into_iter().collect();
                    prop_assert!(places.windows(2).all(|pair| pair[1] - pair[0] <= gap + 1));
                }
            }
        }
    }
}
