//! The stages as services of this process.

use std::env;
use std::fs;
use std::net::SocketAddr;

use anyhow::Context;
use control_plane::ControlPlane;
use control_state::TopicOptions;
use inference::EngineConfig;
use kafka_pipeline::PipelineOptions;
use moderation::Limits;
use service_runtime::{Process, ProcessConfig};

use super::installation::Installation;

/// Adds the control plane and the stages to a process, and returns where gRPC is served.
///
/// # Errors
/// One line that names the file or the port that cannot be used.
pub(super) fn add_stages(
    installation: &Installation,
    listen: SocketAddr,
    process: &mut Process,
) -> anyhow::Result<SocketAddr> {
    let control_plane = control_plane(installation, listen)?;
    let address = control_plane.local_address()?;
    process.add_backing("control-plane", |context| control_plane.serve(context));
    let classifier = classifier(installation);
    process.add_backing("classifier", |context| classifier::run(classifier, context));
    let enforcer = enforcer(installation);
    process.add_backing("enforcer", |context| enforcer::run(enforcer, context));
    Ok(address)
}

fn control_plane(installation: &Installation, listen: SocketAddr) -> anyhow::Result<ControlPlane> {
    let file = env::temp_dir().join(format!("tidegate-demo-{}.toml", std::process::id()));
    fs::write(&file, installation.bundle.deployment_toml())
        .with_context(|| format!("{} cannot be written", file.display()))?;
    let bound = ControlPlane::bind(control_plane::Config {
        listen,
        topic_prefix: installation.topic_prefix.clone(),
        bootstrap_policy: Some(installation.policy.clone()),
        bootstrap_deployment: Some(file.clone()),
        ..control_plane::Config::new(installation.kafka.clone())
    });
    fs::remove_file(&file).with_context(|| format!("{} cannot be removed", file.display()))?;
    bound
}

fn classifier(installation: &Installation) -> classifier::Config {
    classifier::Config {
        process: ProcessConfig::default(),
        kafka: installation.kafka.clone(),
        topic_prefix: installation.topic_prefix.clone(),
        topics: TopicOptions::default(),
        replica_id: None,
        pipeline: PipelineOptions::default(),
        limits: Limits::default(),
        inference: EngineConfig {
            bundle_directory: installation.bundle.directory.clone(),
            ..EngineConfig::default()
        },
    }
}

fn enforcer(installation: &Installation) -> enforcer::Config {
    enforcer::Config {
        process: ProcessConfig::default(),
        kafka: installation.kafka.clone(),
        topic_prefix: installation.topic_prefix.clone(),
        topics: TopicOptions::default(),
        replica_id: None,
        pipeline: PipelineOptions::default(),
        limits: Limits::default(),
    }
}
