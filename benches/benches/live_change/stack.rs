//! The whole pipeline in this process.

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::Context as _;
use control_plane::ControlPlane;
use control_state::TopicOptions;
use inference::{EngineConfig, Workers};
use kafka_pipeline::{InProcessBroker, KafkaOptions, PipelineOptions};
use moderation::Limits;
use moderation_wire::Topics;
use service_runtime::{ProcessConfig, ServiceContext};
use tidegate_benches::repository;
use tokio::task::JoinSet;
use tonic::transport::Channel;

const PARTITIONS: u16 = 8;
const PATIENCE: Duration = Duration::from_secs(30);

/// A broker, a control plane under the shipped policy, a classifier and an enforcer. No deployment yet.
pub(crate) struct Stack {
    pub(crate) kafka: KafkaOptions,
    pub(crate) topics: Topics,
    pub(crate) control_plane: Channel,
    stages: Services,
    plane: Services,
    /// Closed last: the stages drain into it.
    _broker: InProcessBroker,
}

impl Stack {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let broker = InProcessBroker::start()?;
        let topics = Topics::default();
        create_topics(&broker, &topics)?;
        let kafka = broker.options()?;

        let mut plane = Services::default();
        let bound = ControlPlane::bind(control_plane_config(&kafka))?;
        let endpoint = format!("http://{}", bound.local_address()?);
        plane.start("control-plane", |context| bound.serve(context));
        let mut stages = Services::default();
        let config = classifier_config(&kafka);
        stages.start("classifier", |context| classifier::run(config, context));
        let config = enforcer_config(&kafka);
        stages.start("enforcer", |context| enforcer::run(config, context));

        // The port is bound already, so that this only waits until somebody answers.
        let control_plane = Channel::from_shared(endpoint)?.connect().await?;
        Ok(Self {
            kafka,
            topics,
            control_plane,
            stages,
            plane,
            _broker: broker,
        })
    }

    /// Drains the stages and then the control plane.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stages.stop().await?;
        self.plane.stop().await
    }
}

fn create_topics(broker: &InProcessBroker, topics: &Topics) -> anyhow::Result<()> {
    let spread = [
        &topics.content,
        &topics.content_urgent,
        &topics.scores,
        &topics.decisions,
        &topics.actions,
        &topics.review,
        &topics.dead_letter,
    ];
    for topic in spread {
        broker.create_topic(topic, PARTITIONS)?;
    }
    for topic in [&topics.control, &topics.audit, &topics.replicas] {
        broker.create_topic(topic, 1)?;
    }
    Ok(())
}

fn control_plane_config(kafka: &KafkaOptions) -> control_plane::Config {
    let mut config = control_plane::Config::new(kafka.clone());
    config.listen.set_port(0);
    config.bootstrap_policy = Some(repository().join("deploy/policies/default.toml"));
    config
}

fn classifier_config(kafka: &KafkaOptions) -> classifier::Config {
    classifier::Config {
        process: ProcessConfig::default(),
        kafka: kafka.clone(),
        topic_prefix: Topics::DEFAULT_PREFIX.to_owned(),
        topics: TopicOptions::default(),
        replica_id: None,
        pipeline: PipelineOptions::default(),
        limits: Limits::default(),
        inference: EngineConfig {
            bundle_directory: repository().join("deploy/models"),
            workers: Workers::Count(NonZeroUsize::MIN),
            ..EngineConfig::default()
        },
    }
}

fn enforcer_config(kafka: &KafkaOptions) -> enforcer::Config {
    enforcer::Config {
        process: ProcessConfig::default(),
        kafka: kafka.clone(),
        topic_prefix: Topics::DEFAULT_PREFIX.to_owned(),
        topics: TopicOptions::default(),
        replica_id: None,
        pipeline: PipelineOptions::default(),
        limits: Limits::default(),
    }
}

/// Services that stop together.
#[derive(Default)]
struct Services {
    contexts: Vec<ServiceContext>,
    running: JoinSet<anyhow::Result<()>>,
}

impl Services {
    fn start<F>(&mut self, name: &'static str, run: impl FnOnce(ServiceContext) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let context = ServiceContext::standalone(name);
        let running = run(context.clone());
        self.contexts.push(context);
        self.running
            .spawn(async move { running.await.with_context(|| format!("{name} has failed")) });
    }

    async fn stop(mut self) -> anyhow::Result<()> {
        for context in &self.contexts {
            context.shutdown().cancel();
        }
        let all_ended = async {
            while let Some(ended) = self.running.join_next().await {
                ended??;
            }
            Ok(())
        };
        tokio::time::timeout(PATIENCE, all_ended)
            .await
            .context("a service does not stop")?
    }
}
