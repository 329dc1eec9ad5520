//! `tidegate topics`: makes the topics of an installation, and compares them with what its file says.

mod comparison;
mod file;
mod outcome;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use control_state::TopicProblem;
use kafka_pipeline::{Admin, Descriptions, NewTopic};
use service_runtime::config;

use super::block_on;
use super::output::{print, print_json};

pub(crate) use file::TopicsFile;
pub(crate) use outcome::problem_json;
use outcome::{Outcome, TopicOutcome};

/// Make the topics of an installation, and compare them with what its file says.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: Target,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make the topics that are missing, and leave those that exist alone.
    ///
    /// Names what differs from the file and the command that changes it. Exits with 0 if everything is then as the file
    /// says, and with 1 if not.
    Apply {
        /// Say what would be made, and make nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Compare the topics with the file, and change nothing. Exits with 1 if anything differs.
    Check,
}

/// Which topics on which brokers, and how to print.
#[derive(clap::Args, Debug)]
struct Target {
    /// What the topics should be; `deploy/config/topics.toml` is a commented sample.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "deploy/config/topics.toml"
    )]
    config: PathBuf,
    /// Brokers to start from, instead of kafka.brokers of the file.
    #[arg(long, global = true, value_name = "HOST:PORT,…")]
    brokers: Option<String>,
    /// On how many brokers each record lies, instead of replication_factor of the file.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    replication_factor: Option<u16>,
    /// Print JSON instead of text for people.
    #[arg(long, global = true)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Says in one line why nothing can be compared or made.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let file = args.target.file()?;
    let target = &args.target;
    let outcome = block_on(async {
        let admin = Admin::new(&file.kafka)?;
        let planned = file.new_topics();
        let before = describe(&admin, &file, &planned).await?;
        match args.command {
            Command::Check => Ok(compare(&planned, &before, target, TopicOutcome::Missing)),
            Command::Apply { dry_run } => {
                let missing = missing_of(&planned, &before);
                expect_enough_brokers(&admin, &file, target, &missing).await?;
                if dry_run {
                    return Ok(compare(
                        &planned,
                        &before,
                        target,
                        TopicOutcome::WouldBeMade,
                    ));
                }
                let made = make(&admin, &missing).await?;
                let after = describe(&admin, &file, &planned).await?;
                let mut outcome = compare(&planned, &after, target, TopicOutcome::Missing);
                outcome.note_made(made);
                Ok(outcome)
            }
        }
    })?;
    if target.json {
        print_json(&outcome.json())?;
    } else {
        print(&outcome.text())?;
    }
    Ok(if outcome.is_as_planned() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Compares the topics with what a file says, and changes nothing.
///
/// # Errors
/// The brokers do not answer or do not let this client look.
pub(crate) async fn problems(file: &TopicsFile, path: &Path) -> anyhow::Result<Vec<TopicProblem>> {
    let admin = Admin::new(&file.kafka)?;
    let planned = file.new_topics();
    let is = describe(&admin, file, &planned).await?;
    let path = path.display().to_string();
    let missing = is.missing.iter().cloned();
    let mut problems: Vec<TopicProblem> = missing
        .map(|topic| TopicProblem::Missing { topic })
        .collect();
    for topic in &planned {
        if let Some(found) = is.found.iter().find(|found| found.name == topic.name) {
            problems.extend(comparison::differences(topic, found, &path));
        }
    }
    Ok(problems)
}

impl Target {
    fn file(&self) -> anyhow::Result<TopicsFile> {
        let mut file: TopicsFile = config::load(&self.config)?;
        if let Some(brokers) = &self.brokers {
            file.kafka.brokers.clone_from(brokers);
        }
        if let Some(factor) = self.replication_factor {
            file.set_replication_factor(factor);
        }
        Ok(file)
    }
}

async fn describe(
    admin: &Admin,
    file: &TopicsFile,
    planned: &[NewTopic],
) -> anyhow::Result<Descriptions> {
    let names: Vec<&str> = planned.iter().map(|topic| topic.name.as_str()).collect();
    admin
        .describe(&names)
        .await
        .with_context(|| format!("kafka.brokers = {:?}", file.kafka.brokers))
}

fn missing_of(planned: &[NewTopic], before: &Descriptions) -> Vec<NewTopic> {
    let missing = planned
        .iter()
        .filter(|topic| before.missing.contains(&topic.name));
    missing.cloned().collect()
}

/// A broker would refuse each topic by itself, without the way out.
async fn expect_enough_brokers(
    admin: &Admin,
    file: &TopicsFile,
    target: &Target,
    missing: &[NewTopic],
) -> anyhow::Result<()> {
    let (wanted, brokers) = (file.replication_factor(), admin.brokers().await?);
    if !missing.is_empty() && usize::from(wanted) > brokers {
        bail!(
            "replication_factor = {wanted} of {} needs as many brokers, and {} has {brokers}; nothing was made: start more \
             brokers, or take fewer replicas with --replication-factor {brokers}",
            target.config.display(),
            file.kafka.brokers
        );
    }
    Ok(())
}

/// Makes topics, and returns the names of those that were made with what became of the others.
async fn make(admin: &Admin, missing: &[NewTopic]) -> anyhow::Result<Vec<(String, TopicOutcome)>> {
    let creations = admin.create(missing).await?.into_iter();
    let outcomes = creations.map(|creation| {
        let outcome = match creation.outcome {
            Ok(true) => TopicOutcome::Made,
            // Somebody else made it meanwhile.
            Ok(false) => TopicOutcome::Existed,
            Err(error) => TopicOutcome::Refused(error.to_string()),
        };
        (creation.name, outcome)
    });
    Ok(outcomes.collect())
}

fn compare(
    planned: &[NewTopic],
    is: &Descriptions,
    target: &Target,
    if_missing: TopicOutcome,
) -> Outcome {
    let mut outcome = Outcome::default();
    for topic in planned {
        let found = is.found.iter().find(|found| found.name == topic.name);
        let (state, problems) = match found {
            Some(found) => {
                let file = target.config.display().to_string();
                (
                    TopicOutcome::Existed,
                    comparison::differences(topic, found, &file),
                )
            }
            None => (if_missing.clone(), Vec::new()),
        };
        outcome.add(topic, state, problems);
    }
    outcome
}
