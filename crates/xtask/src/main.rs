//! Sets up, runs and tests the project on a machine with only Rust, a C/C++ toolchain, make and Python 3 with pip.
//!
//! `cargo xtask demo` and `cargo xtask test` each do all of the set-up first, and skip what is already right. This program
//! depends on no other crate: it must build in a second, and where nothing else would, to say what is missing.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to its user"
)]

mod arguments;
mod onnx_runtime;
mod prerequisites;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use arguments::{Invocation, Task};
use workspace::Workspace;

fn main() -> ExitCode {
    let result =
        arguments::parse(std::env::args().skip(1)).and_then(|invocation| match invocation {
            Invocation::Help => {
                println!("{}", arguments::HELP.trim_end());
                Ok(())
            }
            Invocation::Run(task, passed_on) => run(task, &passed_on),
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Sets up, then becomes the task's command: its signals, output and exit code are the command's own.
fn run(task: Task, passed_on: &[String]) -> Result<(), String> {
    let workspace = Workspace::locate();
    let library = set_up(&workspace)?;
    match task {
        Task::Setup => {
            println!("set-up is complete; ONNX Runtime is {}", library.display());
            Ok(())
        }
        Task::Demo => {
            let demo = [
                "--release",
                "--package",
                "tidegate",
                "--bin",
                "tidegate",
                "--",
                "demo",
            ];
            Err(workspace.become_cargo("run", &demo, passed_on, &library))
        }
        // The workspace has no root package, so that without `-p` this tests every member.
        Task::Test => Err(workspace.become_cargo("test", &[], passed_on, &library)),
    }
}

/// Makes sure that the project can be built and run, and returns the ONNX Runtime library to run it with.
fn set_up(workspace: &Workspace) -> Result<PathBuf, String> {
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
