//! The detector, which joins the stages and is the only place that knows of threads.
//!
//! Each stage is a plain function of one document, one group or one range.
//! Here they are mapped over all of them, and the results are collected in
//! order ([`threads`]), so that the number of threads changes nothing. [`pipeline`]
//! goes from stage to stage: [`passages`] of two documents, [`gather`]ed into
//! families; [`near`]-duplicates; and the [`rows`] of the report.

mod gather;
mod near;
mod passages;
mod pipeline;
mod rows;
mod scan;
mod threads;

use ahash::AHashSet;
use rayon::prelude::*;

use self::scan::Scan;
pub use self::scan::{Progress, Stage};
use self::threads::{EACH, PARTS};
use crate::collection::Order;
use crate::compare;
use crate::config::{Config, Unit};
use crate::document::{Document, MAX_DOCUMENT_BYTES};
use crate::error::Error;
use crate::report::{Comparison, Report};
use crate::tokens::TokenChunk;

/// Finds recurring passages and near-duplicates, and keeps the ledgers.
///
/// Made once from a [`Config`], it can scan any number of collections.
///
/// ```
/// use twicetold::{Config, Detector, Document};
///
/// let detector = Detector::new(Config::default())?;
/// let notice = "Reprinted by kind permission of the editors of the Weekly Gazette.";
/// let report = detector.scan(&[
///     Document::new("a", format!("The mill burned down on Monday night.\n\n{notice}")),
///     Document::new("b", format!("A new bridge was opened by the mayor.\n\n{notice}")),
/// ])?;
/// assert_eq!(report.families[0].df, 2);
/// assert_eq!(report.families[0].text, notice);
/// # Ok::<(), twicetold::Error>(())
/// ```
#[derive(Debug)]
pub struct Detector {
    config: Config,
    pool: rayon::ThreadPool,
    /// Of one thread: for collections that are done before others have woken up.
    alone: rayon::ThreadPool,
}

/// What a scan sets its documents against, besides each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Background<'a> {
    /// Texts that do not count wherever a document repeats them, exactly or
    /// edited: they get the label [`Label::Ignored`](crate::Label::Ignored), and
    /// nothing else changes. A stretch counts as one of them if it holds at
    /// least half of its tokens, and is a line of its own or at least
    /// [`Config::min_tokens`] long. Families that stand only there are not
    /// listed; the figures of the others count every occurrence.
    pub ignored: &'a [String],
    /// The same for all occurrences of families with one of these values of
    /// [`FamilyRow::text_hash`](crate::FamilyRow::text_hash).
    pub ignored_hashes: &'a [String],
    /// Another collection: only what the documents take from it is reported,
    /// and it is not judged itself. Dates do not matter then. Its ids may be
    /// those of the documents.
    pub against: Option<&'a [Document]>,
}

impl Detector {
    /// Checks the settings and starts the worker threads.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if a setting is outside its range, [`Error::Threads`]
    /// if the threads cannot be started.
    pub fn new(config: Config) -> Result<Self, Error> {
        config.check()?;
        let pool = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|number| format!("twicetold-{number}"))
                .build()
                .map_err(|error| Error::Threads(error.to_string()))
        };
        Ok(Detector { pool: pool(config.threads)?, alone: pool(1)?, config })
    }

    /// The settings it was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Scans a collection.
    ///
    /// The order of `documents` and the number of threads change nothing in the
    /// report. Time is linear in the text but for sorting; memory above the text is
    /// about two bytes for each byte of it.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateId`] if two documents share an id,
    /// [`Error::DocumentTooLong`] if one is longer than
    /// [`MAX_DOCUMENT_BYTES`], [`Error::TooManyDocuments`] beyond 2³² − 1.
    pub fn scan(&self, documents: &[Document]) -> Result<Report, Error> {
        self.scan_with(documents, Background::default(), &|_, _, _| {})
    }

    /// Scans a collection against a background and reports progress.
    ///
    /// ```
    /// use twicetold::{Background, Config, Detector, Document, Label};
    ///
    /// let release = "The mill will close in spring, and two hundred people will lose their work.";
    /// let old = [Document::new("release", release)];
    /// let new = [Document::new("article", format!("Bad news. {release}"))];
    /// let detector = Detector::new(Config::default())?;
    /// let background = Background { against: Some(&old), ..Background::default() };
    /// let report = detector.scan_with(&new, background, &|_, _, _| {})?;
    /// assert_eq!(report.documents.len(), 1);
    /// assert_eq!(report.spans[0].other_doc.as_deref(), Some("release"));
    ///
    /// let ignored = [release.to_owned()];
    /// let background = Background { ignored: &ignored, ..Background::default() };
    /// let report = detector.scan_with(&new, background, &|_, _, _| {})?;
    /// assert_eq!(report.spans[0].label, Label::Ignored);
    /// assert_eq!(report.documents[0].scores.originality, Some(1.0));
    /// # Ok::<(), twicetold::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Detector::scan`], of either collection.
    pub fn scan_with(
        &self,
        documents: &[Document],
        background: Background,
        progress: Progress,
    ) -> Result<Report, Error> {
        check_documents(documents)?;
        check_documents(background.against.unwrap_or_default())?;
        let ignored: Vec<Document> =
            background.ignored.iter().map(|text| Document::new("", text.as_str())).collect();
        let all = documents.len() + background.against.map_or(0, <[_]>::len) + ignored.len();
        if all >= u32::MAX as usize {
            return Err(Error::TooManyDocuments(all));
        }
        if let Some(text) = ignored.iter().find(|text| text.text.len() > MAX_DOCUMENT_BYTES) {
            return Err(Error::DocumentTooLong { id: "(ignored)".to_owned(), bytes: text.text.len() });
        }
        let texts = ignored.iter().chain(background.against.unwrap_or_default()).chain(documents);
        let bytes: usize = texts.map(|document| document.text.len()).sum();
        let pool = if bytes < ALONE { &self.alone } else { &self.pool };
        let range_bytes = bytes / (EACH * PARTS * pool.current_num_threads());
        let range_bytes = range_bytes.clamp(LEAST_RANGE, MOST_RANGE);
        let order = Order::new(&ignored, background.against, documents, range_bytes);
        let hashes: AHashSet<&str> = background.ignored_hashes.iter().map(String::as_str).collect();
        Ok(pool.install(|| Scan { config: &self.config, progress }.run(order, &hashes)))
    }

    /// Compares listed pairs of documents, given by their places in
    /// `documents`: the passages that stand in both, in the order of the pairs.
    ///
    /// As in a scan, every exact repeat of [`Config::guaranteed_tokens`] is
    /// found, and edited ones as far as they hold anchors. Set phrases are left
    /// out unless [`Config::count_formulas`] is set. What stands in one document
    /// twice is not looked for. Linear in the texts of each pair but for
    /// sorting.
    ///
    /// ```
    /// use twicetold::{Config, Detector, Document};
    ///
    /// let release = "The mill will close in spring, and two hundred people will lose their work, the owners said.";
    /// let documents = [
    ///     Document::new("release", release),
    ///     Document::new("article", format!("Bad news on Monday. {} Nobody was surprised.", release)),
    /// ];
    /// let found = Detector::new(Config::default())?.compare(&documents, &[(0, 1)])?;
    /// let passage = &found[0].passages[0];
    /// assert_eq!(passage.b_start_byte..passage.b_end_byte, 20..20 + release.len() as u32);
    /// assert_eq!(found[0].a_in_b, Some(1.0));
    /// # Ok::<(), twicetold::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Detector::scan`].
    ///
    /// # Panics
    ///
    /// If a pair names a place outside `documents`.
    pub fn compare(
        &self,
        documents: &[Document],
        pairs: &[(usize, usize)],
    ) -> Result<Vec<Comparison>, Error> {
        Ok(self.comparing(documents)?.pairs(pairs))
    }

    /// Prepares to compare pairs of these documents, a few at a time.
    ///
    /// # Errors
    ///
    /// As [`Detector::scan`].
    pub fn comparing<'a>(&'a self, documents: &'a [Document]) -> Result<Comparing<'a>, Error> {
        check_documents(documents)?;
        let split = self.config.unit == Unit::Char;
        let text = |document: &'a Document| TokenChunk::new(std::iter::once(&*document.text), split);
        let chunks = self.pool.install(|| documents.par_iter().map(text).collect());
        Ok(Comparing { detector: self, documents, chunks })
    }
}

/// Documents of which pairs are to be compared; made by
/// [`Detector::comparing`].
#[derive(Debug)]
pub struct Comparing<'a> {
    detector: &'a Detector,
    documents: &'a [Document],
    /// The tokens of each.
    chunks: Vec<TokenChunk>,
}

impl Comparing<'_> {
    /// Compares pairs, as [`Detector::compare`] does.
    ///
    /// # Panics
    ///
    /// If a pair names a place outside the documents.
    pub fn pairs(&self, pairs: &[(usize, usize)]) -> Vec<Comparison> {
        let one = |scratch: &mut compare::Scratch, &(a, b): &(usize, usize)| {
            let tokens = |at: usize| self.chunks[at].get(0, &self.documents[at].text);
            let (a_tokens, b_tokens) = (tokens(a), tokens(b));
            let (a, b) = ((&self.documents[a], &a_tokens), (&self.documents[b], &b_tokens));
            compare::compare(&self.detector.config, a, b, scratch)
        };
        self.detector.pool.install(|| pairs.par_iter().map_init(Default::default, one).collect())
    }
}

/// Bytes of text that are worth more than one thread.
const ALONE: usize = 1 << 16;

/// Bytes of text in documents that are worked on one after the other: as many as give each
/// thread some of every part, but within these bounds.
const LEAST_RANGE: usize = 1 << 18;
const MOST_RANGE: usize = 1 << 20;

fn check_documents(documents: &[Document]) -> Result<(), Error> {
    if documents.len() >= u32::MAX as usize {
        return Err(Error::TooManyDocuments(documents.len()));
    }
    let mut ids = AHashSet::with_capacity(documents.len());
    for Document { id, text, .. } in documents {
        if !ids.insert(id) {
            return Err(Error::DuplicateId { id: id.clone() });
        }
        if text.len() > MAX_DOCUMENT_BYTES {
            return Err(Error::DocumentTooLong { id: id.clone(), bytes: text.len() });
        }
    }
    Ok(())
}
