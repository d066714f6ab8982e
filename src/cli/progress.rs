//! The progress bar: on standard error, and only on a terminal.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use twicetold::Stage;

/// One bar that is used for one stage after the other.
pub(crate) struct Bar {
    bar: ProgressBar,
    stage: Mutex<Option<Stage>>,
}

impl Bar {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = if quiet {
            ProgressBar::hidden()
        } else {
            // Hides itself when standard error is no terminal.
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        };
        Bar { bar, stage: Mutex::new(None) }
    }

    /// Shows that inputs are being read.
    pub(crate) fn reading(&self) {
        // It ticks in a thread of its own, which nobody needs to see nothing.
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_style(style("{spinner} {msg} {elapsed}"));
        self.bar.set_message("reading");
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    /// Takes a step of a stage.
    pub(crate) fn advance(&self, stage: Stage, done: u64, total: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let mut current = self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *current != Some(stage) {
            *current = Some(stage);
            let (message, template) = match stage {
                Stage::Tokens => {
                    ("tokens", "{msg:15} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
                }
                Stage::NearDuplicates => ("near-duplicates", COUNT),
                Stage::Fingerprints => ("fingerprints", COUNT),
                Stage::Alignment => ("alignment", COUNT),
                Stage::Families => ("families", COUNT),
                _ => ("ledger", COUNT),
            };
            self.bar.reset();
            self.bar.set_style(style(template));
            self.bar.set_message(message);
            self.bar.set_length(total);
        }
        self.bar.inc(done);
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

const COUNT: &str = "{msg:15} {wide_bar} {percent}% {eta}";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a valid template")
}
