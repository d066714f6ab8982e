//! What the benches run on: the sample articles and generated collections.

#![allow(dead_code, reason = "each bench uses a part")]

#[path = "../../tests/generate/mod.rs"]
pub mod generate;

use std::path::Path;

use criterion::{Criterion, Throughput};
use std::hint::black_box;
use twicetold::Document;
use twicetold::stages::Prepared;

/// The five sample articles.
pub fn seeds() -> Vec<Document> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut documents: Vec<Document> = std::fs::read_dir(folder)
        .expect("seeds/ is part of the project")
        .map(|entry| entry.expect("a directory entry").path())
        .map(|path| Document::new(path.to_string_lossy(), std::fs::read_to_string(&path).expect("UTF-8")))
        .collect();
    documents.sort_by(|a, b| a.id.cmp(&b.id));
    documents
}

/// News-like documents of about this many bytes.
pub fn generated(bytes: usize) -> Vec<Document> {
    generate::collection(1, bytes)
}

/// The size of a generated collection, from `TWICETOLD_BENCH_MB` if that is set.
pub fn megabytes(otherwise: usize) -> usize {
    let given = std::env::var("TWICETOLD_BENCH_MB");
    given.map_or(otherwise, |number| number.parse().expect("a number of megabytes"))
}

/// Names a JSON Lines file with `id` and `text` to measure.
pub const FILE: &str = "TWICETOLD_BENCH_FILE";

pub fn from_file(path: &str) -> Vec<Document> {
    let file = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    file.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}"))).collect()
}

/// Both, with names.
pub fn collections() -> Vec<(&'static str, Vec<Document>)> {
    vec![("seeds", seeds()), ("generated-2MB", generated(2_000_000))]
}

pub fn bytes(documents: &[Document]) -> u64 {
    documents.iter().map(|document| document.text.len() as u64).sum()
}

pub fn texts(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| document.text.as_str()).collect()
}

/// Measures one stage on all collections.
pub fn stage<T>(criterion: &mut Criterion, name: &str, run: impl Fn(&Prepared) -> T) {
    let mut group = criterion.benchmark_group(name);
    for (name, documents) in collections() {
        let prepared = Prepared::new(texts(&documents));
        group.throughput(Throughput::Bytes(bytes(&documents)));
        group.bench_function(name, |bencher| bencher.iter(|| run(black_box(&prepared))));
    }
    group.finish();
}
