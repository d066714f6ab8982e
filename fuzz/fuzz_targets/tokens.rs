//! Tokens and folding against a look at each character.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    twicetold::stages::check_tokens(&String::from_utf8_lossy(bytes));
});
