//! The progress bar: on standard error, and only on a terminal.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use twicetold::Stage;

use super::Messages;
use super::input::Meter;

/// One bar that is used for one phase after the other.
pub(crate) struct Bar {
    bar: ProgressBar,
    stages: Mutex<Stages>,
}

/// How far the stages of the scan are. Two may be at work at once.
#[derive(Default)]
struct Stages {
    /// Bytes of the texts.
    bytes: u64,
    done: Vec<(Stage, u64)>,
    /// The one that is shown, until all of it is done.
    shown: Option<Stage>,
}

impl Bar {
    /// Shows that inputs are being read.
    pub(crate) fn reading(messages: Messages) -> Self {
        let bar = match messages {
            Messages::None => ProgressBar::hidden(),
            // Hides itself when standard error is no terminal.
            _ => ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
        };
        let bar = Bar { bar, stages: Mutex::default() };
        bar.phase("reading", "{spinner} {msg} {bytes} {bytes_per_sec} {elapsed}", None);
        bar
    }

    /// Is told that texts of so many bytes are going to be scanned.
    pub(crate) fn scanning(&self, bytes: u64) {
        self.stages().bytes = bytes;
    }

    /// Takes a step of a stage, in whatever it counts.
    pub(crate) fn advance(&self, stage: Stage, done: u64, total: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let mut stages = self.stages();
        let done = stages.step(stage, done);
        if stages.shown.is_none() {
            stages.shown = Some(stage);
            self.phase(name(stage), BYTES, Some(stages.bytes));
        }
        if stages.shown == Some(stage) {
            let share = u128::from(stages.bytes) * u128::from(done) / u128::from(total.max(1));
            self.bar.set_position(share as u64);
            stages.shown = (done < total).then_some(stage);
        }
    }

    fn stages(&self) -> MutexGuard<'_, Stages> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows that so many rows are being written.
    pub(crate) fn writing(&self, rows: usize) {
        self.phase("writing", "{msg:15} {wide_bar} {percent}% {eta}", Some(rows as u64));
    }

    /// A row is written.
    pub(crate) fn wrote(&self) {
        self.bar.inc(1);
    }

    /// Shows that the report is being made.
    pub(crate) fn reporting(&self) {
        self.phase("report.html", "{spinner} {msg} {elapsed}", None);
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn phase(&self, message: &'static str, template: &str, length: Option<u64>) {
        // It ticks in a thread of its own, which nobody needs to see nothing.
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_style(style(template));
        self.bar.reset();
        self.bar.set_message(message);
        match length {
            Some(length) => self.bar.set_length(length),
            None => self.bar.unset_length(),
        }
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }
}

impl Stages {
    /// Adds to what is done of a stage, and returns it.
    fn step(&mut self, stage: Stage, done: u64) -> u64 {
        let at = self.done.iter().position(|of| of.0 == stage).unwrap_or_else(|| {
            self.done.push((stage, 0));
            self.done.len() - 1
        });
        self.done[at].1 += done;
        self.done[at].1
    }
}

/// Where something fails the message takes its place.
impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Meter for Bar {
    fn expect(&self, bytes: &dyn Fn() -> u64) {
        if self.bar.is_hidden() {
            return;
        }
        let bytes = bytes();
        if bytes > 0 {
            self.bar.set_style(style(BYTES));
            self.bar.set_length(self.bar.length().unwrap_or(0) + bytes);
        }
    }

    fn read(&self, bytes: u64) {
        self.bar.inc(bytes);
    }
}

const BYTES: &str = "{msg:15} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Tokens => "tokens",
        Stage::NearDuplicates => "near-duplicates",
        Stage::Fingerprints => "fingerprints",
        Stage::Alignment => "alignment",
        Stage::Families => "families",
        _ => "ledger",
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a valid template")
}
