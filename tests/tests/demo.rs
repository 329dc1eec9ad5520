//! The demo, as a newcomer runs it, and with each stage as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use tidegate_tests::tidegate;

/// How long anything may take that must happen; far more than it needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const FREE_PORTS: [&str; 4] = ["--listen", "127.0.0.1:0", "--telemetry", "127.0.0.1:0"];

/// Runs a demo of 5,000 events and checks that nothing is lost or repeated.
#[track_caller]
fn check_exact(options: &[&str]) {
    let output = tidegate()
        .args(["demo", "--events", "5000", "--seed", "7", "--json"])
        .args(FREE_PORTS)
        .args(options)
        .output()
        .expect("tidegate runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("the report is JSON");
    assert_eq!(report["events_in"], 5000, "{report}");
    assert_eq!(report["lost"], 0, "{report}");
    assert_eq!(report["duplicates"], 0, "{report}");
    let (decisions, dead) = (
        report["decisions"].as_u64(),
        report["dead_letters"].as_u64(),
    );
    assert_eq!(
        decisions.zip(dead).map(|(decided, dead)| decided + dead),
        Some(5000),
        "{report}"
    );
    assert!(
        report["actions"]
            .as_object()
            .is_some_and(|actions| !actions.is_empty()),
        "{report}"
    );
}

#[test]
fn a_short_demo_loses_and_repeats_nothing() {
    check_exact(&[]);
}

#[test]
fn stages_in_processes_of_their_own_lose_and_repeat_nothing() {
    check_exact(&["--processes"]);
}

/// A demo with separate stages that runs until it is stopped. Killed if dropped.
struct Endless {
    demo: Child,
    log: BufReader<ChildStderr>,
    /// Where each stage serves its telemetry.
    stages: Vec<String>,
}

impl Endless {
    /// Starts it and waits until it has said where its stages are.
    fn start() -> Self {
        let mut demo = tidegate()
            .args(["demo", "--processes", "--rate", "100"])
            .args(FREE_PORTS)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tidegate starts");
        let mut log = BufReader::new(demo.stderr.take().expect("it is piped"));
        let mut stages = Vec::new();
        while stages.len() < 3 {
            let mut line = String::new();
            let read = log.read_line(&mut line).expect("the log can be read");
            assert_ne!(read, 0, "the demo ended before it had said where it is");
            let of_a_stage = line.trim().split_once(" metrics http://");
            if let Some((stage, address)) = of_a_stage.filter(|(stage, _)| !stage.contains(' ')) {
                assert!(["control-plane", "classifier", "enforcer"].contains(&stage));
                stages.push(address.trim_end_matches("/metrics").to_owned());
            }
        }
        Self { demo, log, stages }
    }

    /// Returns the process of a stage.
    fn process_of(&self, stage: &str) -> String {
        let demo = self.demo.id();
        let tasks = std::fs::read_dir(format!("/proc/{demo}/task")).expect("the demo runs");
        let children = tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
        let children: String = children.collect();
        let is_stage = |child: &&str| {
            let line = std::fs::read_to_string(format!("/proc/{child}/cmdline"));
            line.is_ok_and(|line| line.split('\0').any(|word| word == stage))
        };
        let found = children.split_whitespace().find(is_stage);
        found.expect("the stage runs").to_owned()
    }

    fn until_all_listen(&self) {
        until("all stages listen", || {
            self.stages
                .iter()
                .all(|stage| TcpStream::connect(stage).is_ok())
        });
    }

    fn until_nobody_listens(&self) {
        until("no stage listens", || {
            self.stages
                .iter()
                .all(|stage| TcpStream::connect(stage).is_err())
        });
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        // One that has ended cannot be killed.
        let is_reaped = self.demo.kill().is_err() || self.demo.wait().is_ok();
        assert!(is_reaped || std::thread::panicking(), "the demo outlives");
    }
}

#[track_caller]
fn until(what: &str, mut is_met: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_met() {
        assert!(started.elapsed() < PATIENCE, "never happened: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn kill(signal: &str, process: &str) {
    let sent = Command::new("kill").args([signal, process]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill(1) works");
}

#[test]
fn a_stage_that_dies_ends_the_demo_with_its_name() {
    let mut endless = Endless::start();
    endless.until_all_listen();
    kill("-KILL", &endless.process_of("enforcer"));
    let mut said = String::new();
    endless
        .log
        .read_to_string(&mut said)
        .expect("the log can be read");
    let status = endless.demo.wait().expect("it was started here");
    assert!(!status.success(), "{said}");
    let error = said.lines().find(|line| line.starts_with("error: "));
    let error = error.expect("it says why");
    assert!(
        error.contains("enforcer: it ended by itself, signal: 9"),
        "{error}"
    );
    endless.until_nobody_listens();
}

#[test]
fn no_stage_outlives_a_demo_that_is_killed() {
    let mut endless = Endless::start();
    endless.until_all_listen();
    endless.demo.kill().expect("the demo runs");
    endless.demo.wait().expect("it was started here");
    endless.until_nobody_listens();
}
