//! Finds what has been told twice in a collection of articles: passages
//! repeated across documents, exact or edited, with byte-exact spans;
//! near-duplicate documents, verified; and, for every document, how much of it
//! is original, as a ledger that adds up to 100 %.
//!
//! Make a [`Detector`] from a [`Config`], give it [`Document`]s, read the
//! [`Report`]:
//!
//! ```text
//!                ┌─ sketches ── candidate pairs ── verified pairs ── clusters ─┐
//! documents ─ tokens                                                           ├─ Report
//!                └─ fingerprints ── anchors ── alignments ── families ── ledger ┘
//! ```
//!
//! # Which passages recur, and where?
//!
//! Every [`FamilyRow`] is a passage with its kind and the reason for it, every
//! [`OccurrenceRow`] a place of one. Here are three articles under one footer:
//!
//! ```
//! use twicetold::{Config, Detector, Document, Kind};
//!
//! let footer = "Subscribe to the Gazette for more news from around the county.";
//! let articles = [
//!     ("flood", "The river rose by two metres overnight and the lower bridge is closed to traffic."),
//!     ("fair", "Forty stalls will line Market Street when the harvest fair opens on Saturday morning."),
//!     ("school", "The new gymnasium was paid for by parents, who sold cakes and old books all year."),
//! ];
//! let documents = articles.map(|(id, story)| Document::new(id, format!("{story}\n\n{footer}")));
//! let report = Detector::new(Config::default())?.scan(&documents)?;
//!
//! let family = &report.families[0];
//! assert_eq!((family.text.as_str(), family.df, family.kind), (footer, 3, Kind::Boilerplate));
//!
//! let place = &report.occurrences[0];
//! let document = documents.iter().find(|document| document.id == *place.doc).unwrap();
//! assert_eq!(&document.text[place.start_byte as usize..place.end_byte as usize], footer);
//! # Ok::<(), twicetold::Error>(())
//! ```
//!
//! # Which documents are near-duplicates?
//!
//! A [`PairRow`] has the resemblance of two of them, which is exact; a
//! [`ClusterRow`] gathers those that resemble its leader.
//!
//! ```
//! use twicetold::{Config, Detector, Document};
//!
//! let story = "The old mill by the river burned down on Monday night, and the whole town came out to \
//!              see the flames, which rose higher than the church; nobody was hurt, said the chief.";
//! let documents = [
//!     Document::new("gazette", story),
//!     Document::new("herald", story.replace("nobody was", "no one was")),
//!     Document::new("courier", "Forty stalls will line Market Street when the harvest fair opens."),
//! ];
//! let mut config = Config::default();
//! config.similarity = 0.6;
//! let report = Detector::new(config)?.scan(&documents)?;
//!
//! let pair = &report.pairs[0];
//! assert_eq!((&*pair.a, &*pair.b), ("gazette", "herald"));
//! assert!(pair.resemblance > 0.6 && pair.resemblance < 0.8);
//! assert_eq!(report.clusters[0].members.len(), 2);
//! # Ok::<(), twicetold::Error>(())
//! ```
//!
//! # How much of each document is original?
//!
//! Every [`DocumentRow`] holds a ledger, [`Scores`]: a share for each [`Label`],
//! one in all. A [`SpanRow`] is a stretch that is not unique, with the place it
//! is told of. With dates it is known who was first.
//!
//! ```
//! use twicetold::{Config, Detector, Document, Label};
//!
//! let told = "The minister said on Tuesday that the bridge would be closed to traffic until spring.";
//! let mut agency = Document::new("agency", told);
//! agency.date = "2019-05-01".parse().ok();
//! let mut paper = Document::new("paper", format!("Drivers in the valley will have to be patient. {told}"));
//! paper.date = "2019-05-02".parse().ok();
//! let documents = [agency, paper];
//! let report = Detector::new(Config::default())?.scan(&documents)?;
//!
//! let [first, second] = &report.documents[..] else { panic!() };
//! assert_eq!((&*first.id, first.scores.first), ("agency", Some(1.0)));
//! assert_eq!(first.scores.originality, Some(1.0));
//! let ledger: f64 = Label::ALL.iter().filter_map(|&label| second.scores.share(label)).sum();
//! assert!((ledger - 1.0).abs() < 1e-9 && second.scores.originality < Some(0.4));
//!
//! let span = report.spans.iter().find(|span| &*span.doc == "paper").unwrap();
//! assert_eq!(&documents[1].text[span.start_byte as usize..span.end_byte as usize], told);
//! assert_eq!(span.other_doc.as_deref(), Some("agency"));
//! # Ok::<(), twicetold::Error>(())
//! ```
//!
//! # What does one collection take from another?
//!
//! [`Detector::scan_with`] takes a [`Background`]: texts to leave out of account,
//! or another collection to set the documents against. [`Detector::compare`] finds
//! the passages of listed pairs.
//!
//! # What a report holds
//!
//! | field of [`Report`] | a row | is |
//! | --- | --- | --- |
//! | `documents` | [`DocumentRow`] | a document with its ledger, in order of date and id |
//! | `families` | [`FamilyRow`] | a recurring passage, numbered from 1 |
//! | `occurrences` | [`OccurrenceRow`] | a place of a passage, with its wording |
//! | `spans` | [`SpanRow`] | a stretch of a document that is not unique |
//! | `pairs` | [`PairRow`] | two near-duplicates |
//! | `clusters` | [`ClusterRow`] | near-duplicates around a leader |
//! | `counts` | [`Counts`] | totals, and what the scan guarantees |
//!
//! All of it is plain data for serde; the program writes the same rows as files.
//! Places are half-open ranges of bytes, and beside them of characters and lines,
//! of the text as it was given.
//!
//! # What holds
//!
//! What a scan finds depends on nothing but the documents and the settings: not
//! on their order, nor on the number of threads. The library reads no files,
//! prints nothing and never exits; the program `twicetold` does that, behind
//! the feature `cli`.

mod ahead;
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
mod depth;
mod detector;
mod document;
mod error;
mod extend;
mod families;
mod fingerprints;
mod fold;
mod fold_table;
mod hash;
mod intervals;
mod kinds;
mod lanes;
mod ledger;
mod nearest;
mod occurrences;
mod orphans;
mod places;
mod postings;
mod projection;
mod report;
mod room;
mod sentences;
mod shingles;
mod sketch;
#[doc(hidden)]
pub mod stages;
mod tokenizer;
mod tokens;
mod twice;
mod variants;
mod wide;

// What `fuzz/` tries is otherwise only in the program.
#[cfg(all(fuzzing, feature = "cli"))]
extern crate self as twicetold;
#[cfg(all(fuzzing, feature = "cli"))]
#[doc(hidden)]
#[path = "cli/mod.rs"]
pub mod cli;

pub use bands::Bands;
pub use config::{Config, DedupeOn, Only, Sensitivity, Unit};
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
