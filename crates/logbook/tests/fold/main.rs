//! What hostile, broken or merely unlucky devices hand to the fold, and what must come of it.

mod chains;
mod forms;
mod world;
