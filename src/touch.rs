//! Reading ahead: memory is slow to answer, but answers many questions at once.

/// Reads values that are needed soon and do not depend on each other, so that the
/// processor fetches all of them together instead of waiting for each.
#[inline]
pub(crate) fn touch(values: impl Iterator<Item = u64>) {
    std::hint::black_box(values.fold(0, |sum, value| sum ^ value));
}
