//! Files read as whoever starts with them reads them.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use control_plane::parse_deployment;
use control_state::{TopicCheck, TopicFindings};
use kafka_pipeline::{Admin, KafkaOptions};
use moderation_wire::Topics;
use service_runtime::config;

use super::kind::Kind;
use super::without_brokers;
use crate::commands::policy::findings_of;
use crate::commands::topics::{self, TopicsFile};

/// A file that would be taken.
pub(super) enum Loaded {
    Classifier(Box<classifier::Config>),
    Enforcer(Box<enforcer::Config>),
    ControlPlane(Box<control_plane::Config>),
    Topics(Box<TopicsFile>, PathBuf),
    /// Names no brokers.
    Other(Kind),
}

impl Loaded {
    /// Reads a file.
    ///
    /// # Errors
    /// One line that names the file, the key, and what is allowed.
    pub(super) fn read(kind: Kind, file: &Path) -> anyhow::Result<Self> {
        Ok(match kind {
            Kind::Classifier => Self::Classifier(Box::new(config::load(file)?)),
            Kind::Enforcer => Self::Enforcer(Box::new(config::load(file)?)),
            Kind::ControlPlane => {
                let config: control_plane::Config = config::load(file)?;
                config.check_bootstrap_files()?;
                Self::ControlPlane(Box::new(config))
            }
            Kind::Topics => Self::Topics(Box::new(config::load(file)?), file.to_owned()),
            Kind::Deployment => {
                parse_deployment(&text(file)?)
                    .map_err(|problem| anyhow!("{}: {problem}", file.display()))?;
                Self::Other(kind)
            }
            Kind::Policy => {
                expect_policy(file)?;
                Self::Other(kind)
            }
        })
    }

    /// Looks at the topics on the file's brokers.
    ///
    /// # Errors
    /// The file names no brokers, or they do not answer or do not let this client look.
    pub(super) async fn look(&self) -> anyhow::Result<TopicFindings> {
        let topics;
        match self {
            Self::Classifier(config) => {
                topics = Topics::new(&config.topic_prefix);
                look(config.topic_check(&topics)).await
            }
            Self::Enforcer(config) => {
                topics = Topics::new(&config.topic_prefix);
                look(config.topic_check(&topics)).await
            }
            Self::ControlPlane(config) => {
                topics = Topics::new(&config.topic_prefix);
                look(config.topic_check(&topics)).await
            }
            Self::Topics(file, path) => Ok(TopicFindings {
                problems: topics::problems(file, path).await?,
                unseen: Vec::new(),
            }),
            Self::Other(kind) => Err(without_brokers(*kind)),
        }
    }
}

async fn look(check: TopicCheck<'_>) -> anyhow::Result<TopicFindings> {
    let admin = Admin::new(check.kafka)?;
    let found = check.look(&admin).await;
    found.with_context(|| said_of_brokers(check.kafka))
}

fn said_of_brokers(kafka: &KafkaOptions) -> String {
    format!("kafka.brokers = {:?}", kafka.brokers)
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn expect_policy(file: &Path) -> anyhow::Result<()> {
    let findings = findings_of(&text(file)?);
    let errors: Vec<_> = findings.iter().filter(|finding| finding.error).collect();
    if let Some(first) = errors.first() {
        bail!(
            "{}: {first} ({} errors; `tidegate policy lint` lists them)",
            file.display(),
            errors.len()
        );
    }
    Ok(())
}
