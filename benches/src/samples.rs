//! Records of the shape that most of the stream has.

use anyhow::Context as _;
use moderation::policy::{CompiledPolicy, Finding, Policy};
use moderation::{
    Account, AccountId, AgeFacts, AgeState, Audience, BundleDigest, BundleIdentity, BundleRole,
    ContentEvent, ContentType, DeploymentVersion, DetectionSource, Event, EventId, EventKind,
    Label, LabelOutcome, LabelScore, Language, Part, PartCondition, PartContent, PartId,
    PartOrigin, PolicyVersion, PublicationState, Region, Relationship, Score, ScoredEvent,
    ScoredPart, Subject, SubjectId, SubjectKind, Support, Surface, Target, TargetRole, Timestamp,
    UserText,
};

use crate::repository;

/// When all samples happened.
pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// The labels of the shipped bundle.
pub const LABELS: [&str; 3] = ["hate", "harassment", "spam"];

const DIGEST: &str = "5f0c7d1e2b3a49586776859403122130a1b2c3d4e5f60718293a4b5c6d7e8f90";

fn valid<T, E: std::fmt::Debug>(made: Result<T, E>) -> T {
    made.expect("samples are valid")
}

/// Makes a public comment by an adult, aimed at `targets` accounts of all ages.
pub fn event(number: usize, targets: usize) -> Event {
    let subject = Subject {
        kind: SubjectKind::Content,
        id: valid(SubjectId::new(format!("comment-{number:08}"))),
        revision: 0,
    };
    let event_id = valid(EventId::new(format!("event-{number:08}")));
    Event {
        kind: EventKind::Publish,
        surface: Surface::Comment,
        occurred_at: Some(NOW),
        author: Some(account(format!("author-{}", number % 5000), 34)),
        targets: (0..targets).map(target).collect(),
        content_types: vec![ContentType::Text],
        audience: Audience::Public,
        publication_state: PublicationState::Published,
        detection_source: DetectionSource::OwnInitiative,
        ..Event::identified(event_id, subject)
    }
}

fn target(number: usize) -> Target {
    let declared_years = 12 + (number as u32 * 5) % 40;
    Target {
        account: account(format!("target-{number}"), declared_years),
        role: TargetRole::Mentioned,
        relationship: Relationship::None,
    }
}

fn account(id: String, declared_years: u32) -> Account {
    Account {
        account_id: valid(AccountId::new(id)),
        region: Some(valid(Region::new("DE"))),
        created_at: Some(Timestamp::from_millis(1_700_000_000_000)),
        age: AgeFacts {
            declared_years: Some(declared_years),
            state: AgeState::Declared,
            ..AgeFacts::default()
        },
    }
}

/// Makes a comment of one part, an answer to one account.
pub fn content(number: usize, text: String) -> ContentEvent {
    ContentEvent {
        event: event(number, 1),
        parts: vec![Part {
            part_id: valid(PartId::new("body")),
            origin: PartOrigin::Body,
            content: PartContent::Text(UserText::new(text)),
            declared_language: None,
        }],
        flags: Vec::new(),
    }
}

/// Makes what a classifier says of a comment, one outcome for each of [`LABELS`].
pub fn scored(event: Event, outcomes: [LabelOutcome; 3]) -> ScoredEvent {
    let language = Some(valid(Language::new("en")));
    let scores = LABELS
        .iter()
        .zip(outcomes)
        .map(|(label, outcome)| LabelScore {
            part: 0,
            label: valid(Label::new(*label)),
            outcome,
            bundle: Some(0),
            support: Support::Supported,
        });
    ScoredEvent {
        cause: event.cause(),
        event,
        source: "classifier".to_owned(),
        parts: vec![ScoredPart {
            part_id: valid(PartId::new("body")),
            origin: PartOrigin::Body,
            condition: PartCondition::Readable,
            declared_language: None,
            detected_language: language,
            characters: 64,
            windows: 1,
        }],
        scores: scores.collect(),
        evaluation_time: NOW,
        deployment_version: DeploymentVersion(1),
        bundles: vec![BundleIdentity {
            digest: valid(BundleDigest::new(DIGEST)),
            name: "screen".to_owned(),
            version: "1.0.0".to_owned(),
            role: BundleRole::Serving,
        }],
        flags: Vec::new(),
        overturned: Vec::new(),
        cpu_class: "x86-64-v4".to_owned(),
    }
}

/// Makes outcomes of thousandths.
///
/// # Panics
/// Over 1000.
pub fn scores(thousandths: [u32; 3]) -> [LabelOutcome; 3] {
    thousandths.map(|value| {
        LabelOutcome::Scored(Score::from_thousandths(value).expect("at most a thousand"))
    })
}

/// Reads and compiles the policy that ships.
///
/// # Errors
/// Says what is wrong with it.
pub fn shipped_policy() -> anyhow::Result<CompiledPolicy> {
    let path = repository().join("deploy/policies/default.toml");
    let document =
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
    Policy::parse(&document)
        .and_then(|policy| CompiledPolicy::compile(&policy, PolicyVersion(1)))
        .map_err(|findings| {
            let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
            anyhow::anyhow!("{path:?}: {}", lines.join("; "))
        })
}
