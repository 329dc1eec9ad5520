//! Looking at policies: what serves, what served, what is wrong, what differs. Nothing here changes anything.

use std::process::ExitCode;

use moderation::policy::{CompiledPolicy, Finding, Policy, differences, lint};
use moderation_wire::v1;
use moderation_wire::v1::policy_service_client::PolicyServiceClient;
use serde_json::json;
use tonic::transport::Channel;

use super::source::{Input, Source};
use super::{fetch, findings, open};
use crate::commands::connection::{Connection, refused};
use crate::commands::output::{change_cells, change_json, print, print_json, printable, table};

pub(crate) async fn get(
    client: &mut PolicyServiceClient<Channel>,
    version: Option<u64>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let policy = fetch(client, version.unwrap_or(0)).await?;
    if json {
        let mut value = policy_json(&policy);
        value["document"] = json!(policy.document);
        print_json(&value)?;
    } else {
        // Aside, so that the document alone goes into a file.
        let [at, author, reason] = change_cells(policy.change.as_ref());
        eprintln!("policy {} by {author} at {at}: {reason}", policy.version);
        print(&policy.document)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn history(
    client: &mut PolicyServiceClient<Channel>,
    limit: u32,
    before_version: u64,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let request = v1::ListPolicyVersionsRequest {
        page_size: limit,
        before_version,
    };
    let listed = client
        .list_policy_versions(request)
        .await
        .map_err(refused)?
        .into_inner();
    if json {
        let versions: Vec<_> = listed.versions.iter().map(policy_json).collect();
        print_json(&json!({ "head_version": listed.head_version, "versions": versions }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<[String; 4]> = listed
        .versions
        .iter()
        .map(|policy| {
            let serves = if policy.version == listed.head_version {
                " *"
            } else {
                ""
            };
            let [at, author, reason] = change_cells(policy.change.as_ref());
            [format!("{}{serves}", policy.version), at, author, reason]
        })
        .collect();
    print(&table(["VERSION", "AT", "AUTHOR", "REASON"], &rows))?;
    Ok(ExitCode::SUCCESS)
}

fn policy_json(policy: &v1::PolicyVersion) -> serde_json::Value {
    json!({
        "version": policy.version,
        "digest": policy.digest,
        "change": change_json(policy.change.as_ref()),
    })
}

pub(crate) async fn validate(
    client: &mut PolicyServiceClient<Channel>,
    document: String,
    file: &Input,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let request = v1::ValidatePolicyRequest { document };
    let response = client
        .validate_policy(request)
        .await
        .map_err(refused)?
        .into_inner();
    if json {
        print_json(&json!({
            "valid": response.valid,
            "findings": findings::as_json(&response.findings),
            "differences": response.differences,
        }))?;
    } else {
        print(&findings::as_text(&file.to_string(), &response.findings))?;
        if response.valid {
            let differences = listed(&response.differences);
            print(&format!("against the policy that serves:\n{differences}"))?;
        }
    }
    Ok(if response.valid {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

pub(crate) fn lint_offline(file: &Input, json: bool) -> anyhow::Result<ExitCode> {
    let document = file.read()?;
    let found: Vec<v1::LintFinding> = findings_of(&document)
        .iter()
        .map(findings::to_wire)
        .collect();
    if json {
        print_json(&findings::as_json(&found))?;
    } else {
        print(&findings::as_text(&file.to_string(), &found))?;
    }
    let is_valid = found.iter().all(|finding| !finding.error);
    Ok(if is_valid {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Says everything that the control plane would.
pub(crate) fn findings_of(document: &str) -> Vec<Finding> {
    let policy = match Policy::parse(document) {
        Ok(policy) => policy,
        Err(findings) => return findings,
    };
    let mut findings = lint(&policy);
    if let Err(more) = CompiledPolicy::compile(&policy, moderation::PolicyVersion(1)) {
        findings.extend(more);
    }
    findings
}

pub(crate) async fn diff(
    connection: &Connection,
    from: Source,
    to: Source,
) -> anyhow::Result<ExitCode> {
    let mut client = match (&from, &to) {
        (Source::File(_), Source::File(_)) => None,
        _ => Some(open(connection).await?),
    };
    let from = from.parse(client.as_mut()).await?;
    let to = to.parse(client.as_mut()).await?;
    let found = differences(&from, &to);
    if connection.json {
        print_json(&json!(found))?;
    } else {
        print(&listed(&found))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(differences: &[String]) -> String {
    match differences {
        [] => "no difference".to_owned(),
        some => some
            .iter()
            .map(|line| printable(line))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}
