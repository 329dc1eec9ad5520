//! One process under test.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::time::{Instant, interval, timeout};

use crate::http;

/// How long a process may take for anything; far more than it needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stage that runs as a process of its own. Killed when dropped.
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    telemetry: SocketAddr,
}

impl Process {
    /// Starts `tidegate NAME --config FILE`; what it logs goes to `NAME.log` in `directory`.
    pub(crate) fn start(
        name: &'static str,
        directory: &Path,
        config: &Path,
        telemetry: SocketAddr,
    ) -> Self {
        let log = directory.join(format!("{name}-{}.log", telemetry.port()));
        let output = File::create(&log).expect("the log can be created");
        let mut command = crate::tidegate();
        let child = command
            .arg(name)
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file handle can be cloned"))
            .stderr(output)
            .spawn()
            .expect("tidegate starts");
        Self {
            name,
            child,
            log,
            telemetry,
        }
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
            last = http::get(self.telemetry, "/ready").await;
            if matches!(last, Some((200, _))) {
                return;
            }
        }
        panic!("{} is not ready: {last:?}\n{}", self.name, self.log());
    }

    /// Returns what `/metrics` shows.
    pub async fn metrics(&self) -> String {
        http::get(self.telemetry, "/metrics")
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
                if let Some(answer) = http::get(self.telemetry, "/ready").await {
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

    /// Returns everything that the process has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
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

/// Returns an address of this machine at which nobody listens.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("a listener has an address")
}
