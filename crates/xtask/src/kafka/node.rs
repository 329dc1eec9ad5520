//! One broker and controller: a Java process that cannot outlive this one.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::SyncSender,
    thread,
};

use super::{Kafka, cluster::Event};

/// How long a broker may take to end in order.
const STOP_SECONDS: &str = "10";
/// Ends the broker when this process is gone.
const GUARD: &str = include_str!("guard.sh");
/// What a broker says when it takes part: its listeners answer, and the controllers let it serve.
const STARTED: &str = "Kafka Server started";
/// How much of a log is shown.
const SHOWN_LINES: usize = 5;

/// A node's place, and its process if it has one.
pub(crate) struct Node {
    /// From 1 on.
    pub(crate) id: u8,
    folder: PathBuf,
    state: State,
}

enum State {
    Stopped,
    Starting(Broker),
    Ready(Broker),
}

impl Node {
    /// Names a node whose files are in `folder`.
    pub(crate) fn new(id: u8, folder: PathBuf) -> Self {
        Self {
            id,
            folder,
            state: State::Stopped,
        }
    }

    /// Returns where the records are.
    pub(crate) fn records(&self) -> PathBuf {
        self.folder.join("records")
    }

    /// Returns the configuration file.
    pub(crate) fn properties(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    /// Returns where the broker logs.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// Starts the broker, which tells `events` how it fares.
    pub(crate) fn start(
        &mut self,
        kafka: &Kafka,
        logging: &Path,
        events: SyncSender<Event>,
    ) -> Result<(), String> {
        let broker = Broker::start(kafka, self, logging, events)
            .map_err(|error| format!("cannot start broker {}: {error}", self.id))?;
        self.state = State::Starting(broker);
        Ok(())
    }

    /// Takes note that a broker is ready, if it is this node's.
    pub(crate) fn note_ready(&mut self, pid: u32) {
        self.state = match std::mem::replace(&mut self.state, State::Stopped) {
            State::Starting(broker) if broker.pid == pid => State::Ready(broker),
            other => other,
        };
    }

    /// Takes note that a broker has ended, and tells whether it was this node's.
    pub(crate) fn note_end(&mut self, pid: u32) -> bool {
        let is_ours = self.pid() == Some(pid);
        if is_ours {
            self.state = State::Stopped;
        }
        is_ours
    }

    /// Asks the broker to end, without waiting for it.
    pub(crate) fn ask_to_stop(&mut self) {
        if let State::Starting(broker) | State::Ready(broker) = &mut self.state {
            broker.ask_to_stop();
        }
    }

    /// Stops the broker.
    pub(crate) fn stop(&mut self) {
        self.state = State::Stopped;
    }

    /// Returns the broker's process.
    pub(crate) fn pid(&self) -> Option<u32> {
        match &self.state {
            State::Stopped => None,
            State::Starting(broker) | State::Ready(broker) => Some(broker.pid),
        }
    }

    /// Tells whether the broker was started and is not ready yet.
    pub(crate) fn is_starting(&self) -> bool {
        matches!(self.state, State::Starting(_))
    }

    /// Returns the end of the log, without the stacks of exceptions.
    pub(crate) fn end_of_log(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|line| !is_stack_frame(line)).collect();
        let shown = lines.len().saturating_sub(SHOWN_LINES);
        let end = lines[shown..].iter().map(|line| format!("\n  {line}"));
        format!(
            "the end of {}:{}",
            self.log().display(),
            end.collect::<String>()
        )
    }
}

fn is_stack_frame(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with("at ") || line.starts_with("... ")
}

/// A running broker. Stopped in order when dropped.
struct Broker {
    guard: Child,
    pid: u32,
}

impl Broker {
    fn start(
        kafka: &Kafka,
        node: &Node,
        logging: &Path,
        events: SyncSender<Event>,
    ) -> Result<Self, String> {
        let mut guard = guarded(&java(kafka, node, logging), &node.log())
            .spawn()
            .map_err(|error| format!("cannot run sh: {error}"))?;
        let mut output = BufReader::new(guard.stdout.take().expect("it is piped"));
        let mut first_line = String::new();
        output
            .read_line(&mut first_line)
            .map_err(|error| error.to_string())?;
        let pid = first_line
            .trim()
            .parse()
            .map_err(|_| "sh did not say which process it is".to_owned())?;
        thread::spawn(move || report(output, pid, &events));
        Ok(Self { guard, pid })
    }

    fn ask_to_stop(&mut self) {
        drop(self.guard.stdin.take());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.ask_to_stop();
        if let Err(error) = self.guard.wait() {
            eprintln!("warning: cannot wait for process {}: {error}", self.pid);
        }
    }
}

fn java(kafka: &Kafka, node: &Node, logging: &Path) -> Command {
    // On two shared cores, at 20,000 records/s in and out, a broker takes 30 to 36 µs of CPU a record so; 44 with G1, and 50
    // without the second compiler, which starts no later.
    let mut java = kafka.java(&["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC"]);
    java.args(["-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData"]);
    java.arg(property("log4j2.configurationFile", logging))
        .arg(property("tidegate.log", &node.log()))
        .arg("kafka.Kafka")
        .arg(node.properties());
    java
}

fn property(name: &str, path: &Path) -> String {
    format!("-D{name}={}", path.display())
}

/// Wraps a command so that it ends when this process closes the pipe, or is gone.
fn guarded(command: &Command, log: &Path) -> Command {
    let mut guard = Command::new("sh");
    guard
        .args(["-c", GUARD, "guard", STOP_SECONDS])
        .arg(log)
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Ctrl-C on a terminal reaches its whole group; brokers end when whoever uses them has ended.
        .process_group(0);
    guard
}

/// Passes on what a broker says of itself, until it ends.
fn report(output: BufReader<ChildStdout>, pid: u32, events: &SyncSender<Event>) {
    for line in output.lines().map_while(Result::ok) {
        if line.contains(STARTED) && events.send(Event::Ready(pid)).is_err() {
            return;
        }
    }
    // Nobody listens any more if the cluster itself has ended.
    events.send(Event::Ended(pid)).ok();
}
