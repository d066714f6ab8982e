//! Writing results: complete, or not at all.
//!
//! All files are written into a temporary directory inside the output
//! directory and come into force together ([`unfinished`]).

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ahash::AHashMap;
use anyhow::{Context, Result};
use clap::ValueEnum;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;
use twicetold::{Config, Counts, DocumentRow, LangUnit, Only, Report, Scores, Status};

use super::args::{ScanArgs, Tables};
use super::input::{Collected, Settings, Skipped};
use super::memory;
use super::progress::Bar;
use super::report;
use super::tables::{self, Table};
use super::unfinished::{self, Unfinished};

/// What `run.json` says.
#[derive(Debug, Serialize)]
pub(crate) struct Run<'a> {
    program: &'static str,
    version: &'static str,
    inputs: Vec<String>,
    /// How they were read.
    input: Settings,
    /// A hash of all ids and texts that were read.
    digest: String,
    ignore: Vec<String>,
    against: Vec<String>,
    against_digest: Option<String>,
    output_format: &'static str,
    config: &'a Config,
    counts: &'a Counts,
    guarantee: String,
    /// Probability that documents of a resemblance are compared.
    band_curve: Vec<(f64, f64)>,
    notes: &'a [String],
    skipped: &'a [Skipped],
    /// What was not read of the other collection.
    against_skipped: &'a [Skipped],
    timing: Timing,
}

/// The only part of the results that differs between equal runs.
#[derive(Debug, Serialize)]
struct Timing {
    seconds: f64,
    megabytes_per_second: f64,
    threads: usize,
    /// The most that was held of memory so far, where the system tells.
    peak_memory_bytes: Option<u64>,
    /// Bytes of the file for what `--memory` does not leave in memory.
    spilled_bytes: u64,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        args: &ScanArgs,
        config: &'a Config,
        inputs: &[PathBuf],
        collected: &'a Collected,
        against: Option<&'a Collected>,
        report: &'a Report,
        elapsed: Duration,
    ) -> Self {
        let counts = &report.counts;
        let seconds = elapsed.as_secs_f64();
        let sorted = |paths: &[PathBuf]| {
            let mut names: Vec<String> =
                paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        let guarantee = match config.only {
            None => format!(
                "every exact repeat of {} tokens or more is found, unless all its shingles carry too little information",
                counts.guaranteed_tokens
            ),
            Some(Only::Duplicates) => {
                "every pair is confirmed on exact sets of shingles; the band curve tells how many are compared"
                    .to_owned()
            }
        };
        let curve = (1..=20).map(|step| f64::from(step) / 20.0);
        Run {
            program: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            inputs: sorted(inputs),
            input: args.input.settings(),
            digest: collected.digest(),
            ignore: sorted(&args.ignore),
            against: sorted(&args.against),
            against_digest: against.map(Collected::digest),
            output_format: args.output_format.ending(),
            config,
            counts,
            guarantee,
            band_curve: curve
                .map(|resemblance| (resemblance, counts.bands.probability(resemblance)))
                .collect(),
            notes: &collected.notes,
            skipped: &collected.skipped,
            against_skipped: against.map_or(&[], |against| &against.skipped),
            timing: Timing {
                seconds,
                megabytes_per_second: counts.bytes as f64 / 1e6 / seconds,
                threads: config.threads,
                peak_memory_bytes: memory::peak(),
                spilled_bytes: memory::spilled(),
            },
        }
    }
}

/// Makes sure, before any work, that the directory can be written to, and ends
/// what an earlier run began there.
///
/// # Errors
///
/// If it cannot be made or written to.
pub(crate) fn prepare(out: &Path) -> Result<()> {
    let here = || format!("cannot write to {}", out.display());
    fs::create_dir_all(out).with_context(here)?;
    unfinished::settle(out).with_context(here)?;
    tempfile::tempfile_in(out).with_context(here)?;
    Ok(())
}

/// Writes all result files; `page` writes the report, if it is wanted.
///
/// # Errors
///
/// If one cannot be written; then none is.
pub(crate) fn write(
    out: &Path,
    args: &ScanArgs,
    report: &Report,
    skipped: &[Skipped],
    run: &Run,
    bar: &Bar,
    page: Option<impl FnOnce(&mut BufWriter<File>) -> Result<()> + Send>,
) -> Result<()> {
    let (unfinished, format) = (Unfinished::new(out)?, args.output_format);
    let to = unfinished.path();
    let skipped: Vec<DocumentRow> = skipped.iter().map(skipped_row).collect();
    let Report { documents, families, occurrences, spans, pairs, clusters, .. } = report;
    let passages = families.len() + occurrences.len() + spans.len();
    bar.writing(documents.len() + skipped.len() + passages + pairs.len() + clusters.len());
    let mut names: Vec<String> = TABLES.iter().map(|table| table.file(format)).collect();
    let tables: [&(dyn Fn() -> Result<()> + Sync); 7] = [
        &|| {
            let documents = documents.iter().chain(&skipped);
            tables::DOCUMENTS.write(to, format, documents.inspect(|_| bar.wrote()))
        },
        &|| tables::FAMILIES.write(to, format, families.iter().inspect(|_| bar.wrote())),
        &|| tables::OCCURRENCES.write(to, format, occurrences.iter().inspect(|_| bar.wrote())),
        &|| tables::SPANS.write(to, format, spans.iter().inspect(|_| bar.wrote())),
        &|| tables::PAIRS.write(to, format, pairs.iter().inspect(|_| bar.wrote())),
        &|| tables::CLUSTERS.write(to, format, clusters.iter().inspect(|_| bar.wrote())),
        &|| match args.passim {
            true => tables::PASSIM.write(to, Tables::Csv, passim_rows(report)),
            false => Ok(()),
        },
    ];
    if args.passim {
        names.push(tables::PASSIM.file(Tables::Csv));
    }
    let paged = page.is_some();
    names.extend(paged.then(|| report::NAME.to_owned()));
    let tables = || {
        let written: Vec<Result<()>> = tables.par_iter().map(|write| write()).collect();
        if paged {
            bar.reporting();
        }
        written.into_iter().collect::<Result<()>>()
    };
    let page = || match page {
        Some(page) => {
            let mut file = BufWriter::new(File::create(to.join(report::NAME))?);
            page(&mut file)?;
            Ok(finish(file)?)
        }
        None => Ok(()),
    };
    let (tables, page): (Result<()>, Result<()>) = rayon::join(tables, page);
    tables.and(page)?;
    let mut file = BufWriter::new(File::create(to.join(RUN))?);
    serde_json::to_writer_pretty(&mut file, run)?;
    file.write_all(b"\n")?;
    finish(file)?;
    // The run last, which tells that the others are complete.
    names.push(RUN.to_owned());
    // Files of an earlier run in another format do not belong to it.
    let all =
        TABLES.iter().flat_map(|table| Tables::value_variants().iter().map(|&format| table.file(format)));
    let others = [tables::PASSIM.file(Tables::Csv), report::NAME.to_owned()];
    let stale = all.chain(others).filter(|name| !names.contains(name)).collect();
    unfinished.commit(names, stale)
}

/// Writes rows as JSON Lines.
///
/// # Errors
///
/// If they cannot be written.
pub(crate) fn lines<T: Serialize>(
    out: &mut (impl Write + ?Sized),
    rows: impl IntoIterator<Item = T>,
) -> Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Makes sure that all of a file is written.
///
/// # Errors
///
/// If it is not.
pub(crate) fn finish(file: BufWriter<File>) -> io::Result<()> {
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

const TABLES: [Table; 6] = [
    tables::DOCUMENTS,
    tables::FAMILIES,
    tables::OCCURRENCES,
    tables::SPANS,
    tables::PAIRS,
    tables::CLUSTERS,
];
const RUN: &str = "run.json";

/// Every occurrence as passim lists them: offsets in characters, the document
/// as `uid` and its source as `gid`.
fn passim_rows(report: &Report) -> impl Iterator<Item = serde_json::Value> {
    let sources: AHashMap<&str, Option<&str>> =
        report.documents.iter().map(|row| (&*row.id, row.source.as_deref())).collect();
    report.occurrences.iter().map(move |row| {
        json!({
            "cluster": row.family,
            "size": report.families[row.family as usize - 1].occurrences,
            "begin": row.start_char,
            "end": row.end_char,
            "uid": row.doc,
            "gid": sources.get(&*row.doc).copied().flatten(),
        })
    })
}

/// The row of an input that was not read.
fn skipped_row(skipped: &Skipped) -> DocumentRow {
    DocumentRow {
        id: skipped.place().into(),
        path: Some(skipped.path.clone()),
        line: skipped.line,
        source: None,
        date: None,
        lang_unit: LangUnit::Word,
        bytes: 0,
        chars: 0,
        tokens: 0,
        weight: 0,
        status: Status::Skipped,
        skip_reason: Some(skipped.reason.clone()),
        cluster: None,
        leader: None,
        scores: Scores::default(),
        nearest: None,
        nearest_containment: None,
        top_source: None,
        top_source_share: None,
    }
}

/// Writes everything as one JSON object.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn write_json(
    out: &mut impl Write,
    report: &Report,
    skipped: &[Skipped],
    run: &Run,
) -> Result<()> {
    #[derive(Serialize)]
    struct All<'a> {
        run: &'a Run<'a>,
        documents: Vec<&'a DocumentRow>,
        families: &'a [twicetold::FamilyRow],
        occurrences: &'a [twicetold::OccurrenceRow],
        spans: &'a [twicetold::SpanRow],
        pairs: &'a [twicetold::PairRow],
        clusters: &'a [twicetold::ClusterRow],
    }
    let skipped: Vec<DocumentRow> = skipped.iter().map(skipped_row).collect();
    let Report { families, occurrences, spans, pairs, clusters, .. } = report;
    let documents = report.documents.iter().chain(&skipped).collect();
    serde_json::to_writer(&mut *out, &All { run, documents, families, occurrences, spans, pairs, clusters })?;
    out.write_all(b"\n")?;
    Ok(())
}
