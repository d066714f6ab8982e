//! Sketching documents into 128 bins, shingles included.

mod input;

use criterion::{Criterion, criterion_group, criterion_main};

fn bench(criterion: &mut Criterion) {
    input::stage(criterion, "sketch", |prepared| prepared.sketches());
}

criterion_group!(benches, bench);
criterion_main!(benches);
