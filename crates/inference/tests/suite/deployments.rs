//! Versions, readiness and release.

use std::sync::mpsc;

use inference::{DeployError, SubmitError};
use moderation::{BundleRole, DeploymentVersion};

use crate::fixtures::{Model, PATIENCE, Shelf, TIME, comment, deployment};

#[test]
fn nothing_is_scored_before_the_first_deployment() {
    let shelf = Shelf::new();
    let engine = shelf.engine();
    assert_eq!(engine.deployment(), None);
    assert_eq!(*engine.released().borrow(), DeploymentVersion(0));
    assert_eq!(
        engine.score(comment("a", "text"), TIME).unwrap_err(),
        SubmitError::NoDeployment
    );
    let mut silent = comment("b", "");
    silent.parts.clear();
    assert_eq!(
        engine.score(silent, TIME).unwrap_err(),
        SubmitError::NoDeployment
    );
}

#[test]
fn versions_only_rise() {
    let shelf = Shelf::new();
    let engine = shelf.engine();
    let deployment = deployment([shelf.serve(&Model::new("one", 1))]);
    let first = engine.deploy(DeploymentVersion(5), &deployment).unwrap();
    assert_eq!(
        engine.deploy(DeploymentVersion(5), &deployment).unwrap(),
        first
    );
    let error = engine
        .deploy(DeploymentVersion(4), &deployment)
        .unwrap_err();
    assert!(matches!(error, DeployError::Outdated { .. }), "{error}");
    engine.deploy(DeploymentVersion(7), &deployment).unwrap();
    assert_eq!(engine.deployment(), Some(DeploymentVersion(7)));
}

#[test]
fn roles_are_checked() {
    let shelf = Shelf::new();
    let engine = shelf.engine();
    let one = Model::new("one", 1);
    let other = Model::new("other", 2).with_labels(&["hate", "spam"]);
    let check = |roles: &[(&Model, BundleRole)], expected: Option<&str>| {
        let bundles: Vec<_> = roles
            .iter()
            .map(|(model, role)| shelf.place(model, *role))
            .collect();
        let version = DeploymentVersion(engine.deployment().map_or(1, |version| version.0 + 1));
        let found = engine.deploy(version, &deployment(bundles));
        match (found, expected) {
            (Ok(models), None) => assert_eq!(models.len(), roles.len()),
            (Err(error), Some(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    };
    use BundleRole::{Canary, Serving, Shadow};
    check(&[(&one, Serving)], None);
    check(&[(&one, Serving), (&other, Shadow)], None);
    check(
        &[(&one, Shadow)],
        Some("no bundle of the deployment has the role serving"),
    );
    check(
        &[(&one, Serving), (&other, Canary)],
        Some("canary needs a rollout"),
    );
    check(
        &[(&one, Serving), (&other, Serving)],
        Some("label `spam` is served by both one and other"),
    );
    check(&[], Some("role serving"));
}

#[test]
fn a_version_is_released_when_the_last_event_under_the_older_one_is_done() {
    let shelf = Shelf::new();
    let engine = shelf.engine();
    let deployment = deployment([shelf.serve(&Model::new("one", 1))]);
    engine.deploy(DeploymentVersion(1), &deployment).unwrap();
    let released = engine.released();
    assert_eq!(*released.borrow(), DeploymentVersion(1));
    let (entered, is_entered) = mpsc::sync_channel(1);
    let (leave, may_leave) = mpsc::sync_channel::<()>(1);
    let done = move |_| {
        entered.send(()).unwrap();
        may_leave.recv_timeout(PATIENCE).unwrap();
    };
    engine
        .submit(comment("a", "a text in flight"), TIME, done)
        .unwrap();
    is_entered.recv_timeout(PATIENCE).unwrap();
    engine.deploy(DeploymentVersion(2), &deployment).unwrap();
    assert_eq!(engine.deployment(), Some(DeploymentVersion(2)));
    assert_eq!(*released.borrow(), DeploymentVersion(1));
    leave.send(()).unwrap();
    engine.stop();
    assert_eq!(*released.borrow(), DeploymentVersion(2));
}
