//! The program with its memory bounded: the same collection scanned with all the
//! memory it likes and with less, in files that must be the same. Generated text of
//! 100 MB, or as many as `TWICETOLD_BENCH_MB` says; the bounds are 256MB, or those
//! of `TWICETOLD_BENCH_MEMORY`, separated by commas.

#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]

mod input;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

fn main() {
    let variable = |name: &str, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    // Only whether it runs is asked then.
    let tested = std::env::args().any(|arg| arg == "--test");
    let megabytes: usize = match tested {
        true => 2,
        false => variable("TWICETOLD_BENCH_MB", "100").parse().expect("a number of megabytes"),
    };
    // Beside the program: a directory for temporary files may be in memory itself.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let collection = directory.path().join("news.jsonl");
    write(&collection, megabytes * 1_000_000);
    let whole = scan(directory.path(), None);
    if cfg!(not(target_os = "linux")) {
        return println!("memory is bounded on Linux only");
    }
    for bound in variable("TWICETOLD_BENCH_MEMORY", "256MB").split(',') {
        let bounded = scan(directory.path(), Some(bound));
        assert!(bounded == whole, "--memory {bound} changed the results");
    }
}

/// Writes a generated collection of about so many bytes.
fn write(path: &Path, bytes: usize) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    for document in input::generated(bytes) {
        writeln!(file, "{}", json!({"id": document.id, "text": document.text})).expect("room on the disk");
    }
    file.flush().expect("room on the disk");
}

/// Scans the collection in a directory, prints what it took, and returns all
/// result files but `run.json`.
fn scan(directory: &Path, bound: Option<&str>) -> Vec<(String, Vec<u8>)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twicetold"));
    command.args(["scan", "news.jsonl", "--quiet", "--top", "0", "--out", "results"]).current_dir(directory);
    if let Some(bound) = bound {
        command.args(["--memory", bound, "--temp-dir", "."]);
    }
    let (before, started) = (children(), Instant::now());
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let wall = started.elapsed().as_secs_f64();
    let cpu = before.zip(children()).map_or_else(String::new, |(before, after)| {
        format!(", {:.1} + {:.1} CPU-s", after.0 - before.0, after.1 - before.1)
    });
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(directory.join("results"))
        .expect("results")
        .map(|entry| entry.expect("an entry"))
        .map(|entry| {
            let name = entry.file_name().into_string().expect("a plain name");
            (name, fs::read(entry.path()).expect("a file"))
        })
        .collect();
    files.sort();
    let at = files.iter().position(|(name, _)| name == "run.json").expect("a run");
    let run: Value = serde_json::from_slice(&files.remove(at).1).expect("JSON");
    let timing = |key: &str| run["timing"][key].as_f64().unwrap_or(f64::NAN);
    println!(
        "scan of {:.0} MB, --memory {}: {:.2} GB held, {:.2} GB on disk, {:.1} s for the scan, {wall:.1} s with writing{cpu}",
        run["counts"]["bytes"].as_f64().unwrap_or(f64::NAN) / 1e6,
        bound.unwrap_or("unbounded"),
        timing("peak_memory_bytes") / 1e9,
        timing("spilled_bytes") / 1e9,
        timing("seconds"),
    );
    files
}

/// Processor time of all programs that were started and ended: their own, and what
/// the system did for them; where the system tells.
fn children() -> Option<(f64, f64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // After the name in parentheses, in ticks of 10 ms.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let seconds = |field: usize| Some(fields.get(field)?.parse::<f64>().ok()? / 100.0);
    Some((seconds(13)?, seconds(14)?))
}
