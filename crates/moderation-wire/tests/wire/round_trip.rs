//! Whatever the stages hold survives the wire.

use moderation::*;
use moderation_wire::{
    Format, decode_action, decode_content, decode_decision, decode_review, decode_scored,
    encode_action, encode_content, encode_decision, encode_review, encode_scored,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::samples::{self, NOW};

/// Any word of a list, and the one for the unknown where the list has it.
macro_rules! word {
    ($name:ident) => {
        select($name::ALL)
    };
    (open $name:ident) => {
        prop_oneof![Just($name::Unrecognised), select($name::ALL)]
    };
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9ä:_-]{1,24}"
}

fn named<T: std::fmt::Debug>(
    make: fn(String) -> Result<T, InvalidIdentifier>,
) -> impl Strategy<Value = T> {
    name().prop_map(move |name| make(name).expect("a name"))
}

fn time() -> impl Strategy<Value = Timestamp> {
    (-60_000_000_000_000..NOW.as_millis()).prop_map(Timestamp::from_millis)
}

fn region() -> impl Strategy<Value = Region> {
    select(vec!["DE", "US-CA", "JP"]).prop_map(|code| Region::new(code).expect("a region"))
}

fn language() -> impl Strategy<Value = Language> {
    select(vec!["de", "zh-hant", "und"]).prop_map(|tag| Language::new(tag).expect("a language"))
}

fn subject() -> impl Strategy<Value = Subject> {
    (word!(open SubjectKind), named(SubjectId::new), any::<u64>())
        .prop_map(|(kind, id, revision)| Subject { kind, id, revision })
}

fn account() -> impl Strategy<Value = Account> {
    let age = (
        option::of(0..=150_u32),
        option::of(0..=150_u32),
        option::of(0.0..=1.0),
        option::of(0..=150_u32),
        word!(open AgeState),
    )
        .prop_map(
            |(declared_years, inferred_years, inferred_confidence, assured_years, state)| {
                AgeFacts {
                    declared_years,
                    inferred_years,
                    inferred_confidence,
                    assured_years,
                    state,
                }
            },
        );
    (
        named(AccountId::new),
        option::of(region()),
        option::of(time()),
        age,
    )
        .prop_map(|(account_id, region, created_at, age)| Account {
            account_id,
            region,
            created_at,
            age,
        })
}

fn target() -> impl Strategy<Value = Target> {
    (account(), word!(open TargetRole), word!(open Relationship)).prop_map(
        |(account, role, relationship)| Target {
            account,
            role,
            relationship,
        },
    )
}

fn context() -> impl Strategy<Value = Context> {
    let id = || option::of(named(SubjectId::new));
    (id(), id(), word!(open ContextRelation), id(), id()).prop_map(
        |(parent, root, relation, conversation_id, community_id)| Context {
            parent,
            root,
            relation,
            conversation_id,
            community_id,
        },
    )
}

fn fact() -> impl Strategy<Value = Fact> {
    let value = prop_oneof![
        any::<bool>().prop_map(FactValue::Flag),
        any::<i64>().prop_map(FactValue::Integer),
        (-1e12..1e12).prop_map(FactValue::Number),
        ".{0,20}".prop_map(FactValue::Text),
    ];
    (value, "[a-z]{0,8}", option::of(time())).prop_map(|(value, source, as_of)| Fact {
        value,
        source,
        as_of,
    })
}

fn report() -> impl Strategy<Value = Report> {
    (
        option::of(named(AccountId::new)),
        "[a-z]{0,8}",
        word!(open ReportChannel),
    )
        .prop_map(|(reporter, reason, channel)| Report {
            reporter,
            reason,
            channel,
        })
}

prop_compose! {
    fn event()(
        event_id in named(EventId::new),
        subject in subject(),
        (kind, surface) in (word!(open EventKind), word!(open Surface)),
        occurred_at in option::of(time()),
        author in option::of(account()),
        targets in vec(target(), 0..4),
        content_types in vec(word!(open ContentType), 0..4),
        context in context(),
        (audience, publication_state, detection_source) in
            (word!(open Audience), word!(open PublicationState), word!(open DetectionSource)),
        report in option::of(report()),
        data_region in option::of(region()),
        facts in btree_map(named(FactName::new), fact(), 0..4),
    ) -> Event {
        Event {
            event_id, subject, kind, surface, occurred_at, author, targets, content_types, context, audience,
            publication_state, detection_source, report, data_region, facts,
        }
    }
}

fn part(index: usize) -> impl Strategy<Value = Part> {
    let content = prop_oneof![
        ".{0,60}".prop_map(|text| PartContent::Text(UserText::new(text))),
        "[a-z:/]{0,20}".prop_map(PartContent::Reference),
    ];
    (word!(open PartOrigin), content, option::of(language())).prop_map(
        move |(origin, content, declared_language)| Part {
            part_id: PartId::new(format!("p{index}")).expect("an id"),
            origin,
            content,
            declared_language,
        },
    )
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    (0..5_usize).prop_flat_map(|count| (0..count).map(part).collect::<Vec<_>>())
}

fn outcome() -> impl Strategy<Value = LabelOutcome> {
    prop_oneof![
        (0..=1000_u32).prop_map(|value| LabelOutcome::Scored(
            Score::from_thousandths(value).expect("on the grid")
        )),
        select(vec![
            LabelOutcome::NotApplicable,
            LabelOutcome::UnsupportedLanguage,
            LabelOutcome::Failed,
            LabelOutcome::TimedOut,
            LabelOutcome::SkippedByCascade,
        ]),
    ]
}

fn label_score() -> impl Strategy<Value = LabelScore> {
    (
        0..2_u32,
        named(Label::new),
        outcome(),
        option::of(0..2_u32),
        word!(Support),
    )
        .prop_map(|(part, label, outcome, bundle, support)| LabelScore {
            part,
            label,
            outcome,
            bundle,
            support,
        })
}

fn flags() -> impl Strategy<Value = Vec<Flag>> {
    proptest::sample::subsequence(Flag::ALL, 0..=Flag::ALL.len())
}

prop_compose! {
    fn scored()(
        event in event(),
        kind in word!(open CauseKind),
        source in "[a-z]{0,8}",
        conditions in (word!(PartCondition), word!(PartCondition)),
        detected_language in option::of(language()),
        (characters, windows) in any::<(u32, u32)>(),
        scores in vec(label_score(), 0..6),
        evaluation_time in time(),
        deployment_version in any::<u64>(),
        flags in flags(),
    ) -> ScoredEvent {
        let mut scored = samples::scored();
        scored.parts[0].condition = conditions.0;
        scored.parts[1].condition = conditions.1;
        scored.parts[0].detected_language = detected_language;
        scored.parts[0].characters = characters;
        scored.parts[0].windows = windows;
        scored.cause.kind = kind;
        let deployment_version = DeploymentVersion(deployment_version);
        ScoredEvent { event, source, scores, evaluation_time, deployment_version, flags, ..scored }
    }
}

prop_compose! {
    fn decision()(
        decided_by in word!(DecidedBy),
        supersedes in option::of(named(DecisionId::new)),
        subject in subject(),
        author in option::of(named(AccountId::new)),
        (severity, mode) in (word!(Severity), word!(RuleMode)),
        trigger in select(vec![
            Trigger::Score, Trigger::MissingReview, Trigger::MissingInterim, Trigger::UnsupportedReview,
        ]),
        outcome in outcome(),
        label in option::of(named(Label::new)),
        role in word!(open TargetRole),
        basis in select(vec!["assured", "inferred", "declared", "state", "unknown"]),
        flags in flags(),
        evaluation_time in time(),
    ) -> Decision {
        let mut decision = samples::decision();
        decision.matched[0] =
            MatchedRule { severity, mode, trigger, outcome, label, ..decision.matched[0].clone() };
        decision.ages[1].role = role.as_str();
        decision.ages[1].basis = basis;
        Decision { decided_by, supersedes, subject, author, flags, evaluation_time, ..decision }
    }
}

prop_compose! {
    fn action()(
        subject in subject(),
        (kind, operation, origin) in (word!(ActionKind), word!(Operation), word!(ActionOrigin)),
        reverses in option::of(named(ActionId::new)),
        beneficiary in option::of(named(AccountId::new)),
        until in option::of(time()),
        territories in vec(region(), 0..3),
        (labels, features) in (vec(name(), 0..3), vec(name(), 0..3)),
        rule_ids in vec(named(RuleId::new), 0..3),
        policy_version in any::<u64>(),
    ) -> EnforcementAction {
        EnforcementAction {
            subject, kind, operation, origin, reverses, beneficiary, rule_ids,
            parameters: ActionParameters { until, territories, labels, reason_code: None, features },
            policy_version: PolicyVersion(policy_version),
            ..samples::action()
        }
    }
}

prop_compose! {
    fn review()(
        subject in subject(),
        (operation, severity, sensitivity) in (word!(ReviewOperation), word!(Severity), word!(Sensitivity)),
        languages in vec(language(), 0..3),
        due_at in option::of(time()),
        probability in option::of(0.0..=1.0),
        surface in word!(open Surface),
    ) -> ReviewRequest {
        let sample = probability.map(|inclusion_probability| Sample {
            reason: "audit".to_owned(),
            inclusion_probability,
        });
        ReviewRequest {
            subject, operation, severity, sensitivity, languages, due_at, sample, surface, ..samples::review()
        }
    }
}

proptest! {
    #[test]
    fn content_events_survive(event in event(), parts in parts()) {
        let content = ContentEvent { event, parts, flags: Vec::new() };
        let bytes = encode_content(&content);
        let decoded = decode_content(&bytes, Format::Protobuf, NOW, &Limits::default());
        prop_assert!(decoded.is_ok());
        let decoded = decoded.unwrap();
        prop_assert_eq!(&decoded.event, &content.event);
        prop_assert_eq!(&decoded.parts, &content.parts);
        prop_assert!(decoded.flags.is_empty() || decoded.flags == [Flag::MissingField]);
    }

    #[test]
    fn scored_events_survive(scored in scored()) {
        let decoded = decode_scored(&encode_scored(&scored), Format::Protobuf, NOW, &Limits::default());
        prop_assert_eq!(decoded, Ok(scored));
    }

    #[test]
    fn decisions_survive(decision in decision()) {
        prop_assert_eq!(decode_decision(&encode_decision(&decision)), Ok(decision));
    }

    #[test]
    fn actions_survive(action in action()) {
        prop_assert_eq!(decode_action(&encode_action(&action)), Ok(action));
    }

    #[test]
    fn review_requests_survive(review in review()) {
        prop_assert_eq!(decode_review(&encode_review(&review)), Ok(review));
    }
}
