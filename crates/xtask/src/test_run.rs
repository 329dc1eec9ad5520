//! `cargo xtask test`: every test, on Apache Kafka too where it can be run.

use std::{
    path::Path,
    process::{Command, ExitCode, ExitStatus},
};

use crate::{
    kafka::{Cluster, ClusterOptions, Kafka, description},
    signals, supervision,
    workspace::Workspace,
};

/// What to test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TestOptions {
    kafka: UseOfKafka,
    /// Arguments of cargo's.
    passed_on: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UseOfKafka {
    /// Its tests are left out where it cannot be run.
    WherePossible,
    /// It is an error if it cannot be run.
    Required,
    /// Its tests are left out.
    Never,
    /// Its tests alone are run.
    Alone,
}

/// Arguments that say how to test, and not what.
const NOT_SELECTING: &[&str] = &[
    "--frozen",
    "--locked",
    "--no-fail-fast",
    "--offline",
    "--quiet",
    "--release",
    "--verbose",
    "-q",
    "-r",
    "-v",
    "-vv",
];

impl TestOptions {
    /// Takes what is meant for this program out of the arguments; what comes after `--` is for the tests.
    pub(crate) fn parse(arguments: Vec<String>) -> Self {
        let mut kafka = None;
        let mut is_for_tests = false;
        let mut passed_on = Vec::new();
        for argument in arguments {
            is_for_tests |= argument == "--";
            match argument.as_str() {
                "--kafka" if !is_for_tests => kafka = Some(UseOfKafka::Required),
                "--no-kafka" if !is_for_tests => kafka = Some(UseOfKafka::Never),
                "--only-kafka" if !is_for_tests => kafka = Some(UseOfKafka::Alone),
                _ => passed_on.push(argument),
            }
        }
        let selects = passed_on.iter().any(|argument| is_selecting(argument));
        let kafka = kafka.unwrap_or(match selects {
            true => UseOfKafka::Never,
            false => UseOfKafka::WherePossible,
        });
        Self { kafka, passed_on }
    }

    /// Returns the arguments of the run on Apache Kafka: what selects other tests would select none there.
    fn of_kafka_run(&self) -> Vec<String> {
        if self.kafka == UseOfKafka::Alone {
            return self.passed_on.clone();
        }
        let for_tests = self.passed_on.iter().position(|argument| argument == "--");
        let (of_cargo, of_tests) = self
            .passed_on
            .split_at(for_tests.unwrap_or(self.passed_on.len()));
        let mut arguments = of_cargo.to_vec();
        arguments.retain(|argument| !is_selecting(argument));
        arguments.extend_from_slice(of_tests);
        arguments
    }

    fn goes_on_after_failure(&self) -> bool {
        self.passed_on
            .iter()
            .any(|argument| argument == "--no-fail-fast")
    }
}

fn is_selecting(argument: &str) -> bool {
    !NOT_SELECTING.contains(&argument)
}

/// Runs the tests with the ONNX Runtime library, and returns the code of the first failure.
pub(crate) fn run(
    workspace: &Workspace,
    library: &Path,
    options: &TestOptions,
) -> Result<ExitCode, String> {
    let kafka = match options.kafka {
        UseOfKafka::Never => Err(None),
        UseOfKafka::WherePossible => Kafka::install(workspace).map_err(Some),
        UseOfKafka::Required | UseOfKafka::Alone => Ok(Kafka::install(workspace)?),
    };
    signals::catch();
    let mut status = ExitStatus::default();
    if options.kafka != UseOfKafka::Alone {
        status = run_all(workspace, library, options)?;
    }
    if !status.success() && !options.goes_on_after_failure() {
        return Ok(supervision::exit_code(status));
    }
    match kafka {
        Ok(kafka) => {
            let on_kafka = run_on_kafka(workspace, library, options, kafka)?;
            if status.success() {
                status = on_kafka;
            }
        }
        Err(Some(reason)) => eprintln!("note: the tests on Apache Kafka were left out: {reason}"),
        Err(None) => {}
    }
    Ok(supervision::exit_code(status))
}

/// The workspace has no root package, so that without `-p` this tests every member.
fn run_all(
    workspace: &Workspace,
    library: &Path,
    options: &TestOptions,
) -> Result<ExitStatus, String> {
    let mut cargo = workspace.cargo("test", library);
    cargo.args(&options.passed_on);
    supervision::run(&mut cargo, signals::wait)
}

/// How many tests the test harness runs at the same time.
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// Builds first, so that the cluster need not wait for it.
fn run_on_kafka(
    workspace: &Workspace,
    library: &Path,
    options: &TestOptions,
    kafka: Kafka,
) -> Result<ExitStatus, String> {
    let cargo = || -> Command {
        // Every member, though one of them alone has such tests: dependencies then keep the features they are built with.
        let mut cargo = workspace.cargo("test", library);
        cargo.args(["--workspace", "--test", "kafka"]);
        cargo
    };
    let arguments = options.of_kafka_run();
    let built = supervision::run(cargo().arg("--no-run").args(&arguments), signals::wait)?;
    if !built.success() {
        return Ok(built);
    }
    let xtask = std::env::current_exe()
        .map_err(|error| format!("cannot tell where this program is: {error}"))?;
    let mut cluster = Cluster::start(kafka, &ClusterOptions::for_tests())?;
    let mut tests = cargo();
    tests
        .args(&arguments)
        .env("TIDEGATE_KAFKA", description::json(&cluster))
        .env("TIDEGATE_XTASK", xtask);
    // One after the other: they kill and freeze processes under load, and wait for what the others would starve.
    if std::env::var_os(TEST_THREADS).is_none() {
        tests.env(TEST_THREADS, "1");
    }
    supervision::run(&mut tests, || cluster.wait_for_signal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, kafka: UseOfKafka, passed_on: &str, of_kafka_run: &str) {
        let words =
            |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
        let options = TestOptions::parse(words(line));
        assert_eq!(options.kafka, kafka);
        assert_eq!(options.passed_on, words(passed_on));
        assert_eq!(options.of_kafka_run(), words(of_kafka_run));
    }

    #[test]
    fn kafka_is_tested_on_unless_other_tests_are_selected() {
        use UseOfKafka::{Alone, Never, Required, WherePossible};
        check("", WherePossible, "", "");
        check("--locked", WherePossible, "--locked", "--locked");
        check("-p moderation", Never, "-p moderation", "");
        check("some_name", Never, "some_name", "");
        check("--no-kafka", Never, "", "");
        check(
            "--kafka --locked -p moderation -- --nocapture",
            Required,
            "--locked -p moderation -- --nocapture",
            "--locked -- --nocapture",
        );
        check(
            "--only-kafka --release secure",
            Alone,
            "--release secure",
            "--release secure",
        );
        check("-- --kafka", Never, "-- --kafka", "-- --kafka");
    }
}
