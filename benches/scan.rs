//! The whole scan. Before the usual timings it prints what one scan takes in
//! processor time and memory, in a process of its own, on a generated collection
//! or, if the environment variable `TWICETOLD_BENCH_FILE` names a JSON Lines file
//! with `id` and `text`, on that.

mod input;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group};
use twicetold::{Config, Detector, Document, Only};

fn bench(criterion: &mut Criterion) {
    let detector = Detector::new(Config::default()).expect("valid settings");
    let mut config = Config::default();
    config.only = Some(Only::Duplicates);
    let duplicates = Detector::new(config).expect("valid settings");
    let mut group = criterion.benchmark_group("scan");
    group.sample_size(10);
    let mut collections = input::collections();
    collections.push(("generated-8MB", input::generated(8_000_000)));
    for (name, documents) in collections {
        group.throughput(Throughput::Bytes(input::bytes(&documents)));
        for (what, detector) in [(name.to_owned(), &detector), (format!("{name}-duplicates"), &duplicates)] {
            group.bench_function(what, |bencher| {
                bencher.iter(|| detector.scan(black_box(&documents)).expect("unique ids"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, bench);

/// Names the scan that a process of its own measures.
const MEASURED: &str = "TWICETOLD_BENCH_SCAN";
/// The scans that are measured so: what is looked for, and by how many threads.
const SCANS: [(&str, Option<Only>, usize); 4] = [
    ("all-1", None, 1),
    ("all-2", None, 2),
    ("duplicates-1", Some(Only::Duplicates), 1),
    ("duplicates-2", Some(Only::Duplicates), 2),
];

fn main() {
    if let Ok(name) = std::env::var(MEASURED) {
        let scan = SCANS.iter().find(|scan| scan.0 == name).expect("one of the scans");
        return resources(scan.1, scan.2);
    }
    if std::env::args().any(|arg| arg == "--bench") {
        // Memory that one scan has used is not always given back before the next.
        for (name, _, _) in SCANS {
            let this = std::env::current_exe().expect("a path");
            let status = std::process::Command::new(this).env(MEASURED, name).status().expect("it starts");
            assert!(status.success(), "{name}: {status}");
        }
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}

/// Processor time and memory of one scan.
#[expect(clippy::print_stdout, reason = "a bench reports on standard output")]
fn resources(only: Option<Only>, threads: usize) {
    let (name, documents) = match std::env::var("TWICETOLD_BENCH_FILE") {
        Ok(path) => {
            let file = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            let read =
                |line: &str| serde_json::from_str::<Document>(line).unwrap_or_else(|error| panic!("{error}"));
            (path, file.lines().map(read).collect())
        }
        Err(_) => ("generated".to_owned(), input::generated(20_000_000)),
    };
    let bytes = input::bytes(&documents) as f64;
    let mut config = Config::default();
    (config.only, config.threads) = (only, threads);
    let detector = Detector::new(config).expect("valid settings");
    // What reading took is forgotten, where the system can.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = Usage::now();
    let report = detector.scan(&documents).expect("unique ids");
    let after = Usage::now();
    match (before, after) {
        (Some(before), Some(after)) => println!(
            "scan {name}{}: {:.1} MB, {threads} thread(s), {:.2} CPU-s, {:.1} MB per CPU-second, {:.2} s, \
             peak {:.2} bytes of memory per byte above the text, {} families, {} pairs",
            only.map_or("", |_| ", only duplicates"),
            bytes / 1e6,
            after.cpu - before.cpu,
            bytes / 1e6 / (after.cpu - before.cpu),
            (after.time - before.time).as_secs_f64(),
            (after.peak - before.resident) / bytes,
            report.families.len(),
            report.pairs.len(),
        ),
        _ => println!("scan {name}: processor time and memory are read from /proc, which is absent"),
    }
}

struct Usage {
    cpu: f64,
    time: std::time::Instant,
    /// Bytes now, and at most so far.
    resident: f64,
    peak: f64,
}

impl Usage {
    fn now() -> Option<Usage> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // After the name in parentheses; user and system time in ticks of 10 ms.
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let kilobytes = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        Some(Usage {
            cpu: (ticks(11)? + ticks(12)?) / 100.0,
            time: std::time::Instant::now(),
            resident: kilobytes("VmRSS")? * 1024.0,
            peak: kilobytes("VmHWM")? * 1024.0,
        })
    }
}
