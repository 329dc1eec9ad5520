//! One process under test.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::time::{Instant, interval, timeout};

use crate::http;

/// How long a process may take for anything; far more than it needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stage that runs as a process of its own. Killed when dropped.
pub struct Process {
    name: String,
    child: Child,
    start: Start,
}

/// What a process is started from, and started from again.
struct Start {
    stage: &'static str,
    config: PathBuf,
    log: PathBuf,
    telemetry: SocketAddr,
}

impl Start {
    fn spawn(&self) -> Child {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.expect("the log can be opened");
        let mut command = crate::tidegate();
        command
            .arg(self.stage)
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file handle can be cloned"))
            .stderr(log)
            .spawn()
            .expect("tidegate starts")
    }
}

impl Process {
    /// Starts `tidegate STAGE --config FILE`; what it logs goes to a file beside that one.
    pub(crate) fn start(
        stage: &'static str,
        name: &str,
        config: &Path,
        telemetry: SocketAddr,
    ) -> Self {
        let start = Start {
            stage,
            config: config.to_owned(),
            log: config.with_file_name(format!("{name}.log")),
            telemetry,
        };
        Self {
            name: name.to_owned(),
            child: start.spawn(),
            start,
        }
    }

    /// Starts the process again, which has ended, with the same configuration and as the same replica.
    ///
    /// # Panics
    /// If it still runs.
    pub fn start_again(&mut self) {
        let status = self.child.try_wait().expect("a child can be asked");
        assert!(status.is_some(), "{} still runs", self.name);
        self.child = self.start.spawn();
    }

    /// Waits until the process says that it is ready.
    ///
    /// # Panics
    /// If it ends before, or does not become ready.
    pub async fn ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let mut look = interval(Duration::from_millis(20));
        let mut last = None;
        while Instant::now() < deadline {
            look.tick().await;
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                panic!("{} ended with {status}:\n{}", self.name, self.log());
            }
            last = http::get(self.start.telemetry, "/ready").await;
            if matches!(last, Some((200, _))) {
                return;
            }
        }
        panic!("{} is not ready: {last:?}\n{}", self.name, self.log());
    }

    /// Returns what `/metrics` shows.
    pub async fn metrics(&self) -> String {
        http::get(self.start.telemetry, "/metrics")
            .await
            .expect("the process answers")
            .1
    }

    /// Returns status and body of `/ready`, once the process answers.
    pub async fn readiness(&self) -> (u16, String) {
        let asking = async {
            let mut look = interval(Duration::from_millis(20));
            loop {
                look.tick().await;
                if let Some(answer) = http::get(self.start.telemetry, "/ready").await {
                    return answer;
                }
            }
        };
        timeout(PATIENCE, asking)
            .await
            .expect("the process answers")
    }

    /// Sends SIGTERM and waits for the process to drain and end.
    pub async fn terminate(&mut self) -> ExitStatus {
        signal(self.child.id(), "TERM");
        self.ended().await
    }

    /// Sends SIGKILL, which nothing can prepare for, and waits for the process to be gone.
    pub async fn kill(&mut self) {
        signal(self.child.id(), "KILL");
        self.ended().await;
    }

    /// Sends SIGSTOP: the process hangs with its connections open, as one does whose machine is overloaded.
    pub fn freeze(&self) {
        signal(self.child.id(), "STOP");
    }

    /// Sends SIGCONT: the process goes on as if nothing had happened.
    pub fn thaw(&self) {
        signal(self.child.id(), "CONT");
    }

    /// Waits for the process to end.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut look = interval(Duration::from_millis(20));
        let ending = async {
            loop {
                look.tick().await;
                if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                    return status;
                }
            }
        };
        match timeout(PATIENCE, ending).await {
            Ok(status) => status,
            Err(_) => panic!("{} does not end:\n{}", self.name, self.log()),
        }
    }

    /// Waits until the process has logged a line with these words.
    ///
    /// # Panics
    /// If it does not.
    pub async fn says(&self, words: &str) {
        self.says_times(words, 1).await;
    }

    /// Waits until the process has logged these words so often since its first start.
    ///
    /// # Panics
    /// If it does not.
    pub async fn says_times(&self, words: &str, times: usize) {
        let mut look = interval(Duration::from_millis(20));
        let saying = async {
            while self.log().matches(words).count() < times {
                look.tick().await;
            }
        };
        if timeout(PATIENCE, saying).await.is_err() {
            panic!("{} does not say {words:?}:\n{}", self.name, self.log());
        }
    }

    /// Returns everything that the process has logged, since its first start.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.start.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has ended by itself cannot be killed, and was reaped when that was noticed.
        let is_reaped = self.child.kill().is_err() || self.child.wait().is_ok();
        assert!(
            is_reaped || std::thread::panicking(),
            "{} outlives its test",
            self.name
        );
    }
}

/// Sends a signal to a process, by the signal's name without `SIG`.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()), "kill(1) works");
}
