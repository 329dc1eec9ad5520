//! One sample of each record, with every field of its schema filled in.

use std::collections::BTreeMap;

use moderation::*;
use moderation_wire::{timestamp_to_wire, v1};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_456);
const DIGEST: &str = "5f0c7d1e2b3a49586776859403122130a1b2c3d4e5f60718293a4b5c6d7e8f90";

pub(crate) fn at(millis_before_now: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() - millis_before_now)
}

fn id<T, E: std::fmt::Debug>(made: Result<T, E>) -> T {
    made.expect("samples are valid")
}

pub(crate) fn subject(kind: SubjectKind, name: &str) -> Subject {
    Subject {
        kind,
        id: id(SubjectId::new(name)),
        revision: 3,
    }
}

fn account(name: &str) -> Account {
    Account {
        account_id: id(AccountId::new(name)),
        region: Some(id(Region::new("US-CA"))),
        created_at: Some(at(86_400_000)),
        age: AgeFacts {
            declared_years: Some(19),
            inferred_years: Some(15),
            inferred_confidence: Some(0.75),
            assured_years: Some(16),
            state: AgeState::Assured,
        },
    }
}

fn fact(value: FactValue) -> Fact {
    Fact {
        value,
        source: "risk".to_owned(),
        as_of: Some(at(5_000)),
    }
}

fn facts() -> BTreeMap<FactName, Fact> {
    let named = |name: &str, value| (id(FactName::new(name)), fact(value));
    BTreeMap::from([
        named("protected_account", FactValue::Flag(true)),
        named("strikes_90d", FactValue::Integer(-2)),
        named("pile_on_level", FactValue::Number(0.5)),
        named("tier", FactValue::Text("gold".to_owned())),
    ])
}

pub(crate) fn event() -> Event {
    Event {
        event_id: id(EventId::new("event-1")),
        subject: subject(SubjectKind::Content, "comment-7"),
        kind: EventKind::Report,
        surface: Surface::Comment,
        occurred_at: Some(at(1_500)),
        author: Some(account("author-1")),
        targets: vec![
            Target {
                account: account("target-1"),
                role: TargetRole::RepliedTo,
                relationship: Relationship::Mutual,
            },
            Target {
                account: account("target-2"),
                role: TargetRole::Mentioned,
                relationship: Relationship::None,
            },
        ],
        content_types: vec![ContentType::Text, ContentType::SyntheticMedia],
        context: Context {
            parent: Some(id(SubjectId::new("comment-6"))),
            root: Some(id(SubjectId::new("video-1"))),
            relation: ContextRelation::Reply,
            conversation_id: Some(id(SubjectId::new("conversation-1"))),
            community_id: Some(id(SubjectId::new("community-1"))),
        },
        audience: Audience::Followers,
        publication_state: PublicationState::Published,
        detection_source: DetectionSource::TrustedFlagger,
        report: Some(Report {
            reporter: Some(id(AccountId::new("reporter-1"))),
            reason: "harassment".to_owned(),
            channel: ReportChannel::InApp,
        }),
        data_region: Some(id(Region::new("DE"))),
        facts: facts(),
    }
}

pub(crate) fn content() -> ContentEvent {
    ContentEvent {
        event: event(),
        parts: vec![
            Part {
                part_id: id(PartId::new("caption")),
                origin: PartOrigin::Caption,
                content: PartContent::Text(UserText::new("grüße \u{1f600}")),
                declared_language: Some(id(Language::new("de"))),
            },
            Part {
                part_id: id(PartId::new("media")),
                origin: PartOrigin::Media,
                content: PartContent::Reference("s3://bucket/video".to_owned()),
                declared_language: None,
            },
        ],
        flags: Vec::new(),
    }
}

pub(crate) fn cause() -> Cause {
    Cause {
        kind: CauseKind::Appeal,
        id: id(CauseId::new("appeal-9")),
    }
}

pub(crate) fn bundle(role: BundleRole) -> BundleIdentity {
    BundleIdentity {
        digest: id(BundleDigest::new(DIGEST)),
        name: "screen".to_owned(),
        version: "1.2.3".to_owned(),
        role,
    }
}

fn scored_part(name: &str) -> ScoredPart {
    ScoredPart {
        part_id: id(PartId::new(name)),
        origin: PartOrigin::Caption,
        condition: PartCondition::Readable,
        declared_language: Some(id(Language::new("de"))),
        detected_language: Some(id(Language::new("zh-hant"))),
        characters: 8,
        windows: 1,
    }
}

pub(crate) fn scored() -> ScoredEvent {
    ScoredEvent {
        event: event(),
        cause: cause(),
        source: "classifier".to_owned(),
        parts: vec![scored_part("caption"), scored_part("title")],
        scores: vec![
            LabelScore {
                part: 1,
                label: id(Label::new("harassment")),
                outcome: LabelOutcome::Scored(id(Score::from_thousandths(920).ok_or(()))),
                bundle: Some(1),
                support: Support::Experimental,
            },
            LabelScore {
                part: 0,
                label: id(Label::new("spam")),
                outcome: LabelOutcome::UnsupportedLanguage,
                bundle: None,
                support: Support::Unsupported,
            },
        ],
        evaluation_time: at(250),
        deployment_version: DeploymentVersion(12),
        bundles: vec![bundle(BundleRole::Serving), bundle(BundleRole::Canary)],
        flags: vec![Flag::BrokenPart, Flag::TimedOut],
        overturned: vec![OverturnedAction {
            action_id: id(ActionId::new("00112233445566778899aabbccddeeff")),
            subject: subject(SubjectKind::Account, "author-1"),
            kind: ActionKind::LimitContact,
            beneficiary: Some(id(AccountId::new("target-1"))),
        }],
        cpu_class: "x86-64-v4".to_owned(),
    }
}

pub(crate) fn decision() -> Decision {
    Decision {
        decision_id: id(DecisionId::new("decision-1")),
        event_id: id(EventId::new("event-1")),
        cause: cause(),
        decided_by: DecidedBy::PartiallyAutomated,
        supersedes: Some(id(DecisionId::new("decision-0"))),
        subject: subject(SubjectKind::Content, "comment-7"),
        kind: EventKind::Publish,
        surface: Surface::LiveChat,
        author: Some(id(AccountId::new("author-1"))),
        author_region: Some(id(Region::new("FR"))),
        target_regions: vec![id(Region::new("DE")), id(Region::new("US-CA"))],
        languages: vec![id(Language::new("de")), Language::undetermined()],
        detection_source: DetectionSource::UserReport,
        ages: vec![
            EffectiveAge {
                role: "author",
                account_id: id(AccountId::new("author-1")),
                band: "adult".into(),
                basis: "assured",
            },
            EffectiveAge {
                role: TargetRole::Recipient.as_str(),
                account_id: id(AccountId::new("target-1")),
                band: "13_15".into(),
                basis: "unknown",
            },
        ],
        matched: vec![MatchedRule {
            rule_id: id(RuleId::new("harassment-review")),
            issue: "bullying".into(),
            category: "harassment".into(),
            severity: Severity::High,
            mode: RuleMode::Canary,
            enforced: true,
            trigger: Trigger::Score,
            label: Some(id(Label::new("harassment"))),
            part_id: Some(id(PartId::new("caption"))),
            outcome: LabelOutcome::Scored(id(Score::from_thousandths(920).ok_or(()))),
            threshold: id(Score::from_thousandths(880).ok_or(())),
            threshold_source: "cap:target=13_15".into(),
            reason: "harassment".into(),
        }],
        action_ids: vec![id(ActionId::new("action-1"))],
        review_task_id: Some(id(TaskId::new("task-1"))),
        policy_version: PolicyVersion(7),
        deployment_version: DeploymentVersion(12),
        bundles: vec![bundle(BundleRole::Shadow)],
        evaluation_time: at(0),
        source: "classifier".to_owned(),
        flags: vec![Flag::Salvaged],
        cpu_class: "x86-64-v3".to_owned(),
    }
}

pub(crate) fn action() -> EnforcementAction {
    EnforcementAction {
        action_id: id(ActionId::new("action-2")),
        subject: subject(SubjectKind::Account, "author-1"),
        kind: ActionKind::RestrictFeature,
        operation: Operation::Reverse,
        reverses: Some(id(ActionId::new("action-1"))),
        origin: ActionOrigin::Appeal,
        decision_id: id(DecisionId::new("decision-1")),
        cause: cause(),
        beneficiary: Some(id(AccountId::new("target-1"))),
        parameters: ActionParameters {
            until: Some(at(-86_400_000)),
            territories: vec![id(Region::new("DE")), id(Region::new("AT"))],
            labels: vec!["context".to_owned()],
            reason_code: Some("harassment".to_owned()),
            features: vec!["comments".to_owned()],
        },
        rule_ids: vec![id(RuleId::new("harassment-limit"))],
        policy_version: PolicyVersion(7),
        evaluation_time: at(0),
    }
}

pub(crate) fn review() -> ReviewRequest {
    ReviewRequest {
        task_id: id(TaskId::new("task-1")),
        operation: ReviewOperation::Open,
        subject: subject(SubjectKind::Content, "comment-7"),
        causes: vec![cause()],
        categories: vec!["harassment/threat".into()],
        severity: Severity::Critical,
        languages: vec![id(Language::new("de"))],
        sensitivity: Sensitivity::Graphic,
        due_at: Some(at(-3_600_000)),
        sample: Some(Sample {
            reason: "audit".to_owned(),
            inclusion_probability: 0.125,
        }),
        decision_id: id(DecisionId::new("decision-1")),
        rule_ids: vec![id(RuleId::new("harassment-review"))],
        policy_version: PolicyVersion(7),
        surface: Surface::LiveChat,
        evaluation_time: at(0),
    }
}

pub(crate) fn deployment() -> Deployment {
    Deployment {
        bundles: vec![DeployedBundle {
            digest: id(BundleDigest::new(DIGEST)),
            name: "screen".to_owned(),
            version: "1.2.3".to_owned(),
            role: BundleRole::Canary,
            path: "text/screen".to_owned(),
        }],
        direct_messages: DirectMessageScope::All,
    }
}

fn change() -> v1::Change {
    v1::Change {
        author: "ada@example.com".to_owned(),
        reason: "too many false alarms".to_owned(),
        at: Some(timestamp_to_wire(at(0))),
        rollback_of: Some(4),
    }
}

fn policy_version() -> v1::PolicyVersion {
    v1::PolicyVersion {
        version: 7,
        document: "[policy]\n".to_owned(),
        digest: DIGEST.to_owned(),
        change: Some(change()),
    }
}

fn deployment_version() -> v1::DeploymentVersion {
    v1::DeploymentVersion {
        version: 12,
        deployment: Some((&deployment()).into()),
        change: Some(change()),
    }
}

pub(crate) fn control_records() -> Vec<(&'static str, v1::ControlRecord)> {
    use v1::control_record::Record;

    let record = |record| v1::ControlRecord {
        record: Some(record),
    };
    vec![
        (
            "control-policy-version",
            record(Record::PolicyVersion(policy_version())),
        ),
        (
            "control-policy-head",
            record(Record::PolicyHead(policy_version())),
        ),
        (
            "control-deployment-version",
            record(Record::DeploymentVersion(deployment_version())),
        ),
        (
            "control-deployment-head",
            record(Record::DeploymentHead(deployment_version())),
        ),
    ]
}

pub(crate) fn audit() -> v1::AuditRecord {
    v1::AuditRecord {
        object: "policy".to_owned(),
        from_version: 6,
        to_version: 7,
        change: Some(change()),
        differences: vec!["rule harassment-review: threshold 0.900 -> 0.880".to_owned()],
        refused_because: String::new(),
    }
}

pub(crate) fn refused_audit() -> v1::AuditRecord {
    v1::AuditRecord {
        to_version: 0,
        differences: Vec::new(),
        refused_because: "policy 6 serves, not 5".to_owned(),
        ..audit()
    }
}

pub(crate) fn heartbeat() -> v1::ReplicaHeartbeat {
    v1::ReplicaHeartbeat {
        replica_id: "classifier-0".to_owned(),
        stage: "classifier".to_owned(),
        at: Some(timestamp_to_wire(at(0))),
        policy_version: 7,
        deployment_version: 12,
        control_offset: 41,
        ready: true,
        detail: "bundle screen: file missing".to_owned(),
        refused_policy_version: 8,
        refused_deployment_version: 13,
        leaving: true,
        address: String::new(),
        leading: false,
    }
}

pub(crate) fn leader_heartbeat() -> v1::ReplicaHeartbeat {
    v1::ReplicaHeartbeat {
        replica_id: "control-plane-0".to_owned(),
        stage: "control-plane".to_owned(),
        at: Some(timestamp_to_wire(at(0))),
        control_offset: 41,
        ready: true,
        address: "10.0.0.7:7301".to_owned(),
        leading: true,
        ..v1::ReplicaHeartbeat::default()
    }
}
