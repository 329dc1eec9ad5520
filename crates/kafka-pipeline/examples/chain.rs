//! Measures a bare chain of two pipelines over the in-process broker: content → scores → decisions, with records of the
//! sizes that Tidegate's have and no work in between. What it costs is what every event pays for being carried.
//!
//! `cargo run --release -p kafka-pipeline --example chain -- [EVENTS]`

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what it is for"
)]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka_pipeline::{
    Dispatched, Handle, InProcessBroker, KafkaOptions, Outcome, OutputRecord, Pipeline,
    PipelineConfig, PipelineOptions, Publisher,
};

const TOPICS: [&str; 5] = ["content", "scores", "decisions", "actions", "dead-letter"];
const PARTITIONS: u16 = 8;
const CONTENT_BYTES: usize = 400;
const SCORES_BYTES: usize = 450;
const DECISION_BYTES: usize = 900;
/// One event in ten leads to an action.
const EVENTS_PER_ACTION: i64 = 10;
/// The in-process broker keeps 5 MiB of a partition, so what is behind must stay below that.
const MOST_UNDECIDED: u64 = 20_000;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let events: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(300_000), |events| events.parse())?;
    let broker = InProcessBroker::start()?;
    for topic in TOPICS {
        broker.create_topic(topic, PARTITIONS)?;
    }
    let kafka = broker.options()?;
    let classifier = start(&kafka, "classifier", "content", |dispatched| {
        let outputs = vec![output("scores", &dispatched, SCORES_BYTES)];
        dispatched.finish(Outcome::produce(outputs));
    })?;
    let enforcer = start(&kafka, "enforcer", "scores", |dispatched| {
        let mut outputs = vec![output("decisions", &dispatched, DECISION_BYTES)];
        if dispatched.record().offset % EVENTS_PER_ACTION == 0 {
            outputs.push(output("actions", &dispatched, DECISION_BYTES));
        }
        dispatched.finish(Outcome::produce(outputs));
    })?;

    let publisher = Publisher::new(&kafka)?;
    feed(&publisher, &enforcer, 1)?;
    let (started, cpu_before) = (Instant::now(), cpu_seconds()?);
    feed(&publisher, &enforcer, events)?;
    wait_until_settled(&enforcer, events + 1);
    let (elapsed, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds()? - cpu_before);

    println!(
        "{:.0} events/s, {:.1} µs of CPU an event",
        events as f64 / elapsed,
        cpu * 1e6 / events as f64
    );
    classifier.drain(PATIENCE).await?;
    enforcer.drain(PATIENCE).await?;
    Ok(())
}

fn start(
    kafka: &KafkaOptions,
    stage: &'static str,
    input: &str,
    process: fn(Dispatched),
) -> Result<Handle, kafka_pipeline::Error> {
    let config = PipelineConfig {
        stage,
        kafka: kafka.clone(),
        group: stage.to_owned(),
        inputs: vec![input.to_owned()],
        dead_letter_topic: "dead-letter".to_owned(),
        start_paused: false,
        lease: None,
        options: PipelineOptions::default(),
    };
    Pipeline::start(config, process)
}

fn output(topic: &'static str, dispatched: &Dispatched, bytes: usize) -> OutputRecord {
    let key = dispatched.record().key.clone().unwrap_or_default();
    OutputRecord::new(Arc::from(topic), key, vec![7; bytes])
}

fn feed(publisher: &Publisher, last: &Handle, events: u64) -> Result<(), kafka_pipeline::Error> {
    let topic: Arc<str> = "content".into();
    let before = last.progress().settled;
    for event in 0..events {
        let record = OutputRecord::new(
            Arc::clone(&topic),
            event.to_le_bytes(),
            vec![7; CONTENT_BYTES],
        );
        publisher.publish_with(&record, |published| {
            if let Err(error) = published {
                eprintln!("an event was not published: {error}");
            }
        })?;
        if event % 256 == 0 {
            wait_until_settled(last, (before + event).saturating_sub(MOST_UNDECIDED));
        }
    }
    Ok(())
}

fn wait_until_settled(handle: &Handle, records: u64) {
    while handle.progress().settled < records && !handle.state().borrow().is_terminal() {
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Returns what this process has used on all cores, from `/proc`.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(") ").next().ok_or("no process name")?;
    let mut fields = after_name.split(' ').skip(11);
    let mut ticks =
        || -> Result<f64, Box<dyn Error>> { Ok(fields.next().ok_or("too few fields")?.parse()?) };
    // Linux counts in hundredths of a second on every platform that Rust supports.
    Ok((ticks()? + ticks()?) / 100.0)
}
