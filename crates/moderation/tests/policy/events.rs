//! Events and policies to decide about, built field by field.

use moderation::policy::{CompiledPolicy, Policy};
use moderation::*;

/// A category with a label for each of its words, and the rules that follow.
pub(crate) const CATEGORIES: &str = r#"
schema = 1
name = "test"

[[categories]]
id = "harassment"
title = "Harassment"
labels = ["harassment"]
dsa_category = "CYBER_VIOLENCE"

[[categories]]
id = "harassment/threat"
title = "Threats"
labels = ["threat"]
dsa_category = "CYBER_VIOLENCE"

[[categories]]
id = "spam"
title = "Spam"
labels = ["spam"]
dsa_category = "SCAMS_AND_FRAUD"
sensitivity = "graphic"
"#;

/// Completes a rule: what is not given is harmless.
pub(crate) fn rule(id: &str, keys: &str) -> String {
    let defaults = [
        ("issue", "\"issue\""),
        ("title", "\"Title\""),
        ("severity", "\"medium\""),
        ("category", "\"harassment\""),
        ("mode", "\"live\""),
        ("threshold", "0.9"),
        ("on_missing", "\"allow\""),
        ("reason", "\"reason\""),
    ];
    let mut rule = format!("\n[[rules]]\nid = \"{id}\"\n");
    for (key, value) in defaults {
        let is_given = keys
            .lines()
            .any(|line| line.trim_start().starts_with(&format!("{key} =")));
        if !is_given {
            rule.push_str(&format!("{key} = {value}\n"));
        }
    }
    rule.push_str(keys);
    rule.push('\n');
    rule
}

pub(crate) fn policy(rules: &[String]) -> Policy {
    let document = format!("{CATEGORIES}{}", rules.concat());
    Policy::parse(&document).unwrap_or_else(|findings| panic!("{findings:#?}\n{document}"))
}

pub(crate) fn compiled(rules: &[String]) -> CompiledPolicy {
    CompiledPolicy::compile(&policy(rules), PolicyVersion(7)).unwrap()
}

pub(crate) fn score(thousandths: u32) -> Score {
    Score::from_thousandths(thousandths).unwrap()
}

pub(crate) fn account(id: &str) -> Account {
    Account {
        account_id: AccountId::new(id).unwrap(),
        region: Some(Region::new("DE").unwrap()),
        created_at: None,
        age: AgeFacts::default(),
    }
}

pub(crate) fn aged(id: &str, years: u32) -> Account {
    Account {
        age: AgeFacts {
            assured_years: Some(years),
            state: AgeState::Assured,
            ..AgeFacts::default()
        },
        ..account(id)
    }
}

pub(crate) fn target(account: Account, role: TargetRole) -> Target {
    Target {
        account,
        role,
        relationship: Relationship::None,
    }
}

/// A public comment by an adult, in English, about which nothing has been said yet.
pub(crate) fn comment() -> ScoredEvent {
    let subject = Subject {
        kind: SubjectKind::Content,
        id: SubjectId::new("content-1").unwrap(),
        revision: 3,
    };
    let mut event = Event::identified(EventId::new("event-1").unwrap(), subject);
    event.kind = EventKind::Publish;
    event.surface = Surface::Comment;
    event.audience = Audience::Public;
    event.author = Some(aged("author", 30));
    ScoredEvent {
        cause: event.cause(),
        event,
        source: "classifier".to_owned(),
        parts: vec![part("body", "en")],
        scores: Vec::new(),
        evaluation_time: Timestamp::from_millis(1_700_000_000_000),
        deployment_version: DeploymentVersion(4),
        bundles: vec![
            bundle('a', BundleRole::Serving),
            bundle('b', BundleRole::Shadow),
            bundle('c', BundleRole::Canary),
        ],
        flags: Vec::new(),
        overturned: Vec::new(),
        cpu_class: "test".to_owned(),
    }
}

pub(crate) fn part(id: &str, language: &str) -> ScoredPart {
    ScoredPart {
        part_id: PartId::new(id).unwrap(),
        origin: PartOrigin::Body,
        condition: PartCondition::Readable,
        declared_language: None,
        detected_language: Some(Language::new(language).unwrap()),
        characters: 20,
        windows: 1,
    }
}

fn bundle(digit: char, role: BundleRole) -> BundleIdentity {
    BundleIdentity {
        digest: BundleDigest::new(digit.to_string().repeat(64)).unwrap(),
        name: "text".to_owned(),
        version: "1.0.0".to_owned(),
        role,
    }
}

/// What the serving bundle says of a label of the first part.
pub(crate) fn says(label: &str, outcome: LabelOutcome) -> LabelScore {
    LabelScore {
        part: 0,
        label: Label::new(label).unwrap(),
        outcome,
        bundle: Some(0),
        support: Support::Supported,
    }
}

pub(crate) fn scored(label: &str, thousandths: u32) -> LabelScore {
    says(label, LabelOutcome::Scored(score(thousandths)))
}

/// A comment with scores.
pub(crate) fn comment_with(scores: impl IntoIterator<Item = LabelScore>) -> ScoredEvent {
    let mut event = comment();
    event.scores = scores.into_iter().collect();
    event
}
