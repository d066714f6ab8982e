//! The command-line program: arguments, reading, writing, and nothing of the
//! method.

mod args;
mod background;
mod clean;
mod compare;
mod config_file;
mod explain;
mod families;
mod input;
mod memory;
mod output;
mod progress;
#[cfg(any(test, fuzzing))]
pub mod properties;
mod report;
mod results;
mod scan;
#[cfg_attr(not(all(target_os = "linux", target_pointer_width = "64")), path = "no_spill.rs")]
mod spill;
mod summary;
mod tables;
mod unfinished;

use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use clap::{CommandFactory, Parser};

use args::{Args, Command};
use input::Collected;

/// Exit statuses; also in `--help`.
const DONE: u8 = 0;
const BELOW: u8 = 1;
const UNUSABLE: u8 = 2;
const SKIPPED: u8 = 3;

/// Runs the program and says with which status to exit.
pub fn run() -> ExitCode {
    memory::give_back();
    let args = match config_file::with_file(Args::command, std::env::args_os().collect()) {
        Ok(args) => Args::parse_from(args),
        Err(error) => {
            complain("error", &format!("{error:#}"), None);
            return ExitCode::from(UNUSABLE);
        }
    };
    args.color.write_global();
    let messages = match (args.quiet, args.verbose) {
        (true, _) => Messages::None,
        (_, true) => Messages::All,
        _ => Messages::Some,
    };
    match perform(&args.command, messages) {
        Ok(status) => ExitCode::from(status),
        Err(error) if is_broken_pipe(&error) => ExitCode::from(DONE),
        Err(error) => {
            complain("error", &format!("{error:#}"), None);
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Runs a command, within the memory that it is given.
fn perform(command: &Command, messages: Messages) -> Result<u8> {
    if let Some(memory) = command.memory() {
        memory.bound()?;
    }
    match command {
        Command::Scan(args) => scan::run(args, messages),
        Command::Compare(args) => compare::run(args, messages),
        Command::Explain(args) => explain::run(args),
        Command::Families(args) => families::run(args),
        Command::Clean(args) => clean::run(args, messages),
        Command::Report(args) => report::run(args, messages),
        Command::Completions { shell } => completions(*shell),
        Command::Man => manual(),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), env!("CARGO_PKG_NAME"), &mut script);
    io::stdout().write_all(&script)?;
    Ok(DONE)
}

/// One page for all commands.
fn manual() -> Result<u8> {
    let mut command = Args::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let man = clap_mangen::Man::new(command.clone());
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
        man.render_extra_section(&mut page)?;
    }
    io::stdout().write_all(&page)?;
    Ok(DONE)
}

/// Which messages are printed besides errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Messages {
    None,
    Some,
    All,
}

/// Most warnings that are printed unless all are asked for; the rest is in
/// `run.json`.
const WARNINGS: usize = 20;

pub(crate) fn warn(collected: &Collected, messages: Messages) {
    let most = match messages {
        Messages::None => return,
        Messages::Some => WARNINGS,
        Messages::All => usize::MAX,
    };
    for skipped in collected.skipped.iter().take(most) {
        complain("warning", &format!("{}: {}", skipped.place(), skipped.reason), skipped.hint.as_deref());
    }
    if let Some(more) = collected.skipped.len().checked_sub(most).filter(|more| *more > 0) {
        let hint = "--verbose names them all, and so does run.json";
        complain("warning", &format!("{more} more inputs were skipped"), Some(hint));
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
        let _ = writeln!(err, "  hint: {}", printable_lines(hint));
    }
}

/// The same for a text of several lines.
fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
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
