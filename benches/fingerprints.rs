//! Winnowing fingerprints, shingles included.

mod input;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use twicetold::stages::Prepared;

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fingerprints");
    for (name, documents) in input::collections() {
        let texts = input::texts(&documents);
        group.throughput(Throughput::Bytes(input::bytes(&documents)));
        let prepared = Prepared::new(texts);
        group.bench_function(name, |bencher| bencher.iter(|| black_box(&prepared).fingerprints()));
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
