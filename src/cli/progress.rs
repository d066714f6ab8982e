//! The progress bar: on standard error, and only on a terminal.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use twicetold::Stage;

use super::input::Meter;

/// One bar that is used for one phase after the other.
pub(crate) struct Bar {
    bar: ProgressBar,
    /// Bytes of the files that are being read, or of their texts.
    bytes: AtomicU64,
    stages: Mutex<Stages>,
}

/// How far the stages of the scan are. Two may be at work at once.
#[derive(Default)]
struct Stages {
    done: Vec<(Stage, u64)>,
    /// The one that is shown, until all of it is done.
    shown: Option<Stage>,
}

impl Bar {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = if quiet {
            ProgressBar::hidden()
        } else {
            // Hides itself when standard error is no terminal.
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        };
        Bar { bar, bytes: AtomicU64::new(0), stages: Mutex::default() }
    }

    /// Shows that inputs are being read.
    pub(crate) fn reading(&self) {
        self.phase("reading", "{spinner} {msg} {bytes} {bytes_per_sec} {elapsed}", None);
    }

    /// Shows that texts of so many bytes are being scanned.
    pub(crate) fn scanning(&self, bytes: u64) {
        self.bytes.store(bytes, Relaxed);
    }

    /// Takes a step of a stage, in whatever it counts.
    pub(crate) fn advance(&self, stage: Stage, done: u64, total: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let bytes = self.bytes.load(Relaxed);
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let Stages { done: all, shown } = &mut *stages;
        if !all.iter().any(|of| of.0 == stage) {
            all.push((stage, 0));
        }
        let of = all.iter_mut().find(|of| of.0 == stage).expect("added");
        of.1 += done;
        if *shown.get_or_insert_with(|| self.stage(stage, bytes)) == stage {
            let share = u128::from(bytes) * u128::from(of.1) / u128::from(total.max(1));
            self.bar.set_position(share as u64);
            if of.1 >= total {
                *shown = None;
            }
        }
    }

    /// Shows a stage from now on.
    fn stage(&self, stage: Stage, bytes: u64) -> Stage {
        self.phase(name(stage), BYTES, Some(bytes));
        stage
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
        let all = self.bytes.fetch_add(bytes, Relaxed) + bytes;
        if bytes > 0 {
            self.bar.set_style(style(BYTES));
            self.bar.set_length(all);
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
