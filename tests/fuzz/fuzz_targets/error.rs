//! Fuzzes `wire::fuzz::error`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::fuzz::error(bytes));
