//! Hashing shingles of five tokens.

mod input;

use criterion::{Criterion, criterion_group, criterion_main};

fn bench(criterion: &mut Criterion) {
    input::stage(criterion, "shingles", |prepared| prepared.shingles());
}

criterion_group!(benches, bench);
criterion_main!(benches);
