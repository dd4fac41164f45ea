//! Exercises.

use std::path::PathBuf;

use clap::Subcommand;

/// `exercise …`
#[derive(Subcommand)]
pub enum Exercise {
    /// Play what this institution reports in a scripted night into its vault. A live operation
    /// takes none. Goes on where it was stopped.
    Play {
        /// The script; by default the night that comes with the program.
        script: Option<PathBuf>,
        /// How many times as fast as the script.
        #[arg(long, default_value_t = 1.0)]
        speed: f64,
        /// From the beginning, even if it was played before.
        #[arg(long)]
        anew: bool,
    },
    /// Write the night that comes with the program, to be changed or played elsewhere.
    Script {
        /// The file.
        #[arg(long)]
        out: PathBuf,
    },
}
