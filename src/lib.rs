//! twicetold
mod config;
mod document;
mod error;
mod fold;
mod fold_table;
mod hash;
mod tokens;
pub use config::*;
pub use document::*;
pub use error::*;
/// x
pub struct Detector;
