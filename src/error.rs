//! What can go wrong in the library, as values a caller can match on.

use std::fmt::Display;

use thiserror::Error;

/// Why a detector could not be made or a scan could not be run.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting lies outside its range.
    #[error("setting `{name}` is {value}, wanted {wanted}")]
    Setting {
        /// The field of [`Config`](crate::Config).
        name: &'static str,
        /// The value found.
        value: String,
        /// The values allowed.
        wanted: String,
    },
    /// Two documents have the same id.
    #[error("two documents have the id `{id}`")]
    DuplicateId {
        /// The id that occurs twice.
        id: String,
    },
    /// A document is longer than [`MAX_DOCUMENT_BYTES`](crate::MAX_DOCUMENT_BYTES).
    #[error("document `{id}` has {bytes} bytes, at most {} are supported", crate::MAX_DOCUMENT_BYTES)]
    DocumentTooLong {
        /// The document's id.
        id: String,
        /// Its length.
        bytes: usize,
    },
    /// There are more documents than 32-bit numbers.
    #[error("{0} documents are more than the 4,294,967,295 supported")]
    TooManyDocuments(usize),
    /// The worker threads could not be started.
    #[error("cannot start the worker threads: {0}")]
    Threads(String),
}

impl Error {
    pub(crate) fn setting(name: &'static str, value: impl Display, wanted: impl Into<String>) -> Self {
        Error::Setting { name, value: value.to_string(), wanted: wanted.into() }
    }
}
