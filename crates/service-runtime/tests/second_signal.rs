//! A process that cannot drain, and a user who does not want to wait for it. The process is this program, started again.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use service_runtime::{Process, ProcessConfig};

/// Set for the program that plays the process.
const IS_PROCESS: &str = "TIDEGATE_TEST_IS_PROCESS";

/// Runs a service that says what happens to it, and never ends.
#[expect(clippy::print_stdout, reason = "the test reads from it what happens")]
fn be_the_process() {
    let telemetry_address = "127.0.0.1:0".parse().unwrap();
    let config = ProcessConfig {
        telemetry_address,
        ..ProcessConfig::default()
    };
    let mut process = Process::start(&config).unwrap();
    process.add("stuck", |context| async move {
        println!("[running]");
        context.shutdown().cancelled().await;
        println!("[draining]");
        std::future::pending().await
    });
    process.run().unwrap();
}

#[track_caller]
fn wait_for_line(lines: &mut BufReader<ChildStdout>, expected: &str) {
    let mut line = String::new();
    // The test harness prints the start of a line of its own first.
    while !line.trim_end().ends_with(expected) {
        line.clear();
        assert_ne!(
            lines.read_line(&mut line).unwrap(),
            0,
            "the process ended before {expected}"
        );
    }
}

fn send_sigterm(process: &Child) {
    let kill = format!("kill -TERM {}", process.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn a_second_signal_exits_at_once() {
    if env::var_os(IS_PROCESS).is_some() {
        return be_the_process();
    }
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_second_signal_exits_at_once", "--nocapture"])
        .env(IS_PROCESS, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap());
    wait_for_line(&mut lines, "[running]");
    send_sigterm(&process);
    wait_for_line(&mut lines, "[draining]");
    send_sigterm(&process);
    let sigterm = 15;
    assert_eq!(process.wait().unwrap().code(), Some(128 + sigterm));
}
