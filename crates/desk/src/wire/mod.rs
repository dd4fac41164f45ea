//! The types that cross to the window, and that the command line prints with `--json`.
//!
//! One set of types for both; members that `--json` promises keep their names. Times are RFC 3339
//! with zone, hashes and ids lower-case hex.

macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }
    )*};
}

mod board;
mod carry;
mod records;
mod report;
mod roster;
mod stations;

pub use board::*;
pub use carry::*;
pub use records::*;
pub use report::*;
pub use roster::*;
pub use stations::*;
