//! `tidegate model`: look at models, check them, and deploy them while traffic flows.

mod bundles;
mod looking;
mod scoring;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use moderation::policy::Policy;
use moderation::{BundleDigest, DirectMessageScope};
use moderation_wire::v1::model_service_client::ModelServiceClient;
use moderation_wire::v1::policy_service_client::PolicyServiceClient;
use moderation_wire::{Word, v1};
use serde_json::{Value, json};
use tonic::Code;
use tonic::transport::Channel;

use super::connection::{Connection, block_on, refused};
use super::output::{change_cells, change_json, print, print_json, printable, table};
use super::writing::{Terms, report};

/// `tidegate model …`
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the bundles of the deployment that serves, or of an older version.
    List {
        /// Which version; left out, the one that serves.
        #[arg(
            long,
            value_name = "VERSION",
            default_value_t = 0,
            hide_default_value = true
        )]
        version: u64,
    },
    /// List the deployments, newest first: who changed what, when and why.
    History {
        /// How many at most.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Only versions below this one.
        #[arg(
            long,
            value_name = "VERSION",
            default_value_t = 0,
            hide_default_value = true
        )]
        before: u64,
    },
    /// Make a set of bundles the next deployment. It replaces the one that serves: name every bundle that is to run.
    Deploy(Deploy),
    /// Take changes back: make an older deployment the next version.
    Rollback {
        /// The version to bring back.
        version: u64,
        #[command(flatten)]
        terms: Terms,
    },
    /// Print what a bundle says of itself: digest, labels, and what it promises in which language.
    Inspect {
        /// The bundle's directory.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Certify a bundle on this machine, as a classifier does before it serves.
    Verify {
        /// The bundle's directory.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The digest that it must have.
        #[arg(long, value_name = "HEX", value_parser = parse_digest)]
        digest: Option<BundleDigest>,
    },
    /// Print a bundle's scores of texts, as the stream would have them.
    Score {
        /// The bundle's directory.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Texts; without any, standard input: on each line a JSON string, or an object with a `text`.
        #[arg(value_name = "TEXT")]
        texts: Vec<String>,
    },
}

#[derive(clap::Args, Debug)]
struct Deploy {
    /// A bundle whose scores decide; give several by repeating it.
    #[arg(long = "bundle", value_name = "DIR", required = true)]
    bundles: Vec<PathBuf>,
    /// A bundle whose scores are only recorded.
    #[arg(long = "shadow", value_name = "DIR")]
    shadows: Vec<PathBuf>,
    /// What the classifiers know as their bundle directory: where a bundle lies below it is what goes into the deployment.
    #[arg(long, value_name = "DIR", default_value = "deploy/models")]
    bundle_root: PathBuf,
    /// Which direct messages are scored, `reported` or `all`; left out, as now.
    #[arg(long, value_name = "SCOPE")]
    direct_messages: Option<DirectMessageScope>,
    /// Do not certify the bundles on this machine first, for one without ONNX Runtime. Every classifier does in any case, and
    /// keeps what it serves if a bundle fails.
    #[arg(long)]
    uncertified: bool,
    #[command(flatten)]
    terms: Terms,
}

/// Runs the command.
///
/// # Errors
/// Says in one line why it could not be done.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    block_on(answer(args.command, &args.connection))
}

async fn answer(command: Command, connection: &Connection) -> anyhow::Result<ExitCode> {
    let json = connection.json;
    match command {
        Command::List { version } => list(&mut open(connection).await?, version, json).await,
        Command::History { limit, before } => {
            history(&mut open(connection).await?, limit, before, json).await
        }
        Command::Deploy(command) => deploy(command, connection).await,
        Command::Rollback { version, terms } => {
            let mut client = open_leader(connection).await?;
            let options = Some(terms.options(base(&mut client, &terms).await?)?);
            let request = v1::RollbackDeploymentRequest {
                to_version: version,
                options,
            };
            let response = client.rollback_deployment(request).await.map_err(refused)?;
            report("deployment", response.into_inner().outcome, json)
        }
        Command::Inspect { directory } => looking::inspect(&directory, json),
        Command::Verify { directory, digest } => looking::verify(&directory, digest.as_ref(), json),
        Command::Score { directory, texts } => scoring::score(&directory, texts, json),
    }
}

async fn open(connection: &Connection) -> anyhow::Result<ModelServiceClient<Channel>> {
    Ok(client(connection.open().await?))
}

async fn open_leader(connection: &Connection) -> anyhow::Result<ModelServiceClient<Channel>> {
    Ok(client(connection.open_leader().await?))
}

fn client(channel: Channel) -> ModelServiceClient<Channel> {
    ModelServiceClient::new(channel).max_decoding_message_size(16 * 1024 * 1024)
}

async fn newest(
    client: &mut ModelServiceClient<Channel>,
    page_size: u32,
    before_version: u64,
) -> anyhow::Result<v1::ListDeploymentsResponse> {
    let request = v1::ListDeploymentsRequest {
        page_size,
        before_version,
    };
    let listed = client.list_deployments(request).await.map_err(refused)?;
    Ok(listed.into_inner())
}

/// Returns the version on which a change rests: what its author said, or else what serves now.
async fn base(client: &mut ModelServiceClient<Channel>, terms: &Terms) -> anyhow::Result<u64> {
    match terms.expected_version() {
        Some(version) => Ok(version),
        None => Ok(newest(client, 1, 0).await?.head_version),
    }
}

async fn deploy(command: Deploy, connection: &Connection) -> anyhow::Result<ExitCode> {
    // What is wrong with the files is said before anybody is asked.
    let named = bundles::named(
        &command.bundle_root,
        &command.bundles,
        &command.shadows,
        !command.uncertified,
    )?;
    let mut client = open_leader(connection).await?;
    if let Some(policy) = serving_policy(connection).await? {
        for warning in bundles::unspoken(&policy, &named.serving_labels) {
            eprintln!("warning: {}", printable(&warning));
        }
    }
    let serving = newest(&mut client, 1, 0).await?;
    let scope_now = serving
        .deployments
        .first()
        .and_then(|serving| serving.deployment.as_ref());
    let direct_messages = match command.direct_messages {
        Some(scope) => v1::DirectMessageScope::from(scope) as i32,
        None => scope_now.map_or(v1::DirectMessageScope::Reported as i32, |now| {
            now.direct_messages
        }),
    };
    let base = command
        .terms
        .expected_version()
        .unwrap_or(serving.head_version);
    let request = v1::DeployRequest {
        deployment: Some(v1::Deployment {
            bundles: named.bundles,
            direct_messages,
        }),
        options: Some(command.terms.options(base)?),
    };
    let response = client.deploy(request).await.map_err(refused)?;
    report("deployment", response.into_inner().outcome, connection.json)
}

/// Returns the policy that serves; none where there is none yet, or none that this release can read.
async fn serving_policy(connection: &Connection) -> anyhow::Result<Option<Policy>> {
    let mut client = PolicyServiceClient::new(connection.open().await?)
        .max_decoding_message_size(16 * 1024 * 1024);
    let request = v1::GetPolicyRequest {
        version: 0,
        min_offset: 0,
    };
    let policy = match client.get_policy(request).await {
        Ok(response) => response.into_inner().policy.unwrap_or_default(),
        Err(status) if status.code() == Code::FailedPrecondition => return Ok(None),
        Err(status) => return Err(refused(status)),
    };
    Ok(Policy::parse(&policy.document).ok())
}

async fn list(
    client: &mut ModelServiceClient<Channel>,
    version: u64,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let request = v1::GetDeploymentRequest {
        version,
        min_offset: 0,
    };
    let response = client
        .get_deployment(request)
        .await
        .map_err(refused)?
        .into_inner();
    let deployment = response.deployment.unwrap_or_default();
    if json {
        print_json(&deployment_json(&deployment))?;
        return Ok(ExitCode::SUCCESS);
    }
    let content = deployment.deployment.clone().unwrap_or_default();
    let rows: Vec<[String; 5]> = content.bundles.iter().map(bundle_cells).collect();
    let [at, author, reason] = change_cells(deployment.change.as_ref());
    print(&format!(
        "deployment {} by {author} at {at}: {reason}\ndirect messages: {}\n\n{}",
        deployment.version,
        scope_word(content.direct_messages),
        table(["BUNDLE", "VERSION", "ROLE", "PATH", "DIGEST"], &rows)
    ))?;
    Ok(ExitCode::SUCCESS)
}

async fn history(
    client: &mut ModelServiceClient<Channel>,
    limit: u32,
    before: u64,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let listed = newest(client, limit, before).await?;
    if json {
        let deployments: Vec<Value> = listed.deployments.iter().map(deployment_json).collect();
        print_json(&json!({ "head_version": listed.head_version, "deployments": deployments }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<[String; 5]> = listed
        .deployments
        .iter()
        .map(|deployment| {
            let serves = if deployment.version == listed.head_version {
                " *"
            } else {
                ""
            };
            let [at, author, reason] = change_cells(deployment.change.as_ref());
            let version = format!("{}{serves}", deployment.version);
            [version, at, author, bundle_names(deployment), reason]
        })
        .collect();
    print(&table(
        ["VERSION", "AT", "AUTHOR", "BUNDLES", "REASON"],
        &rows,
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn bundle_names(deployment: &v1::DeploymentVersion) -> String {
    let bundles = deployment
        .deployment
        .iter()
        .flat_map(|deployment| &deployment.bundles);
    let names = bundles.map(|bundle| printable(&format!("{} {}", bundle.name, bundle.version)));
    names.collect::<Vec<_>>().join(", ")
}

fn bundle_cells(bundle: &v1::DeployedBundle) -> [String; 5] {
    let texts = [&bundle.name, &bundle.version, &bundle.path, &bundle.digest];
    let [name, version, path, digest] = texts.map(|text| printable(text));
    [name, version, role_word(bundle.role), path, digest]
}

fn deployment_json(deployment: &v1::DeploymentVersion) -> Value {
    let content = deployment.deployment.clone().unwrap_or_default();
    let bundles = content.bundles.iter().map(|bundle| {
        json!({
            "name": bundle.name,
            "version": bundle.version,
            "role": role_word(bundle.role),
            "path": bundle.path,
            "digest": bundle.digest,
        })
    });
    json!({
        "version": deployment.version,
        "direct_messages": scope_word(content.direct_messages),
        "bundles": bundles.collect::<Vec<_>>(),
        "change": change_json(deployment.change.as_ref()),
    })
}

fn role_word(role: i32) -> String {
    moderation::BundleRole::from_number(role)
        .map_or_else(|| role.to_string(), |role| role.to_string())
}

fn scope_word(scope: i32) -> String {
    DirectMessageScope::from_number(scope)
        .map_or_else(|| scope.to_string(), |scope| scope.to_string())
}

fn parse_digest(text: &str) -> Result<BundleDigest, String> {
    let is_digest = text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match BundleDigest::new(text) {
        Ok(digest) if is_digest => Ok(digest),
        _ => Err(
            "a digest is 64 lower-case hexadecimal characters; `tidegate model inspect` shows it"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[track_caller]
    fn check(line: &str, is_understood: bool) {
        let words = std::iter::once("model").chain(line.split_whitespace());
        assert_eq!(Cli::try_parse_from(words).is_ok(), is_understood, "{line}");
    }

    #[test]
    fn command_lines_are_understood() {
        check("list", true);
        check("list --version 3 --json", true);
        check("history", true);
        check(
            "deploy --bundle a --bundle b --shadow c --bundle-root d --reason why",
            true,
        );
        check(
            "deploy --bundle a --direct-messages all --reason why --wait",
            true,
        );
        check(
            "deploy --bundle a --direct-messages some --reason why",
            false,
        );
        check("deploy --bundle a", false);
        check("deploy --reason why", false);
        check("rollback 1 --reason why", true);
        check("inspect a", true);
        check("verify a", true);
        check("verify a --digest abc", false);
        check(&format!("verify a --digest {}", "0f".repeat(32)), true);
        check(&format!("verify a --digest {}", "0F".repeat(32)), false);
        check("score a text", true);
        check("score", false);
    }

    #[test]
    fn words_stand_for_numbers() {
        assert_eq!(role_word(v1::BundleRole::Shadow as i32), "shadow");
        assert_eq!(role_word(99), "99");
        assert_eq!(scope_word(v1::DirectMessageScope::All as i32), "all");
    }
}
