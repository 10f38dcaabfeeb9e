//! Fuzzes `wire::fuzz::stream`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::fuzz::stream(bytes));
