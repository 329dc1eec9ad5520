//! Asking the brokers about topics, and making and removing them.

mod error;
mod settings;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic as NativeTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::client_log::{self, ErrorLog};
use crate::error::{Error, is_access_error};
use crate::options::KafkaOptions;
use crate::topics::{self, Layout};

pub use error::AdminError;
pub use settings::{CleanupPolicy, TopicSettings};

/// A client that asks about topics, and makes and removes them. Cheap to clone.
///
/// Every method is cancellation-safe in that nothing is left half-done here; what was asked of the brokers may be done by
/// them all the same. Dropping the last clone blocks for up to a tenth of a second.
#[derive(Clone)]
pub struct Admin {
    clients: Arc<Clients>,
}

struct Clients {
    /// Asks for metadata. Not the other one, which counts as a producer: a broker may create the topics that a producer
    /// asks for.
    reader: BaseConsumer<AdminContext>,
    writer: AdminClient<AdminContext>,
}

/// What the brokers say of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDescription {
    /// The topic.
    pub name: String,
    /// How many partitions it has.
    pub partitions: usize,
    /// How many replicas its partitions have; the least where they differ.
    pub replication: usize,
    /// Its settings, as far as they can be had.
    pub settings: Described,
}

/// A topic's settings, or why they cannot be had although the topic is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Described {
    /// What they are.
    Known(TopicSettings),
    /// The brokers know no such request, as the in-process broker.
    Unsupported,
    /// This client may not ask: it lacks the operation `DescribeConfigs` on the topic.
    NotPermitted,
}

/// What the brokers say of several topics, in the order of the question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Descriptions {
    /// Topics that exist.
    pub found: Vec<TopicDescription>,
    /// Names that are no topic's. To a client that may not look at a topic some brokers say the same.
    pub missing: Vec<String>,
}

/// A topic to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions it gets, at least 1.
    pub partitions: u16,
    /// How many replicas each partition gets, at most as many as there are brokers.
    pub replication: u16,
    /// Settings other than the brokers' defaults, by Kafka's names, such as `retention.ms`.
    pub settings: BTreeMap<String, String>,
}

/// What became of a [`NewTopic`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// The topic.
    pub name: String,
    /// `true` if it was made, `false` if it was there before and is as it was.
    pub outcome: Result<bool, AdminError>,
}

impl Admin {
    /// Makes the client. It connects in the background.
    ///
    /// # Errors
    /// [`AdminError::Setting`] names a setting that is wrong.
    pub fn new(options: &KafkaOptions) -> Result<Self, AdminError> {
        options.validate()?;
        let context = || AdminContext::new(&options.brokers);
        let reader = BaseConsumer::from_config_and_context(&options.consumer_config(), context());
        let writer = AdminClient::from_config_and_context(&options.admin_config(), context());
        Ok(Self {
            clients: Arc::new(Clients {
                reader: reader.map_err(|error| AdminError::of_client(&error))?,
                writer: writer.map_err(|error| AdminError::of_client(&error))?,
            }),
        })
    }

    /// Returns how many brokers the cluster has now.
    ///
    /// # Errors
    /// [`AdminError::Away`] or [`AdminError::Refused`].
    pub async fn brokers(&self) -> Result<usize, AdminError> {
        Ok(self.blocking(Clients::brokers).await?.len())
    }

    /// Describes topics. Settings that cannot be had are told as such with their topic; partitions come with all topics.
    ///
    /// # Errors
    /// [`AdminError::Away`], which may be asked again, or [`AdminError::Refused`].
    pub async fn describe(&self, names: &[&str]) -> Result<Descriptions, AdminError> {
        let mut descriptions = Descriptions::default();
        let mut layouts = Vec::new();
        for (name, layout) in self.layouts(names).await? {
            match layout {
                Some(layout) => layouts.push((name, layout)),
                None => descriptions.missing.push(name),
            }
        }
        let mut settings = self.settings(&layouts).await?;
        descriptions.found = layouts
            .into_iter()
            .map(|(name, layout)| TopicDescription {
                partitions: layout.partitions.len(),
                replication: layout.replication,
                settings: settings.remove(&name).unwrap_or(Described::NotPermitted),
                name,
            })
            .collect();
        Ok(descriptions)
    }

    /// Makes topics, and returns once the brokers know those that were made. What became of each stands in the order of
    /// the question; one that cannot be made does not keep the others from being made.
    ///
    /// # Errors
    /// What concerns the request as a whole: [`AdminError::Away`], [`AdminError::Refused`], or
    /// [`AdminError::Unsupported`] by the in-process broker, which has a way of its own.
    pub async fn create(&self, new: &[NewTopic]) -> Result<Vec<Creation>, AdminError> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        self.expect_support().await?;
        let natives: Vec<NativeTopic<'_>> = new.iter().map(native).collect();
        let answers = self.clients.writer.create_topics(&natives, &changing());
        let answers = answers
            .await
            .map_err(|error| self.clients.failed(&error, "creating topics"))?;
        let creations: Vec<Creation> = answers.into_iter().map(creation).collect();
        let made: Vec<&str> = creations
            .iter()
            .filter(|creation| creation.outcome == Ok(true))
            .map(|creation| creation.name.as_str())
            .collect();
        self.until_known(&made).await?;
        Ok(creations)
    }

    /// Removes topics and all that they hold; those that are not there are passed over.
    ///
    /// # Errors
    /// The first that is not that; the others were tried.
    pub async fn delete_topics(&self, names: &[&str]) -> Result<(), AdminError> {
        self.expect_support().await?;
        let answers = self.clients.writer.delete_topics(names, &changing()).await;
        let answers = answers.map_err(|error| self.clients.failed(&error, "deleting topics"))?;
        without_absent(answers, RDKafkaErrorCode::UnknownTopicOrPartition)
    }

    /// Removes consumer groups and the offsets that they have committed; those that are not there are passed over.
    ///
    /// # Errors
    /// The first that is not that, such as a group that still has members; the others were tried.
    pub async fn delete_groups(&self, names: &[&str]) -> Result<(), AdminError> {
        // The client library takes one group a request.
        let mut answers = Vec::new();
        for name in names {
            let answer = self.clients.writer.delete_groups(&[name], &asking()).await;
            answers.extend(answer.map_err(|error| self.clients.failed(&error, "deleting groups"))?);
        }
        without_absent(answers, RDKafkaErrorCode::GroupIdNotFound)
    }

    async fn layouts(&self, names: &[&str]) -> Result<Vec<(String, Option<Layout>)>, AdminError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.blocking(|clients| {
            let layout = |name: String| clients.layout(&name).map(|layout| (name, layout));
            names.into_iter().map(layout).collect()
        })
        .await
    }

    async fn settings(
        &self,
        topics: &[(String, Layout)],
    ) -> Result<BTreeMap<String, Described>, AdminError> {
        let Some((_, first)) = topics.first() else {
            return Ok(BTreeMap::new());
        };
        let all = |described: Described| {
            let names = topics.iter().map(|(name, _)| name.clone());
            Ok(names.map(|name| (name, described.clone())).collect())
        };
        let questions: Vec<_> = topics
            .iter()
            .map(|(name, _)| ResourceSpecifier::Topic(name))
            .collect();
        let options = asking().broker_id(first.brokers.first().copied());
        let answers = self.clients.writer.describe_configs(&questions, &options);
        let answers = match answers.await {
            Ok(answers) => answers,
            Err(error) => match self.clients.failed(&error, "describing topics") {
                AdminError::Unsupported(_) => return all(Described::Unsupported),
                AdminError::Refused(_) => return all(Described::NotPermitted),
                other => return Err(other),
            },
        };
        let mut settings = BTreeMap::new();
        for resource in answers.into_iter().flatten() {
            let OwnedResourceSpecifier::Topic(name) = resource.specifier else {
                continue;
            };
            // The binding drops the error of a single topic. A topic has settings, so none at all means that they may
            // not be seen.
            if !resource.entries.is_empty() {
                let known = TopicSettings::read(&name, resource.entries)?;
                settings.insert(name, Described::Known(known));
            }
        }
        Ok(settings)
    }

    /// Changes go to the controller. The in-process broker names one that does not exist, and the client library would wait
    /// for it; asked for its settings, a broker says at once whether it knows such requests.
    async fn expect_support(&self) -> Result<(), AdminError> {
        let brokers = self.blocking(Clients::brokers).await?;
        let Some(broker) = brokers.first() else {
            return Err(AdminError::Away("no broker is known".to_owned()));
        };
        let options = asking().broker_id(*broker);
        let question = [ResourceSpecifier::Broker(*broker)];
        let answer = self.clients.writer.describe_configs(&question, &options);
        match answer.await {
            Ok(_) => Ok(()),
            Err(error) => match self.clients.failed(&error, "changing topics") {
                // Who may not look at a broker's settings may be allowed to make topics.
                AdminError::Refused(_) => Ok(()),
                other => Err(other),
            },
        }
    }

    /// The controller has made a topic before all brokers have heard of it.
    async fn until_known(&self, names: &[&str]) -> Result<(), AdminError> {
        let deadline = Instant::now() + CHANGE_PATIENCE;
        loop {
            let layouts = self.layouts(names).await;
            match layouts {
                Ok(layouts) if layouts.iter().all(|(_, layout)| layout.is_some()) => return Ok(()),
                Ok(_) | Err(AdminError::Away(_)) if Instant::now() < deadline => {}
                Ok(_) => {
                    let text = "topics were made, and the brokers do not know them".to_owned();
                    return Err(AdminError::Away(text));
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Clients) -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let clients = Arc::clone(&self.clients);
        tokio::task::spawn_blocking(move || ask(&clients))
            .await
            .unwrap_or_else(|_| Err(AdminError::Away("the question was abandoned".to_owned())))
    }
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}

impl Clients {
    fn brokers(&self) -> Result<Vec<i32>, AdminError> {
        match self.reader.fetch_metadata(None, METADATA_PATIENCE) {
            Ok(metadata) => Ok(metadata
                .brokers()
                .iter()
                .map(|broker| broker.id())
                .collect()),
            Err(error) => Err(self.no_answer(&error)),
        }
    }

    /// Asks for a topic's partitions; `None` if there is no such topic.
    fn layout(&self, name: &str) -> Result<Option<Layout>, AdminError> {
        match topics::layout(&self.reader, name, METADATA_PATIENCE) {
            Ok(Ok(layout)) => Ok(Some(layout)),
            Ok(Err(Error::UnknownTopic(_))) => Ok(None),
            Ok(Err(Error::AccessRefused(text))) => Err(AdminError::Refused(text)),
            Ok(Err(other)) => Err(AdminError::Invalid(other.to_string())),
            Err(error) => Err(self.no_answer(&error)),
        }
    }

    fn failed(&self, error: &KafkaError, tried: &str) -> AdminError {
        match AdminError::sort(error, tried) {
            AdminError::Away(_) => self.no_answer(error),
            other => other,
        }
    }

    /// Tells brokers that are away from those that do not let this client in, which only the client's own errors tell.
    fn no_answer(&self, error: &KafkaError) -> AdminError {
        // Errors are handed to the context; what is returned says less.
        while self.reader.poll(LAST_WORDS).is_some() {}
        let complaints = self.reader.context().complaints();
        match (complaints.refusal, complaints.failure) {
            (Some(refusal), _) => AdminError::Refused(refusal),
            (None, Some(failure)) => AdminError::Away(failure),
            (None, None) => AdminError::Away(error.to_string()),
        }
    }
}

struct AdminContext {
    errors: ErrorLog,
    complaints: Mutex<Complaints>,
}

/// What went wrong last with the connections of a client.
#[derive(Clone, Debug, Default)]
struct Complaints {
    /// The brokers do not let this client in.
    refusal: Option<String>,
    /// A broker cannot be reached.
    failure: Option<String>,
}

impl AdminContext {
    fn new(brokers: &str) -> Self {
        Self {
            errors: ErrorLog::new(brokers),
            complaints: Mutex::default(),
        }
    }

    fn complaints(&self) -> Complaints {
        self.complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ClientContext for AdminContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::write_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.write(&error, reason);
        let mut complaints = self
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match error.rdkafka_error_code() {
            Some(code) if is_access_error(code) => complaints.refusal = Some(reason.to_owned()),
            // Says nothing that the failures before it do not.
            Some(RDKafkaErrorCode::AllBrokersDown) => {}
            _ => complaints.failure = Some(reason.to_owned()),
        }
    }
}

impl ConsumerContext for AdminContext {}

fn native(new: &NewTopic) -> NativeTopic<'_> {
    let (partitions, replication) = (new.partitions.into(), new.replication.into());
    let empty = NativeTopic::new(&new.name, partitions, TopicReplication::Fixed(replication));
    let settings = new.settings.iter();
    settings.fold(empty, |topic, (name, value)| topic.set(name, value))
}

fn creation(answer: Result<String, (String, RDKafkaErrorCode)>) -> Creation {
    let (name, outcome) = match answer {
        Ok(name) => (name, Ok(true)),
        Err((name, RDKafkaErrorCode::TopicAlreadyExists)) => (name, Ok(false)),
        Err((name, code)) => {
            let error = AdminError::of_code(code, &format!("creating topic {name}"));
            (name, Err(error))
        }
    };
    Creation { name, outcome }
}

fn without_absent(
    answers: Vec<Result<String, (String, RDKafkaErrorCode)>>,
    absent: RDKafkaErrorCode,
) -> Result<(), AdminError> {
    let failed = answers.into_iter().filter_map(Result::err);
    match failed.into_iter().find(|(_, code)| *code != absent) {
        None => Ok(()),
        Some((name, code)) => Err(AdminError::of_code(code, &format!("deleting {name}"))),
    }
}

fn asking() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(QUESTION_PATIENCE))
}

/// A change is answered when it is made, not when it is under way.
fn changing() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(CHANGE_PATIENCE + QUESTION_PATIENCE))
        .operation_timeout(Some(CHANGE_PATIENCE))
}

/// How long a first connection may take, TLS included, before brokers count as away.
const METADATA_PATIENCE: Duration = Duration::from_secs(3);
/// How long to gather what the client says of its connections.
const LAST_WORDS: Duration = Duration::from_millis(5);
/// How long an answer may take.
const QUESTION_PATIENCE: Duration = Duration::from_secs(5);
/// How long brokers may take for a change.
const CHANGE_PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether a change is known.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
