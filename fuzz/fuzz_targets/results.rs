//! Result files against what they were written from.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    twicetold::cli::properties::results(bytes);
});
