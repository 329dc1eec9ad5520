//! `cargo xtask demo`: the pipeline with traffic of its own, on Apache Kafka if asked.

use std::{path::Path, process::ExitCode};

use crate::{
    kafka::{Cluster, ClusterOptions, Kafka},
    signals, supervision,
    workspace::Workspace,
};

/// What to show.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DemoOptions {
    on_kafka: bool,
    /// Arguments of the demo's.
    passed_on: Vec<String>,
}

impl DemoOptions {
    /// Takes what is meant for this program out of the arguments.
    pub(crate) fn parse(mut arguments: Vec<String>) -> Self {
        let count = arguments.len();
        arguments.retain(|argument| argument != "--kafka");
        Self {
            on_kafka: arguments.len() < count,
            passed_on: arguments,
        }
    }
}

const BINARY: &[&str] = &["--release", "--package", "tidegate", "--bin", "tidegate"];

/// Runs the demo with the ONNX Runtime library, and returns its code.
pub(crate) fn run(
    workspace: &Workspace,
    library: &Path,
    options: &DemoOptions,
) -> Result<ExitCode, String> {
    if options.on_kafka {
        return run_on_kafka(workspace, library, options);
    }
    let mut cargo = workspace.cargo("run", library);
    cargo
        .args(BINARY)
        .args(["--", "demo"])
        .args(&options.passed_on);
    Err(supervision::become_command(&mut cargo))
}

/// Builds first, so that the cluster need not wait for it. The demo drains into the cluster, which ends after it.
fn run_on_kafka(
    workspace: &Workspace,
    library: &Path,
    options: &DemoOptions,
) -> Result<ExitCode, String> {
    let kafka = Kafka::install(workspace)?;
    signals::catch();
    let mut build = workspace.cargo("build", library);
    let built = supervision::run(build.args(BINARY), signals::wait)?;
    if !built.success() {
        return Ok(supervision::exit_code(built));
    }
    eprintln!("starting Apache Kafka");
    let mut cluster = Cluster::start(kafka, &ClusterOptions::at_a_free_port())?;
    let mut demo = workspace.cargo("run", library);
    demo.arg("--quiet")
        .args(BINARY)
        .args(["--", "demo", "--processes", "--brokers"])
        .arg(cluster.brokers())
        .args(&options.passed_on);
    let status = supervision::run(&mut demo, || cluster.wait_for_signal())?;
    Ok(supervision::exit_code(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, on_kafka: bool, passed_on: &[&str]) {
        let options = DemoOptions::parse(line.split_whitespace().map(str::to_owned).collect());
        assert_eq!(options.on_kafka, on_kafka);
        assert_eq!(options.passed_on, passed_on);
    }

    #[test]
    fn arguments_belong_to_the_demo_but_one() {
        check("", false, &[]);
        check("--help", false, &["--help"]);
        check("--events 5 --kafka", true, &["--events", "5"]);
    }
}
