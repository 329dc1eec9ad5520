//! Looking at a stage's topics before it does anything.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use kafka_pipeline::{Admin, AdminError, Described, KafkaOptions};
use moderation_wire::{TopicMinimum, TopicRequirement, Topics};
use serde::Deserialize;
use service_runtime::{InvalidValue, ReadinessCondition, ServiceContext};

use crate::topic_problem::{TopicProblem, topic_problems};

/// What topics must be beyond what their records need: the `[topics]` table of a stage's file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopicOptions {
    /// The fewest partitions of a topic that may have several.
    pub min_partitions: usize,
    /// The shortest time that a topic keeps what a stage reads.
    #[serde(with = "humantime_serde")]
    pub min_retention: Duration,
}

impl Default for TopicOptions {
    fn default() -> Self {
        Self {
            min_partitions: 1,
            // A stage that was down for a lunch break finds what it has not read.
            min_retention: Duration::from_secs(3600),
        }
    }
}

impl TopicOptions {
    /// Checks the values.
    ///
    /// # Errors
    /// Names the key, its value and what is allowed.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        let partitions = self.min_partitions;
        if !(1..=MOST_PARTITIONS).contains(&partitions) {
            let allowed = format!("1 to {MOST_PARTITIONS}");
            return Err(InvalidValue::new(
                "topics.min_partitions",
                partitions,
                allowed,
            ));
        }
        Ok(())
    }
}

/// What is looked at.
#[derive(Debug, Clone)]
pub struct TopicCheck<'a> {
    /// How to reach the brokers.
    pub kafka: &'a KafkaOptions,
    /// All topics of the installation.
    pub topics: &'a Topics,
    /// Those that the stage reads or writes.
    pub used: Vec<String>,
    /// What they must be beyond what their records need.
    pub options: TopicOptions,
}

/// What a look at the topics found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicFindings {
    /// What is not as it must be.
    pub problems: Vec<TopicProblem>,
    /// Topics whose settings this client may not see.
    pub unseen: Vec<String>,
}

/// Topics that are as they must be. The readiness condition `topics` holds once that is confirmed, which is when the stage
/// has registered what else it waits for.
#[derive(Debug)]
pub struct CheckedTopics(ReadinessCondition);

impl CheckedTopics {
    /// Lets the condition hold.
    pub fn confirm(self) {
        self.0.set_ready();
    }
}

impl TopicCheck<'_> {
    /// Looks until the brokers answer; `None` if the service was told to stop before.
    ///
    /// # Errors
    /// One line that names every problem, or why the brokers do not let this client look.
    pub async fn wait(self, context: &ServiceContext) -> anyhow::Result<Option<CheckedTopics>> {
        let condition = context.readiness("topics", "the topics have not been looked at yet");
        let admin = Admin::new(self.kafka)?;
        let looking = self.until_answered(&admin, &condition);
        let findings = tokio::select! {
            biased;
            () = context.shutdown().cancelled() => None,
            found = looking => Some(found.context("the topics cannot be looked at")),
        };
        // Closing the client's connections blocks for a moment.
        context.spawn_blocking(move || drop(admin));
        let Some(findings) = findings.transpose()? else {
            return Ok(None);
        };
        findings.expect_none()?;
        Ok(Some(CheckedTopics(condition)))
    }

    /// Looks once.
    ///
    /// # Errors
    /// See [`Admin::describe`].
    pub async fn look(&self, admin: &Admin) -> Result<TopicFindings, AdminError> {
        let used: Vec<&str> = self.used.iter().map(String::as_str).collect();
        let descriptions = admin.describe(&used).await?;
        let settings_are = |expected: Described| {
            let found = descriptions.found.iter();
            let such = found.filter(move |found| found.settings == expected);
            such.map(|found| found.name.clone()).collect::<Vec<_>>()
        };
        let untold = settings_are(Described::Unsupported);
        if !untold.is_empty() {
            tracing::debug!(
                topics = untold.join(", "),
                "the brokers tell no settings; passed over"
            );
        }
        Ok(TopicFindings {
            problems: topic_problems(&descriptions, &self.requirements()),
            unseen: settings_are(Described::NotPermitted),
        })
    }

    fn requirements(&self) -> Vec<TopicRequirement> {
        let minimum = TopicMinimum {
            partitions: self.options.min_partitions,
            retention: self.options.min_retention,
        };
        let mut requirements = self.topics.requirements(minimum);
        requirements.retain(|requirement| self.used.contains(&requirement.topic));
        requirements
    }

    /// That brokers are away stands in the readiness; the clients say so in the log, every ten seconds.
    async fn until_answered(
        &self,
        admin: &Admin,
        condition: &ReadinessCondition,
    ) -> Result<TopicFindings, AdminError> {
        loop {
            match self.look(admin).await {
                Err(AdminError::Away(reason)) => {
                    condition.set_not_ready(format!("the brokers do not answer: {reason}"));
                    tokio::time::sleep(BREATH).await;
                }
                answered => return answered,
            }
        }
    }
}

impl TopicFindings {
    /// Makes one error of all problems, and warns of what could not be seen.
    fn expect_none(&self) -> anyhow::Result<()> {
        if !self.unseen.is_empty() {
            tracing::warn!(
                topics = self.unseen.join(", "),
                "not permitted to see settings of topics, which are taken as right; allow this client DescribeConfigs on them"
            );
        }
        match self.problems.as_slice() {
            [] => Ok(()),
            [problem] => Err(anyhow!("{problem}")),
            problems => {
                let numbered = problems.iter().zip(1..);
                let lines: Vec<String> = numbered
                    .map(|(problem, number)| format!("({number}) {problem}"))
                    .collect();
                Err(anyhow!(
                    "{} problems with topics: {}",
                    problems.len(),
                    lines.join(" ")
                ))
            }
        }
    }
}

/// More than a broker takes.
const MOST_PARTITIONS: usize = 100_000;
/// How long to wait before brokers that turn a question down at once are asked again.
const BREATH: Duration = Duration::from_millis(200);
