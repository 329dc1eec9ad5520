//! Everything that the demo runs: the broker, the stages, and their settings.

use std::env;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use control_plane::{ControlPlane, deployment_toml};
use control_state::TopicOptions;
use inference::EngineConfig;
use inference::inspect::{self, Inspection};
use kafka_pipeline::{InProcessBroker, KafkaOptions, PipelineOptions};
use moderation::{BundleRole, DeployedBundle, Deployment, DirectMessageScope, Limits};
use moderation_wire::Topics;
use service_runtime::{Process, ProcessConfig};

use super::port_taken;

/// Partitions of a topic; more would cost memory and no test of ours gains by it.
const PARTITIONS: u16 = 8;

/// How long producers gather records of a partition. At a few thousand events a second little gathers in any time that
/// would be tolerable three times over; at full speed batches fill whatever this is.
const LINGER_MS: &str = "2";

/// What may be chosen of an installation.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    /// The policy that becomes version 1.
    pub(crate) policy: PathBuf,
    /// Where gRPC is served.
    pub(crate) listen: SocketAddr,
}

/// A broker in this process, with its topics.
pub(crate) struct Installation {
    /// Lives as long as anybody talks to it.
    _broker: InProcessBroker,
    /// How to reach it.
    pub(crate) kafka: KafkaOptions,
    /// Its topics.
    pub(crate) topics: Topics,
    /// Where bundles lie.
    pub(crate) bundle_directory: PathBuf,
    bundle: DeployedBundle,
}

impl Installation {
    /// Certifies the bundle and starts the broker. A classifier that refuses the only deployment waits for another one,
    /// and the demo would wait with it.
    ///
    /// # Errors
    /// Names the file that is missing or wrong.
    pub(crate) fn start(bundle: &Path) -> anyhow::Result<Self> {
        let directory = found(bundle, "--bundle")?;
        // These errors tell their causes themselves.
        let inspection = inspect::verify(&directory, None, None)
            .map_err(|error| anyhow!("--bundle {} cannot be used: {error}", bundle.display()))?
            .inspection;
        let (bundle_directory, bundle) = deployed(&directory, inspection)?;
        let broker = InProcessBroker::start()?;
        let topics = Topics::default();
        for topic in [
            &topics.content,
            &topics.content_urgent,
            &topics.scores,
            &topics.decisions,
            &topics.actions,
            &topics.review,
            &topics.dead_letter,
        ] {
            broker.create_topic(topic, PARTITIONS)?;
        }
        for topic in [&topics.control, &topics.audit, &topics.replicas] {
            broker.create_topic(topic, 1)?;
        }
        let mut kafka = broker.options()?;
        kafka
            .producer
            .insert("linger.ms".to_owned(), LINGER_MS.to_owned());
        Ok(Self {
            _broker: broker,
            kafka,
            topics,
            bundle_directory,
            bundle,
        })
    }

    /// Adds the control plane and the stages to a process, and returns where gRPC is served.
    ///
    /// # Errors
    /// One line that names the file or the port that cannot be used.
    pub(crate) fn add_stages(
        &self,
        process: &mut Process,
        choices: &Choices,
    ) -> anyhow::Result<SocketAddr> {
        let control_plane = self.control_plane(choices)?;
        let address = control_plane.local_address()?;
        process.add_backing("control-plane", |context| control_plane.serve(context));
        let classifier = self.classifier();
        process.add_backing("classifier", |context| classifier::run(classifier, context));
        let enforcer = self.enforcer();
        process.add_backing("enforcer", |context| enforcer::run(enforcer, context));
        Ok(address)
    }

    fn control_plane(&self, choices: &Choices) -> anyhow::Result<ControlPlane> {
        let policy = found(&choices.policy, "--policy")?;
        // The control plane would name a setting that the demo has not. It takes the port again right behind this.
        TcpListener::bind(choices.listen)
            .map_err(|cause| port_taken("--listen", choices.listen, &cause))?;
        let deployment = Deployment {
            bundles: vec![self.bundle.clone()],
            direct_messages: DirectMessageScope::Reported,
        };
        let file = env::temp_dir().join(format!("tidegate-demo-{}.toml", std::process::id()));
        fs::write(&file, deployment_toml(&deployment))
            .with_context(|| format!("{} cannot be written", file.display()))?;
        let bound = ControlPlane::bind(control_plane::Config {
            listen: choices.listen,
            bootstrap_policy: Some(policy),
            bootstrap_deployment: Some(file.clone()),
            ..control_plane::Config::new(self.kafka.clone())
        });
        fs::remove_file(&file).with_context(|| format!("{} cannot be removed", file.display()))?;
        bound
    }

    fn classifier(&self) -> classifier::Config {
        classifier::Config {
            process: ProcessConfig::default(),
            kafka: self.kafka.clone(),
            topic_prefix: Topics::DEFAULT_PREFIX.to_owned(),
            topics: TopicOptions::default(),
            replica_id: None,
            pipeline: PipelineOptions::default(),
            limits: Limits::default(),
            inference: EngineConfig {
                bundle_directory: self.bundle_directory.clone(),
                ..EngineConfig::default()
            },
        }
    }

    fn enforcer(&self) -> enforcer::Config {
        enforcer::Config {
            process: ProcessConfig::default(),
            kafka: self.kafka.clone(),
            topic_prefix: Topics::DEFAULT_PREFIX.to_owned(),
            topics: TopicOptions::default(),
            replica_id: None,
            pipeline: PipelineOptions::default(),
            limits: Limits::default(),
        }
    }
}

/// Splits a bundle's path as deployments have it.
fn deployed(directory: &Path, bundle: Inspection) -> anyhow::Result<(PathBuf, DeployedBundle)> {
    let name = directory.file_name().and_then(|name| name.to_str());
    let (Some(parent), Some(name)) = (directory.parent(), name) else {
        bail!(
            "the bundle {} has no name of its own; give the path of its directory",
            directory.display()
        );
    };
    let deployed = DeployedBundle {
        digest: bundle.digest,
        name: bundle.name,
        version: bundle.version,
        role: BundleRole::Serving,
        path: name.to_owned(),
    };
    Ok((parent.to_owned(), deployed))
}

/// Finds a file of the repository: below the working directory, or below one that the program lies in.
fn found(path: &Path, option: &str) -> anyhow::Result<PathBuf> {
    let program = env::current_exe().unwrap_or_default();
    let directories = program
        .ancestors()
        .skip(1)
        .map(|directory| directory.join(path));
    std::iter::once(path.to_owned())
        .chain(directories)
        .find(|candidate| candidate.exists())
        .and_then(|candidate| candidate.canonicalize().ok())
        .with_context(|| {
            format!(
                "{} does not exist; run from the repository, or say where it is with {option}",
                path.display()
            )
        })
}

/// Returns the shipped bundle, where it lies, and the shipped policy's document.
#[cfg(test)]
pub(crate) fn shipped() -> (PathBuf, DeployedBundle, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let directory = root.join("deploy/models/screen");
    let inspection = inspect::inspect(&directory).expect("the shipped bundle");
    let (directory, bundle) = deployed(&directory, inspection).expect("it has a name");
    let policy =
        fs::read_to_string(root.join("deploy/policies/default.toml")).expect("the shipped policy");
    (directory, bundle, policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes two bytes of the model's graph in a copy of the shipped bundle.
    fn damaged(directory: &Path) -> std::io::Result<()> {
        let (parent, shipped, _) = shipped();
        for file in fs::read_dir(parent.join(shipped.path))? {
            let file = file?;
            fs::copy(file.path(), directory.join(file.file_name()))?;
        }
        let model = directory.join("model.onnx");
        let mut bytes = fs::read(&model)?;
        bytes[200..202].iter_mut().for_each(|byte| *byte ^= 0xff);
        fs::write(model, bytes)
    }

    #[test]
    fn a_damaged_bundle_is_refused_before_anything_starts() {
        let directory = tempfile::tempdir().unwrap();
        damaged(directory.path()).unwrap();
        let error = Installation::start(directory.path())
            .err()
            .expect("it is refused");
        let message = format!("{error:#}");
        let name = directory.path().display().to_string();
        assert!(
            message.contains(&name) && message.contains("model.onnx"),
            "{message}"
        );
        assert!(!message.contains('\n'), "{message}");
    }

    #[test]
    fn a_taken_grpc_port_is_told_by_its_option() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let (directory, bundle, _) = shipped();
        let installation = Installation::start(&directory.join(bundle.path)).unwrap();
        let choices = Choices {
            policy: PathBuf::from("deploy/policies/default.toml"),
            listen: taken.local_addr().unwrap(),
        };
        let error = installation.control_plane(&choices).err();
        let message = error.expect("the port is taken").to_string();
        assert!(message.contains("--listen"), "{message}");
    }

    #[test]
    fn shipped_files_are_found_from_anywhere_in_the_build() {
        // Tests run in the crate's directory, and their program lies below the repository.
        assert!(found(Path::new("deploy/policies/default.toml"), "--policy").is_ok());
        let error = found(Path::new("deploy/nothing.toml"), "--policy")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("deploy/nothing.toml") && error.contains("--policy"),
            "{error}"
        );
    }
}
