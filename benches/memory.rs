//! The program with its memory bounded: the same collection scanned with all the
//! memory it likes and with less, in files that must be the same. Generated text of
//! 100 MB, or as many as `TWICETOLD_BENCH_MB` says; the bounds are 256MB, or those
//! of `TWICETOLD_BENCH_MEMORY`, separated by commas.

#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]

mod input;
#[path = "../tests/program/mod.rs"]
mod program;
mod usage;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use program::{done, results};
use serde_json::Value;

fn main() {
    // Only whether it runs is asked then.
    let tested = std::env::args().any(|arg| arg == "--test");
    let megabytes = if tested { 2 } else { input::megabytes(100) };
    // Beside the program: a directory for temporary files may be in memory itself.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    write(&directory.path().join("news.jsonl"), megabytes * 1_000_000);
    let whole = scan(directory.path(), None);
    if cfg!(not(target_os = "linux")) {
        return println!("memory is bounded on Linux only");
    }
    let bounds = std::env::var("TWICETOLD_BENCH_MEMORY").unwrap_or_else(|_| "256MB".to_owned());
    for bound in bounds.split(',') {
        let bounded = scan(directory.path(), Some(bound));
        assert!(bounded == whole, "--memory {bound} changed the results");
    }
}

/// Writes a generated collection of about so many bytes.
fn write(path: &Path, bytes: usize) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    for document in input::generated(bytes) {
        let line = serde_json::to_string(&document).expect("JSON");
        writeln!(file, "{line}").expect("room on the disk");
    }
    file.flush().expect("room on the disk");
}

/// Scans the collection in a directory, prints what it took, and returns the
/// result files.
fn scan(directory: &Path, bound: Option<&str>) -> BTreeMap<String, Vec<u8>> {
    let mut args = vec!["scan", "news.jsonl", "--quiet", "--top", "0", "--out", "results"];
    args.extend(bound.into_iter().flat_map(|bound| ["--memory", bound, "--temp-dir", "."]));
    let (before, started) = (usage::seconds(), Instant::now());
    done(directory, &args);
    let wall = started.elapsed().as_secs_f64();
    let cpu = before.zip(usage::seconds()).map_or_else(String::new, |(before, after)| {
        format!(", {:.1} + {:.1} CPU-s", after[2] - before[2], after[3] - before[3])
    });
    let run = fs::read(directory.join("results/run.json")).expect("a run");
    let run: Value = serde_json::from_slice(&run).expect("JSON");
    let timing = |key: &str| run["timing"][key].as_f64().unwrap_or(f64::NAN);
    println!(
        "scan of {:.0} MB, --memory {}: {:.2} GB held, {:.2} GB on disk, {:.1} s for the scan, {wall:.1} s with writing{cpu}",
        run["counts"]["bytes"].as_f64().unwrap_or(f64::NAN) / 1e6,
        bound.unwrap_or("unbounded"),
        timing("peak_memory_bytes") / 1e9,
        timing("spilled_bytes") / 1e9,
        timing("seconds"),
    );
    results(&directory.join("results"))
}
