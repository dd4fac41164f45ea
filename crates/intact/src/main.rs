//! `intact`: everything the window does, for scripts, servers, drills and tests; and the relay.

mod args;
mod output;
mod passphrase;
mod place;
mod run;
mod usage;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::report(&error),
    };
    init_logs();
    let json = cli.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("intact: the system gives no threads: {error}");
            return ExitCode::from(8);
        }
    };
    match runtime.block_on(run::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error, json);
            ExitCode::from(error.code as u8)
        }
    }
}

/// Logs go to standard error: warnings, or what `INTACT_LOG` asks for. They carry ids, never content.
fn init_logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("INTACT_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
