//! Sets up, runs and tests the project on a machine with only Rust, a C/C++ toolchain, make, Perl and Python 3 with pip.
//!
//! `cargo xtask demo` and `cargo xtask test` each do all of the set-up first, and skip what is already right. This program
//! depends on no other crate: it must build in a second, and where nothing else would, to say what is missing.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to its user"
)]

mod arguments;
mod demo_run;
mod kafka;
mod onnx_runtime;
mod prerequisites;
mod program;
mod python;
mod signals;
mod supervision;
mod test_run;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use arguments::Invocation;
use kafka::Kafka;
use workspace::Workspace;

fn main() -> ExitCode {
    let result = arguments::parse(std::env::args().skip(1)).and_then(run);
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(invocation: Invocation) -> Result<ExitCode, String> {
    let workspace = Workspace::locate();
    match invocation {
        Invocation::Help => println!("{}", arguments::HELP.trim_end()),
        Invocation::Setup => {
            let library = set_up(&workspace)?;
            println!("set-up is complete; ONNX Runtime is {}", library.display());
        }
        Invocation::Kafka(options) => kafka::serve(Kafka::install(&workspace)?, &options)?,
        Invocation::Demo(options) => {
            return demo_run::run(&workspace, &set_up(&workspace)?, &options);
        }
        Invocation::Test(options) => {
            return test_run::run(&workspace, &set_up(&workspace)?, &options);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes sure that the project can be built and run, and returns the ONNX Runtime library to run it with.
fn set_up(workspace: &Workspace) -> Result<PathBuf, String> {
    prerequisites::check_rust()?;
    prerequisites::check(prerequisites::BUILD)?;
    if let Some(library) = workspace.user_library() {
        return match library.is_file() {
            true => Ok(library),
            false => Err(format!(
                "ORT_DYLIB_PATH names {}, which is no file; unset it to have ONNX Runtime fetched",
                library.display()
            )),
        };
    }
    prerequisites::check(prerequisites::FETCH)?;
    let library = workspace.default_library();
    onnx_runtime::install(&library)?;
    Ok(library)
}
