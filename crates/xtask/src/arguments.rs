//! The command line.

/// What `cargo xtask --help` shows.
pub(crate) const HELP: &str = "\
Sets up, runs and tests Tidegate.

Usage: cargo xtask <COMMAND> [ARGUMENTS]

Commands:
  demo [ARGUMENTS]  Set up, build in release mode, and run `tidegate demo ARGUMENTS`: the whole pipeline on this machine.
                    Runs until Ctrl-C, which drains it. `cargo xtask demo --help` lists the arguments.
  test [ARGUMENTS]  Set up, and run `cargo test ARGUMENTS` over the whole workspace.
  setup             Set up alone: check for the tools that the build needs, and fetch ONNX Runtime 1.28.0 with its hash
                    checked into target/onnxruntime. Plain `cargo build` and `cargo test` work from then on.

Examples:
  cargo xtask demo --events 100000 --report report.json
  cargo xtask test -p moderation

To use an ONNX Runtime 1.28.0 of your own, set ORT_DYLIB_PATH to its library.
";

/// What the user asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// Show the help text.
    Help,
    /// Run a task, passing the arguments on to what it runs.
    Run(Task, Vec<String>),
}

/// A command of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Run the pipeline.
    Demo,
    /// Run all tests.
    Test,
    /// Make the two above possible.
    Setup,
}

/// Reads the command line, without the program's name.
pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Invocation, String> {
    let Some(command) = arguments.next() else {
        return Ok(Invocation::Help);
    };
    let passed_on: Vec<String> = arguments.collect();
    match command.as_str() {
        "demo" => Ok(Invocation::Run(Task::Demo, passed_on)),
        "test" => Ok(Invocation::Run(Task::Test, passed_on)),
        "setup" if passed_on.is_empty() => Ok(Invocation::Run(Task::Setup, passed_on)),
        "setup" if is_help(&passed_on[0]) => Ok(Invocation::Help),
        "setup" => Err(format!("setup takes no argument, found {}", passed_on[0])),
        help if is_help(help) => Ok(Invocation::Help),
        unknown => Err(format!(
            "unknown command {unknown}: use demo, test, setup or --help"
        )),
    }
}

fn is_help(argument: &str) -> bool {
    matches!(argument, "--help" | "-h" | "help")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Result<Invocation, &str>) {
        let arguments = line.split_whitespace().map(str::to_owned);
        assert_eq!(parse(arguments), expected.map_err(str::to_owned));
    }

    fn passed_on(arguments: &[&str]) -> Vec<String> {
        arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect()
    }

    #[test]
    fn arguments_after_the_command_belong_to_what_it_runs() {
        check("demo", Ok(Invocation::Run(Task::Demo, vec![])));
        let help_of_the_demo = Invocation::Run(Task::Demo, passed_on(&["--help"]));
        check("demo --help", Ok(help_of_the_demo));
        let one_package = Invocation::Run(Task::Test, passed_on(&["-p", "moderation"]));
        check("test -p moderation", Ok(one_package));
        check("setup", Ok(Invocation::Run(Task::Setup, vec![])));
    }

    #[test]
    fn help_is_never_far() {
        check("", Ok(Invocation::Help));
        check("--help", Ok(Invocation::Help));
        check("-h", Ok(Invocation::Help));
        check("setup --help", Ok(Invocation::Help));
    }

    #[test]
    fn what_is_not_known_is_named_with_what_is() {
        check(
            "run",
            Err("unknown command run: use demo, test, setup or --help"),
        );
        check("setup now", Err("setup takes no argument, found now"));
    }
}
