//! What a vault promises, tried from outside.

mod chains;
mod check;
mod durable;
mod exchange;
mod ingest;
mod lists;
mod order;
mod points;
mod roster;
mod stations;
mod tamper;
mod world;
