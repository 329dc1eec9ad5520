//! One stage as a child of this process, from its start to its end.

mod readiness;

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use service_runtime::{ReadinessCondition, ServiceContext};
use tokio::time::{Instant, interval};

/// A stage in a process of its own. Killed if dropped while it runs; and if this process dies without a word, its end of
/// the child's standard input closes, at which the child ends by itself.
pub(super) struct Child {
    name: &'static str,
    process: std::process::Child,
    telemetry: SocketAddr,
    config: PathBuf,
    log: PathBuf,
}

impl Child {
    /// Starts `tidegate NAME --config CONFIG` with its output in a file.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn start(
        name: &'static str,
        telemetry: SocketAddr,
        config: PathBuf,
        log: PathBuf,
        output: File,
    ) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program cannot be found")?;
        let errors = output.try_clone().context("a file handle")?;
        let process = Command::new(program)
            .arg(name)
            .arg("--config")
            .arg(&config)
            .arg("--exit-with-stdin")
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            // A terminal's Ctrl-C goes to its whole foreground group, and the stages must outlast the traffic.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Self {
            name,
            process,
            telemetry,
            config,
            log,
        })
    }

    /// Returns the stage's name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the process's number.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Returns where it shows its metrics.
    pub(super) fn telemetry(&self) -> SocketAddr {
        self.telemetry
    }

    /// Watches until the context is shut down, and then lets the child drain.
    ///
    /// # Errors
    /// The child ended by itself, did not become ready or did not end in time; the last lines of its log are shown.
    pub(super) async fn supervise(mut self, context: &ServiceContext) -> anyhow::Result<()> {
        let condition = context.readiness("process", "started");
        let lived = tokio::select! {
            biased;
            () = context.shutdown().cancelled() => Ok(()),
            ended = self.until_it_fails(&condition) => ended,
        };
        condition.set_not_ready("draining");
        let result = match lived {
            Ok(()) => self.drain().await,
            Err(error) => Err(error),
        };
        if result.is_err() {
            self.show_last_words();
        }
        result
    }

    /// Returns only what went wrong.
    async fn until_it_fails(&mut self, condition: &ReadinessCondition) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_PATIENCE;
        let mut look = interval(LOOK_INTERVAL);
        loop {
            look.tick().await;
            self.expect_running()?;
            if condition.is_ready() {
                continue;
            }
            match readiness::unmet(self.telemetry).await {
                None => {
                    condition.set_ready();
                    // It has been read, and may hold secrets.
                    fs::remove_file(&self.config).context("a stage's file")?;
                }
                Some(unmet) if Instant::now() >= deadline => {
                    bail!("not ready after {} s: {unmet}", READY_PATIENCE.as_secs())
                }
                Some(unmet) => condition.set_not_ready(unmet),
            }
        }
    }

    fn expect_running(&mut self) -> anyhow::Result<()> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => Err(anyhow!("it ended by itself, {status}: {}", self.reason())),
        }
    }

    /// Asks the child to drain, and waits for its end.
    async fn drain(&mut self) -> anyhow::Result<()> {
        if self.process.try_wait()?.is_none()
            && let Some(pid) = Pid::from_raw(self.id().cast_signed())
        {
            kill_process(pid, Signal::TERM).context("it cannot be told to drain")?;
        }
        let status = self.ended().await?;
        if status.success() {
            return Ok(());
        }
        Err(anyhow!("it drained badly, {status}: {}", self.reason()))
    }

    async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let deadline = Instant::now() + DRAIN_PATIENCE;
        let mut look = interval(LOOK_INTERVAL);
        while Instant::now() < deadline {
            look.tick().await;
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
        }
        bail!("it did not end within {} s", DRAIN_PATIENCE.as_secs())
    }

    /// Returns what the child said of its end.
    fn reason(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let mut lines = log.lines().rev();
        let error = lines.find_map(|line| line.strip_prefix("error: "));
        let last = error.or_else(|| log.lines().next_back());
        last.unwrap_or("it said nothing").to_owned()
    }

    fn show_last_words(&self) {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let from = lines.len().saturating_sub(LAST_LINES);
        for line in &lines[from..] {
            eprintln!("{}: {line}", self.name);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and was reaped when that was noticed.
        if self.process.kill().is_ok()
            && let Err(error) = self.process.wait()
        {
            tracing::error!(stage = self.name, %error, "a process cannot be waited for");
        }
    }
}

/// How long a stage may take to be ready: it certifies models on a machine that does everything else besides.
const READY_PATIENCE: Duration = Duration::from_secs(60);
/// More than a stage's own deadline, so that it can report that itself.
const DRAIN_PATIENCE: Duration = Duration::from_secs(30);
/// How often a child is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// How much of a log is shown of a child that failed.
const LAST_LINES: usize = 10;
