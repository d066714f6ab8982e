//! Sixteen small numbers that are worked on at once, in vector code.
//!
//! On x86-64 with the instructions that every such processor has; elsewhere by
//! plain loops, by which the former are judged.

/// How many.
pub(crate) const LANES: usize = 16;

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use plain::Lanes;
#[cfg(target_arch = "x86_64")]
pub(crate) use vector::Lanes;

/// SAFETY, for all of it: these instructions are part of every x86-64 processor,
/// and none of them touches memory.
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "extensions take two fifths of the time of plain loops, by which it is judged"
)]
mod vector {
    use std::arch::x86_64::*;

    use super::LANES;

    /// Sixteen numbers of 8 bits; sums stay inside these. A *mask* is -1 or 0 in
    /// each lane.
    #[derive(Clone, Copy)]
    pub(crate) struct Lanes(__m128i);

    /// Four of some words.
    #[inline]
    fn four(words: &[u32], from: usize) -> __m128i {
        let at = |at: usize| words[from + at] as i32;
        unsafe { _mm_setr_epi32(at(0), at(1), at(2), at(3)) }
    }

    impl Lanes {
        #[inline]
        pub(crate) fn new(each: [i8; LANES]) -> Lanes {
            let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = each;
            Lanes(unsafe { _mm_setr_epi8(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) })
        }

        #[inline]
        pub(crate) fn splat(all: i8) -> Lanes {
            Lanes(unsafe { _mm_set1_epi8(all) })
        }

        /// The mask of the words that equal a word, the first in lane 0 or, with
        /// `BACK`, in the last lane.
        #[inline]
        pub(crate) fn equal<const BACK: bool>(words: &[u32; LANES], word: u32) -> Lanes {
            let at = |at: usize| words[if BACK { LANES - 1 - at } else { at }] as i32;
            let word = unsafe { _mm_set1_epi32(word as i32) };
            Lanes::of_words(|from| unsafe {
                let four = _mm_setr_epi32(at(from), at(from + 1), at(from + 2), at(from + 3));
                _mm_cmpeq_epi32(four, word)
            })
        }

        /// The mask of the places at which both have the same word.
        #[inline]
        pub(crate) fn equal_each(words: &[u32; LANES], others: &[u32; LANES]) -> Lanes {
            Lanes::of_words(|from| unsafe { _mm_cmpeq_epi32(four(words, from), four(others, from)) })
        }

        /// The mask of the places at which the first has the lesser word; all are below
        /// 2³¹.
        #[inline]
        pub(crate) fn less_each(words: &[u32; LANES], others: &[u32; LANES]) -> Lanes {
            Lanes::of_words(|from| unsafe { _mm_cmplt_epi32(four(words, from), four(others, from)) })
        }

        /// The mask of the words that equal one of those around them: word `at` one of
        /// the five from `at` on.
        #[inline]
        pub(crate) fn equal_any(words: &[u32; LANES], others: &[u32; LANES + 4]) -> Lanes {
            Lanes::of_words(|from| unsafe {
                let own = four(words, from);
                let equal = |by: usize| _mm_cmpeq_epi32(own, four(others, from + by));
                let (x, y) = (_mm_or_si128(equal(0), equal(1)), _mm_or_si128(equal(2), equal(3)));
                _mm_or_si128(_mm_or_si128(x, y), equal(4))
            })
        }

        /// The mask that masks of four words each come to.
        #[inline]
        fn of_words(mask: impl Fn(usize) -> __m128i) -> Lanes {
            Lanes(unsafe {
                _mm_packs_epi16(_mm_packs_epi32(mask(0), mask(4)), _mm_packs_epi32(mask(8), mask(12)))
            })
        }

        #[inline]
        pub(crate) fn plus(self, other: Lanes) -> Lanes {
            Lanes(unsafe { _mm_adds_epi8(self.0, other.0) })
        }

        /// Less by others, 0 at the least; none of both is below 0.
        #[inline]
        pub(crate) fn minus(self, other: Lanes) -> Lanes {
            Lanes(unsafe { _mm_subs_epu8(self.0, other.0) })
        }

        /// The greater of both in each lane; none is below 0.
        #[inline]
        pub(crate) fn max(self, other: Lanes) -> Lanes {
            Lanes(unsafe { _mm_max_epu8(self.0, other.0) })
        }

        #[inline]
        pub(crate) fn and(self, other: Lanes) -> Lanes {
            Lanes(unsafe { _mm_and_si128(self.0, other.0) })
        }

        #[inline]
        pub(crate) fn or(self, other: Lanes) -> Lanes {
            Lanes(unsafe { _mm_or_si128(self.0, other.0) })
        }

        /// These where a mask is not set.
        #[inline]
        pub(crate) fn without(self, mask: Lanes) -> Lanes {
            Lanes(unsafe { _mm_andnot_si128(mask.0, self.0) })
        }

        /// The mask of the lanes in which both are equal.
        #[inline]
        pub(crate) fn alike(self, other: Lanes) -> Lanes {
            Lanes(unsafe { _mm_cmpeq_epi8(self.0, other.0) })
        }

        /// The mask of the lanes in which these are greater.
        #[inline]
        pub(crate) fn above(self, other: Lanes) -> Lanes {
            Lanes(unsafe { _mm_cmpgt_epi8(self.0, other.0) })
        }

        /// Moved to the next higher lane; 0 comes into the first.
        #[inline]
        pub(crate) fn up<const BY: i32>(self) -> Lanes {
            Lanes(unsafe { _mm_slli_si128::<BY>(self.0) })
        }

        /// Moved to the next lower lane; 0 comes into the last.
        #[inline]
        pub(crate) fn down(self) -> Lanes {
            Lanes(unsafe { _mm_srli_si128::<1>(self.0) })
        }

        /// How many lanes of a mask are set.
        #[inline]
        pub(crate) fn set(self) -> u64 {
            self.and(Lanes::splat(1)).total()
        }

        /// The sum of all lanes, none of which is below 0.
        #[inline]
        pub(crate) fn total(self) -> u64 {
            unsafe {
                let halves = _mm_sad_epu8(self.0, _mm_setzero_si128());
                (_mm_cvtsi128_si64(halves) + _mm_cvtsi128_si64(_mm_srli_si128::<8>(halves))) as u64
            }
        }

        /// Some bytes, those outside ASCII as numbers below 0.
        #[inline]
        pub(crate) fn of_bytes(bytes: &[u8; LANES]) -> Lanes {
            // SAFETY: both are sixteen bytes, and any will do. Made of single bytes, those that
            // overlap would be put together of pieces.
            Lanes(unsafe { std::mem::transmute::<[u8; LANES], __m128i>(*bytes) })
        }

        /// These as bytes, numbers below 0 as those outside ASCII.
        #[inline]
        pub(crate) fn to_bytes(self) -> [u8; LANES] {
            // SAFETY: both are sixteen bytes, and any will do.
            unsafe { std::mem::transmute(self.0) }
        }

        /// The lanes that are below 0, one bit each.
        #[inline]
        pub(crate) fn bits(self) -> u16 {
            unsafe { _mm_movemask_epi8(self.0) as u16 }
        }
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod plain {
    use super::LANES;

    /// The same, lane by lane.
    #[derive(Clone, Copy)]
    pub(crate) struct Lanes([i8; LANES]);

    fn each(lane: impl Fn(usize) -> i8) -> Lanes {
        Lanes(std::array::from_fn(lane))
    }

    impl Lanes {
        pub(crate) fn new(each: [i8; LANES]) -> Lanes {
            Lanes(each)
        }

        pub(crate) fn splat(all: i8) -> Lanes {
            Lanes([all; LANES])
        }

        pub(crate) fn equal<const BACK: bool>(words: &[u32; LANES], word: u32) -> Lanes {
            each(|at| -i8::from(words[if BACK { LANES - 1 - at } else { at }] == word))
        }

        pub(crate) fn equal_each(words: &[u32; LANES], others: &[u32; LANES]) -> Lanes {
            each(|at| -i8::from(words[at] == others[at]))
        }

        pub(crate) fn less_each(words: &[u32; LANES], others: &[u32; LANES]) -> Lanes {
            each(|at| -i8::from(words[at] < others[at]))
        }

        pub(crate) fn equal_any(words: &[u32; LANES], others: &[u32; LANES + 4]) -> Lanes {
            each(|at| -i8::from(others[at..at + 5].contains(&words[at])))
        }

        pub(crate) fn plus(self, other: Lanes) -> Lanes {
            each(|at| self.0[at].saturating_add(other.0[at]))
        }

        pub(crate) fn minus(self, other: Lanes) -> Lanes {
            each(|at| (self.0[at] as u8).saturating_sub(other.0[at] as u8) as i8)
        }

        pub(crate) fn max(self, other: Lanes) -> Lanes {
            each(|at| (self.0[at] as u8).max(other.0[at] as u8) as i8)
        }

        pub(crate) fn and(self, other: Lanes) -> Lanes {
            each(|at| self.0[at] & other.0[at])
        }

        pub(crate) fn or(self, other: Lanes) -> Lanes {
            each(|at| self.0[at] | other.0[at])
        }

        pub(crate) fn without(self, mask: Lanes) -> Lanes {
            each(|at| self.0[at] & !mask.0[at])
        }

        pub(crate) fn alike(self, other: Lanes) -> Lanes {
            each(|at| -i8::from(self.0[at] == other.0[at]))
        }

        pub(crate) fn above(self, other: Lanes) -> Lanes {
            each(|at| -i8::from(self.0[at] > other.0[at]))
        }

        pub(crate) fn up<const BY: i32>(self) -> Lanes {
            each(|at| at.checked_sub(BY as usize).map_or(0, |from| self.0[from]))
        }

        pub(crate) fn down(self) -> Lanes {
            each(|at| self.0.get(at + 1).copied().unwrap_or(0))
        }

        pub(crate) fn set(self) -> u64 {
            self.0.iter().filter(|lane| **lane != 0).count() as u64
        }

        pub(crate) fn total(self) -> u64 {
            self.0.iter().map(|&lane| u64::from(lane as u8)).sum()
        }

        pub(crate) fn of_bytes(bytes: &[u8; LANES]) -> Lanes {
            Lanes(bytes.map(|byte| byte as i8))
        }

        pub(crate) fn to_bytes(self) -> [u8; LANES] {
            self.0.map(|lane| lane as u8)
        }

        pub(crate) fn bits(self) -> u16 {
            (0..LANES).map(|at| u16::from(self.0[at] < 0) << at).sum()
        }
    }
}

impl Lanes {
    /// The mask of the lanes from one number to another, both included.
    #[inline]
    pub(crate) fn between(self, low: i8, high: i8) -> Lanes {
        self.above(Lanes::splat(low - 1)).and(Lanes::splat(high + 1).above(self))
    }

    /// The mask of the lanes from one on, which may be one past the last.
    #[inline]
    pub(crate) fn from_lane(first: usize) -> Lanes {
        const BOTH: &[i8] = [[0; LANES], [-1; LANES]].as_flattened();
        Lanes::new(*BOTH[LANES - first..].first_chunk().expect("all of them at most are left out"))
    }

    /// The mask of the lanes that are letters of ASCII.
    #[inline]
    pub(crate) fn letters(self) -> Lanes {
        self.or(Lanes::splat(0x20)).between(b'a' as i8, b'z' as i8)
    }

    /// The mask of the lanes that are digits of ASCII.
    #[inline]
    pub(crate) fn digits(self) -> Lanes {
        self.between(b'0' as i8, b'9' as i8)
    }

    /// The mask of the lanes that are bytes of a character but not its first.
    #[inline]
    pub(crate) fn inner(self) -> Lanes {
        // 10xxxxxx, the least of all.
        Lanes::splat(-0x40).above(self)
    }
}

/// With how many equal words two lists begin.
#[inline]
pub(crate) fn common_start(x: &[u32], y: &[u32]) -> usize {
    start_by(x, y, Lanes::equal_each)
}

/// How many of some bytes are of a sort, as the mask of those that are tells.
#[inline]
pub(crate) fn count(bytes: &[u8], are: impl Fn(Lanes) -> Lanes) -> u64 {
    let are = |some: &[u8; LANES]| are(Lanes::of_bytes(some));
    let (chunks, rest) = bytes.as_chunks();
    let of_rest = match bytes.last_chunk() {
        // Those before the rest are counted already.
        Some(last) => are(last).and(Lanes::from_lane(LANES - rest.len())),
        None => {
            let mut padded = [0; LANES];
            padded[..rest.len()].copy_from_slice(rest);
            are(&padded).without(Lanes::from_lane(rest.len()))
        }
    };
    chunks.iter().map(|some| are(some).set()).sum::<u64>() + of_rest.set()
}

/// With how many equal bytes two strings of bytes begin.
#[inline]
pub(crate) fn common_bytes(x: &[u8], y: &[u8]) -> usize {
    start_by(x, y, |x, y| Lanes::of_bytes(x).alike(Lanes::of_bytes(y)))
}

/// The same of whatever can be compared so many at a time.
#[inline]
fn start_by<T: PartialEq>(x: &[T], y: &[T], equal: impl Fn(&[T; LANES], &[T; LANES]) -> Lanes) -> usize {
    let mut at = 0;
    while let (Some(some), Some(others)) = (x[at..].first_chunk(), y[at..].first_chunk()) {
        let differ = !equal(some, others).bits();
        if differ != 0 {
            return at + differ.trailing_zeros() as usize;
        }
        at += LANES;
    }
    at + x[at..].iter().zip(&y[at..]).take_while(|(x, y)| x == y).count()
}

/// With how many equal words two lists end.
#[inline]
pub(crate) fn common_end(x: &[u32], y: &[u32]) -> usize {
    let mut at = 0;
    while let (Some(some), Some(others)) = (x[..x.len() - at].last_chunk(), y[..y.len() - at].last_chunk()) {
        let differ = !Lanes::equal_each(some, others).bits();
        if differ != 0 {
            return at + differ.leading_zeros() as usize;
        }
        at += LANES;
    }
    let (x, y) = (x[..x.len() - at].iter().rev(), y[..y.len() - at].iter().rev());
    at + x.zip(y).take_while(|(x, y)| x == y).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers() -> impl Strategy<Value = [i8; LANES]> {
        prop_oneof![prop::array::uniform16(any::<i8>()), prop::array::uniform16(-1i8..=1)]
    }

    proptest! {
        #[test]
        fn vectors_equal_plain_loops(x in numbers(), y in numbers(), mask in prop::array::uniform16(-1i8..=0), words in prop::array::uniform16(0u32..3), others in prop::array::uniform20(0u32..9)) {
            // The number in every lane, told by what it is above.
            let whole = |lanes: Lanes| -> Vec<u16> {
                (i8::MIN..i8::MAX).map(|least| lanes.above(Lanes::splat(least)).bits()).collect()
            };
            let plainly = |lanes: plain::Lanes| -> Vec<u16> {
                (i8::MIN..i8::MAX).map(|least| lanes.above(plain::Lanes::splat(least)).bits()).collect()
            };
            let (a, b, m) = (Lanes::new(x), Lanes::new(y), Lanes::new(mask));
            let (p, q, n) = (plain::Lanes::new(x), plain::Lanes::new(y), plain::Lanes::new(mask));
            prop_assert_eq!(whole(a), plainly(p));
            prop_assert_eq!(whole(a.plus(b)), plainly(p.plus(q)));
            prop_assert_eq!(whole(a.and(b)), plainly(p.and(q)));
            prop_assert_eq!(whole(a.or(b)), plainly(p.or(q)));
            prop_assert_eq!(whole(a.without(m)), plainly(p.without(n)));
            prop_assert_eq!(m.set(), n.set());
            prop_assert_eq!(a.to_bytes(), p.to_bytes());
            prop_assert_eq!(whole(Lanes::of_bytes(&a.to_bytes())), whole(a));
            prop_assert_eq!(plainly(plain::Lanes::of_bytes(&a.to_bytes())), whole(a));
            prop_assert_eq!(whole(a.alike(b)), plainly(p.alike(q)));
            prop_assert_eq!(whole(a.above(b)), plainly(p.above(q)));
            let not_below_0 = |numbers: [i8; LANES]| numbers.map(|number| number & i8::MAX);
            let (x, y) = (not_below_0(x), not_below_0(y));
            let (c, d) = (Lanes::new(x), Lanes::new(y));
            prop_assert_eq!(whole(c.minus(d)), plainly(plain::Lanes::new(std::array::from_fn(|at| (x[at] - y[at]).max(0)))));
            prop_assert_eq!(c.total(), x.iter().map(|&number| number as u64).sum::<u64>());
            prop_assert_eq!(c.total(), plain::Lanes::new(x).total());
            prop_assert_eq!(whole(c.max(d)), plainly(plain::Lanes::new(std::array::from_fn(|at| x[at].max(y[at])))));
            prop_assert_eq!(plainly(plain::Lanes::new(x).minus(plain::Lanes::new(y))), whole(c.minus(d)));
            prop_assert_eq!(plainly(plain::Lanes::new(x).max(plain::Lanes::new(y))), whole(c.max(d)));
            prop_assert_eq!(whole(a.up::<1>()), plainly(p.up::<1>()));
            prop_assert_eq!(whole(a.up::<4>()), plainly(p.up::<4>()));
            prop_assert_eq!(whole(a.down()), plainly(p.down()));
            prop_assert_eq!(whole(Lanes::equal::<false>(&words, 1)), plainly(plain::Lanes::equal::<false>(&words, 1)));
            prop_assert_eq!(whole(Lanes::equal::<true>(&words, 1)), plainly(plain::Lanes::equal::<true>(&words, 1)));
            let some = others.first_chunk().unwrap();
            prop_assert_eq!(whole(Lanes::equal_each(&words, some)), plainly(plain::Lanes::equal_each(&words, some)));
            prop_assert_eq!(whole(Lanes::less_each(&words, some)), plainly(plain::Lanes::less_each(&words, some)));
            prop_assert_eq!(whole(Lanes::equal_any(&words, &others)), plainly(plain::Lanes::equal_any(&words, &others)));
        }

        #[test]
        fn bytes_of_a_sort_equal_those_counted_one_by_one(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            let one_by_one = |is: fn(&u8) -> bool| bytes.iter().filter(|byte| is(byte)).count() as u64;
            prop_assert_eq!(count(&bytes, Lanes::letters), one_by_one(u8::is_ascii_alphabetic));
            prop_assert_eq!(count(&bytes, Lanes::digits), one_by_one(u8::is_ascii_digit));
            prop_assert_eq!(count(&bytes, |lanes| Lanes::splat(1).above(lanes)), one_by_one(|byte| *byte == 0 || *byte > 127));
        }

        #[test]
        fn common_ends_equal_a_look_at_each_word(common in prop::collection::vec(0u32..3, 0..50), x in prop::collection::vec(0u32..3, 0..20), y in prop::collection::vec(0u32..3, 0..20)) {
            let (before, after) = ([&*common, &*x].concat(), [&*common, &*y].concat());
            prop_assert_eq!(common_start(&before, &after), before.iter().zip(&after).take_while(|(x, y)| x == y).count());
            let bytes = |words: &[u32]| words.iter().map(|&word| word as u8).collect::<Vec<u8>>();
            prop_assert_eq!(common_bytes(&bytes(&before), &bytes(&after)), common_start(&before, &after));
            let (before, after) = ([&*x, &*common].concat(), [&*y, &*common].concat());
            let pairs = before.iter().rev().zip(after.iter().rev());
            prop_assert_eq!(common_end(&before, &after), pairs.take_while(|(x, y)| x == y).count());
        }
    }
}
