//! Running one stage as a process of its own.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use service_runtime::{Process, ServiceConfig, ServiceContext, config};

/// Run one stage until SIGTERM or SIGINT, then drain. A second signal exits at once.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The stage's configuration, TOML; `deploy/config/` has a commented sample of each.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// End at once when standard input ends: whoever starts stages for itself alone leaves none behind.
    #[arg(long, hide = true)]
    exit_with_stdin: bool,
}

/// Reads the whole configuration, claims the telemetry address, and runs the stage until it is told to stop.
pub(crate) fn run<C, S, F>(name: &'static str, args: &Args, service: S) -> anyhow::Result<ExitCode>
where
    C: ServiceConfig + AsRef<service_runtime::ProcessConfig> + Send + 'static,
    S: FnOnce(C, ServiceContext) -> F + Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let config: C = config::load(&args.config)?;
    let mut process = Process::start(config.as_ref())?;
    if args.exit_with_stdin {
        service_runtime::exit_with_standard_input().context("watching standard input")?;
    }
    process.add(name, move |context| service(config, context));
    process.run()?;
    Ok(ExitCode::SUCCESS)
}
