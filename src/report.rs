//! What comes out: plain data, ready to be serialised.
//!
//! Rows refer to documents by their id and to families by
//! [`FamilyRow::family`]. Spans are half-open; `*_byte` counts
//! bytes and `*_char` Unicode scalar values of the original text.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bands::Bands;
use crate::document::Date;

/// Everything a scan found. Documents are ordered by date and id, dated ones
/// first; all other rows are sorted too, so that equal input gives equal rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// One row a document.
    pub documents: Vec<DocumentRow>,
    /// One row a family, the one in most documents first.
    pub families: Vec<FamilyRow>,
    /// Every place of every family, by family, document and place.
    pub occurrences: Vec<OccurrenceRow>,
    /// What is not unique, by document and place.
    pub spans: Vec<SpanRow>,
    /// Near-duplicates, verified.
    pub pairs: Vec<PairRow>,
    /// Groups of near-duplicates.
    pub clusters: Vec<ClusterRow>,
    /// Totals, and where a bound was reached.
    pub counts: Counts,
}

/// A document and its ledger.
///
/// `unique` to `ignored` are the nine shares of its letters and digits and sum
/// to 1. All scores are absent in a document without tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentRow {
    /// The document's id.
    pub id: Arc<str>,
    /// The file it was read from.
    pub path: Option<String>,
    /// The line of that file, from 1.
    pub line: Option<u64>,
    /// Its source, as given.
    pub source: Option<String>,
    /// Its date, as given.
    pub date: Option<Date>,
    /// `word`, or `char` where most tokens are single characters.
    pub lang_unit: LangUnit,
    /// Length of the text in bytes.
    pub bytes: u64,
    /// Length in Unicode scalar values.
    pub chars: u64,
    /// Length in tokens.
    pub tokens: u64,
    /// Letters and digits, the unit of all shares.
    pub weight: u64,
    /// Whether it was scored.
    pub status: Status,
    /// Why not, if it was not.
    pub skip_reason: Option<String>,
    /// Its cluster of near-duplicates.
    pub cluster: Option<u32>,
    /// That cluster's leader.
    pub leader: Option<Arc<str>>,
    /// The nine shares and what follows from them.
    #[serde(flatten)]
    pub scores: Scores,
    /// The document that shares most of this one's tokens.
    pub nearest: Option<Arc<str>>,
    /// The share of this document that stands in `nearest`: of its shingles if
    /// the two are a verified pair, else of its tokens.
    pub nearest_containment: Option<f64>,
    /// The source other than its own that most of its text stands in.
    pub top_source: Option<String>,
    /// The share of its letters and digits that stand there.
    pub top_source_share: Option<f64>,
}

/// What a token of the document is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LangUnit {
    /// Words.
    Word,
    /// Single characters.
    Char,
}

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Scored.
    Ok,
    /// It has no letter or digit, so there is nothing to score.
    Empty,
    /// It could not be read.
    Skipped,
}

/// A document's ledger in shares of its letters and digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Nothing else accounts for it.
    pub unique: Option<f64>,
    /// The earliest of several dated occurrences.
    pub first: Option<f64>,
    /// Told elsewhere, of no particular kind.
    pub shared: Option<f64>,
    /// Syndicated copy.
    pub syndicated: Option<f64>,
    /// Quotation.
    pub quotation: Option<f64>,
    /// Stock paragraphs.
    pub stock: Option<f64>,
    /// Boilerplate.
    pub boilerplate: Option<f64>,
    /// Second and later occurrences inside the document.
    pub repeat: Option<f64>,
    /// On the user's list.
    pub ignored: Option<f64>,
    /// `(unique + first) / (1 - ignored)`.
    pub originality: Option<f64>,
    /// The same if every occurrence of unknown order were the first.
    pub originality_max: Option<f64>,
    /// Originality with boilerplate taken out of both parts of the fraction;
    /// absent if nothing is left.
    pub originality_body: Option<f64>,
    /// Letters and digits, each counted `1/df` where told again and not at all
    /// where repeated inside the document. Over all documents this sums to the
    /// amount of distinct text.
    pub fractional: Option<f64>,
}

impl Scores {
    /// The share of a label; the nine sum to 1.
    pub fn share(&self, label: Label) -> Option<f64> {
        match label {
            Label::Unique => self.unique,
            Label::First => self.first,
            Label::Shared => self.shared,
            Label::Syndicated => self.syndicated,
            Label::Quotation => self.quotation,
            Label::Stock => self.stock,
            Label::Boilerplate => self.boilerplate,
            Label::Repeat => self.repeat,
            Label::Ignored => self.ignored,
        }
    }
}

/// A recurring passage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FamilyRow {
    /// Its number, from 1; the passage in most documents comes first.
    pub family: u32,
    /// What it is.
    pub kind: Kind,
    /// Why, in one line.
    pub reason: String,
    /// Documents it occurs in.
    pub df: u32,
    /// Places it occurs in.
    pub occurrences: u32,
    /// Distinct sources among those documents.
    pub sources: u32,
    /// Earliest date among them.
    pub first_date: Option<Date>,
    /// Latest date among them.
    pub last_date: Option<Date>,
    /// The first document in order.
    pub first_doc: Arc<str>,
    /// Length of `text` in tokens.
    pub tokens: u32,
    /// Distinct wordings, folded.
    pub variants: u32,
    /// Share of the occurrences' tokens that match the family's text.
    pub cohesion: f64,
    /// Estimated containment of its documents in each other outside the
    /// passage; absent if it stands in one document.
    pub rest_similarity: Option<f64>,
    /// Share of occurrences inside quotation marks.
    pub quote_share: f64,
    /// Mean place in the document, 0 the start and 1 the end.
    pub position_mean: f64,
    /// Standard deviation of that place.
    pub position_sd: f64,
    /// Share of occurrences near the start or the end of the document.
    pub edge_share: f64,
    /// Share of occurrences that are whole lines.
    pub block_share: f64,
    /// The most frequent exact wording, as printed where it stands first.
    pub text: String,
    /// A stable hash of the folded text: xxh3 with 128 bits of its tokens,
    /// joined by single spaces, in hexadecimal.
    pub text_hash: String,
}

/// A place where a recurring passage stands: a whole occurrence, edited words
/// inside it and text that another family accounts for included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OccurrenceRow {
    /// The family.
    pub family: u32,
    /// The document.
    pub doc: Arc<str>,
    /// Its wording: 1 is the most frequent, that of the family's text.
    pub variant: u32,
    /// First byte.
    pub start_byte: u32,
    /// One past the last byte.
    pub end_byte: u32,
    /// First character.
    pub start_char: u32,
    /// One past the last character.
    pub end_char: u32,
    /// Line of the first character, from 1.
    pub start_line: u32,
    /// Line of the last character, from 1.
    pub end_line: u32,
    /// Share of its tokens that match the family's text.
    pub identity: f64,
}

/// The kinds of passages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Page furniture or house style.
    Boilerplate,
    /// A paragraph used again and again in different articles.
    Stock,
    /// Copy printed by several documents as a whole.
    Syndicated,
    /// Words quoted.
    Quotation,
    /// Told more than once inside one document only.
    Repeat,
    /// A set phrase.
    Formula,
    /// Told elsewhere, of no particular kind.
    Shared,
}

impl Kind {
    /// All seven.
    pub const ALL: [Kind; 7] = [
        Kind::Boilerplate,
        Kind::Stock,
        Kind::Syndicated,
        Kind::Quotation,
        Kind::Repeat,
        Kind::Formula,
        Kind::Shared,
    ];

    /// Its name, as in the result files.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Boilerplate => "boilerplate",
            Kind::Stock => "stock",
            Kind::Syndicated => "syndicated",
            Kind::Quotation => "quotation",
            Kind::Repeat => "repeat",
            Kind::Formula => "formula",
            Kind::Shared => "shared",
        }
    }
}

/// What a stretch of a document is in its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Nothing else accounts for it.
    Unique,
    /// The earliest of several dated occurrences.
    First,
    /// Told elsewhere, of no particular kind.
    Shared,
    /// Syndicated copy.
    Syndicated,
    /// Quotation.
    Quotation,
    /// A stock paragraph.
    Stock,
    /// Boilerplate.
    Boilerplate,
    /// Told before in the same document.
    Repeat,
    /// On the user's list.
    Ignored,
}

impl Label {
    /// All nine, in the order of the ledger.
    pub const ALL: [Label; 9] = [
        Label::Unique,
        Label::First,
        Label::Shared,
        Label::Syndicated,
        Label::Quotation,
        Label::Stock,
        Label::Boilerplate,
        Label::Repeat,
        Label::Ignored,
    ];

    /// Its name, as in the result files.
    pub fn as_str(self) -> &'static str {
        match self {
            Label::Unique => "unique",
            Label::First => "first",
            Label::Shared => "shared",
            Label::Syndicated => "syndicated",
            Label::Quotation => "quotation",
            Label::Stock => "stock",
            Label::Boilerplate => "boilerplate",
            Label::Repeat => "repeat",
            Label::Ignored => "ignored",
        }
    }
}

/// A stretch of a document that is not unique. With the unique rest between
/// them, the spans of a document partition its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanRow {
    /// The document.
    pub doc: Arc<str>,
    /// What it is.
    pub label: Label,
    /// The family that accounts for it; absent if it is ignored.
    pub family: Option<u32>,
    /// First byte.
    pub start_byte: u32,
    /// One past the last byte.
    pub end_byte: u32,
    /// First character.
    pub start_char: u32,
    /// One past the last character.
    pub end_char: u32,
    /// Line of the first character, from 1.
    pub start_line: u32,
    /// Line of the last character, from 1.
    pub end_line: u32,
    /// Share of the occurrence's tokens that match the family's text.
    pub identity: f64,
    /// A document with another occurrence of the family: the first that has
    /// one, this document itself for a repeat; absent if it is ignored.
    pub other_doc: Option<Arc<str>>,
    /// Where that occurrence starts.
    pub other_start_byte: Option<u32>,
    /// Where it ends.
    pub other_end_byte: Option<u32>,
}

/// Two near-duplicate documents, `a` before `b` in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairRow {
    /// The earlier document.
    pub a: Arc<str>,
    /// The later one.
    pub b: Arc<str>,
    /// Exact Jaccard index of their shingle sets.
    pub resemblance: f64,
    /// Share of `a`'s shingles that occur in `b`.
    pub containment_a_in_b: f64,
    /// Share of `b`'s shingles that occur in `a`.
    pub containment_b_in_a: f64,
    /// Tokens in stretches that match between the two.
    pub shared_tokens: u64,
}

/// Documents gathered around a leader, each verified against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterRow {
    /// Its number, from 1.
    pub cluster: u32,
    /// The leader.
    pub leader: Arc<str>,
    /// How many documents it has.
    pub size: u32,
    /// All of them, the leader first.
    pub members: Vec<Arc<str>>,
    /// The least resemblance of a member to the leader.
    pub min_resemblance: f64,
}

/// What two documents share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The one document.
    pub a: Arc<str>,
    /// The other.
    pub b: Arc<str>,
    /// Share of `a`'s letters and digits that stand in passages, edited words
    /// inside them apart; absent if it has none.
    pub a_in_b: Option<f64>,
    /// The same of `b`.
    pub b_in_a: Option<f64>,
    /// In order of their place in `b`.
    pub passages: Vec<PassageRow>,
}

/// A passage that stands in two documents, perhaps edited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassageRow {
    /// The one document.
    pub a: Arc<str>,
    /// The other.
    pub b: Arc<str>,
    /// First byte in `a`.
    pub a_start_byte: u32,
    /// One past the last byte in `a`.
    pub a_end_byte: u32,
    /// First character in `a`.
    pub a_start_char: u32,
    /// One past the last character in `a`.
    pub a_end_char: u32,
    /// First byte in `b`.
    pub b_start_byte: u32,
    /// One past the last byte in `b`.
    pub b_end_byte: u32,
    /// First character in `b`.
    pub b_start_char: u32,
    /// One past the last character in `b`.
    pub b_end_char: u32,
    /// Matching tokens.
    pub tokens: u64,
    /// They as a share of the longer side's tokens.
    pub identity: f64,
}

/// Totals of a scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// Documents scanned and judged.
    pub documents: u64,
    /// Documents of another collection that they were set against.
    pub references: u64,
    /// Documents without a letter or digit.
    pub empty: u64,
    /// Documents whose tokens equal an earlier one's.
    pub exact_duplicates: u64,
    /// Bytes of text.
    pub bytes: u64,
    /// Tokens.
    pub tokens: u64,
    /// Letters and digits.
    pub weight: u64,
    /// Letters and digits per label, in the order of [`Label::ALL`].
    pub labels: [u64; 9],
    /// Length in tokens from which every exact repeat is found.
    pub guaranteed_tokens: u64,
    /// How sketches were cut for the similarity asked for.
    pub bands: Bands,
    /// Buckets of near-duplicate candidates too full to compare all.
    pub crowded_buckets: u64,
    /// Near-duplicate pairs found but not listed: if there are more than 64 a
    /// document, only each one's eight most alike earlier partners are.
    pub pairs_unlisted: u64,
}
