//! Upstream doubles that speak each dialect, recordings through the running gateway, and official clients.

mod harness;
