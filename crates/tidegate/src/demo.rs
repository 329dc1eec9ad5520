//! `tidegate demo`: the whole pipeline, with traffic whose truth is known, and an oracle that checks it.
//!
//! Consumes nothing from outside but an optional file. Starts a broker in this process or makes topics of its own on
//! Kafka, runs the control plane, a classifier and an enforcer in this process or as processes of their own, sends events
//! and follows what comes of each. What it has made and started ends with it. Memory is bounded: at most 12,000
//! events are on their way, and the ledger holds forty bytes for each event that is not reconciled yet, of at most four
//! million events where there is no end to them.

mod broker;
mod bundle;
mod child;
mod child_files;
mod clock;
mod cpu;
mod flow;
mod impact;
mod installation;
mod ledger;
mod live;
mod load;
mod measured;
mod observation;
mod observer;
mod oracle;
mod own_topics;
mod reconciliation;
mod report;
mod run;
mod separate;
mod source;
mod target;
mod traffic;
mod versions;
mod within;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use service_runtime::{LogFormat, Process, ProcessConfig, StartError};

use installation::{Choices, Installation, Stages};
use load::Pace;
use observer::Observed;
use oracle::Findings;
use report::Report;
use run::Demo;
use source::{InputFile, Source};
use target::Target;
use traffic::Traffic;

/// What the report says of delivery.
const DELIVERY: &str = "at least once";
/// Events a second where there is no end to them: enough to see, little enough to leave the machine usable.
const ENDLESS_RATE: f64 = 2000.0;
/// After a signal the oracle still compares all events; a second signal ends the process at once.
const DRAIN_DEADLINE: Duration = Duration::from_secs(600);

/// Run the whole pipeline, with traffic whose truth is known, and check what comes out.
///
/// Broker and stages are in this process, unless --brokers or --kafka name a Kafka and --processes asks for a process each.
/// Without --events, --duration or --input it runs until Ctrl-C, at 2000 events a second.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// End after this many events.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    events: Option<u64>,
    /// Send this many events a second, whatever becomes of earlier ones [default: as fast as they are decided; without an end 2000].
    #[arg(long, value_name = "R", value_parser = rate)]
    rate: Option<f64>,
    /// End after this long, such as 30s or 5m.
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    /// Send the events of this file, one ContentEvent in JSON a line, instead of the demo's own.
    #[arg(long, value_name = "FILE.jsonl")]
    input: Option<PathBuf>,
    /// Which traffic to make: the same number makes the same events.
    #[arg(long, value_name = "S", default_value_t = 1, conflicts_with = "input")]
    seed: u64,
    /// Write the report to this file, as JSON.
    #[arg(long, value_name = "FILE.json")]
    report: Option<PathBuf>,
    /// Print the report as JSON instead of a summary.
    #[arg(long)]
    json: bool,
    /// The policy to begin with.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "deploy/policies/default.toml"
    )]
    policy: PathBuf,
    /// The model bundle to begin with.
    #[arg(long, value_name = "DIR", default_value = "deploy/models/screen")]
    bundle: PathBuf,
    #[command(flatten)]
    target: Target,
    /// Run control plane, classifier and enforcer as processes of their own, as they are deployed.
    #[arg(long)]
    processes: bool,
    /// Where gRPC is served; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from(([127, 0, 0, 1], control_plane::Config::DEFAULT_PORT)))]
    listen: SocketAddr,
    /// Where metrics and health are served; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9464")]
    telemetry: SocketAddr,
    /// What is logged besides the demo's own lines, as `tracing` directives.
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    log: String,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "is no number".to_owned())?;
    if (0.001..=10_000_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("must be 0.001 to 10000000 events a second".to_owned())
    }
}

impl Args {
    fn is_endless(&self) -> bool {
        self.events.is_none() && self.duration.is_none() && self.input.is_none()
    }

    fn pace(&self) -> Pace {
        let rate = self.rate.or(self.is_endless().then_some(ENDLESS_RATE));
        Pace {
            rate,
            events: self.events,
            duration: self.duration,
        }
    }

    fn choices(&self) -> anyhow::Result<Choices> {
        Ok(Choices {
            bundle: self.bundle.clone(),
            policy: self.policy.clone(),
            listen: self.listen,
            broker: self.target.choice()?,
            separate: self.processes,
            log: self.log.clone(),
        })
    }

    fn source(&self) -> anyhow::Result<Source> {
        match &self.input {
            Some(path) => Ok(Source::File(InputFile::open(path)?)),
            None => Ok(Source::Own(Traffic::new(self.seed))),
        }
    }
}

/// Runs the demo and prints its report. Fails if the oracle finds anything lost, repeated or contradictory, or if a run
/// with an end is stopped before.
///
/// # Errors
/// One line that names what cannot be used, or what never came.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let source = Arc::new(args.source()?);
    if let Some(path) = &args.report {
        // Found out now rather than after a million events.
        fs::write(path, "")
            .with_context(|| format!("the report {} cannot be written", path.display()))?;
    }
    let installation = Installation::start(args.choices()?)?;
    let outcome = observe(&args, &installation, source);
    let cleaned = installation.clean_up();
    let (observed, findings) = outcome?;
    cleaned?;
    let given_up = observed.given_up.clone();
    let report = Report::new(
        observed,
        findings,
        args.input.is_none().then_some(args.seed),
        started,
    );
    publish(&args, &report)?;
    if let Some(reason) = given_up {
        bail!(reason);
    }
    Ok(if report.is_complete() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs everything until the demo is over and all of it has drained.
fn observe(
    args: &Args,
    installation: &Installation,
    source: Arc<Source>,
) -> anyhow::Result<(Observed, Findings)> {
    let mut process = Process::start(&ProcessConfig {
        telemetry_address: args.telemetry,
        log_format: LogFormat::Human,
        log_filter: args.log.clone(),
        drain_deadline: DRAIN_DEADLINE,
    })
    .map_err(in_terms_of_the_demo)?;
    let telemetry = process.telemetry_address()?;
    let stages = installation.add_stages(&mut process)?;
    announce(args, installation, &stages, telemetry);

    let (sender, outcome) = sync_channel(1);
    let pace = (args.pace(), args.is_endless());
    let demo = Demo::new(installation, stages.measured, source, pace);
    process.add("demo", move |context| async move {
        let outcome = demo.run(context).await?;
        sender.send(outcome).context("nobody waits for the report")
    });
    process.run()?;
    outcome
        .recv()
        .context("the demo ended before it had a report")
}

/// Names the option where the process would name its configuration, which the demo has none of.
fn in_terms_of_the_demo(error: StartError) -> anyhow::Error {
    match error {
        StartError::Address { address, cause } => port_taken("--telemetry", address, &cause),
        other => other.into(),
    }
}

fn port_taken(option: &str, address: SocketAddr, cause: &std::io::Error) -> anyhow::Error {
    anyhow!(
        "cannot listen on {address}: {cause}; stop what listens there, or set {option} (port 0 takes a free one)"
    )
}

fn announce(args: &Args, installation: &Installation, stages: &Stages, telemetry: SocketAddr) {
    let traffic = match &args.input {
        Some(path) => format!("events of {}", path.display()),
        None => format!("own traffic, seed {}", args.seed),
    };
    let place = installation.description();
    eprintln!("tidegate demo: {traffic}; {place}, delivery {DELIVERY}");
    let grpc = stages.grpc;
    eprintln!("  gRPC http://{grpc}   metrics http://{telemetry}/metrics");
    for (stage, telemetry) in &stages.telemetry {
        eprintln!("  {stage} metrics http://{telemetry}/metrics");
    }
    let endpoint = if grpc.port() == control_plane::Config::DEFAULT_PORT {
        String::new()
    } else {
        format!(" --endpoint http://{grpc}")
    };
    for command in ["status", "policy get", "policy history", "model list"] {
        eprintln!("  try: tidegate {command}{endpoint}");
    }
}

fn publish(args: &Args, report: &Report) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(report)?;
    if let Some(path) = &args.report {
        fs::write(path, format!("{json}\n"))
            .with_context(|| format!("the report {} cannot be written", path.display()))?;
    }
    if args.json {
        println!("{json}");
    } else {
        print!("{}", report.summary());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_in_terms_of_the_demo() {
        let cause = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        let address = SocketAddr::from(([127, 0, 0, 1], 9464));
        let message = in_terms_of_the_demo(StartError::Address { address, cause }).to_string();
        assert!(
            message.contains("127.0.0.1:9464") && message.contains("--telemetry"),
            "{message}"
        );
        assert!(!message.contains("process."), "{message}");
    }
}
