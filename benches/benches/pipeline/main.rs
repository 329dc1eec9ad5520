//! What carrying a record costs in the pipeline, beside reading and writing alone.

mod feed;
mod pipelines;
mod relays;

use std::cell::Cell;

use anyhow::Context as _;
use kafka_pipeline::{InProcessBroker, Publisher};
use tidegate_benches::{Bench, Cost, run};

use feed::feed;
use pipelines::Pipelines;
use relays::Relays;

/// As in the stream: content, scores, decisions.
const TOPICS: usize = 3;
/// Of each topic, as in the demo.
const PARTITIONS: u16 = 8;
/// Some seconds of work: less would mostly measure how the clients fall into step.
const RECORDS: usize = 100_000;
const ROUNDS: usize = 7;

fn main() -> anyhow::Result<()> {
    run(
        "pipeline",
        "two hops of a pass-through pipeline, records of 450 bytes, in-process broker, feeding included; \
         baseline: two loops of Follower and Publisher, with neither budget, order nor commit",
        measure,
    )
}

fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let broker = InProcessBroker::start()?;
    let piped = create_topics(&broker, "piped")?;
    let relayed = create_topics(&broker, "relayed")?;
    let dead_letters = "dead-letter";
    broker.create_topic(dead_letters, 1)?;
    let kafka = broker.options()?;
    let publisher = Publisher::new(&kafka)?;
    let pipelines = Pipelines::start(&kafka, &piped, dead_letters)?;
    let relays = Relays::start(&kafka, &relayed)?;

    let records = bench.amount(RECORDS);
    let most_in_flight = Cell::new(0);
    let mut peaks = Vec::new();
    let costs = bench.in_turns(
        ROUNDS,
        |round| {
            most_in_flight.set(0);
            let carried = || {
                most_in_flight.set(most_in_flight.get().max(pipelines.most_in_flight()));
                pipelines.carried()
            };
            let cost = feed(&publisher, &piped[0], records, carried)?;
            if round > 0 {
                peaks.push(most_in_flight.get() as f64);
            }
            Ok(cost)
        },
        |_| feed(&publisher, &relayed[0], records, || relays.carried()),
    )?;
    record(bench, records, &costs);
    bench.record("most records in flight in one hop", "records", &peaks);
    relays.stop();
    pipelines.drain()
}

fn create_topics(broker: &InProcessBroker, prefix: &str) -> anyhow::Result<Vec<String>> {
    (0..TOPICS)
        .map(|number| {
            let topic = format!("{prefix}-{number}");
            broker
                .create_topic(&topic, PARTITIONS)
                .with_context(|| format!("cannot create the topic {topic}"))?;
            Ok(topic)
        })
        .collect()
}

fn record(bench: &mut Bench, records: usize, (subjects, baselines): &(Vec<Cost>, Vec<Cost>)) {
    let cpu = |costs: &[Cost]| -> Vec<f64> {
        costs
            .iter()
            .map(|cost| cost.cpu_micros_each(records))
            .collect()
    };
    let rate = |costs: &[Cost]| -> Vec<f64> {
        costs.iter().map(|cost| cost.per_second(records)).collect()
    };
    let case = "two hops, broker and feeding included";
    bench.record_comparison(case, "µs of CPU/record", &cpu(subjects), &cpu(baselines));
    bench.record_comparison(case, "records/s", &rate(subjects), &rate(baselines));
}
