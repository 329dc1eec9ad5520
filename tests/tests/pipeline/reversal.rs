//! An action can be taken back and taken again, and each is one of its own.

use moderation::{
    ActionKind, ActionOrigin, Cause, CauseId, CauseKind, DecidedBy, DeploymentVersion,
    EnforcementAction, Label, LabelOutcome, LabelScore, Operation, OverturnedAction, PartCondition,
    PartId, PartOrigin, Score, ScoredEvent, ScoredPart, Support, Timestamp,
};
use tidegate_tests::{Stack, StackOptions, repository, samples};

#[tokio::test(flavor = "multi_thread")]
async fn remove_reverse_remove_again_are_three_actions_in_order() {
    let policy = repository().join("tests/policies/remove-spam.toml");
    let stack = Stack::start(StackOptions {
        policy,
        ..StackOptions::default()
    })
    .await;

    stack
        .send_scored(&spam_because(CauseKind::Ingest, "e-1", Vec::new()))
        .await;
    let mut actions = stack.actions();
    let removed = actions.next().await;
    // Both are there before either is read, so that only the stage keeps them in order.
    stack.send_scored(&overturned_by_appeal(&removed)).await;
    stack
        .send_scored(&spam_because(CauseKind::Report, "r-2", Vec::new()))
        .await;
    let reversed = actions.next().await;
    let removed_again = actions.next().await;

    let kinds = [&removed, &reversed, &removed_again].map(|action| (action.kind, action.operation));
    assert_eq!(
        kinds,
        [
            (ActionKind::Remove, Operation::Apply),
            (ActionKind::Remove, Operation::Reverse),
            (ActionKind::Remove, Operation::Apply),
        ]
    );
    assert_eq!(reversed.reverses.as_ref(), Some(&removed.action_id));
    assert_eq!(reversed.origin, ActionOrigin::Appeal);
    assert_ne!(removed.action_id, reversed.action_id);
    assert_ne!(removed.action_id, removed_again.action_id);
    assert_ne!(reversed.action_id, removed_again.action_id);

    let mut decisions = stack.decisions();
    let decided_by = [
        decisions.next().await,
        decisions.next().await,
        decisions.next().await,
    ]
    .map(|decision| decision.decided_by);
    assert_eq!(
        decided_by,
        [
            DecidedBy::FullyAutomated,
            DecidedBy::NotAutomated,
            DecidedBy::FullyAutomated
        ]
    );
}

fn overturned_by_appeal(action: &EnforcementAction) -> ScoredEvent {
    let overturned = OverturnedAction {
        action_id: action.action_id.clone(),
        subject: action.subject.clone(),
        kind: action.kind,
        beneficiary: action.beneficiary.clone(),
    };
    ScoredEvent {
        scores: Vec::new(),
        ..spam_because(CauseKind::Appeal, "a-1", vec![overturned])
    }
}

fn spam_because(cause: CauseKind, id: &str, overturned: Vec<OverturnedAction>) -> ScoredEvent {
    ScoredEvent {
        event: samples::comment("e-1", "").event,
        cause: Cause {
            kind: cause,
            id: CauseId::new(id).expect("valid"),
        },
        source: "test".to_owned(),
        parts: vec![ScoredPart {
            part_id: PartId::new("body").expect("valid"),
            origin: PartOrigin::Body,
            condition: PartCondition::Readable,
            declared_language: None,
            detected_language: moderation::Language::new("en").ok(),
            characters: 20,
            windows: 1,
        }],
        scores: vec![LabelScore {
            part: 0,
            label: Label::new("spam").expect("valid"),
            outcome: LabelOutcome::Scored(Score::MAX),
            bundle: None,
            support: Support::Supported,
        }],
        evaluation_time: Timestamp::from_millis(1_700_000_000_000),
        deployment_version: DeploymentVersion(1),
        bundles: Vec::new(),
        flags: Vec::new(),
        overturned,
        cpu_class: String::new(),
    }
}
