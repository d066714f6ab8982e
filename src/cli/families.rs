//! `families`: the passages of a result, listed or as a list to ignore.

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;

use super::args::{FamiliesArgs, Format};
use super::output::lines;
use super::results::Results;
use super::{DONE, summary};

/// Runs the command and says with which status to exit.
///
/// # Errors
///
/// If the results cannot be read or standard output is gone.
pub(crate) fn run(args: &FamiliesArgs) -> Result<u8> {
    let results = Results::open(&args.results)?;
    results.with_passages()?;
    let mut families = results.families()?;
    families.retain(|family| {
        (args.kind.is_empty() || args.kind.contains(&family.kind)) && family.df >= args.min_df
    });
    let mut out = anstream::stdout().lock();
    if args.as_ignore {
        #[derive(Serialize)]
        struct Line<'a> {
            text_hash: &'a str,
            text: &'a str,
        }
        lines(
            &mut out,
            families.iter().map(|family| Line { text_hash: &family.text_hash, text: &family.text }),
        )?;
    } else if args.format == Format::Json {
        let mut out = io::BufWriter::new(io::stdout().lock());
        lines(&mut out, &families)?;
        out.flush()?;
    } else {
        summary::families(&mut out, &families)?;
    }
    Ok(DONE)
}
