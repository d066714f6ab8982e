//! Splitting texts into tokens, beside splitting at spaces and lower-casing.

mod input;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use twicetold::stages::Prepared;

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tokens");
    for (name, documents) in input::collections() {
        let texts = input::texts(&documents);
        group.throughput(Throughput::Bytes(input::bytes(&documents)));
        group.bench_function(name, |bencher| bencher.iter(|| Prepared::new(black_box(texts.clone()))));
        group.bench_function(format!("{name}-naive"), |bencher| {
            let words = |text: &&str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
            bencher.iter(|| black_box(&texts).iter().map(words).collect::<Vec<_>>());
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
