//! The command line.

use crate::{demo_run::DemoOptions, kafka::ClusterOptions, test_run::TestOptions};

/// What `cargo xtask --help` shows.
pub(crate) const HELP: &str = "\
Sets up, runs and tests Tidegate.

Usage: cargo xtask <COMMAND> [ARGUMENTS]

Commands:
  demo [ARGUMENTS]  Set up, build in release mode, and run `tidegate demo ARGUMENTS`: the whole pipeline on this machine.
                    Runs until Ctrl-C, which drains it. `cargo xtask demo --help` lists the arguments.
                    With --kafka each stage is a process of its own, and the broker is Apache Kafka.
  test [ARGUMENTS]  Set up, and run `cargo test ARGUMENTS` over the whole workspace; then the tests that need Apache
                    Kafka, on a cluster of their own. Those are left out if ARGUMENTS select tests, or if it cannot be
                    run here, which is said. --kafka insists on them, --no-kafka leaves them out, and
                    --only-kafka [NAME] runs nothing else.
  kafka [--brokers 1|3] [--port P] [--data DIR] [--secure] [--json]
                    Fetch Apache Kafka 4.3.1 with the hash of every jar checked, and run a cluster at 127.0.0.1:9092 until
                    Ctrl-C. Three brokers keep every record on three nodes and listen at P, P+1 and P+2; --port 0 takes free
                    ports. --data keeps the records for the next start; without it they are gone at the end. --secure adds
                    listeners with SASL over TLS. Needs Java 17 or newer and Maven.
                    --json is for programs: one line of JSON when all is ready and after every change, and the lines
                    `start ID` and `stop ID` on standard input, whose end stops the cluster.
  setup             Set up alone: check for the tools that the build needs, and fetch ONNX Runtime 1.28.0 with its hash
                    checked into target/onnxruntime. Plain `cargo build` and `cargo test` work from then on.

Examples:
  cargo xtask demo --events 100000 --report report.json
  cargo xtask test -p moderation
  cargo xtask test --only-kafka security
  cargo xtask kafka --brokers 3 --data /tmp/kafka

To use an ONNX Runtime 1.28.0 of your own, set ORT_DYLIB_PATH to its library.
";

/// What the user asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// Show the help text.
    Help,
    /// Run the pipeline.
    Demo(DemoOptions),
    /// Run the tests.
    Test(TestOptions),
    /// Make the two above possible.
    Setup,
    /// Run Apache Kafka.
    Kafka(ClusterOptions),
}

/// Reads the command line, without the program's name.
pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Invocation, String> {
    let Some(command) = arguments.next() else {
        return Ok(Invocation::Help);
    };
    let rest: Vec<String> = arguments.collect();
    match command.as_str() {
        "demo" => Ok(Invocation::Demo(DemoOptions::parse(rest))),
        "test" => Ok(Invocation::Test(TestOptions::parse(rest))),
        "setup" if rest.is_empty() => Ok(Invocation::Setup),
        "setup" | "kafka" if rest.first().is_some_and(|first| is_help(first)) => {
            Ok(Invocation::Help)
        }
        "setup" => Err(format!("setup takes no argument, found {}", rest[0])),
        "kafka" => ClusterOptions::parse(&rest).map(Invocation::Kafka),
        help if is_help(help) => Ok(Invocation::Help),
        unknown => Err(format!(
            "unknown command {unknown}: use demo, test, kafka, setup or --help"
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
        assert_eq!(
            parse(words(line).into_iter()),
            expected.map_err(str::to_owned)
        );
    }

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn arguments_after_the_command_belong_to_what_it_runs() {
        let demo = |line: &str| Ok(Invocation::Demo(DemoOptions::parse(words(line))));
        check("demo", demo(""));
        check("demo --help", demo("--help"));
        let one_package = TestOptions::parse(words("-p moderation"));
        check("test -p moderation", Ok(Invocation::Test(one_package)));
        check("setup", Ok(Invocation::Setup));
        let options = ClusterOptions::default();
        check("kafka", Ok(Invocation::Kafka(options)));
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
            Err("unknown command run: use demo, test, kafka, setup or --help"),
        );
        check("setup now", Err("setup takes no argument, found now"));
    }
}
