//! The whole scan. Before the usual timings it prints what one scan takes in
//! processor time and memory, in a process of its own, on a generated collection
//! of 20 MB or as many as `TWICETOLD_BENCH_MB` says or, if `TWICETOLD_BENCH_FILE`
//! names a JSON Lines file with `id` and `text`, on that; with one thread, two,
//! four and so on, up to as many as the machine has processors, but two at least.

#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]

mod input;
mod usage;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group};
use twicetold::{Config, Detector, Only};
use usage::{UNKNOWN, Usage};

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
/// What is looked for in the scans that are measured so.
const SCANS: [(&str, Option<Only>); 2] = [("all", None), ("duplicates", Some(Only::Duplicates))];

fn main() {
    if let Ok(name) = std::env::var(MEASURED) {
        let (what, threads) = name.split_once(' ').expect("what is looked for, and the threads");
        let scan = SCANS.iter().find(|scan| scan.0 == what).expect("one of the scans");
        return resources(scan.1, threads.parse().expect("a number"));
    }
    if std::env::args().any(|arg| arg == "--bench") {
        let most = std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
        for (what, _) in SCANS {
            let counts = std::iter::successors(Some(1), |threads| Some(2 * threads));
            for threads in counts.take_while(|threads| *threads <= most) {
                print!("{}", usage::alone(MEASURED, &format!("{what} {threads}")));
            }
        }
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}

/// Processor time and memory of one scan.
fn resources(only: Option<Only>, threads: usize) {
    let (name, documents) = match std::env::var(input::FILE) {
        Ok(path) => (path.clone(), input::from_file(&path)),
        Err(_) => ("generated".to_owned(), input::generated(input::megabytes(20) * 1_000_000)),
    };
    let bytes = input::bytes(&documents) as f64;
    let mut config = Config::default();
    (config.only, config.threads) = (only, threads);
    let detector = Detector::new(config).expect("valid settings");
    let (report, usage) = Usage::of(|| detector.scan(&documents).expect("unique ids"));
    match usage {
        Some(Usage { cpu, system, wall, peak }) => println!(
            "scan {name}{}: {:.1} MB, {threads} thread(s), {:.2} CPU-s ({:.2} of them the system's), \
             {:.1} MB per CPU-second, {:.2} s, peak {:.2} bytes of memory per byte above the text, \
             {} families, {} pairs",
            only.map_or("", |_| ", only duplicates"),
            bytes / 1e6,
            cpu,
            system,
            bytes / 1e6 / cpu,
            wall,
            peak / bytes,
            report.families.len(),
            report.pairs.len(),
        ),
        None => println!("scan {name}: {UNKNOWN}"),
    }
}
