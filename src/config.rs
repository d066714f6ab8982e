//! Every setting that changes results, in one place with one default.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The settings of a scan.
///
/// `Config::default()` is the only place where default values are written.
/// A [`Detector`](crate::Detector) checks the settings once, when it is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Shingle length `k` in tokens; 3 to 32. Documents written in a script
    /// without spaces use twice as many, since a token there is one character.
    pub shingle: usize,
    /// Winnowing window `w` in shingles; 1 to 64. Every repeat of
    /// `shingle + window - 1` tokens shares a fingerprint and is found.
    pub window: usize,
    /// Fewest matched tokens of a passage that is not a line of its own; at
    /// least `shingle`.
    pub min_tokens: usize,
    /// Resemblance from which two documents are near-duplicates; above 0, at
    /// most 1.
    pub similarity: f64,
    /// What documents are compared by to find near-duplicates.
    pub dedupe_on: DedupeOn,
    /// What to look for, if not for everything; needs [`DedupeOn::Text`], since
    /// bodies follow from all passages.
    pub only: Option<Only>,
    /// What a token is.
    pub unit: Unit,
    /// Whether formulas count as told before. By default they are listed as
    /// families and stay `unique` in the ledger.
    pub count_formulas: bool,
    /// Tokens of a passage below which a family that is no block of its own is
    /// a formula.
    pub formula_tokens: usize,
    /// Tokens from which repeated prose in several documents is stock.
    pub stock_tokens: usize,
    /// Documents (near-duplicates counted once) from which repeated prose is
    /// stock.
    pub stock_df: usize,
    /// Whether a comparison of two documents also looks for passages that were
    /// reworded or shuffled, by sentences with many words in common. A scan does
    /// not.
    pub rewording: bool,
    /// Share of the shorter document that a passage covers from which it is
    /// syndicated copy; 0 to 1.
    pub syndicated_share: f64,
    /// Share of one source's documents at a steady place from which a passage
    /// is boilerplate; 0 to 1.
    pub boilerplate_share: f64,
    /// Number of worker threads; 0 takes one per core. Changes no result. A scan of
    /// less than 64 KiB of text takes one, which is done before others wake up.
    pub threads: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            shingle: 5,
            window: 4,
            min_tokens: 8,
            similarity: 0.8,
            dedupe_on: DedupeOn::Text,
            only: None,
            unit: Unit::Auto,
            count_formulas: false,
            formula_tokens: 12,
            stock_tokens: 20,
            stock_df: 3,
            rewording: false,
            syndicated_share: 0.6,
            boilerplate_share: 0.05,
            threads: 0,
        }
    }
}

impl Config {
    /// Settings for a named trade-off between speed and what is found.
    ///
    /// `Fast` guarantees exact repeats of 12 tokens, `Normal` and `High` of 8;
    /// `High` finds more of the edited ones, and in comparisons reworded ones.
    pub fn with_sensitivity(sensitivity: Sensitivity) -> Self {
        let (shingle, window, rewording) = match sensitivity {
            Sensitivity::Fast => (5, 8, false),
            Sensitivity::Normal => (5, 4, false),
            Sensitivity::High => (4, 4, true),
        };
        Config { shingle, window, rewording, ..Config::default() }
    }

    /// The length in tokens from which every exact repeat is found, shingles
    /// of too little information apart.
    pub fn guaranteed_tokens(&self) -> usize {
        (self.shingle + self.window - 1).max(self.min_tokens)
    }

    /// Checks every setting against its range.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for the first setting outside its range.
    pub fn check(&self) -> Result<(), Error> {
        let shares =
            [("syndicated_share", self.syndicated_share), ("boilerplate_share", self.boilerplate_share)];
        let counts = [
            ("shingle", self.shingle, 3, 32),
            ("window", self.window, 1, 64),
            ("min_tokens", self.min_tokens, self.shingle, 10_000),
            ("formula_tokens", self.formula_tokens, 0, 10_000),
            ("stock_tokens", self.stock_tokens, 0, 1_000_000),
            ("stock_df", self.stock_df, 2, usize::MAX),
            ("threads", self.threads, 0, 65_535),
        ];
        for (name, value, low, high) in counts {
            if !(low..=high).contains(&value) {
                let wanted = match high {
                    usize::MAX => format!("at least {low}"),
                    _ => format!("{low} to {high}"),
                };
                return Err(Error::setting(name, value, wanted));
            }
        }
        if !(self.similarity > 0.0 && self.similarity <= 1.0) {
            return Err(Error::setting("similarity", self.similarity, "above 0, at most 1"));
        }
        if let (Some(only), DedupeOn::Body) = (self.only, self.dedupe_on) {
            let wanted = "none with dedupe_on body: what bodies are follows from all passages";
            return Err(Error::setting("only", only.as_str(), wanted));
        }
        for (name, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::setting(name, value, "0 to 1"));
            }
        }
        Ok(())
    }
}

/// What documents are compared by to find near-duplicates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DedupeOn {
    /// All their text.
    #[default]
    Text,
    /// Their text without boilerplate: stories that share a template are told
    /// apart, and a story is known again in the template of another site. What
    /// is boilerplate is then judged without near-duplicates being known.
    Body,
}

/// A part of a scan that can be had alone, several times faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Only {
    /// Near-duplicate documents: pairs, clusters, and of each document the nearest
    /// among its pairs. No passages are looked for, so there are no families and
    /// spans, documents have no scores, and ignored texts change nothing.
    Duplicates,
}

impl Only {
    /// Its name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Only::Duplicates => "duplicates",
        }
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Words, or characters in scripts without spaces; shingles and the
    /// shortest passage are twice as long in documents mostly of the latter.
    /// Stretches of 8 words there, or of 17 such characters among words, are
    /// looked for in documents of their own script by its lengths.
    #[default]
    Auto,
    /// As `Auto`, but every document uses the lengths as given.
    Word,
    /// Every letter and digit is a token, which survives the errors of optical
    /// character recognition. Shingles are 16 and windows 12 characters at the
    /// default settings, the shortest passage 40.
    Char,
}

/// A named trade-off between speed and what is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// Shingles of 5 tokens, windows of 8.
    Fast,
    /// Shingles of 5 tokens, windows of 4.
    #[default]
    Normal,
    /// Shingles of 4 tokens, windows of 4, and rewording.
    High,
}

/// The lengths that hold for one document, in its own tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub shingle: usize,
    pub window: usize,
    pub min_tokens: usize,
}

impl Lengths {
    /// Runs of the guaranteed length that hold one shingle: with windows of so
    /// many shingles that length would follow from the windows alone.
    pub(crate) fn runs(&self) -> usize {
        self.window.max((self.min_tokens + 1).saturating_sub(self.shingle))
    }

    /// The length of a shingle, and those runs.
    pub(crate) fn of_runs(&self) -> (usize, usize) {
        (self.shingle, self.runs())
    }
}

impl Config {
    /// The lengths for a document; `characters` says whether its tokens are
    /// mostly single characters.
    pub(crate) fn lengths(&self, characters: bool) -> Lengths {
        let (shingle, window, min_tokens) = match (self.unit, characters) {
            (Unit::Char, _) => (3 * self.shingle + 1, 3 * self.window, 5 * self.min_tokens),
            (Unit::Auto, true) => (2 * self.shingle, 2 * self.window, 2 * self.min_tokens),
            (Unit::Auto, false) | (Unit::Word, _) => (self.shingle, self.window, self.min_tokens),
        };
        Lengths { shingle, window, min_tokens }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_guarantee_eight_tokens() {
        let config = Config::default();
        config.check().expect("valid");
        assert_eq!(config.guaranteed_tokens(), 8);
    }

    #[test]
    fn each_bad_setting_is_named() {
        let bad = [
            (Config { shingle: 2, ..Config::default() }, "shingle"),
            (Config { window: 0, ..Config::default() }, "window"),
            (Config { min_tokens: 4, ..Config::default() }, "min_tokens"),
            (Config { similarity: 0.0, ..Config::default() }, "similarity"),
            (Config { similarity: f64::NAN, ..Config::default() }, "similarity"),
            (Config { stock_df: 1, ..Config::default() }, "stock_df"),
            (Config { only: Some(Only::Duplicates), dedupe_on: DedupeOn::Body, ..Config::default() }, "only"),
            (Config { syndicated_share: 1.5, ..Config::default() }, "syndicated_share"),
        ];
        for (config, name) in bad {
            let message = config.check().expect_err(name).to_string();
            assert!(message.contains(name), "{message}");
        }
    }
}
