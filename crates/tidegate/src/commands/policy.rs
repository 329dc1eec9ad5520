//! `tidegate policy`: look at the policy, check it, and change it while traffic flows.

mod findings;
mod looking;
mod source;

use std::process::ExitCode;

use clap::Subcommand;
use moderation::Score;
use moderation_wire::v1;
use moderation_wire::v1::policy_service_client::PolicyServiceClient;
use tonic::transport::Channel;

pub(crate) use self::looking::findings_of;
use self::looking::{diff, get, history, lint_offline, validate};
use self::source::{Input, Source};
use super::connection::{Connection, block_on, refused};
use super::writing::{Terms, report};

/// `tidegate policy …`
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Print the policy that serves, or an older version, as its author wrote it.
    Get {
        /// Which version; left out, the one that serves.
        #[arg(long, value_name = "VERSION")]
        version: Option<u64>,
    },
    /// List the versions, newest first: who changed what, when and why.
    History {
        /// How many at most.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Only versions below this one.
        #[arg(long, value_name = "VERSION", default_value_t = 0)]
        before: u64,
    },
    /// Ask the control plane what is wrong with a policy, and what it would change. Writes nothing.
    Validate {
        /// The policy, TOML; `-` reads standard input.
        file: Input,
    },
    /// Say what is wrong with a policy without asking anybody.
    Lint {
        /// The policy, TOML; `-` reads standard input.
        file: Input,
    },
    /// Make a policy the next version.
    Apply {
        /// The policy, TOML; `-` reads standard input.
        file: Input,
        #[command(flatten)]
        terms: Terms,
    },
    /// Change one threshold of one rule. A higher threshold catches less.
    SetThreshold {
        /// The rule's id.
        rule: String,
        /// A probability of at most three decimals, 0 to 1.
        #[arg(value_parser = parse_threshold, allow_negative_numbers = true)]
        value: Score,
        /// An override or cap that the rule has, such as `surface=comment` or `cap:target=13_15`; left out, its base.
        #[arg(long, default_value = "", hide_default_value = true)]
        layer: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// Take changes back: make an older version the next one.
    Rollback {
        /// The version to bring back.
        version: u64,
        #[command(flatten)]
        terms: Terms,
    },
    /// Say what changes from one policy to another, rule by rule.
    Diff {
        /// A version's number, or a file.
        from: Source,
        /// A version's number, or a file; left out, the version that serves.
        to: Option<Source>,
    },
}

/// Runs the command.
///
/// # Errors
/// Says in one line why it could not be done; a policy's errors take a line each.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    block_on(answer(args.command, &args.connection))
}

async fn answer(command: Command, connection: &Connection) -> anyhow::Result<ExitCode> {
    let json = connection.json;
    match command {
        Command::Get { version } => get(&mut open(connection).await?, version, json).await,
        Command::History { limit, before } => {
            history(&mut open(connection).await?, limit, before, json).await
        }
        Command::Validate { file } => {
            let document = file.read()?;
            validate(&mut open(connection).await?, document, &file, json).await
        }
        Command::Apply { file, terms } => {
            let document = file.read()?;
            apply(
                &mut open_leader(connection).await?,
                document,
                &file,
                (&terms, json),
            )
            .await
        }
        Command::SetThreshold {
            rule,
            value,
            layer,
            terms,
        } => {
            let mut client = open_leader(connection).await?;
            let options = Some(terms.options(base(&mut client, &terms).await?)?);
            let threshold = value.thousandths().into();
            let request = v1::SetThresholdRequest {
                rule_id: rule,
                threshold,
                layer,
                options,
            };
            let response = client
                .set_threshold(request)
                .await
                .map_err(refused)?
                .into_inner();
            findings::warn("the policy", &response.findings);
            report("policy", response.outcome, json)
        }
        Command::Rollback { version, terms } => {
            let mut client = open_leader(connection).await?;
            let options = Some(terms.options(base(&mut client, &terms).await?)?);
            let request = v1::RollbackPolicyRequest {
                to_version: version,
                options,
            };
            let response = client
                .rollback_policy(request)
                .await
                .map_err(refused)?
                .into_inner();
            report("policy", response.outcome, json)
        }
        Command::Diff { from, to } => {
            diff(connection, from, to.unwrap_or(Source::Version(0))).await
        }
        Command::Lint { file } => lint_offline(&file, json),
    }
}

async fn open(connection: &Connection) -> anyhow::Result<PolicyServiceClient<Channel>> {
    Ok(client(connection.open().await?))
}

async fn open_leader(connection: &Connection) -> anyhow::Result<PolicyServiceClient<Channel>> {
    Ok(client(connection.open_leader().await?))
}

fn client(channel: Channel) -> PolicyServiceClient<Channel> {
    // A document of the largest size that a control plane can be set to accept.
    PolicyServiceClient::new(channel).max_decoding_message_size(16 * 1024 * 1024)
}

/// Returns the version on which a change rests: what its author said, or else what serves now.
async fn base(client: &mut PolicyServiceClient<Channel>, terms: &Terms) -> anyhow::Result<u64> {
    match terms.expected_version() {
        Some(version) => Ok(version),
        None => {
            let request = v1::ListPolicyVersionsRequest {
                page_size: 1,
                before_version: 0,
            };
            let listed = client
                .list_policy_versions(request)
                .await
                .map_err(refused)?;
            Ok(listed.into_inner().head_version)
        }
    }
}

async fn fetch(
    client: &mut PolicyServiceClient<Channel>,
    version: u64,
) -> anyhow::Result<v1::PolicyVersion> {
    let request = v1::GetPolicyRequest {
        version,
        min_offset: 0,
    };
    let response = client.get_policy(request).await.map_err(refused)?;
    Ok(response.into_inner().policy.unwrap_or_default())
}

async fn apply(
    client: &mut PolicyServiceClient<Channel>,
    document: String,
    file: &Input,
    (terms, json): (&Terms, bool),
) -> anyhow::Result<ExitCode> {
    let options = Some(terms.options(base(client, terms).await?)?);
    let request = v1::ApplyPolicyRequest { document, options };
    let response = client
        .apply_policy(request)
        .await
        .map_err(refused)?
        .into_inner();
    findings::warn(&file.to_string(), &response.findings);
    report("policy", response.outcome, json)
}

/// Reads a probability on the grid of thousandths.
fn parse_threshold(text: &str) -> Result<Score, String> {
    let refuse = || "a threshold is 0 to 1 with at most three decimals, such as 0.88".to_owned();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 1 || decimals.len() > 3 || !are_digits(whole) || !are_digits(decimals) {
        return Err(refuse());
    }
    let thousandths: u32 = format!("{whole}{decimals:0<3}")
        .parse()
        .map_err(|_| refuse())?;
    Score::from_thousandths(thousandths).ok_or_else(refuse)
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

    #[test]
    fn thresholds_are_exact() {
        let check = |text: &str, expected: Option<u16>| {
            assert_eq!(
                parse_threshold(text).ok().map(Score::thousandths),
                expected,
                "{text}"
            );
        };
        check("0.88", Some(880));
        check("0", Some(0));
        check("1", Some(1000));
        check("1.000", Some(1000));
        check("0.005", Some(5));
        for wrong in [
            "1.001", "0.8888", "88", "-0.1", ".5", "0,5", "", "0.8 ", "１",
        ] {
            check(wrong, None);
        }
    }

    #[track_caller]
    fn check(line: &str, is_understood: bool) {
        let words = std::iter::once("policy").chain(line.split_whitespace());
        assert_eq!(Cli::try_parse_from(words).is_ok(), is_understood, "{line}");
    }

    #[test]
    fn command_lines_are_understood() {
        check("get", true);
        check("get --version 3 --json", true);
        check("history --limit 5", true);
        check("history --limit 0", false);
        check("lint p.toml", true);
        check("lint", false);
        check("apply p.toml --reason why", true);
        check("apply p.toml", false);
        check(
            "apply - --reason why --author ann --expected-version 3 --wait --wait-timeout 2s",
            true,
        );
        check(
            "set-threshold hate-review 0.88 --reason why --layer surface=comment",
            true,
        );
        check("set-threshold hate-review 88 --reason why", false);
        check(
            "rollback 3 --reason why --endpoint http://localhost:1",
            true,
        );
        check("rollback three --reason why", false);
        check("diff 1 2", true);
        check("diff p.toml", true);
        check("diff", false);
    }

    #[test]
    fn offline_lint_says_what_is_wrong() {
        assert!(
            looking::findings_of("schema = ")
                .iter()
                .any(|finding| finding.error)
        );
        let shipped = include_str!("../../../../deploy/policies/default.toml");
        assert!(
            looking::findings_of(shipped)
                .iter()
                .all(|finding| !finding.error)
        );
    }
}
