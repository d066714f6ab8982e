//! Readers of all formats.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    twicetold::cli::properties::read(bytes);
});
