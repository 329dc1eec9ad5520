//! The program that runs a cluster of a test's own.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use tokio::{sync::mpsc, time::timeout};

use super::description::Description;

/// How long to wait for a cluster to change; far more than it needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(150);

/// `cargo xtask kafka --json`. Ends its cluster when dropped.
pub(crate) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    descriptions: mpsc::Receiver<Description>,
    log: PathBuf,
}

impl Program {
    /// Starts a cluster that keeps everything in `folder`.
    pub(crate) fn start(executable: &str, arguments: &[&str], folder: &Path) -> Self {
        let log = folder.join("xtask.log");
        let mut child = Command::new(executable)
            .args(["kafka", "--json", "--port", "0", "--data"])
            .arg(folder.join("cluster"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("the log can be created"))
            .spawn()
            .expect("TIDEGATE_XTASK names a program");
        let output = child.stdout.take().expect("it is piped");
        Self {
            input: child.stdin.take(),
            child,
            descriptions: read(output),
            log,
        }
    }

    /// Tells the program what to do.
    pub(crate) fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it is open until the end");
        if let Err(error) = writeln!(input, "{line}") {
            panic!("the cluster is gone: {error}\n{}", self.log());
        }
    }

    /// Waits for the next description that fits.
    ///
    /// # Panics
    /// If none comes.
    pub(crate) async fn describe(&mut self, fits: impl Fn(&Description) -> bool) -> Description {
        let waiting = async {
            loop {
                match self.descriptions.recv().await {
                    Some(description) if fits(&description) => return Some(description),
                    Some(_) => {}
                    None => return None,
                }
            }
        };
        match timeout(PATIENCE, waiting).await {
            Ok(Some(description)) => description,
            Ok(None) => panic!("the cluster has ended:\n{}", self.log()),
            Err(_) => panic!("the cluster does not get there:\n{}", self.log()),
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.input.take());
        let ended = self.child.wait();
        assert!(
            ended.is_ok() || thread::panicking(),
            "the cluster outlives its test: {ended:?}"
        );
    }
}

fn read(output: ChildStdout) -> mpsc::Receiver<Description> {
    let (sender, receiver) = mpsc::channel(16);
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let description = serde_json::from_str(&line).expect("xtask prints descriptions");
            if sender.blocking_send(description).is_err() {
                return;
            }
        }
    });
    receiver
}
