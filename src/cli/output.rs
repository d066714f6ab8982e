//! Writing results: complete, or not at all.
//!
//! All files are written into a temporary directory inside the output
//! directory and renamed when every one of them is complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use twicetold::{Config, Counts, DocumentRow, LangUnit, Report, Scores, Status};

use super::input::{Collected, Skipped};

/// What `run.json` says.
#[derive(Debug, Serialize)]
pub(crate) struct Run<'a> {
    program: &'static str,
    version: &'static str,
    inputs: Vec<String>,
    config: &'a Config,
    counts: &'a Counts,
    guarantee: String,
    /// Probability that documents of a resemblance are compared.
    band_curve: Vec<(f64, f64)>,
    notes: &'a [String],
    skipped: &'a [Skipped],
    timing: Timing,
}

/// The only part of the results that differs between equal runs.
#[derive(Debug, Serialize)]
struct Timing {
    seconds: f64,
    megabytes_per_second: f64,
    threads: usize,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        config: &'a Config,
        inputs: &[PathBuf],
        collected: &'a Collected,
        report: &'a Report,
        elapsed: Duration,
    ) -> Self {
        let counts = &report.counts;
        let seconds = elapsed.as_secs_f64();
        let mut inputs: Vec<String> = inputs.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        inputs.sort();
        let guarantee = format!(
            "every exact repeat of {} tokens or more is found, unless all its shingles carry too little information",
            counts.guaranteed_tokens
        );
        let curve = (1..=20).map(|step| f64::from(step) / 20.0);
        Run {
            program: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            inputs,
            config,
            counts,
            guarantee,
            band_curve: curve
                .map(|resemblance| (resemblance, counts.bands.probability(resemblance)))
                .collect(),
            notes: &collected.notes,
            skipped: &collected.skipped,
            timing: Timing {
                seconds,
                megabytes_per_second: counts.bytes as f64 / 1e6 / seconds,
                threads: config.threads,
            },
        }
    }
}

/// Makes sure, before any work, that the directory can be written to.
///
/// # Errors
///
/// If it cannot be made or written to.
pub(crate) fn prepare(out: &Path) -> Result<()> {
    let here = || format!("cannot write to {}", out.display());
    fs::create_dir_all(out).with_context(here)?;
    tempfile::tempfile_in(out).with_context(here)?;
    Ok(())
}

/// The temporary directory to remove when the program is interrupted.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Writes all result files.
///
/// # Errors
///
/// If one cannot be written; then none is.
pub(crate) fn write(out: &Path, report: &Report, skipped: &[Skipped], run: &Run) -> Result<()> {
    let unfinished = tempfile::Builder::new().prefix(".twicetold-").tempdir_in(out)?;
    *UNFINISHED.lock().expect("no thread panics while it holds this") = Some(unfinished.path().to_owned());
    // A second handler cannot be set; this program sets one.
    let _ = ctrlc::set_handler(|| {
        if let Ok(Some(path)) = UNFINISHED.lock().as_deref() {
            let _ = fs::remove_dir_all(path);
        }
        std::process::exit(130);
    });
    let at = |name: &str| unfinished.path().join(name);
    let skipped: Vec<DocumentRow> = skipped.iter().map(skipped_row).collect();
    lines(&at("documents.jsonl"), report.documents.iter().chain(&skipped))?;
    lines(&at("families.jsonl"), &report.families)?;
    lines(&at("spans.jsonl"), &report.spans)?;
    lines(&at("pairs.jsonl"), &report.pairs)?;
    lines(&at("clusters.jsonl"), &report.clusters)?;
    let mut file = create(&at("run.json"))?;
    serde_json::to_writer_pretty(&mut file, run)?;
    file.write_all(b"\n")?;
    finish(file)?;
    for name in FILES {
        fs::rename(at(name), out.join(name)).with_context(|| format!("cannot replace {name}"))?;
    }
    *UNFINISHED.lock().expect("no thread panics while it holds this") = None;
    Ok(())
}

/// In the order in which they are put in place: the run last, which tells that
/// the others are complete.
const FILES: [&str; 6] =
    ["documents.jsonl", "families.jsonl", "spans.jsonl", "pairs.jsonl", "clusters.jsonl", "run.json"];

fn create(path: &Path) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(1 << 18, File::create(path)?))
}

fn finish(file: BufWriter<File>) -> io::Result<()> {
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

fn lines<T: Serialize>(path: &Path, rows: impl IntoIterator<Item = T>) -> Result<()> {
    let mut file = create(path)?;
    for row in rows {
        serde_json::to_writer(&mut file, &row)?;
        file.write_all(b"\n")?;
    }
    Ok(finish(file)?)
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
        spans: &'a [twicetold::SpanRow],
        pairs: &'a [twicetold::PairRow],
        clusters: &'a [twicetold::ClusterRow],
    }
    let skipped: Vec<DocumentRow> = skipped.iter().map(skipped_row).collect();
    let Report { families, spans, pairs, clusters, .. } = report;
    let documents = report.documents.iter().chain(&skipped).collect();
    serde_json::to_writer(&mut *out, &All { run, documents, families, spans, pairs, clusters })?;
    out.write_all(b"\n")?;
    Ok(())
}
