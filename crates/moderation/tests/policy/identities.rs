//! Ids are what they always were: a replay must find what it did before.

use moderation::*;

use crate::events::*;

fn remove() -> Vec<String> {
    vec![rule(
        "remove",
        "actions = [{ kind = \"remove\" }, { kind = \"filter_for_target\" }]\nreview = true",
    )]
}

#[test]
fn ids_are_frozen() {
    let mut event = comment_with([scored("harassment", 990)]);
    event
        .event
        .targets
        .push(target(account("friend"), TargetRole::Mentioned));
    let rules = [rule(
        "filter",
        "actions = [{ kind = \"filter_for_target\" }, { kind = \"demote\" }]\nreview = true",
    )];
    let decided = decide(&event, &compiled(&rules));
    assert_eq!(
        decided.decision.decision_id.as_str(),
        "5e9290351cf19a68022486c7a5ed86dc"
    );
    let actions: Vec<&str> = decided
        .actions
        .iter()
        .map(|action| action.action_id.as_str())
        .collect();
    assert_eq!(
        actions,
        [
            "f7c4158cc68288f2ce87ba3a27cb2d0a",
            "3e2eb0a2639fe08a8cbca973ebbf70f5"
        ]
    );
    assert_eq!(
        decided.review.unwrap().task_id.as_str(),
        "00d2b7d4d8625136aa26e7316f2c8fcf"
    );
}

#[test]
fn what_an_id_is_about() {
    let policy = compiled(&remove());
    let base = comment_with([scored("harassment", 990)]);
    let ids = |change: &dyn Fn(&mut ScoredEvent)| {
        let mut event = base.clone();
        change(&mut event);
        let decided = decide(&event, &policy);
        let action = decided.actions[0].action_id.clone();
        (
            decided.decision.decision_id,
            action,
            decided.review.unwrap().task_id,
        )
    };
    let original = ids(&|_| ());
    let check = |what: &str, expected: [bool; 3], change: &dyn Fn(&mut ScoredEvent)| {
        let (decision, action, task) = ids(change);
        let same = [
            decision == original.0,
            action == original.1,
            task == original.2,
        ];
        assert_eq!(same, expected, "{what}");
    };
    check("time", [true; 3], &|event| {
        event.evaluation_time = Timestamp::from_millis(5)
    });
    check("score", [true; 3], &|event| {
        event.scores[0] = scored("harassment", 950)
    });
    check("cause", [false; 3], &|event| {
        event.cause.id = CauseId::new("other").unwrap()
    });
    check("cause kind", [false; 3], &|event| {
        event.cause.kind = CauseKind::Sweep
    });
    check("revision", [false; 3], &|event| {
        event.event.subject.revision = 4
    });
    let versions = [false, true, true];
    check("deployment", versions, &|event| {
        event.deployment_version = DeploymentVersion(5)
    });
    check("bundle", versions, &|event| {
        event.bundles[1].digest = BundleDigest::new("d").unwrap()
    });
    check("source", versions, &|event| {
        event.source = "hashes".to_owned()
    });
}

#[test]
fn the_rule_is_provenance_and_not_identity() {
    let event = comment_with([scored("harassment", 990)]);
    let one = decide(
        &event,
        &compiled(&[rule("a", "actions = [{ kind = \"remove\" }]")]),
    );
    let two = decide(
        &event,
        &compiled(&[
            rule("b", "actions = [{ kind = \"remove\" }]"),
            rule("c", "actions = [{ kind = \"remove\" }]"),
        ]),
    );
    assert_eq!(one.actions[0].action_id, two.actions[0].action_id);
    assert_eq!(two.actions.len(), 1);
}

#[test]
fn remove_reverse_remove_again() {
    let policy = compiled(&remove());
    let first = comment_with([scored("harassment", 990)]);
    let removed = decide(&first, &policy).actions.remove(0);

    let mut verdict = comment();
    verdict.cause = Cause {
        kind: CauseKind::HumanReview,
        id: CauseId::new("verdict-1").unwrap(),
    };
    verdict.overturned = vec![OverturnedAction {
        action_id: removed.action_id.clone(),
        subject: removed.subject.clone(),
        kind: removed.kind,
        beneficiary: removed.beneficiary.clone(),
    }];
    let reversed = decide(&verdict, &policy).actions.remove(0);

    let mut rescored = first;
    rescored.cause = Cause {
        kind: CauseKind::Rescore,
        id: CauseId::new("rescore-1").unwrap(),
    };
    let again = decide(&rescored, &policy).actions.remove(0);

    let operations = [&removed, &reversed, &again].map(|action| (action.kind, action.operation));
    assert_eq!(
        operations,
        [
            (ActionKind::Remove, Operation::Apply),
            (ActionKind::Remove, Operation::Reverse),
            (ActionKind::Remove, Operation::Apply),
        ]
    );
    assert_eq!(reversed.reverses.as_ref(), Some(&removed.action_id));
    assert_ne!(removed.action_id, reversed.action_id);
    assert_ne!(reversed.action_id, again.action_id);
    assert_ne!(removed.action_id, again.action_id);
}
