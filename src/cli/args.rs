//! The command line.

use std::path::PathBuf;
use std::sync::LazyLock;

use anyhow::Result;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use twicetold::{Config, Sensitivity, Unit};

use super::input::Fields;

const EXIT: &str = "\
Exit status: 0 done; 1 a --fail-below condition was met; 2 usage or configuration
error, nothing was done; 3 done, but some inputs were skipped and are listed.";

/// Finds what has been told twice in a collection of articles.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub command: Command,

    /// Print no progress, warnings or notes
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find recurring passages and near-duplicates, and how much of each text is original
    Scan(ScanArgs),
    /// Show the passages that two texts share, or those of listed pairs of a collection
    Compare(CompareArgs),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Makes the choice for all output.
    pub(crate) fn write_global(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text to read
    Text,
    /// JSON: all results as one object, or one passage a line for listed pairs
    Json,
}

static DEFAULT: LazyLock<Config> = LazyLock::new(Config::default);

#[derive(Debug, ClapArgs)]
#[command(after_help = EXIT, after_long_help = format!("\
Examples:
  twicetold scan articles/                     text and Markdown files, and JSON Lines
  twicetold scan dump.jsonl.gz --out results   write all result files to results/
  zcat dump.gz | twicetold scan - --id-field url --text-field body

{EXIT}"))]
pub(crate) struct ScanArgs {
    /// Files, directories, or `-` for standard input
    ///
    /// Directories are searched for .txt, .md, .jsonl, .ndjson and .jsonl.gz.
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,

    #[command(flatten)]
    pub fields: FieldArgs,

    #[command(flatten)]
    pub matching: MatchingArgs,

    /// Write all result files to this directory
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    pub format: Format,

    /// Passages and clusters to list in the summary
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Output")]
    pub top: usize,

    /// Exit with status 1 if any document is less original than this share
    #[arg(long, value_name = "SHARE", help_heading = "Output")]
    pub fail_below: Option<f64>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = EXIT, after_long_help = format!("\
Examples:
  twicetold compare release.txt article.txt
  twicetold compare --pairs results/pairs.jsonl dump.jsonl.gz > passages.jsonl

{EXIT}"))]
pub(crate) struct CompareArgs {
    /// Two texts; with --pairs the files and directories of a collection
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,

    /// JSON Lines with the ids of two documents a line, as `a` and `b`
    ///
    /// Prints their passages as JSON Lines, with bytes and characters on both sides, in the order of
    /// the list.
    #[arg(long, value_name = "FILE")]
    pub pairs: Option<PathBuf>,

    #[command(flatten)]
    pub fields: FieldArgs,

    #[command(flatten)]
    pub matching: MatchingArgs,

    /// What to print on standard output: text for two texts, JSON for listed pairs
    #[arg(long, value_enum, help_heading = "Output")]
    pub format: Option<Format>,
}

/// Where JSON objects hold what a document is made of.
#[derive(Debug, ClapArgs)]
pub(crate) struct FieldArgs {
    /// JSON field that holds the text
    #[arg(long, value_name = "NAME", default_value = "text", help_heading = "Input")]
    pub text_field: String,

    /// JSON field that holds the id; without one, file and line serve
    #[arg(long, value_name = "NAME", default_value = "id", help_heading = "Input")]
    pub id_field: String,

    /// JSON field that holds the source: publisher, site or series
    #[arg(long, value_name = "NAME", default_value = "source", help_heading = "Input")]
    pub source_field: String,

    /// JSON field that holds the date of publication
    #[arg(long, value_name = "NAME", default_value = "date", help_heading = "Input")]
    pub date_field: String,
}

/// The settings of a [`Config`].
#[derive(Debug, ClapArgs)]
pub(crate) struct MatchingArgs {
    /// Shingle length in tokens
    #[arg(long, value_name = "N", default_value_t = DEFAULT.shingle, help_heading = "Matching")]
    pub shingle: usize,

    /// Winnowing window in shingles
    #[arg(long, value_name = "N", default_value_t = DEFAULT.window, help_heading = "Matching")]
    pub window: usize,

    /// Fewest matched tokens of a passage that is not a line of its own
    #[arg(long, value_name = "N", default_value_t = DEFAULT.min_tokens, help_heading = "Matching")]
    pub min_tokens: usize,

    /// Resemblance from which documents are near-duplicates
    #[arg(long, value_name = "SHARE", default_value_t = DEFAULT.similarity, help_heading = "Matching")]
    pub similarity: f64,

    /// What a token is
    ///
    /// `auto` takes words, or characters in scripts without spaces; `char` takes single letters,
    /// for text with recognition errors.
    #[arg(long, value_enum, default_value_t = UnitArg::Auto, help_heading = "Matching")]
    pub unit: UnitArg,

    /// Preset of shingle and window: fast 5 and 8, normal 5 and 4, high 4 and 4
    #[arg(long, value_enum, conflicts_with_all = ["shingle", "window"], help_heading = "Matching")]
    pub sensitivity: Option<SensitivityArg>,

    /// Count set phrases as told before
    #[arg(long, help_heading = "Matching")]
    pub count_formulas: bool,

    /// Worker threads; 0 takes one per core
    #[arg(long, value_name = "N", default_value_t = DEFAULT.threads, help_heading = "Work")]
    pub threads: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum UnitArg {
    /// Words, or characters in scripts without spaces
    Auto,
    /// The same, with equal lengths for all documents
    Word,
    /// Single letters and digits
    Char,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SensitivityArg {
    /// Finds exact repeats of 12 tokens
    Fast,
    /// Finds exact repeats of 8 tokens
    Normal,
    /// Finds exact repeats of 8 tokens, and more of the edited ones
    High,
}

impl MatchingArgs {
    /// The settings they make.
    ///
    /// # Errors
    ///
    /// If one is outside its range.
    pub(crate) fn config(&self) -> Result<Config> {
        let mut config = match self.sensitivity {
            Some(SensitivityArg::Fast) => Config::with_sensitivity(Sensitivity::Fast),
            Some(SensitivityArg::Normal) => Config::with_sensitivity(Sensitivity::Normal),
            Some(SensitivityArg::High) => Config::with_sensitivity(Sensitivity::High),
            None => {
                let mut config = Config::default();
                config.shingle = self.shingle;
                config.window = self.window;
                config
            }
        };
        config.min_tokens = self.min_tokens;
        config.similarity = self.similarity;
        config.count_formulas = self.count_formulas;
        config.threads = self.threads;
        config.unit = match self.unit {
            UnitArg::Auto => Unit::Auto,
            UnitArg::Word => Unit::Word,
            UnitArg::Char => Unit::Char,
        };
        config.check()?;
        Ok(config)
    }
}

impl FieldArgs {
    /// The JSON fields to read.
    pub(crate) fn fields(&self) -> Fields {
        Fields {
            text: self.text_field.clone(),
            id: self.id_field.clone(),
            source: self.source_field.clone(),
            date: self.date_field.clone(),
        }
    }
}
