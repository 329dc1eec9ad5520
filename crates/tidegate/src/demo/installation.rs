//! Everything that the demo runs: where the broker is, and how the stages are run.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use kafka_pipeline::KafkaOptions;
use moderation_wire::Topics;
use service_runtime::Process;

use super::broker::{Broker, BrokerChoice};
use super::bundle::{CertifiedBundle, found};
use super::measured::MeasuredProcesses;
use super::port_taken;
use super::separate::SeparateStages;
use super::within;

/// What may be chosen of an installation.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    /// The bundle of the first deployment.
    pub(crate) bundle: PathBuf,
    /// The policy that becomes version 1.
    pub(crate) policy: PathBuf,
    /// Where gRPC is served.
    pub(crate) listen: SocketAddr,
    /// Where the broker is.
    pub(crate) broker: BrokerChoice,
    /// Whether each stage is a process of its own.
    pub(crate) separate: bool,
    /// What stages of their own log, as `tracing` directives.
    pub(crate) log: String,
}

/// A broker with topics of the demo's own, and what the stages are started with.
pub(crate) struct Installation {
    /// How to reach the broker.
    pub(crate) kafka: KafkaOptions,
    /// Its topics.
    pub(crate) topics: Topics,
    /// What all their names begin with.
    pub(crate) topic_prefix: String,
    /// The bundle of the first deployment.
    pub(crate) bundle: CertifiedBundle,
    /// The policy that becomes version 1.
    pub(crate) policy: PathBuf,
    listen: SocketAddr,
    separate: bool,
    log: String,
    broker: Broker,
}

/// Stages that run once their process does.
pub(crate) struct Stages {
    /// Where gRPC is served.
    pub(crate) grpc: SocketAddr,
    /// The processes that they are in.
    pub(crate) measured: MeasuredProcesses,
    /// Where each stage shows its metrics, if not where this process does.
    pub(crate) telemetry: Vec<(&'static str, SocketAddr)>,
}

impl Installation {
    /// Certifies the bundle, and starts or finds the broker and makes topics.
    ///
    /// # Errors
    /// Names the file that is missing or wrong, or says why the brokers cannot be used.
    pub(crate) fn start(choices: Choices) -> anyhow::Result<Self> {
        let bundle = CertifiedBundle::open(&choices.bundle)?;
        let policy = found(&choices.policy, "--policy")?;
        let broker = Broker::start(choices.broker)?;
        Ok(Self {
            kafka: broker.kafka()?,
            topics: Topics::new(broker.topic_prefix()),
            topic_prefix: broker.topic_prefix().to_owned(),
            bundle,
            policy,
            listen: choices.listen,
            separate: choices.separate,
            log: choices.log,
            broker,
        })
    }

    /// Adds the control plane and the stages to a process.
    ///
    /// # Errors
    /// One line that names the file or the port that cannot be used.
    pub(crate) fn add_stages(&self, process: &mut Process) -> anyhow::Result<Stages> {
        // The control plane would name a setting that the demo has not. It takes the port again right behind this.
        let listen = TcpListener::bind(self.listen)
            .and_then(|listener| listener.local_addr())
            .map_err(|cause| port_taken("--listen", self.listen, &cause))?;
        if !self.separate {
            let grpc = within::add_stages(self, self.listen, process)?;
            return Ok(Stages {
                grpc,
                measured: MeasuredProcesses::this_alone(),
                telemetry: Vec::new(),
            });
        }
        let stages = SeparateStages::start(self, listen, &self.log)?;
        let (measured, telemetry) = (stages.measured(), stages.telemetry());
        stages.add_to(process);
        Ok(Stages {
            grpc: listen,
            measured,
            telemetry,
        })
    }

    /// Says where the broker is and how the stages are run.
    pub(crate) fn description(&self) -> String {
        let stages = if self.separate {
            "each stage a process"
        } else {
            "all stages in this process"
        };
        format!("{}, {stages}", self.broker.description())
    }

    /// Tells whether the broker is one of this process, with the limits of that.
    pub(crate) fn is_broker_within(&self) -> bool {
        self.broker.is_within()
    }

    /// Takes away what the demo has made on brokers that outlive it. Nothing may use it any more.
    ///
    /// # Errors
    /// Says what is left.
    pub(crate) fn clean_up(self) -> anyhow::Result<()> {
        self.broker.clean_up()
    }
}

#[cfg(test)]
mod tests {
    use super::super::bundle::shipped;
    use super::*;

    #[test]
    fn a_taken_grpc_port_is_told_by_its_option() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let (directory, bundle, _) = shipped();
        let installation = Installation::start(Choices {
            bundle: directory.join(bundle.path),
            policy: PathBuf::from("deploy/policies/default.toml"),
            listen: taken.local_addr().unwrap(),
            broker: BrokerChoice::Within { partitions: 1 },
            separate: false,
            log: "warn".to_owned(),
        })
        .unwrap();
        let mut process = Process::start(&service_runtime::ProcessConfig {
            telemetry_address: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..Default::default()
        })
        .unwrap();
        let error = installation.add_stages(&mut process).err();
        let message = error.expect("the port is taken").to_string();
        assert!(message.contains("--listen"), "{message}");
    }
}
