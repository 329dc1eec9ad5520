//! The demo's own service: load, observer and oracle, each on a thread of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};

use anyhow::{Context, anyhow};
use kafka_pipeline::{KafkaOptions, Publisher};
use moderation_wire::Topics;
use service_runtime::ServiceContext;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::flow::Flow;
use super::installation::Installation;
use super::live::Live;
use super::load::{Load, Pace};
use super::measured::MeasuredProcesses;
use super::observation::{Followers, Reading};
use super::observer::{Observed, Observer, Wiring};
use super::oracle::{Findings, Oracle};
use super::source::Source;

/// Observations that wait for the observer; followers and load wait beyond.
const OBSERVATIONS: usize = 8192;

/// Everything that the service needs.
pub(crate) struct Demo {
    kafka: KafkaOptions,
    topics: Topics,
    is_broker_within: bool,
    measured: MeasuredProcesses,
    bundle_directory: PathBuf,
    source: Arc<Source>,
    pace: Pace,
    is_endless: bool,
}

impl Demo {
    /// Prepares the service.
    pub(crate) fn new(
        installation: &Installation,
        measured: MeasuredProcesses,
        source: Arc<Source>,
        (pace, is_endless): (Pace, bool),
    ) -> Self {
        Self {
            kafka: installation.kafka.clone(),
            topics: installation.topics.clone(),
            is_broker_within: installation.is_broker_within(),
            measured,
            bundle_directory: installation.bundle.directory.clone(),
            source,
            pace,
            is_endless,
        }
    }

    /// Waits for the stages, sends all events, waits for all answers, and compares them with the oracle's.
    ///
    /// # Errors
    /// If a part of the demo itself fails.
    pub(crate) async fn run(self, context: ServiceContext) -> anyhow::Result<(Observed, Findings)> {
        let is_running = context.readiness("stages", "waiting for the stages");
        tokio::select! {
            () = context.others_ready() => is_running.set_ready(),
            () = context.shutdown().cancelled() => {}
        }
        let stop = context.shutdown().clone();
        context
            .spawn_blocking(move || self.run_threads(stop))
            .await
            .context("the demo's threads")?
    }

    fn run_threads(self, stop: CancellationToken) -> anyhow::Result<(Observed, Findings)> {
        let (observations, observed) = sync_channel(OBSERVATIONS);
        let (chunks, complete) = sync_channel(1);
        let (clock, flow, stop) = (
            Clock::start(),
            Arc::new(Flow::default()),
            stop.child_token(),
        );

        let reading = Reading {
            kafka: &self.kafka,
            waits_to_the_end: self.is_broker_within,
            topics: &self.topics,
        };
        let followers = Followers::start(&reading, &self.source, &observations)?;
        let load = Load {
            source: Arc::clone(&self.source),
            pace: self.pace,
            clock,
            flow: Arc::clone(&flow),
            publisher: Publisher::new(&self.kafka)?,
            topic: self.topics.content.as_str().into(),
            observations,
            measured: self.measured.clone(),
            stop: stop.clone(),
        };
        let wiring = Wiring {
            clock,
            flow,
            stop,
            chunks,
            reconciles_meanwhile: self.is_endless,
            measured: self.measured,
            live: Live::new(),
        };
        let observer = Observer::new(wiring)?;
        let oracle = Oracle::new(self.source, clock, self.bundle_directory);
        let mut live = Live::new();
        let shows_progress = !self.is_endless;

        let oracle = spawn("demo-oracle", move || {
            oracle.run(&complete, |done| {
                if shows_progress {
                    live.progress(done);
                }
            })
        })?;
        let observer = spawn("demo-observer", move || observer.run(&observed))?;
        let load = spawn("demo-load", move || load.run())?;

        let sent = join(load);
        let mut observed = join(observer)?;
        drop(followers);
        let findings = join(oracle)??;
        Live::new().end();
        let interrupted = sent??;
        // Whoever gives up stops the load, and says why.
        observed.interrupted = interrupted.filter(|_| observed.given_up.is_none());
        Ok((observed, findings))
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<JoinHandle<T>> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .with_context(|| format!("thread {name}"))
}

fn join<T>(thread: JoinHandle<T>) -> anyhow::Result<T> {
    let name = thread.thread().name().unwrap_or("unnamed").to_owned();
    thread
        .join()
        .map_err(|_| anyhow!("the thread {name} panicked"))
}
