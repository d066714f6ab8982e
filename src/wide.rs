//! What is found out of many bytes, and of many words, at once.
//!
//! It is there for every processor, and once more for those that have AVX-512, or AVX2 at
//! least, which is asked for when the program runs.

use std::hint::select_unpredictable;

use crate::hash;
use crate::lanes::{LANES, Lanes};

/// Bytes of a text that are looked at together.
pub(crate) const BLOCK: usize = 64;
/// Words that are hashed together.
pub(crate) const BATCH: usize = 64;
/// The longest word that can be hashed with others.
pub(crate) const HEAD: usize = 16;
/// So many bytes from its first on, in two numbers, the first byte the lowest of the first.
pub(crate) type Head = [u64; 2];

/// The head of a word with which some bytes begin.
#[inline]
pub(crate) fn head(bytes: &[u8; HEAD]) -> Head {
    let both = u128::from_le_bytes(*bytes);
    [both as u64, (both >> 64) as u64]
}

/// Factors that elements are multiplied by together.
pub(crate) const TOGETHER: usize = 16;

/// What the bytes of a block are, one bit each, the first byte the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// ASCII letters and digits.
    pub alphanumeric: u64,
    /// Control characters, apostrophes, and bytes outside ASCII.
    pub special: u64,
    /// How many go on with a character that began before.
    pub inner: u32,
}

/// The instructions that are used.
#[derive(Clone, Copy)]
pub(crate) struct Wide {
    #[cfg(target_arch = "x86_64")]
    avx512: Option<avx512::Avx512>,
    #[cfg(target_arch = "x86_64")]
    avx2: Option<avx2::Avx2>,
}

impl Wide {
    /// The most that this processor has.
    #[inline]
    pub(crate) fn best() -> Wide {
        Wide {
            #[cfg(target_arch = "x86_64")]
            avx512: avx512::Avx512::new(),
            #[cfg(target_arch = "x86_64")]
            avx2: avx2::Avx2::new(),
        }
    }

    /// What the bytes of a block are.
    #[inline]
    pub(crate) fn block(self, bytes: &[u8; BLOCK]) -> Block {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = self.avx512 {
            return avx512.block(bytes);
        }
        block(bytes)
    }

    /// The first 32 bits of [`hash::bytes`] of so many words of ASCII letters and digits in
    /// lower case. Each is given by its length, from 1 to [`HEAD`], and the bytes from its
    /// first on, in whatever case and whatever follows. What is returned behind the last is
    /// of no use.
    #[inline]
    pub(crate) fn hash(self, heads: &[Head; BATCH], lengths: &[u8; BATCH], count: usize) -> [u32; BATCH] {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = self.avx512 {
            return avx512.hash(heads, lengths, count);
        }
        hash(heads, lengths, count)
    }

    /// Appends [`hash::words`] of every `k` words, of at least one, that follow each other.
    #[inline]
    pub(crate) fn hash_windows(self, words: &[u32], k: usize, out: &mut Vec<u64>) {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = self.avx512 {
            return avx512.hash_windows(words, k, out);
        }
        roll(words, k, out);
    }

    /// Replaces each factor by its least product with the first 32 bits of any element,
    /// modulo 2³², or by all ones if there is none.
    #[inline]
    pub(crate) fn least_products(self, elements: &[u64], factors: &mut [[u32; TOGETHER]]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = self.avx512 {
            return avx512.least_products(elements, factors);
        } else if let Some(avx2) = self.avx2 {
            return avx2.least_products(elements, factors);
        }
        least_products(elements, factors)
    }
}

/// One factor after the other, with several elements at once.
#[inline(always)]
fn least_products(elements: &[u64], factors: &mut [[u32; TOGETHER]]) {
    for factor in factors.as_flattened_mut() {
        let products = elements.iter().map(|element| ((element >> 32) as u32).wrapping_mul(*factor));
        *factor = products.fold(u32::MAX, u32::min);
    }
}

/// Each window from the one before, by two multiplications, one after the other.
fn roll(words: &[u32], k: usize, out: &mut Vec<u64>) {
    let Some(rest) = words.get(k - 1..) else { return };
    let leaving = (1..k).fold(1u64, |power, _| power.wrapping_mul(hash::BASE));
    let mut sum = words[..k - 1].iter().fold(0, |sum, &word| hash::push(sum, word));
    out.extend(rest.iter().zip(words).map(|(&enters, &leaves)| {
        let whole = hash::push(sum, enters);
        sum = whole.wrapping_sub((u64::from(leaves) + 1).wrapping_mul(leaving));
        hash::mix(whole)
    }));
}

/// Each window by itself, by `k` multiplications, for several at once.
#[cfg(any(test, target_arch = "x86_64"))]
#[inline(always)]
fn hash_windows(words: &[u32], k: usize, out: &mut Vec<u64>) {
    const SOME: usize = 32;
    out.reserve((words.len() + 1).saturating_sub(k));
    let mut at = 0;
    while words.len() - at >= SOME + k - 1 {
        let mut sums = [0; SOME];
        for by in 0..k {
            let some: &[u32; SOME] = words[at + by..].first_chunk().expect("so many");
            sums.iter_mut().zip(some).for_each(|(sum, word)| *sum = hash::push(*sum, *word));
        }
        sums.iter_mut().for_each(|sum| *sum = hash::mix(*sum));
        out.extend_from_slice(&sums);
        at += SOME;
    }
    roll(&words[at..], k, out);
}

fn block(bytes: &[u8; BLOCK]) -> Block {
    let (mut alphanumeric, mut special, mut inner) = (0, 0, 0);
    let (chunks, _) = bytes.as_chunks::<LANES>();
    for (at, chunk) in chunks.iter().enumerate() {
        let chunk = Lanes::of_bytes(chunk);
        // As signed numbers those outside ASCII are the least.
        let control = Lanes::splat(b' ' as i8).above(chunk);
        let is_special = control.or(chunk.alike(Lanes::splat(b'\'' as i8)));
        alphanumeric |= u64::from(chunk.letters().or(chunk.digits()).bits()) << (LANES * at);
        special |= u64::from(is_special.bits()) << (LANES * at);
        inner += chunk.inner().bits().count_ones();
    }
    Block { alphanumeric, special, inner }
}

/// The same work for every word, so that it can be made of instructions for several.
#[inline(always)]
fn hash(heads: &[Head; BATCH], lengths: &[u8; BATCH], count: usize) -> [u32; BATCH] {
    let mut hashes = [0; BATCH];
    // Some more than there are, for a whole number of such instructions.
    for at in 0..count.next_multiple_of(LANES).min(BATCH) {
        hashes[at] = (hash_word(heads[at], lengths[at].into()) >> 32) as u32;
    }
    hashes
}

/// [`hash::bytes`] of one such word.
#[inline(always)]
pub(crate) fn hash_word(head: Head, length: u64) -> u64 {
    let [first, second] = head.map(|eight| eight | CASE);
    // Of a short word the second eight bytes count for nothing. Both are taken, and then it
    // is chosen: nobody can foresee which words are long.
    let is_long = length > 8;
    let first = first & u64::MAX >> if is_long { 0 } else { 64 - 8 * length };
    let second = second & u64::MAX >> (64u64.wrapping_sub(8 * length) % 64);
    let short = hash::step(hash::start(length as usize), first);
    let long = hash::step(short, second);
    hash::mix(select_unpredictable(is_long, long, short))
}

/// What makes a letter small, in each of eight bytes; set in every digit too.
pub(crate) const CASE: u64 = 0x2020_2020_2020_2020;

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "a quarter of the time of the tokeniser; judged by the same without it")]
mod avx512 {
    use std::arch::is_x86_feature_detected as has;
    use std::arch::x86_64::*;

    use super::{BATCH, BLOCK, Block, Head, TOGETHER};

    /// Is only where the processor has all instructions that are used here.
    #[derive(Clone, Copy)]
    pub(super) struct Avx512(());

    impl Avx512 {
        #[inline]
        pub(super) fn new() -> Option<Avx512> {
            let has =
                has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") && has!("popcnt");
            has.then_some(Avx512(()))
        }

        #[inline]
        pub(super) fn block(self, bytes: &[u8; BLOCK]) -> Block {
            // SAFETY: the processor has these instructions, since there is an `Avx512`.
            unsafe { block(bytes) }
        }

        #[inline]
        pub(super) fn hash(self, heads: &[Head; BATCH], lengths: &[u8; BATCH], count: usize) -> [u32; BATCH] {
            // SAFETY: the same.
            unsafe { hash(heads, lengths, count) }
        }

        #[inline]
        pub(super) fn hash_windows(self, words: &[u32], k: usize, out: &mut Vec<u64>) {
            // SAFETY: the same.
            unsafe { hash_windows(words, k, out) }
        }

        #[inline]
        pub(super) fn least_products(self, elements: &[u64], factors: &mut [[u32; TOGETHER]]) {
            // SAFETY: the same.
            unsafe { least_products(elements, factors) }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,popcnt")]
    fn block(bytes: &[u8; BLOCK]) -> Block {
        // SAFETY: so many bytes are read, from wherever.
        let bytes = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
        let all = |byte: u8| _mm512_set1_epi8(byte as i8);
        let within =
            |bytes, first, count| _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, all(first)), all(count));
        let letters = within(_mm512_or_si512(bytes, all(0x20)), b'a', 26);
        let special = _mm512_cmplt_epi8_mask(bytes, all(b' ')) | _mm512_cmpeq_epi8_mask(bytes, all(b'\''));
        // 10xxxxxx, the least of all as signed numbers.
        let inner = _mm512_cmplt_epi8_mask(bytes, all(0xc0)).count_ones();
        Block { alphanumeric: letters | within(bytes, b'0', 10), special, inner }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn hash(heads: &[Head; BATCH], lengths: &[u8; BATCH], count: usize) -> [u32; BATCH] {
        super::hash(heads, lengths, count)
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn hash_windows(words: &[u32], k: usize, out: &mut Vec<u64>) {
        super::hash_windows(words, k, out);
    }

    /// One element after the other, with several factors at once: there may be few elements.
    #[target_feature(enable = "avx512f")]
    fn least_products(elements: &[u64], factors: &mut [[u32; TOGETHER]]) {
        for factors in factors {
            // SAFETY: a vector is as many numbers, and may lie anywhere.
            let these = unsafe { _mm512_loadu_si512(factors.as_ptr().cast()) };
            let mut least = _mm512_set1_epi32(-1);
            for element in elements {
                let first = _mm512_set1_epi32((element >> 32) as i32);
                least = _mm512_min_epu32(least, _mm512_mullo_epi32(these, first));
            }
            // SAFETY: the same.
            unsafe { _mm512_storeu_si512(factors.as_mut_ptr().cast(), least) };
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "two thirds of the time of a small sketch; judged by the same without it")]
mod avx2 {
    use super::TOGETHER;

    /// Is only where the processor has all instructions that are used here.
    #[derive(Clone, Copy)]
    pub(super) struct Avx2(());

    impl Avx2 {
        #[inline]
        pub(super) fn new() -> Option<Avx2> {
            std::arch::is_x86_feature_detected!("avx2").then_some(Avx2(()))
        }

        #[inline]
        pub(super) fn least_products(self, elements: &[u64], factors: &mut [[u32; TOGETHER]]) {
            // SAFETY: the processor has these instructions, since there is an `Avx2`.
            unsafe { least_products(elements, factors) }
        }
    }

    #[target_feature(enable = "avx2")]
    fn least_products(elements: &[u64], factors: &mut [[u32; TOGETHER]]) {
        super::least_products(elements, factors);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes() -> impl Strategy<Value = u8> {
        prop_oneof![any::<u8>(), prop::sample::select(b"09azAZ/:`{@[ \n'\x7f\x80\xbf\xc0".to_vec())]
    }

    proptest! {
        #[test]
        fn blocks_equal_a_look_at_each_byte(bytes in prop::collection::vec(bytes(), BLOCK)) {
            let bits = |is: fn(u8) -> bool| (0..).zip(&bytes).fold(0, |bits, (at, &byte)| bits | u64::from(is(byte)) << at);
            let expected = Block {
                alphanumeric: bits(|byte| byte.is_ascii_alphanumeric()),
                special: bits(|byte| byte < b' ' || byte == b'\'' || !byte.is_ascii()),
                inner: bits(|byte| byte & 0xc0 == 0x80).count_ones(),
            };
            let bytes = bytes.first_chunk().unwrap();
            prop_assert_eq!(block(bytes), expected);
            prop_assert_eq!(Wide::best().block(bytes), expected);
        }

        #[test]
        fn windows_are_hashed_as_each_alone(words in prop::collection::vec(any::<u32>(), 0..200), k in 1usize..20) {
            let expected: Vec<u64> = words.windows(k).map(hash::words).collect();
            for hashed in [roll, hash_windows, |words: &[u32], k, out: &mut Vec<u64>| Wide::best().hash_windows(words, k, out)] {
                let mut found = Vec::new();
                hashed(&words, k, &mut found);
                prop_assert_eq!(&found, &expected);
            }
        }

        #[test]
        fn products_are_the_least_of_each_factor(
            elements in prop::collection::vec(any::<u64>(), 0..50),
            factors in prop::collection::vec(prop::array::uniform16(any::<u32>()), 0..8),
        ) {
            let least = |factor: u32| {
                let products = elements.iter().map(|element| (element >> 32) * u64::from(factor));
                products.map(|product| product as u32).min().unwrap_or(u32::MAX)
            };
            let expected: Vec<[u32; TOGETHER]> = factors.iter().map(|factors| factors.map(least)).collect();
            let plain = |elements: &[u64], factors: &mut [[u32; TOGETHER]]| least_products(elements, factors);
            let best = |elements: &[u64], factors: &mut [[u32; TOGETHER]]| Wide::best().least_products(elements, factors);
            let middle = |elements: &[u64], factors: &mut [[u32; TOGETHER]]| {
                let all = Wide::best();
                Wide { #[cfg(target_arch = "x86_64")] avx512: None, ..all }.least_products(elements, factors);
            };
            for replace in [plain, best, middle] {
                let mut found = factors.clone();
                replace(&elements, &mut found);
                prop_assert_eq!(&found, &expected);
            }
        }

        #[test]
        fn words_are_hashed_as_each_alone(words in prop::collection::vec(("[a-zA-Z0-9]{1,16}", prop::array::uniform16(bytes())), 0..=BATCH)) {
            let (mut heads, mut lengths) = ([Head::default(); BATCH], [1; BATCH]);
            for (at, (word, behind)) in words.iter().enumerate() {
                let mut bytes = *behind;
                bytes[..word.len()].copy_from_slice(word.as_bytes());
                heads[at] = head(&bytes);
                lengths[at] = word.len() as u8;
            }
            // Bit 5 is set in all of them.
            let alone = |word: &String| (hash::bytes(word.bytes().map(|byte| byte | 0x20).collect::<Vec<_>>().as_slice()) >> 32) as u32;
            let expected: Vec<u32> = words.iter().map(|(word, _)| alone(word)).collect();
            prop_assert_eq!(&hash(&heads, &lengths, words.len())[..words.len()], &expected);
            prop_assert_eq!(&Wide::best().hash(&heads, &lengths, words.len())[..words.len()], &expected);
        }
    }
}
