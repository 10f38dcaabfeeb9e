//! What clients see of the real binary: statuses, shapes, keys, money, limits, streams that fail or stall.

mod harness;
