//! The stages as processes of their own, as they are deployed.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use service_runtime::Process;
use tempfile::TempDir;

use super::child::Child;
use super::child_files::{StageFile, write_private};
use super::installation::Installation;
use super::measured::MeasuredProcesses;

/// Control plane, classifier and enforcer, each a child of this process.
pub(super) struct SeparateStages {
    children: Vec<Child>,
    /// Holds their files for as long as any of them runs.
    directory: Arc<TempDir>,
}

impl SeparateStages {
    /// Writes their files where only this user reads them, and starts them.
    ///
    /// # Errors
    /// If a file cannot be written or a process not be started.
    pub(super) fn start(
        installation: &Installation,
        listen: SocketAddr,
        log: &str,
    ) -> anyhow::Result<Self> {
        // Such a directory is open to its owner alone.
        let directory = TempDir::with_prefix("tidegate-demo-").context("no temporary directory")?;
        let deployment = directory.path().join("deployment.toml");
        write_private(&deployment, &installation.bundle.deployment_toml())?;
        let file = StageFile::new(installation, log);
        let files = [
            (
                "control-plane",
                file.control_plane(listen, &installation.policy, &deployment),
            ),
            (
                "classifier",
                file.classifier(&installation.bundle.directory),
            ),
            ("enforcer", file.enforcer()),
        ];
        let mut stages = Self {
            children: Vec::new(),
            directory: Arc::new(directory),
        };
        for (name, file) in files {
            let child = start(name, file, stages.directory.path())?;
            stages.children.push(child);
        }
        Ok(stages)
    }

    /// Returns this process and the children.
    pub(super) fn measured(&self) -> MeasuredProcesses {
        MeasuredProcesses::with_children(self.children.iter().map(Child::id))
    }

    /// Returns where each child shows its metrics.
    pub(super) fn telemetry(&self) -> Vec<(&'static str, SocketAddr)> {
        let addresses = self.children.iter();
        addresses
            .map(|child| (child.name(), child.telemetry()))
            .collect()
    }

    /// Makes each child a backing service of a process: it is ready when the child is, fails when the child ends by
    /// itself, and drains it.
    pub(super) fn add_to(self, process: &mut Process) {
        for child in self.children {
            let directory = Arc::clone(&self.directory);
            process.add_backing(child.name(), move |context| async move {
                let ended = child.supervise(&context).await;
                drop(directory);
                ended
            });
        }
    }
}

fn start(name: &'static str, mut file: StageFile<'_>, directory: &Path) -> anyhow::Result<Child> {
    let telemetry = free_address()?;
    file.serve_telemetry_at(telemetry);
    let config = directory.join(format!("{name}.toml"));
    write_private(&config, &file.text()?)?;
    let log = directory.join(format!("{name}.log"));
    let output =
        fs::File::create(&log).with_context(|| format!("{} cannot be made", log.display()))?;
    Child::start(name, telemetry, config, log, output)
}

/// Returns an address at which nobody listens now. Whoever takes it before the child does is named by the child.
fn free_address() -> anyhow::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .context("no port is free")
}
