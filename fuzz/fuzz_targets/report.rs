//! The page of a report, and its data, from sound results and changed ones.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    twicetold::cli::properties::page(bytes);
});
