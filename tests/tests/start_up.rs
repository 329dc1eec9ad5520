//! What is wrong before anything runs is said in one line that names the thing and the way out; what may pass is waited
//! for, until somebody says stop.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use tidegate_tests::{repository, tidegate};

/// Checks that `tidegate ARGS` fails with one line that says all of `expected`.
#[track_caller]
fn check(args: &[&str], expected: &[&str]) {
    let output: Output = tidegate().args(args).output().expect("tidegate runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success(),
        "{args:?} must fail; it said: {said}"
    );
    let errors = said
        .lines()
        .filter(|line| line.starts_with("error:"))
        .collect::<Vec<_>>();
    assert_eq!(errors.len(), 1, "{args:?} says one line: {said}");
    for words in expected {
        assert!(errors[0].contains(words), "{args:?} says {words:?}: {said}");
    }
}

fn write(directory: &TempDir, name: &str, text: &str) -> String {
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("the file can be written");
    path.to_str().expect("the path is UTF-8").to_owned()
}

const KAFKA: &str = "[kafka]\nbrokers = \"127.0.0.1:9\"\n";

#[test]
fn a_wrong_configuration_names_file_key_and_what_is_allowed() {
    let directory = TempDir::new().expect("a directory can be made");
    for stage in ["classifier", "enforcer", "control-plane"] {
        check(&[stage, "--config", "/nowhere.toml"], &["/nowhere.toml"]);
        let unknown = write(&directory, "unknown.toml", &format!("colour = 1\n{KAFKA}"));
        check(
            &[stage, "--config", &unknown],
            &["unknown.toml:1", "colour"],
        );
        let missing = write(&directory, "missing.toml", "");
        check(&[stage, "--config", &missing], &["missing.toml", "kafka"]);
        let owned = write(
            &directory,
            "owned.toml",
            &format!("{KAFKA}[kafka.client]\n\"acks\" = \"0\"\n"),
        );
        check(&[stage, "--config", &owned], &["owned.toml", "acks"]);
        let typed = write(
            &directory,
            "typed.toml",
            &format!("{KAFKA}[process]\ndrain_deadline = 5\n"),
        );
        check(
            &[stage, "--config", &typed],
            &["typed.toml:4", "drain_deadline"],
        );
    }
    let range = write(
        &directory,
        "range.toml",
        &format!("{KAFKA}[pipeline]\nmax_in_flight_events = 0\n"),
    );
    check(
        &["enforcer", "--config", &range],
        &["range.toml", "max_in_flight_events"],
    );
    for stage in ["enforcer", "control-plane"] {
        let named = write(
            &directory,
            "named.toml",
            &format!("replica_id = \"\"\n{KAFKA}"),
        );
        check(
            &[stage, "--config", &named],
            &["named.toml", "replica_id", "1 to 128 bytes"],
        );
    }
    let small = write(
        &directory,
        "small.toml",
        &format!("{KAFKA}[inference]\nqueue_capacity = 1\n"),
    );
    check(
        &["classifier", "--config", &small],
        &["inference.queue_capacity", "8192"],
    );
}

#[test]
fn a_file_is_checked_as_whoever_starts_with_it_does() {
    let directory = TempDir::new().expect("a directory can be made");
    let wrong = "[kafka.client]\n\"security.protocol\" = \"pigeon\"\n";
    let protocol = write(&directory, "enforcer.toml", &format!("{KAFKA}{wrong}"));
    let named = &["enforcer.toml", "kafka.client.security.protocol"];
    check(&["config", "check", &protocol], named);
    check(&["enforcer", "--config", &protocol], named);
    let policy = format!("bootstrap_policy = \"/nowhere.toml\"\n{KAFKA}");
    let policy = write(&directory, "control-plane.toml", &policy);
    check(&["config", "check", &policy], &["/nowhere.toml"]);
    let untold = write(&directory, "mine.toml", KAFKA);
    check(&["config", "check", &untold], &["mine.toml", "--as"]);
    check(
        &["config", "check", &untold, "--as", "enforcer", "--connect"],
        &["kafka.brokers = \"127.0.0.1:9\"", "do not answer"],
    );
}

#[test]
fn topics_are_not_made_where_nobody_answers() {
    let brokers = ["--brokers", "127.0.0.1:9"];
    for command in ["apply", "check"] {
        let args = [&["topics", command], brokers.as_slice()].concat();
        check(&args, &["127.0.0.1:9", "do not answer"]);
    }
}

#[test]
fn a_port_in_use_is_named() {
    let directory = TempDir::new().expect("a directory can be made");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken
        .local_addr()
        .expect("a listener has an address")
        .to_string();
    let config = format!("{KAFKA}[process]\ntelemetry_address = \"{address}\"\n");
    let config = write(&directory, "port.toml", &config);
    check(
        &["enforcer", "--config", &config],
        &[&address, "process.telemetry_address"],
    );
    let control =
        format!("listen = \"{address}\"\n{KAFKA}[process]\ntelemetry_address = \"127.0.0.1:0\"\n");
    let control = write(&directory, "listen.toml", &control);
    check(
        &["control-plane", "--config", &control],
        &[&address, "listen"],
    );
}

#[test]
fn a_missing_runtime_library_is_named() {
    let directory = TempDir::new().expect("a directory can be made");
    let config = format!(
        "{KAFKA}[process]\ntelemetry_address = \"127.0.0.1:0\"\n[inference]\nruntime_library = \"/nowhere.so\"\n"
    );
    let config = write(&directory, "runtime.toml", &config);
    check(&["classifier", "--config", &config], &["/nowhere.so"]);
}

#[test]
fn a_bundle_that_is_missing_or_corrupt_is_named() {
    let directory = TempDir::new().expect("a directory can be made");
    check(&["model", "verify", "/nowhere"], &["/nowhere"]);
    check(
        &[
            "demo",
            "--bundle",
            "/nowhere",
            "--events",
            "10",
            "--telemetry",
            "127.0.0.1:0",
        ],
        &["/nowhere"],
    );
    let copy = directory.path().join("screen-lite");
    copy_bundle(&repository().join("deploy/models/screen-lite"), &copy);
    let model = copy.join("model.onnx");
    let mut bytes = std::fs::read(&model).expect("the model can be read");
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    std::fs::write(&model, bytes).expect("the model can be written");
    check(
        &["model", "verify", copy.to_str().expect("UTF-8")],
        &["model.onnx"],
    );
}

fn copy_bundle(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("the directory can be made");
    for entry in std::fs::read_dir(from).expect("the bundle is there") {
        let entry = entry.expect("the bundle can be listed");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("the file can be copied");
    }
}

#[test]
fn an_invalid_policy_names_line_and_fix() {
    let directory = TempDir::new().expect("a directory can be made");
    let policy = write(
        &directory,
        "policy.toml",
        "schema = 1\nname = \"x\"\n[[rules]]\nid = \"a\"\n",
    );
    // Findings are what a linter prints, one a line.
    let linted = tidegate()
        .args(["policy", "lint", &policy])
        .output()
        .expect("tidegate runs");
    let findings = String::from_utf8_lossy(&linted.stdout);
    assert!(
        !linted.status.success() && findings.contains("policy.toml:3:1: error T101"),
        "{findings}"
    );
    check(
        &[
            "demo",
            "--policy",
            &policy,
            "--events",
            "10",
            "--telemetry",
            "127.0.0.1:0",
        ],
        &["policy.toml"],
    );
}

#[test]
fn a_control_plane_that_is_away_is_named() {
    check(
        &["status", "--endpoint", "http://127.0.0.1:9"],
        &["127.0.0.1:9"],
    );
}

#[test]
fn whoever_waits_for_brokers_ends_in_order_when_told() {
    let directory = TempDir::new().expect("a directory can be made");
    let config = format!("{KAFKA}[process]\ntelemetry_address = \"127.0.0.1:0\"\n");
    let stage = write(&directory, "stage.toml", &config);
    let control = write(
        &directory,
        "control.toml",
        &format!("listen = \"127.0.0.1:0\"\n{config}"),
    );
    for (name, config) in [
        ("enforcer", &stage),
        ("classifier", &stage),
        ("control-plane", &control),
    ] {
        let mut process = tidegate()
            .args([name, "--config", config])
            .stderr(Stdio::piped())
            .spawn()
            .expect("tidegate starts");
        let mut log = BufReader::new(process.stderr.take().expect("it is piped"));
        let mut line = String::new();
        while !line.contains("Connect to") {
            line.clear();
            let read = log.read_line(&mut line).expect("the log can be read");
            assert_ne!(read, 0, "{name} ended before it was told to");
        }
        let told = Command::new("kill")
            .args(["-TERM", &process.id().to_string()])
            .status();
        assert!(told.is_ok_and(|status| status.success()), "kill(1) works");
        let mut rest = String::new();
        log.read_to_string(&mut rest).expect("the log can be read");
        let status = process.wait().expect("it was started here");
        assert!(status.success(), "{name} ended with {status}:\n{rest}");
    }
}
