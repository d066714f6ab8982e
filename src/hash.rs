//! The stable hash: everything that may be written out, compared across runs
//! or allowed to decide an order is hashed with the functions of this file.
//!
//! They are specified here, byte for byte, and pinned by golden vectors in the
//! tests: the same on every platform and in every release. None of them resists
//! an adversary; whatever they find is checked on the text before it is
//! reported. Lookup tables that never leave memory use `ahash` instead.

/// Odd multiplier of [`bytes()`], the fractional part of the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
/// Odd multiplier of the finaliser, from SplitMix64's second round
/// (Steele, Lea, Flood, *Fast Splittable Pseudorandom Number Generators*).
const FINAL: u64 = 0x94d0_49bb_1331_11eb;
/// Base of the rolling polynomial over words.
pub(crate) const BASE: u64 = 0xd6e8_feb8_6659_fd93;

/// Hashes a byte string, usually a folded token in UTF-8.
///
/// The string is read as little-endian 64-bit chunks, the last one padded with
/// zero bytes. Starting from `len * STEP`, each chunk is xored in, then the
/// state is multiplied by `STEP` and its upper half xored onto the lower;
/// [`mix`] finishes. Two different strings of one length up to 8 bytes never
/// collide, because every step is a bijection.
#[inline]
pub(crate) fn bytes(text: &[u8]) -> u64 {
    let mut state = start(text.len());
    let mut chunks = text.chunks_exact(8);
    for chunk in &mut chunks {
        state = step(state, u64::from_le_bytes(chunk.try_into().expect("eight bytes")));
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        state = step(state, u64::from_le_bytes(last));
    }
    mix(state)
}

/// The state [`bytes()`] starts from for a string of `len` bytes.
#[inline]
pub(crate) fn start(len: usize) -> u64 {
    (len as u64).wrapping_mul(STEP)
}

/// Takes one 8-byte chunk into the state.
#[inline]
pub(crate) fn step(state: u64, chunk: u64) -> u64 {
    let state = (state ^ chunk).wrapping_mul(STEP);
    state ^ (state >> 32)
}

/// Scrambles a 64-bit value; a bijection.
#[inline]
pub(crate) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 29)).wrapping_mul(FINAL);
    (value ^ (value >> 32)).wrapping_mul(BASE) ^ (value >> 31)
}

/// Hashes a sequence of words: the polynomial in `BASE` whose coefficients are
/// the words plus one, highest power first, modulo 2^64, then [`mix`].
///
/// A shingle's hash is this function of its words, so it can be rolled along a
/// text.
#[inline]
pub(crate) fn words(words: &[u32]) -> u64 {
    mix(words.iter().fold(0, |sum, &word| push(sum, word)))
}

/// Appends a word to an unfinished polynomial.
#[inline]
pub(crate) fn push(sum: u64, word: u32) -> u64 {
    sum.wrapping_mul(BASE).wrapping_add(u64::from(word) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The promise of the module: these numbers never change. They come from a
    /// second implementation, in another language.
    #[test]
    fn golden_vectors() {
        let cases: [(&str, u64); 7] = [
            ("", 0x0000000000000000),
            ("a", 0x556b0e13750bc90a),
            ("peoples", 0x4446ff14cd5d000e),
            ("mojahedin", 0xcc1f8935517476f1),
            ("12345678", 0x6f4e2ee534afa556),
            ("新", 0x8b06b8d4b3f1e2ef),
            ("internationalization", 0x21f5ce71f0f0e81b),
        ];
        for (text, expected) in cases {
            assert_eq!(bytes(text.as_bytes()), expected, "{text:?}");
        }
        assert_eq!(words(&[]), 0);
        assert_eq!(words(&[1, 2, 3, 4, 5]), 0xb77e64a82537e698);
    }

    #[test]
    fn trailing_zero_bytes_count() {
        assert_ne!(bytes(b"a"), bytes(b"a\0"));
        assert_ne!(words(&[0]), words(&[0, 0]));
    }
}
