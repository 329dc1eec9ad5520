//! `tidegate status`: every replica, and the versions that it serves.

use std::process::ExitCode;

use moderation_wire::v1;
use moderation_wire::v1::status_service_client::StatusServiceClient;
use serde_json::{Value, json};

use super::connection::{Connection, MAX_STATUS_BYTES, block_on, refused};
use super::output::{print, print_json, print_while_read, printable, table};

/// `tidegate status`
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    connection: Connection,
    /// Print the status again whenever it changes, until interrupted. With `--json`, one line each.
    #[arg(long)]
    watch: bool,
}

/// Runs the command.
///
/// # Errors
/// Says in one line why the status cannot be had.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    block_on(answer(args))
}

async fn answer(args: Args) -> anyhow::Result<ExitCode> {
    let json = args.connection.json;
    let channel = args.connection.open().await?;
    let mut client = StatusServiceClient::new(channel).max_decoding_message_size(MAX_STATUS_BYTES);
    if args.watch {
        let watched = client
            .watch_status(v1::WatchStatusRequest {})
            .await
            .map_err(refused)?;
        let mut statuses = watched.into_inner();
        while let Some(response) = statuses.message().await.map_err(refused)? {
            let status = response.status.unwrap_or_default();
            let text = if json {
                status_json(&status).to_string()
            } else {
                format!("{}\n", status_text(&status))
            };
            if !print_while_read(&text)? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        anyhow::bail!("the control plane has stopped");
    }
    let response = client
        .get_status(v1::GetStatusRequest {})
        .await
        .map_err(refused)?;
    let status = response.into_inner().status.unwrap_or_default();
    if json {
        print_json(&status_json(&status))?;
    } else {
        print(&status_text(&status))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn status_text(status: &v1::Status) -> String {
    let rows: Vec<[String; 7]> = status.replicas.iter().map(replica_cells).collect();
    let leader = match status.leader.as_str() {
        "" => "nobody".to_owned(),
        address => printable(address),
    };
    format!(
        "policy {}, deployment {}, control offset {}; {leader} takes changes\n\n{}",
        version(status.policy_version),
        version(status.deployment_version),
        status.control_offset,
        table(
            [
                "STAGE",
                "REPLICA",
                "STATE",
                "POLICY",
                "DEPLOYMENT",
                "OFFSET",
                "DETAIL"
            ],
            &rows
        )
    )
}

fn replica_cells(replica: &v1::ReplicaStatus) -> [String; 7] {
    let heartbeat = replica.heartbeat.clone().unwrap_or_default();
    let state = match (replica.live, heartbeat.ready) {
        (false, _) => format!("silent for {:.0} s", replica.age_ms as f64 / 1000.0),
        (true, true) if heartbeat.leading => "leads".to_owned(),
        (true, true) => "ready".to_owned(),
        (true, false) => "not ready".to_owned(),
    };
    [
        printable(&heartbeat.stage),
        printable(&heartbeat.replica_id),
        state,
        version(heartbeat.policy_version),
        version(heartbeat.deployment_version),
        heartbeat.control_offset.to_string(),
        printable(&heartbeat.detail),
    ]
}

/// Writes a version; 0 is none.
fn version(version: u64) -> String {
    match version {
        0 => "-".to_owned(),
        version => version.to_string(),
    }
}

fn status_json(status: &v1::Status) -> Value {
    let replicas = status.replicas.iter().map(|replica| {
        let heartbeat = replica.heartbeat.clone().unwrap_or_default();
        json!({
            "replica_id": heartbeat.replica_id,
            "stage": heartbeat.stage,
            "live": replica.live,
            "age_ms": replica.age_ms,
            "ready": heartbeat.ready,
            "detail": heartbeat.detail,
            "policy_version": heartbeat.policy_version,
            "deployment_version": heartbeat.deployment_version,
            "refused_policy_version": heartbeat.refused_policy_version,
            "refused_deployment_version": heartbeat.refused_deployment_version,
            "control_offset": heartbeat.control_offset,
            "address": heartbeat.address,
            "leading": heartbeat.leading,
        })
    });
    json!({
        "policy_version": status.policy_version,
        "deployment_version": status.deployment_version,
        "control_offset": status.control_offset,
        "leader": status.leader,
        "leads": status.leads,
        "replicas": replicas.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(id: &str, live: bool, ready: bool) -> v1::ReplicaStatus {
        v1::ReplicaStatus {
            heartbeat: Some(v1::ReplicaHeartbeat {
                replica_id: id.to_owned(),
                stage: "enforcer".to_owned(),
                ready,
                policy_version: 3,
                control_offset: 6,
                detail: if ready {
                    String::new()
                } else {
                    "no scores topic".to_owned()
                },
                ..Default::default()
            }),
            live,
            age_ms: 12_400,
        }
    }

    #[test]
    fn every_replica_has_its_line() {
        let status = v1::Status {
            policy_version: 3,
            deployment_version: 0,
            control_offset: 6,
            replicas: vec![
                replica("a", true, true),
                replica("b", true, false),
                replica("c", false, true),
            ],
            leader: "127.0.0.1:7301".to_owned(),
            leads: true,
        };
        let text = status_text(&status);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "policy 3, deployment -, control offset 6; 127.0.0.1:7301 takes changes"
        );
        assert!(
            lines[3].contains("ready") && !lines[3].contains("not ready"),
            "{text}"
        );
        assert!(
            lines[4].contains("not ready") && lines[4].ends_with("no scores topic"),
            "{text}"
        );
        assert!(lines[5].contains("silent for 12 s"), "{text}");
        assert_eq!(status_json(&status)["replicas"][2]["live"], false);
    }
}
