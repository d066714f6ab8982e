//! The command line.

use std::env;
use std::path::PathBuf;
use std::sync::LazyLock;

use anyhow::Result;
use bytesize::ByteSize;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use encoding_rs::Encoding;
use twicetold::{Config, DedupeOn, Kind, Label, Only, Sensitivity, Unit};

use super::clean::Boundary;
use super::input::Settings;
use super::memory;

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

    /// Print every warning, not only the first ones
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Take settings from a TOML file; its keys are the long names of flags, and flags override it
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

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
    /// Show one document of a result: every stretch of it, what it is and why, and where else it stands
    Explain(ExplainArgs),
    /// List the passages of a result, or export them as a list to ignore
    Families(FamiliesArgs),
    /// Write the collection of a result again, without what you name
    Clean(CleanArgs),
    /// Write the report of a result again: one page to open, search and send on
    Report(ReportArgs),
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

impl Command {
    /// How much memory it may take, if it is one that reads a collection.
    pub(crate) fn memory(&self) -> Option<&MemoryArgs> {
        match self {
            Command::Scan(args) => Some(&args.memory),
            Command::Compare(args) => Some(&args.memory),
            Command::Clean(args) => Some(&args.memory),
            Command::Report(args) => Some(&args.memory),
            _ => None,
        }
    }
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

/// Formats of the result files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tables {
    /// JSON Lines
    Jsonl,
    /// CSV, in which cells that begin like formulas are made harmless
    Csv,
    /// Parquet
    Parquet,
}

impl Tables {
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Tables::Jsonl => "jsonl",
            Tables::Csv => "csv",
            Tables::Parquet => "parquet",
        }
    }
}

static DEFAULT: LazyLock<Config> = LazyLock::new(Config::default);

#[derive(Debug, ClapArgs)]
#[command(after_help = EXIT, after_long_help = format!("\
Examples:
  twicetold scan articles/                     whatever is in there
  twicetold scan dump.jsonl.zst --out results  write all result files to results/
  twicetold scan crawl.warc.gz shard.parquet   several inputs, each in its format
  twicetold scan articles/ --against releases/ only what they take from the releases
  twicetold scan new/ --ignore boilerplate.jsonl --out results --output-format parquet

{EXIT}"))]
pub(crate) struct ScanArgs {
    /// Files, directories, or `-` for standard input
    ///
    /// Text, Markdown, HTML, JSON Lines, JSON, CSV, Parquet, Arrow, WARC and WET, compressed with gzip,
    /// zstd, bzip2 or xz, and in zip and tar archives. Directories are searched for them by their names.
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,

    #[command(flatten)]
    pub input: InputArgs,

    #[command(flatten)]
    pub matching: MatchingArgs,

    #[command(flatten)]
    pub memory: MemoryArgs,

    /// Look for this alone, several times faster
    ///
    /// There are no passages then, no originality and no report.html.
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with_all = ["ignore", "passim", "report_docs", "fail_below"], help_heading = "Matching")]
    pub only: Option<OnlyArg>,

    /// Do not count the texts in this file, wherever they stand; may be given again
    ///
    /// JSON Lines with `text`, `text_hash` or both, as in families.jsonl; or plain text, where each
    /// paragraph is a text and each line of 32 hexadecimal digits a hash.
    #[arg(long, value_name = "FILE", help_heading = "Background")]
    pub ignore: Vec<PathBuf>,

    /// Report only what the inputs take from this collection; may be given again
    ///
    /// Read like the inputs, and not judged itself.
    #[arg(long, value_name = "INPUT", help_heading = "Background")]
    pub against: Vec<PathBuf>,

    /// Tell what would be read, and do nothing
    #[arg(long, help_heading = "Output")]
    pub dry_run: bool,

    /// Write all result files to this directory
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// Format of the result files
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Tables::Jsonl, requires = "out", help_heading = "Output")]
    pub output_format: Tables,

    /// Write passim.csv too: cluster, size, begin, end, uid and gid of every occurrence
    #[arg(long, requires = "out", help_heading = "Output")]
    pub passim: bool,

    /// Write no report.html
    #[arg(long, requires = "out", help_heading = "Output")]
    pub no_report: bool,

    /// Put the texts of so many documents into report.html, those most told before
    ///
    /// Without it, as many as fit into 25 MB.
    #[arg(long, value_name = "N", requires = "out", conflicts_with = "no_report", help_heading = "Output")]
    pub report_docs: Option<usize>,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    pub format: Format,

    /// Passages and clusters to list in the summary
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Output")]
    pub top: usize,

    /// Exit with status 1 if any document is less original than this share
    #[arg(long, value_name = "SHARE", value_parser = share, help_heading = "Output")]
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
    pub input: InputArgs,

    #[command(flatten)]
    pub matching: MatchingArgs,

    #[command(flatten)]
    pub memory: MemoryArgs,

    /// What to print on standard output: text for two texts, JSON for listed pairs
    #[arg(long, value_enum, help_heading = "Output")]
    pub format: Option<Format>,

    /// How the passages of two texts are shown
    #[arg(long, value_enum, default_value_t = Layout::Auto, help_heading = "Output")]
    pub layout: Layout,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layout {
    /// In columns on a terminal of 100 characters or more, else in lines
    Auto,
    /// Side by side
    Columns,
    /// One below the other
    Lines,
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Example:
  twicetold scan seeds/ --out results
  twicetold explain results seeds/1.txt")]
pub(crate) struct ExplainArgs {
    /// Directory with the results of a scan
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,

    /// Id of the document
    #[arg(value_name = "DOC")]
    pub document: String,

    /// Leave out what is unique, and cut long stretches short
    #[arg(long)]
    pub brief: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Example:
  twicetold families results --kind boilerplate --as-ignore > boilerplate.jsonl
  twicetold scan new/ --ignore boilerplate.jsonl")]
pub(crate) struct FamiliesArgs {
    /// Directory with the results of a scan
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,

    /// Only passages of these kinds
    #[arg(long, value_name = "KIND,...", value_delimiter = ',', value_parser = one_of(&Kind::ALL, Kind::as_str))]
    pub kind: Vec<Kind>,

    /// Only passages in at least so many documents
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub min_df: u32,

    /// Print their texts and hashes for --ignore
    #[arg(long)]
    pub as_ignore: bool,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "as_ignore")]
    pub format: Format,
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Examples:
  twicetold scan crawl/ --out results
  twicetold clean results --drop boilerplate,repeat --dry-run
  twicetold clean results --drop boilerplate --near-duplicates drop --keep-copy longest --out cleaned
  twicetold clean results --drop boilerplate,stock,shared --main --out articles
  twicetold clean results --annotate --out annotated

Run it in the directory that the scan was run in. The inputs are only read.")]
pub(crate) struct CleanArgs {
    /// Directory with the results of a scan
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,

    /// Cut stretches with these labels out of the texts
    #[arg(long, value_name = "LABEL,...", value_delimiter = ',', value_parser = one_of(&Label::ALL[1..], Label::as_str))]
    pub drop: Vec<Label>,

    /// What becomes of near-duplicates; every cluster keeps one of its documents
    #[arg(long, value_enum, default_value_t = NearDuplicates::Keep)]
    pub near_duplicates: NearDuplicates,

    /// Which copy stays: of near-duplicates, and if given also of every passage that is cut
    #[arg(long, value_enum)]
    pub keep_copy: Option<KeepCopy>,

    /// For `--keep-copy source-order`: the sources, the best first
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub sources: Vec<String>,

    /// Drop documents that are less original than this share
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub min_originality: Option<f64>,

    /// Where cuts may begin and end
    #[arg(long, value_enum, default_value_t = Boundary::Words)]
    pub cut: Boundary,

    /// Leave only the main text of documents out of which something is cut
    ///
    /// For web pages, whose links, teasers and comments differ from page to page. The main text is the
    /// run of lines with most letters and digits left, if each line costs N of them, and what stands
    /// around it up to the next line that is cut; a line counts as cut if half of its letters and digits
    /// are. Where no line has more than N left, no more is cut. Needs texts in lines.
    #[arg(long, value_name = "N", requires = "drop", num_args = 0..=1, require_equals = true, default_missing_value = "50")]
    pub main: Option<usize>,

    /// Remove nothing; add to each record what would be, its originality, cluster and spans
    #[arg(long)]
    pub annotate: bool,

    /// Tell what would go, and write nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Directory to write to; must be new or empty
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub memory: MemoryArgs,
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Example:
  twicetold report results --report-docs 50000 --out everything.html

Run it in the directory that the scan was run in.")]
pub(crate) struct ReportArgs {
    /// Directory with the results of a scan
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,

    /// Put the texts of so many documents into it, those most told before
    ///
    /// Without it, as many as fit into 25 MB.
    #[arg(long, value_name = "N")]
    pub report_docs: Option<usize>,

    /// File to write; report.html beside the results without it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub memory: MemoryArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NearDuplicates {
    /// All stay
    Keep,
    /// All but one of each cluster go
    Drop,
    /// All stay, and say which cluster they are in
    Annotate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeepCopy {
    /// The first by file and line
    First,
    /// The one with most letters and digits
    Longest,
    /// The one with the earliest date
    Earliest,
    /// The one whose source comes first in --sources
    SourceOrder,
}

/// A parser of values that are known by their names.
fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names = PossibleValuesParser::new(all.iter().map(|&value| name(value)));
    names.map(move |given| all.iter().copied().find(|&value| name(value) == given).expect("a possible value"))
}

fn share(given: &str) -> Result<f64, String> {
    let share: f64 = given.parse().map_err(|_| "not a number".to_owned())?;
    (0.0..=1.0).contains(&share).then_some(share).ok_or_else(|| "wanted 0 to 1".to_owned())
}

/// What to read, and where records hold what a document is made of.
#[derive(Debug, ClapArgs)]
pub(crate) struct InputArgs {
    /// Field that holds the text; inner fields as `outer.inner`
    ///
    /// Without it: text, content, body, article, raw_content or content_text, the first that has a value.
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub text_field: Option<String>,

    /// Field that holds the id
    ///
    /// Without it: id, url, uid, doc_id or _id; else file and line serve.
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub id_field: Option<String>,

    /// Field that holds the source: publisher, site or series
    ///
    /// Without it: source, series, publisher, site, domain or host; else the host of a web address. Of a
    /// web address the host is taken.
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub source_field: Option<String>,

    /// Field that holds the date of publication
    ///
    /// Without it: date, published, published_at, date_published, pubdate or publish_date.
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub date_field: Option<String>,

    /// Read only files of directories that match, whatever their type; may be given again
    ///
    /// `*` and `?` stop at slashes, `**` does not; a pattern without a slash is matched against the name.
    #[arg(long, value_name = "PATTERN", help_heading = "Input")]
    pub glob: Vec<String>,

    /// Read hidden files and directories too
    #[arg(long, help_heading = "Input")]
    pub hidden: bool,

    /// What to take from web pages
    #[arg(long, value_enum, default_value_t = HtmlArg::Article, help_heading = "Input")]
    pub html: HtmlArg,

    /// Encoding of text files, web pages and tables, like windows-1252; found out without it
    #[arg(long, value_name = "NAME", value_parser = encoding, help_heading = "Input")]
    pub encoding: Option<String>,

    /// Skip texts that are longer, like 10M or 500KiB; 1 GiB without it
    #[arg(long, value_name = "SIZE", help_heading = "Input")]
    pub max_document: Option<ByteSize>,

    /// Stop with an error when the texts of a collection together are longer, like 2G
    #[arg(long, value_name = "SIZE", help_heading = "Input")]
    pub max_input: Option<ByteSize>,
}

/// How much memory may be taken.
#[derive(Debug, ClapArgs)]
pub(crate) struct MemoryArgs {
    /// Hold no more than this in memory, like 2G or 512MB, and the rest on disk
    ///
    /// Results are the same. About four times the text are written to --temp-dir.
    #[arg(long, value_name = "SIZE", help_heading = "Work")]
    pub memory: Option<ByteSize>,

    /// Directory for what is not held in memory, on a disk; the system's for temporary files without it
    #[arg(long, value_name = "DIR", requires = "memory", help_heading = "Work")]
    pub temp_dir: Option<PathBuf>,
}

impl MemoryArgs {
    /// Keeps the program to it, from now on.
    ///
    /// # Errors
    ///
    /// If it is too little, or the directory is not fit for the rest.
    pub(crate) fn bound(&self) -> Result<()> {
        let Some(bytes) = self.memory else { return Ok(()) };
        memory::bound(bytes, &self.temp_dir.clone().unwrap_or_else(env::temp_dir))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HtmlArg {
    /// The text of the article
    Article,
    /// All text
    AllText,
}

fn encoding(label: &str) -> Result<String, String> {
    let found = Encoding::for_label(label.as_bytes());
    let found = found.ok_or("no such encoding, try one like windows-1252 or gb18030")?;
    Ok(found.name().to_owned())
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

    /// What documents are compared by to find near-duplicates
    #[arg(long, value_enum, default_value_t = DedupeOnArg::Text, help_heading = "Matching")]
    pub dedupe_on: DedupeOnArg,

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnlyArg {
    /// Near-duplicate documents: pairs and clusters
    Duplicates,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DedupeOnArg {
    /// All their text
    Text,
    /// Their text without boilerplate
    Body,
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

impl ScanArgs {
    /// The settings they make.
    ///
    /// # Errors
    ///
    /// If one is outside its range, or two do not go together.
    pub(crate) fn config(&self) -> Result<Config> {
        let mut config = self.matching.config()?;
        config.only = self.only.map(|OnlyArg::Duplicates| Only::Duplicates);
        config.check()?;
        Ok(config)
    }
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
        config.dedupe_on = match self.dedupe_on {
            DedupeOnArg::Text => DedupeOn::Text,
            DedupeOnArg::Body => DedupeOn::Body,
        };
        config.unit = match self.unit {
            UnitArg::Auto => Unit::Auto,
            UnitArg::Word => Unit::Word,
            UnitArg::Char => Unit::Char,
        };
        config.check()?;
        Ok(config)
    }
}

impl InputArgs {
    /// What to read, and how.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            text_field: self.text_field.clone(),
            id_field: self.id_field.clone(),
            source_field: self.source_field.clone(),
            date_field: self.date_field.clone(),
            glob: self.glob.clone(),
            hidden: self.hidden,
            all_text: self.html == HtmlArg::AllText,
            encoding: self.encoding.clone(),
            max_document: self.max_document.map(|size| size.as_u64()),
            max_input: self.max_input.map(|size| size.as_u64()),
        }
    }
}
