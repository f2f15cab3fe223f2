//! The program `taoyao`: reads the command line, runs one command, and tells by its exit code how that ended.

mod cli;

use std::panic;
use std::process::ExitCode;

use taoyao_node::telemetry;

use crate::cli::{Cli, Exit};

fn main() -> ExitCode {
    // The hook has told of the panic by then; what is left is to say so to scripts.
    let exit = panic::catch_unwind(run).unwrap_or(Exit::Bug);
    telemetry::end();
    ExitCode::from(exit.code())
}

fn run() -> Exit {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(told_instead) => return told_instead,
    };
    match cli.run() {
        Ok(exit) => exit,
        Err(failed) => {
            failed.tell();
            failed.exit
        }
    }
}
