//! Families, spans and the ledger of whole scans.

#![no_main]

#[path = "../../tests/check/mod.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::scan(bytes);
});
