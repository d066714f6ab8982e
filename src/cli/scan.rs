//! `scan`: reads a collection, finds what is in it, writes what was found.

use std::cell::LazyCell;
use std::io::{self, IsTerminal, Write};
use std::mem;
use std::sync::Once;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::CommandFactory;
use twicetold::{Background, Detector, Report, Stage};

use super::args::{Args, Format, ScanArgs};
use super::background::Ignored;
use super::output::{self, Run};
use super::report::{self, Rows};
use super::{BELOW, DONE, Messages, SKIPPED, UNUSABLE, complain, input, memory, progress, summary, warn};

/// Runs the command and says with which status to exit.
///
/// # Errors
///
/// If nothing could be done, or the results cannot be written.
pub(crate) fn run(args: &ScanArgs, messages: Messages) -> Result<u8> {
    let started = Instant::now();
    let detector = Detector::new(args.config()?)?;
    // Inputs are read and results written by as many; this fails only if they are set already.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(detector.config().threads).build_global();
    let ignored = Ignored::read(&args.ignore)?;
    let mut inputs = args.inputs.clone();
    if inputs.is_empty() {
        if io::stdin().is_terminal() {
            let usage = Args::command().render_usage().to_string();
            let hint = format!("name a file or a directory, or pipe text into `-`\n{usage}");
            complain("error", "no input given", Some(&hint));
            return Ok(UNUSABLE);
        }
        inputs.push("-".into());
    }
    if let (Some(out), false) = (&args.out, args.dry_run) {
        output::prepare(out)?;
    }
    let settings = args.input.settings();
    let bar = progress::Bar::reading(messages);
    let collected = input::collect(&inputs, &settings, &bar)?;
    let against =
        (!args.against.is_empty()).then(|| input::collect(&args.against, &settings, &bar)).transpose()?;
    bar.clear();
    warn(&collected, messages);
    if let Some(against) = &against {
        warn(against, messages);
        if against.documents.is_empty() {
            complain("error", "no document of the other collection could be read", Some(input::ENDINGS));
            return Ok(UNUSABLE);
        }
    }
    if args.dry_run {
        let skipped = !collected.skipped.is_empty();
        summary::files(&mut anstream::stdout().lock(), &collected)?;
        return Ok(if skipped { SKIPPED } else { DONE });
    }
    if collected.documents.is_empty() {
        complain("error", "no document could be read, nothing was done", Some(input::ENDINGS));
        return Ok(UNUSABLE);
    }
    let background = Background {
        ignored: &ignored.texts,
        ignored_hashes: &ignored.hashes,
        against: against.as_ref().map(|collected| &collected.documents[..]),
    };
    let texts = collected.documents.iter().chain(background.against.unwrap_or_default());
    bar.scanning(texts.map(|document| document.text.len() as u64).sum());
    // Much of what came before is freed when these begin, and when the first of the last is done.
    let begun = [(Stage::Alignment, false), (Stage::Ledger, true), (Stage::Ledger, false)];
    let begun = begun.map(|of| (of, Once::new()));
    let progress = |stage, done, total| {
        if let Some((_, once)) = begun.iter().find(|one| one.0 == (stage, done == 0)) {
            once.call_once(memory::give_back_now);
        }
        bar.advance(stage, done, total);
    };
    let report = detector
        .scan_with(&collected.documents, background, &progress)
        .context("cannot scan this collection")?;
    // Writing takes other memory than finding did.
    memory::give_back_now();
    bar.clear();
    // A summary needs none, and it takes a look at all text.
    let run = LazyCell::new(|| {
        Run::new(args, detector.config(), &inputs, &collected, against.as_ref(), &report, started.elapsed())
    });
    if let Some(out) = &args.out {
        let values = (!args.no_report && args.only.is_none()).then(|| serde_json::to_value(&*run));
        let page = values.transpose()?.map(|values| {
            let references = background.against.unwrap_or_default();
            let rows = Rows::of(&report, values, &collected.documents, references);
            |file: &mut _| report::write(file, rows, args.report_docs)
        });
        output::write(out, args, &report, &collected.skipped, &run, &bar, page)
            .with_context(|| format!("cannot write results to {}", out.display()))?;
        bar.clear();
    }
    match args.format {
        Format::Text => {
            summary::print(&mut anstream::stdout().lock(), &report, detector.config().only, args.top)?;
        }
        Format::Json => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            output::write_json(&mut out, &report, &collected.skipped, &run)?;
            out.flush()?;
        }
    }
    if let (Some(out), Format::Text, true) = (&args.out, args.format, messages != Messages::None) {
        complain("note", &format!("results are in {}", out.display()), None);
    }
    let below = |least| lowest(&report).is_some_and(|lowest| lowest < least);
    let status = match args.fail_below {
        Some(least) if below(least) => BELOW,
        _ if !collected.skipped.is_empty() => SKIPPED,
        _ if against.as_ref().is_some_and(|against| !against.skipped.is_empty()) => SKIPPED,
        _ => DONE,
    };
    // The system takes back all at once what would be freed row by row.
    mem::forget((report, collected, against));
    Ok(status)
}

fn lowest(report: &Report) -> Option<f64> {
    report.documents.iter().filter_map(|row| row.scores.originality).min_by(f64::total_cmp)
}
