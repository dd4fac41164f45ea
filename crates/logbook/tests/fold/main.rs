//! What hostile, broken or merely unlucky devices hand to the fold, and what must come of it.

mod beside;
mod chains;
mod crowds;
mod forms;
mod late;
mod mayhem;
mod reports;
mod rights;
mod world;
