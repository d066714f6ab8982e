//! twicetold

mod align;
mod anchors;
mod assemble;
mod bands;
mod bits;
mod clusters;
mod collection;
mod config;
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
mod shingles;
mod sketch;
mod tokens;
mod variants;

pub use bands::Bands;
pub use config::{Config, Sensitivity, Unit};
pub use detector::{Detector, Progress, Stage};
pub use document::{Date, DateError, Document, MAX_DOCUMENT_BYTES};
pub use error::Error;
pub use report::{
    ClusterRow, Counts, DocumentRow, FamilyRow, Kind, Label, LangUnit, PairRow, Report, Scores, SpanRow, Status,
};
