//! A stage whose process stood still starts over with what it missed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use control_state::{Serving, Stage, StageOptions, TopicOptions};
use kafka_pipeline::{
    Dispatched, Error, Handle, InProcessBroker, Lease, Outcome, Pipeline, PipelineConfig,
    PipelineOptions,
};
use moderation_wire::Topics;
use service_runtime::ServiceContext;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// What was asked of a [`Recorder`], in order.
#[derive(Clone, Debug, Default)]
struct Asked(Arc<Mutex<Vec<&'static str>>>);

impl Asked {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }
}

/// Serves nothing, and lets its first lease run out as if the process had stood still.
struct Recorder {
    asked: Asked,
    pipeline: PipelineConfig,
    context: ServiceContext,
}

impl Serving for Recorder {
    async fn catch_up(&mut self) -> anyhow::Result<()> {
        self.asked.note("catch up");
        Ok(())
    }

    fn start(&self, lease: Lease) -> Result<Handle, Error> {
        let is_first = self.asked.0.lock().unwrap().is_empty();
        self.asked.note("start");
        if is_first {
            lease.renew(Instant::now(), Duration::ZERO);
        } else {
            self.context.shutdown().cancel();
        }
        let config = PipelineConfig {
            lease: Some(lease),
            ..self.pipeline.clone()
        };
        Pipeline::start(config, |dispatched: Dispatched| {
            dispatched.finish(Outcome::default());
        })
    }

    async fn follow(&mut self, _pipeline: &Handle) -> anyhow::Result<()> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn it_reads_what_it_missed_before_it_consumes_again() {
    let broker = InProcessBroker::start().unwrap();
    let topics = Topics::new("t");
    for topic in [
        &topics.control,
        &topics.replicas,
        &topics.scores,
        &topics.dead_letter,
    ] {
        broker.create_topic(topic, 1).unwrap();
    }
    let kafka = broker.options().unwrap();
    let context = ServiceContext::standalone("test");
    let options = StageOptions {
        stage: "test",
        replica_id: None,
        kafka: &kafka,
        topic_prefix: "t",
        topics: &topics,
        inputs: vec![topics.scores.clone()],
        outputs: Vec::new(),
        topic_options: &TopicOptions::default(),
        pipeline: &PipelineOptions::default(),
        limits: &moderation::Limits::default(),
        drain_deadline: PATIENCE,
    };
    let asked = Asked::default();
    let recorder = Recorder {
        asked: asked.clone(),
        pipeline: options.pipeline(),
        context: context.clone(),
    };
    let stage = Stage::start(&options, "nothing serves", &context).unwrap();
    timeout(PATIENCE, stage.run(recorder, &context))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*asked.0.lock().unwrap(), ["start", "catch up", "start"]);
}
