//! Finds what has been told twice in a collection of articles: passages
//! repeated across documents, exact or edited, with byte-exact spans;
//! near-duplicate documents, verified; and, for every document, how much of it
//! is original, as a ledger that adds up to 100 %.
//!
//! Make a [`Detector`] from a [`Config`], give it [`Document`]s, read the
//! [`Report`]:
//!
//! ```
//! use twicetold::{Config, Detector, Document, Kind, Label};
//!
//! let footer = "Subscribe to the Gazette for more news from around the county.";
//! let articles = [
//!     ("flood", "The river rose by two metres overnight and the lower bridge is closed to traffic."),
//!     ("fair", "Forty stalls will line Market Street when the harvest fair opens on Saturday morning."),
//!     ("school", "The new gymnasium was paid for by parents, who sold cakes and old books all year."),
//! ];
//! let documents = articles.map(|(id, story)| Document::new(id, format!("{story}\n\n{footer}")));
//!
//! let report = Detector::new(Config::default())?.scan(&documents)?;
//!
//! // Which passages recur?
//! let family = &report.families[0];
//! assert_eq!((family.text.as_str(), family.df, family.kind), (footer, 3, Kind::Boilerplate));
//!
//! // Where exactly?
//! let span = &report.spans[0];
//! let text = &documents[1].text;
//! assert_eq!((&*span.doc, span.label), ("fair", Label::Boilerplate));
//! assert_eq!(&text[span.start_byte as usize..span.end_byte as usize], footer);
//!
//! // How much of each document is original? Shares count letters and digits.
//! let fair = &report.documents[0];
//! assert_eq!(&*fair.id, "fair");
//! assert_eq!(fair.scores.boilerplate.unwrap() + fair.scores.unique.unwrap(), 1.0);
//! assert_eq!(fair.scores.originality_body, Some(1.0));
//!
//! // Which documents are near-duplicates? None of these.
//! assert!(report.pairs.is_empty() && report.clusters.is_empty());
//! # Ok::<(), twicetold::Error>(())
//! ```
//!
//! What a scan finds depends on nothing but the documents and the settings: not
//! on their order, nor on the number of threads. The library reads no files,
//! prints nothing and never exits; the program `twicetold` does that, behind
//! the feature `cli`.

mod align;
mod anchors;
mod assemble;
mod bands;
mod bits;
mod clusters;
mod collection;
mod compare;
mod config;
mod cursor;
mod detector;
mod document;
mod error;
mod families;
mod fingerprints;
mod fold;
mod fold_table;
mod hash;
mod intervals;
mod kinds;
mod ledger;
mod postings;
mod projection;
mod report;
mod sentences;
mod shingles;
mod sketch;
#[doc(hidden)]
pub mod stages;
mod tokens;
mod variants;

pub use bands::Bands;
pub use config::{Config, DedupeOn, Sensitivity, Unit};
pub use detector::{Background, Comparing, Detector, Progress, Stage};
pub use document::{Date, DateError, Document, MAX_DOCUMENT_BYTES};
pub use error::Error;
pub use report::{
    ClusterRow, Comparison, Counts, DocumentRow, FamilyRow, Kind, Label, LangUnit, OccurrenceRow, PairRow,
    PassageRow, Report, Scores, SpanRow, Status,
};

/// The README's example is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
