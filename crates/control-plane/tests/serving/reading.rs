//! Reads: offsets, history, status, health.

use std::sync::Arc;

use control_state::{Change, ControlEntry, PolicyDocument, VersionedPolicy};
use kafka_pipeline::OutputRecord;
use moderation::PolicyVersion;
use moderation_wire::v1;
use tonic::Code;

use crate::plane::{Cluster, POLICY, Plane, check_refused, on, until_status};

#[tokio::test]
async fn nothing_serves_before_the_first_change() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    check_refused(
        plane.policy(0).await,
        Code::FailedPrecondition,
        "no policy serves yet",
    );
    let request = v1::GetDeploymentRequest::default();
    let deployment = plane.models().get_deployment(request).await;
    check_refused(
        deployment,
        Code::FailedPrecondition,
        "no deployment serves yet",
    );
    plane.stop().await;
}

#[tokio::test]
async fn a_read_waits_for_its_offset() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    let written = plane.apply(POLICY, on(0)).await.unwrap();
    let read = async |min_offset| {
        let request = v1::GetPolicyRequest {
            version: 0,
            min_offset,
        };
        plane
            .policies()
            .get_policy(request)
            .await
            .map(|response| response.into_inner().head_version)
    };
    assert_eq!(read(written.control_offset).await.unwrap(), 1);

    // The next head is written by somebody else, behind this control plane's back.
    let head = ControlEntry::PolicyHead(VersionedPolicy {
        version: PolicyVersion(2),
        content: PolicyDocument::new(POLICY),
        change: Change::default(),
    });
    let topic = Arc::from(cluster.topics.control.as_str());
    let record = OutputRecord::new(topic, head.key().to_string(), head.encode());
    let (version, published) = tokio::join!(
        read(written.control_offset + 1),
        cluster.publisher.publish(record)
    );
    assert_eq!(
        u64::try_from(published.unwrap().offset).unwrap(),
        written.control_offset
    );
    assert_eq!(version.unwrap(), 2);

    check_refused(
        read(written.control_offset + 2).await,
        Code::DeadlineExceeded,
        "is known up to offset 3, not 4",
    );
    plane.stop().await;
}

#[tokio::test]
async fn history_comes_in_pages_without_documents() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    plane.apply(POLICY, on(0)).await.unwrap();
    for version in 1..4 {
        plane.roll_back(1, on(version)).await.unwrap();
    }
    let list = async |page_size, before_version| {
        let request = v1::ListPolicyVersionsRequest {
            page_size,
            before_version,
        };
        let listed = plane
            .policies()
            .list_policy_versions(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(listed.head_version, 4);
        assert!(
            listed
                .versions
                .iter()
                .all(|policy| policy.document.is_empty() && policy.digest.len() == 64)
        );
        listed
            .versions
            .iter()
            .map(|policy| policy.version)
            .collect::<Vec<_>>()
    };
    assert_eq!(list(0, 0).await, [4, 3, 2, 1]);
    assert_eq!(list(2, 0).await, [4, 3]);
    assert_eq!(list(2, 3).await, [2, 1]);
    assert!(list(2, 1).await.is_empty());
    plane.stop().await;
}

#[tokio::test]
async fn a_watcher_sees_changes_and_the_control_plane_itself() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    plane.apply(POLICY, on(0)).await.unwrap();
    let status = until_status(&plane, |status| {
        status.policy_version == 1
            && status.replicas.iter().any(|replica| {
                let heartbeat = replica.heartbeat.as_ref().unwrap();
                replica.live && heartbeat.ready && heartbeat.stage == "control-plane"
            })
    })
    .await;
    assert_eq!((status.deployment_version, status.control_offset), (0, 2));
    let asked = plane
        .status()
        .get_status(v1::GetStatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(asked.status.unwrap().policy_version, 1);
    plane.stop().await;
}
