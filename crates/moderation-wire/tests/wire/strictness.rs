//! Records that only stages write: what is wrong with one is named, and never shown.

use moderation::{Decision, DeployedBundle, EnforcementAction, Limits, ReviewRequest};
use moderation_wire::{
    DecodeError, Format, Invalid, decode_action, decode_content, decode_decision, record_key, v1,
};
use prost::Message;

use crate::samples;

#[test]
fn decisions_name_what_is_wrong() {
    let check = |change: fn(&mut v1::Decision), expected: &str| {
        let mut wire = v1::Decision::from(&samples::decision());
        change(&mut wire);
        let refused: Result<Decision, Invalid> = wire.try_into();
        assert_eq!(refused.expect_err(expected).to_string(), expected);
    };
    check(|wire| wire.decision_id.clear(), "decision_id: is missing");
    check(|wire| wire.subject = None, "subject: is missing");
    check(
        |wire| wire.cause.as_mut().unwrap().id.clear(),
        "cause.id: is missing",
    );
    check(
        |wire| wire.evaluation_time = None,
        "evaluation_time: is missing",
    );
    check(
        |wire| wire.surface = 99,
        "surface: has a value that this version does not know",
    );
    check(
        |wire| wire.matched[0].threshold = 1001,
        "matched[0].threshold: is out of range",
    );
    check(
        |wire| wire.matched[0].score = None,
        "matched[0].status: has a value that this version does not know",
    );
    check(
        |wire| wire.ages[1].role = "secret".to_owned(),
        "ages[1].role: has a value that this version does not know",
    );
    check(
        |wire| wire.action_ids[0] = "secret\n".to_owned(),
        "action_ids[0]: action id has control characters",
    );
}

#[test]
fn actions_reviews_and_bundles_name_what_is_wrong() {
    let action = |change: fn(&mut v1::EnforcementAction), expected: &str| {
        let mut wire = v1::EnforcementAction::from(&samples::action());
        change(&mut wire);
        let refused: Result<EnforcementAction, Invalid> = wire.try_into();
        assert_eq!(refused.expect_err(expected).to_string(), expected);
    };
    action(|wire| wire.kind = 0, "kind: is missing");
    action(
        |wire| wire.operation = 9,
        "operation: has a value that this version does not know",
    );
    action(
        |wire| wire.parameters.as_mut().unwrap().territories[1] = "Bavaria".to_owned(),
        "parameters.territories[1]: region is not a valid code",
    );

    let review = |change: fn(&mut v1::ReviewRequest), expected: &str| {
        let mut wire = v1::ReviewRequest::from(&samples::review());
        change(&mut wire);
        let refused: Result<ReviewRequest, Invalid> = wire.try_into();
        assert_eq!(refused.expect_err(expected).to_string(), expected);
    };
    review(
        |wire| wire.sample.as_mut().unwrap().inclusion_probability = f64::NAN,
        "sample.inclusion_probability: is out of range",
    );
    review(|wire| wire.causes[0].id.clear(), "causes[0].id: is missing");

    let bundle = |change: fn(&mut v1::DeployedBundle), expected: &str| {
        let mut wire = v1::DeployedBundle::from(&samples::deployment().bundles[0]);
        change(&mut wire);
        let refused: Result<DeployedBundle, Invalid> = wire.try_into();
        assert_eq!(refused.expect_err(expected).to_string(), expected);
    };
    bundle(
        |wire| wire.digest = "abc".to_owned(),
        "digest: is out of range",
    );
    bundle(
        |wire| wire.path = "../../etc".to_owned(),
        "path: is out of range",
    );
    bundle(
        |wire| wire.path = "/etc".to_owned(),
        "path: is out of range",
    );
    bundle(|wire| wire.path.clear(), "path: is missing");
    bundle(|wire| wire.role = 0, "role: is missing");
}

#[test]
fn deep_fields_are_named_by_their_path() {
    let mut wire = v1::ContentEvent::from(&samples::content());
    wire.event.as_mut().unwrap().targets[1]
        .account
        .as_mut()
        .unwrap()
        .account_id
        .clear();
    let refused: Result<moderation::ContentEvent, Invalid> = wire.try_into();
    assert_eq!(
        refused.expect_err("has a target without id").to_string(),
        "event.targets[1].account.account_id: is missing"
    );
}

#[test]
fn broken_bytes_are_no_record() {
    assert_eq!(decode_decision(b"\xff"), Err(DecodeError::Malformed));
    let mut wire = v1::EnforcementAction::from(&samples::action());
    wire.kind = 0;
    let refused = decode_action(&wire.encode_to_vec()).expect_err("has no kind");
    assert_eq!(refused.to_string(), "kind: is missing");
}

#[test]
fn errors_show_no_text() {
    let secret = "\u{7}secret words";
    let mut wire = v1::ContentEvent::from(&samples::content());
    wire.event.as_mut().unwrap().event_id = secret.to_owned();
    let payload = wire.encode_to_vec();
    let unreadable = decode_content(&payload, Format::Protobuf, samples::NOW, &Limits::default())
        .expect_err("has no event id");
    assert_eq!(unreadable.to_string(), "event.event_id: invalid_field");
    assert!(!format!("{unreadable:?}").contains("secret"));
}

#[test]
fn keys_do_not_depend_on_the_revision() {
    let mut subject = samples::subject(moderation::SubjectKind::Content, "7");
    assert_eq!(record_key(&subject), b"content:7");
    subject.revision += 1;
    assert_eq!(record_key(&subject), b"content:7");
}
