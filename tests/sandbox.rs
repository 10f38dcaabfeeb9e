//! Plugins in the real binary: hostile ones, hot swap under load, and the ledger after `kill -9`.

mod harness;
