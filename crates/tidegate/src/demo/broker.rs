//! Where the demo's broker is: in this process, or a real Kafka with topics of the demo's own.

use anyhow::{Context, bail};
use kafka_pipeline::{Admin, InProcessBroker, KafkaOptions, NewTopic};
use moderation_wire::{PartitionRule, TopicMinimum, Topics};

use super::own_topics::new_topics;
use crate::commands::block_on;

/// Where the broker is.
#[derive(Clone, Debug)]
pub(crate) enum BrokerChoice {
    /// In this process.
    Within {
        /// Partitions of each topic that has several.
        partitions: u16,
    },
    /// A real Kafka.
    Kafka {
        /// How to reach it.
        kafka: KafkaOptions,
        /// What the names of the demo's topics and groups begin with.
        topic_prefix: String,
        /// Partitions of each topic that has several.
        partitions: u16,
    },
}

/// A broker with topics.
pub(crate) enum Broker {
    /// In this process, for as long as this lives.
    Within(InProcessBroker),
    /// Elsewhere.
    Kafka(OwnTopics),
}

/// Topics on brokers that outlive the demo.
pub(crate) struct OwnTopics {
    kafka: KafkaOptions,
    topic_prefix: String,
    made: Vec<String>,
}

impl Broker {
    /// Starts the broker or finds it, and makes the topics.
    ///
    /// # Errors
    /// Says why the brokers cannot be used, or which topic is in the way.
    pub(crate) fn start(choice: BrokerChoice) -> anyhow::Result<Self> {
        match choice {
            BrokerChoice::Within { partitions } => {
                let broker = InProcessBroker::start()?;
                for requirement in Topics::default().requirements(minimum(partitions)) {
                    let partitions = match requirement.partitions {
                        PartitionRule::One => 1,
                        PartitionRule::AtLeast(_) => partitions,
                    };
                    broker.create_topic(&requirement.topic, partitions)?;
                }
                Ok(Self::Within(broker))
            }
            BrokerChoice::Kafka {
                kafka,
                topic_prefix,
                partitions,
            } => {
                let topics = Topics::new(&topic_prefix);
                let made = block_on(make(&kafka, &topics, partitions))
                    .with_context(|| format!("the demo cannot run on {}", kafka.brokers))?;
                Ok(Self::Kafka(OwnTopics {
                    kafka,
                    topic_prefix,
                    made,
                }))
            }
        }
    }

    /// Returns how to reach it.
    ///
    /// # Errors
    /// If the broker in this process is gone.
    pub(crate) fn kafka(&self) -> anyhow::Result<KafkaOptions> {
        let mut kafka = match self {
            Self::Within(broker) => broker.options()?,
            Self::Kafka(own) => own.kafka.clone(),
        };
        kafka
            .producer
            .entry("linger.ms".to_owned())
            .or_insert_with(|| LINGER_MS.to_owned());
        Ok(kafka)
    }

    /// Returns what the topics' names begin with.
    pub(crate) fn topic_prefix(&self) -> &str {
        match self {
            Self::Within(_) => Topics::DEFAULT_PREFIX,
            Self::Kafka(own) => &own.topic_prefix,
        }
    }

    /// Tells whether it is in this process.
    pub(crate) fn is_within(&self) -> bool {
        matches!(self, Self::Within(_))
    }

    /// Says where it is.
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Within(_) => "broker in this process".to_owned(),
            Self::Kafka(own) => format!(
                "brokers {}, topics {}.*",
                own.kafka.brokers, own.topic_prefix
            ),
        }
    }

    /// Removes topics and groups from brokers that outlive the demo.
    ///
    /// # Errors
    /// Says what is left.
    pub(crate) fn clean_up(self) -> anyhow::Result<()> {
        let Self::Kafka(own) = self else {
            return Ok(());
        };
        block_on(own.remove()).with_context(|| {
            format!(
                "topics and groups {}.* are left on {}",
                own.topic_prefix, own.kafka.brokers
            )
        })
    }
}

impl OwnTopics {
    async fn remove(&self) -> anyhow::Result<()> {
        let admin = Admin::new(&self.kafka)?;
        let groups = STAGES.map(|stage| format!("{}.{stage}", self.topic_prefix));
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let topics: Vec<&str> = self.made.iter().map(String::as_str).collect();
        // Topics hold what was sent; groups hold a few numbers. The first matters more.
        let (topics, groups) = (
            admin.delete_topics(&topics).await,
            admin.delete_groups(&groups).await,
        );
        Ok(topics.and(groups)?)
    }
}

/// Makes topics, none of which may be there: what the demo makes it also deletes.
async fn make(
    kafka: &KafkaOptions,
    topics: &Topics,
    partitions: u16,
) -> anyhow::Result<Vec<String>> {
    let admin = Admin::new(kafka)?;
    let replication = u16::try_from(admin.brokers().await?)
        .map_or(MOST_REPLICAS, |brokers| brokers.clamp(1, MOST_REPLICAS));
    let new: Vec<NewTopic> = new_topics(topics, minimum(partitions), replication);
    let names: Vec<&str> = new.iter().map(|topic| topic.name.as_str()).collect();
    if let Some(existing) = admin.describe(&names).await?.found.first() {
        bail!(
            "topic {} exists, and the demo deletes its topics when it ends; choose another --topic-prefix",
            existing.name
        );
    }
    let creations = admin.create(&new).await?;
    let refused = creations
        .iter()
        .find_map(|creation| creation.outcome.clone().err());
    let made = creations
        .into_iter()
        .filter(|creation| creation.outcome == Ok(true))
        .map(|creation| creation.name)
        .collect::<Vec<_>>();
    if let Some(refused) = refused {
        let made: Vec<&str> = made.iter().map(String::as_str).collect();
        admin.delete_topics(&made).await?;
        bail!(refused);
    }
    Ok(made)
}

fn minimum(partitions: u16) -> TopicMinimum {
    TopicMinimum {
        partitions: partitions.into(),
        retention: control_state::TopicOptions::default().min_retention,
    }
}

/// How long producers gather records of a partition. At a few thousand events a second little gathers in any time that
/// would be tolerable three times over; at full speed batches fill whatever this is.
const LINGER_MS: &str = "2";
/// As many as an installation has that is meant to lose nothing.
const MOST_REPLICAS: u16 = 3;
/// Stages whose consumer groups the brokers remember.
const STAGES: [&str; 3] = ["classifier", "enforcer", "control-plane"];
