//! Anchoring and aligning, by themselves.

mod input;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use twicetold::stages::Prepared;

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("align");
    for (name, documents) in input::collections() {
        let prepared = Prepared::new(input::texts(&documents));
        group.throughput(Throughput::Bytes(input::bytes(&documents)));
        group.bench_function(format!("{name}-anchors"), |bencher| {
            bencher.iter(|| black_box(&prepared).anchors());
        });
        let anchored = prepared.anchors();
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(&prepared).align(&anchored));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
