//! Winnowing fingerprints, shingles included.

mod input;

use criterion::{Criterion, criterion_group, criterion_main};

fn bench(criterion: &mut Criterion) {
    input::stage(criterion, "fingerprints", |prepared| prepared.fingerprints());
}

criterion_group!(benches, bench);
criterion_main!(benches);
