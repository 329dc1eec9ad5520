//! `tidegate config`: says whether a configuration file would be taken, before anything is started with it.

mod kind;
mod loaded;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Subcommand;
use control_state::TopicFindings;
use serde_json::{Value, json};

use super::block_on;
use super::output::{print, print_json};
use super::topics::problem_json;
use kind::Kind;
use loaded::Loaded;

/// Say whether a configuration file would be taken, before anything is started with it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    /// Print JSON instead of text for people.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Check a file as whoever reads it would when it starts. Exits with 0 if it would be taken, and with 1 if not.
    Check {
        /// The file, TOML.
        file: PathBuf,
        /// What it is [default: told by the beginning of its name, or a directory named policies].
        #[arg(long = "as", value_name = "KIND")]
        kind: Option<Kind>,
        /// Look at the topics on its brokers too, as a stage does when it starts. Changes nothing.
        #[arg(long)]
        connect: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// Says in one line what is wrong with the file.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Command::Check {
        file,
        kind,
        connect,
    } = args.command;
    let kind = match kind {
        Some(kind) => kind,
        None => Kind::of_name(&file)?,
    };
    let checked = Loaded::read(kind, &file).and_then(|loaded| match connect {
        true => block_on(loaded.look()).map(Some),
        false => Ok(None),
    });
    let findings = match checked {
        Ok(findings) => findings,
        Err(error) if args.json => {
            let error = format!("{error:#}");
            print_json(
                &json!({ "file": file, "kind": kind.as_str(), "valid": false, "error": error }),
            )?;
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error),
    };
    let is_right = findings
        .as_ref()
        .is_none_or(|findings| findings.problems.is_empty());
    if args.json {
        print_json(&json!({
            "file": file,
            "kind": kind.as_str(),
            "valid": is_right,
            "topics": findings.as_ref().map(findings_json),
        }))?;
    } else {
        let name = file.display();
        print(&format!(
            "{name}: would be taken as {}",
            kind.with_article()
        ))?;
        if let Some(findings) = findings {
            print(&findings_text(&findings))?;
        }
    }
    Ok(if is_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn findings_text(findings: &TopicFindings) -> String {
    let mut lines: Vec<String> = findings.problems.iter().map(ToString::to_string).collect();
    if lines.is_empty() {
        lines.push("topics: as they must be".to_owned());
    }
    if !findings.unseen.is_empty() {
        let unseen = findings.unseen.join(", ");
        lines.push(format!(
            "settings not seen of {unseen}: this client lacks DescribeConfigs on them"
        ));
    }
    lines.join("\n")
}

fn findings_json(findings: &TopicFindings) -> Value {
    let problems: Vec<Value> = findings.problems.iter().map(problem_json).collect();
    json!({ "problems": problems, "settings_not_seen": findings.unseen })
}

/// Says that a kind of file names no brokers.
fn without_brokers(kind: Kind) -> anyhow::Error {
    anyhow!(
        "{} names no brokers; --connect is for the file of a stage or of topics",
        kind.with_article()
    )
}
