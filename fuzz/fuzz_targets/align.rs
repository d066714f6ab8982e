//! Alignments and their extensions against whole tables.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    twicetold::stages::check_alignment(bytes);
});
