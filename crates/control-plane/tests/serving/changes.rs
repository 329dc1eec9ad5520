//! Writes: compare-and-set, refusals, rollback, the audit.

use moderation_wire::v1;
use tonic::Code;

use crate::plane::{Cluster, POLICY, Plane, check_refused, deployment, on, other_policy};

#[tokio::test]
async fn a_policy_is_applied_changed_and_taken_back() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;

    let first = plane.apply(POLICY, on(0)).await.unwrap();
    assert_eq!(
        (first.version, first.differences.as_slice()),
        (1, &["the first policy".to_owned()][..])
    );
    let second = plane
        .set_threshold("hate-review", 910, on(1))
        .await
        .unwrap();
    assert_eq!(second.version, 2);
    assert!(
        second.differences[0].contains("hate-review") && second.differences[0].contains("0.910"),
        "{second:?}"
    );
    assert!(second.control_offset > first.control_offset);
    let third = plane.roll_back(1, on(2)).await.unwrap();
    assert_eq!(third.version, 3);

    let serving = plane.policy(0).await.unwrap();
    let policy = serving.policy.unwrap();
    assert_eq!(
        (
            policy.version,
            serving.head_version,
            policy.document.as_str()
        ),
        (3, 3, POLICY)
    );
    let change = policy.change.unwrap();
    assert_eq!(
        (change.author.as_str(), change.reason.as_str()),
        ("ann", "a test")
    );
    assert_eq!(change.rollback_of, Some(1));
    let changed = plane.policy(2).await.unwrap().policy.unwrap();
    assert!(changed.document.contains("threshold = 0.91"));
    plane.stop().await;
}

#[tokio::test]
async fn a_change_that_rests_on_another_version_is_refused() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    check_refused(
        plane.apply(POLICY, on(1)).await,
        Code::Aborted,
        "policy 0 serves, not 1",
    );
    plane.apply(POLICY, on(0)).await.unwrap();
    check_refused(
        plane.apply(POLICY, on(0)).await,
        Code::Aborted,
        "policy 1 serves, not 0",
    );
    assert_eq!(plane.policy(0).await.unwrap().head_version, 1);
    plane.stop().await;
}

#[tokio::test]
async fn of_many_changes_at_once_one_is_made() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    plane.apply(POLICY, on(0)).await.unwrap();
    let changes = (0..8).map(|number| {
        let mut policies = plane.policies();
        async move {
            let request = v1::SetThresholdRequest {
                rule_id: "hate-review".to_owned(),
                threshold: 900 + number,
                layer: String::new(),
                options: Some(on(1)),
            };
            policies
                .set_threshold(request)
                .await
                .map(drop)
                .map_err(|status| status.code())
        }
    });
    let mut tasks: tokio::task::JoinSet<_> = changes.collect();
    let mut made = 0;
    while let Some(result) = tasks.join_next().await {
        match result.unwrap() {
            Ok(()) => made += 1,
            Err(code) => assert_eq!(code, Code::Aborted),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(plane.policy(0).await.unwrap().head_version, 2);
    plane.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_named() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    plane.apply(POLICY, on(0)).await.unwrap();
    let invalid = Code::InvalidArgument;

    check_refused(plane.apply("schema = ", on(1)).await, invalid, "line 1");
    let nameless = POLICY.replacen("category = \"hate\"", "category = \"nothing\"", 1);
    check_refused(plane.apply(&nameless, on(1)).await, invalid, "nothing");
    let huge = format!("{POLICY}\n# {}", "x".repeat(520 * 1024));
    check_refused(plane.apply(&huge, on(1)).await, invalid, "at most 524288");
    let anonymous = v1::WriteOptions {
        author: " ".to_owned(),
        ..on(1)
    };
    check_refused(
        plane.apply(POLICY, anonymous).await,
        invalid,
        "options.author",
    );
    let unreasoned = v1::WriteOptions {
        reason: String::new(),
        ..on(1)
    };
    check_refused(
        plane.apply(POLICY, unreasoned).await,
        invalid,
        "options.reason",
    );
    check_refused(
        plane.set_threshold("hate-review", 1001, on(1)).await,
        invalid,
        "threshold",
    );
    check_refused(
        plane.set_threshold("no-such-rule", 500, on(1)).await,
        invalid,
        "no-such-rule",
    );
    check_refused(
        plane.roll_back(7, on(1)).await,
        Code::NotFound,
        "there is no policy 7",
    );
    check_refused(
        plane.policy(7).await,
        Code::NotFound,
        "there is no policy 7",
    );

    let serving = plane.policy(0).await.unwrap();
    assert_eq!(
        (
            serving.head_version,
            serving.policy.unwrap().document.as_str()
        ),
        (1, POLICY)
    );
    plane.stop().await;
}

#[tokio::test]
async fn validation_writes_nothing() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    plane.apply(POLICY, on(0)).await.unwrap();
    let before = cluster.records(&cluster.topics.control).await.len();
    let validate = async |document: &str| {
        let request = v1::ValidatePolicyRequest {
            document: document.to_owned(),
        };
        plane
            .policies()
            .validate_policy(request)
            .await
            .unwrap()
            .into_inner()
    };
    let valid = validate(&other_policy()).await;
    assert!(
        valid.valid && valid.differences[0].contains("0.975"),
        "{valid:?}"
    );
    let invalid = validate("schema = ").await;
    assert!(!invalid.valid);
    assert!(
        invalid.findings[0].error && invalid.findings[0].line == 1,
        "{invalid:?}"
    );
    assert_eq!(cluster.records(&cluster.topics.control).await.len(), before);
    plane.stop().await;
}

#[tokio::test]
async fn deployments_are_changed_and_taken_back() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    let deploy = async |deployment: Option<v1::Deployment>, expected_version| {
        let request = v1::DeployRequest {
            deployment,
            options: Some(on(expected_version)),
        };
        plane
            .models()
            .deploy(request)
            .await
            .map(|response| response.into_inner().outcome.unwrap())
    };
    assert_eq!(deploy(Some(deployment("a")), 0).await.unwrap().version, 1);
    let second = deploy(Some(deployment("b")), 1).await.unwrap();
    assert!(
        second.differences[0].starts_with("bundle screen: a.0.0 (aaaaaaaaaaaa"),
        "{second:?}"
    );
    check_refused(
        deploy(Some(deployment("c")), 1).await,
        Code::Aborted,
        "deployment 2 serves, not 1",
    );
    let mut outside = deployment("c");
    outside.bundles[0].path = "../c".to_owned();
    check_refused(
        deploy(Some(outside), 2).await,
        Code::InvalidArgument,
        "deployment.bundles[0].path",
    );
    check_refused(
        deploy(Some(v1::Deployment::default()), 2).await,
        Code::InvalidArgument,
        "role serving",
    );
    check_refused(
        deploy(None, 2).await,
        Code::InvalidArgument,
        "deployment: is missing",
    );

    let request = v1::RollbackDeploymentRequest {
        to_version: 1,
        options: Some(on(2)),
    };
    plane.models().rollback_deployment(request).await.unwrap();
    let request = v1::GetDeploymentRequest::default();
    let serving = plane
        .models()
        .get_deployment(request)
        .await
        .unwrap()
        .into_inner()
        .deployment
        .unwrap();
    assert_eq!(
        (serving.version, serving.deployment),
        (3, Some(deployment("a")))
    );
    let request = v1::ListDeploymentsRequest {
        page_size: 2,
        before_version: 0,
    };
    let listed = plane
        .models()
        .list_deployments(request)
        .await
        .unwrap()
        .into_inner();
    let versions: Vec<u64> = listed
        .deployments
        .iter()
        .map(|deployment| deployment.version)
        .collect();
    assert_eq!((versions, listed.head_version), (vec![3, 2], 3));
    plane.stop().await;
}

#[tokio::test]
async fn every_change_and_every_refusal_is_audited() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    plane.apply(POLICY, on(0)).await.unwrap();
    check_refused(plane.apply(POLICY, on(0)).await, Code::Aborted, "serves");
    plane.roll_back(1, on(1)).await.unwrap();

    let audited = cluster.audited().await;
    let versions: Vec<(u64, u64)> = audited
        .iter()
        .map(|record| (record.from_version, record.to_version))
        .collect();
    assert_eq!(versions, [(0, 1), (1, 0), (1, 2)]);
    assert!(audited.iter().all(|record| record.object == "policy"));
    assert!(
        audited
            .iter()
            .all(|record| record.change.as_ref().unwrap().author == "ann")
    );
    assert!(audited[1].differences.is_empty());
    let reasons = [0, 1, 2].map(|place| audited[place].refused_because.as_str());
    assert!(
        reasons[1].starts_with("policy 1 serves, not 0"),
        "{reasons:?}"
    );
    assert_eq!([reasons[0], reasons[2]], [""; 2]);
    assert_eq!(audited[2].change.as_ref().unwrap().rollback_of, Some(1));

    let keys: Vec<String> = cluster
        .records(&cluster.topics.control)
        .await
        .into_iter()
        .map(|record| String::from_utf8(record.key.unwrap()).unwrap())
        .collect();
    assert_eq!(
        keys,
        [
            "policy/version/1",
            "policy/head",
            "policy/version/2",
            "policy/head"
        ]
    );
    plane.stop().await;
}
