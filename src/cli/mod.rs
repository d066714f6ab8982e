//! The command-line program: arguments, reading, writing, and nothing of the
//! method.

mod args;
mod compare;
mod input;
mod output;
mod progress;
mod summary;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};
use twicetold::{Detector, Report};

use args::{Args, Command, Format, ScanArgs};
use input::Collected;
use output::Run;

/// Exit statuses; also in `--help`.
const DONE: u8 = 0;
const BELOW: u8 = 1;
const UNUSABLE: u8 = 2;
const SKIPPED: u8 = 3;

/// Runs the program and says with which status to exit.
pub fn run() -> ExitCode {
    let args = Args::parse();
    args.color.write_global();
    let done = match &args.command {
        Command::Scan(scan_args) => scan(scan_args, args.quiet),
        Command::Compare(compare_args) => compare::run(compare_args, args.quiet),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(error) if is_broken_pipe(&error) => ExitCode::from(DONE),
        Err(error) => {
            complain("error", &format!("{error:#}"), None);
            ExitCode::from(UNUSABLE)
        }
    }
}

fn scan(args: &ScanArgs, quiet: bool) -> Result<u8> {
    let started = Instant::now();
    let detector = Detector::new(args.matching.config()?)?;
    if let Some(least) = args.fail_below {
        anyhow::ensure!((0.0..=1.0).contains(&least), "--fail-below is {least}, wanted 0 to 1");
    }
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
    if let Some(out) = &args.out {
        output::prepare(out)?;
    }
    let bar = progress::Bar::new(quiet);
    bar.reading();
    let collected = input::collect(&inputs, &args.fields.fields());
    bar.clear();
    if !quiet {
        warn(&collected);
    }
    if collected.documents.is_empty() {
        complain("error", "no document could be read, nothing was done", Some(input::ENDINGS));
        return Ok(UNUSABLE);
    }
    let report = detector
        .scan_with(&collected.documents, &|stage, done, total| bar.advance(stage, done, total))
        .context("cannot scan this collection")?;
    bar.clear();
    let run = Run::new(detector.config(), &inputs, &collected, &report, started.elapsed());
    if let Some(out) = &args.out {
        output::write(out, &report, &collected.skipped, &run)
            .with_context(|| format!("cannot write results to {}", out.display()))?;
    }
    match args.format {
        Format::Text => summary::print(&mut anstream::stdout().lock(), &report, args.top)?,
        Format::Json => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            output::write_json(&mut out, &report, &collected.skipped, &run)?;
            out.flush()?;
        }
    }
    if let (Some(out), Format::Text, false) = (&args.out, args.format, quiet) {
        complain("note", &format!("results are in {}", out.display()), None);
    }
    let below = |least| lowest(&report).is_some_and(|lowest| lowest < least);
    Ok(match args.fail_below {
        Some(least) if below(least) => BELOW,
        _ if !collected.skipped.is_empty() => SKIPPED,
        _ => DONE,
    })
}

fn lowest(report: &Report) -> Option<f64> {
    report.documents.iter().filter_map(|row| row.scores.originality).min_by(f64::total_cmp)
}

/// Most messages of one kind that are printed; the rest is in `run.json`.
const MESSAGES: usize = 20;

fn warn(collected: &Collected) {
    for skipped in collected.skipped.iter().take(MESSAGES) {
        complain("warning", &format!("{}: {}", skipped.place(), skipped.reason), skipped.hint.as_deref());
    }
    if let Some(more) = collected.skipped.len().checked_sub(MESSAGES + 1) {
        complain(
            "warning",
            &format!("{} more inputs were skipped", more + 1),
            Some("run.json lists them all"),
        );
    }
    for note in &collected.notes {
        complain("note", note, None);
    }
}

/// Prints a message to standard error. What it quotes from the input may be
/// hostile, so control characters are shown, not sent.
fn complain(level: &str, message: &str, hint: Option<&str>) {
    let color = match level {
        "error" => AnsiColor::Red,
        "warning" => AnsiColor::Yellow,
        _ => AnsiColor::Cyan,
    };
    let style = Style::new().fg_color(Some(color.into())).bold();
    let mut err = anstream::stderr().lock();
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(err, "{style}{level}{style:#}: {}", printable(message));
    if let Some(hint) = hint {
        let _ = writeln!(err, "  hint: {hint}");
    }
}

/// A text with its control characters made visible and its line breaks as
/// spaces.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' | '\r' => out.push(' '),
            // Bidirectional overrides would reorder what follows.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            _ if character.is_control() => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    out
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        cause.downcast_ref().is_some_and(broken)
            || cause.downcast_ref().is_some_and(|json: &serde_json::Error| {
                json.io_error_kind() == Some(io::ErrorKind::BrokenPipe)
            })
    })
}
