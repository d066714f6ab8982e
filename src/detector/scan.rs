//! What all stages are given.

use crate::config::{Config, Lengths};
use crate::tokens::Tokens;

/// A part of the work, for progress displays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Splitting texts into tokens.
    Tokens,
    /// Comparing candidates for near-duplicates.
    NearDuplicates,
    /// Sketching documents and collecting fingerprints that recur.
    Fingerprints,
    /// Aligning passages.
    Alignment,
    /// Gathering passages into families.
    Families,
    /// Writing the ledgers.
    Ledger,
}

/// Is told that some of a stage's work is done: how many units now, of how many
/// in all; none, if it only begins. Called from several threads.
pub type Progress<'a> = &'a (dyn Fn(Stage, u64, u64) + Sync);

/// Bins of a document's sketch.
pub(super) const BINS: usize = 128;

/// A scan: its settings, and who is told how far it is.
pub(super) struct Scan<'a> {
    pub(super) config: &'a Config,
    pub(super) progress: Progress<'a>,
}

impl Scan<'_> {
    /// The lengths that hold in a document.
    pub(super) fn lengths(&self, tokens: &Tokens) -> Lengths {
        self.config.lengths(tokens.characters)
    }
}
