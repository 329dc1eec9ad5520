//! What a scored event says of each kind of part, event and bundle.

use moderation::{
    BundleRole, ContentEvent, DeploymentVersion, DetectionSource, DirectMessageScope, EventKind,
    Flag, LabelOutcome, PartCondition, PartContent, ScoredEvent, Support, Surface, UserText,
};

use crate::fixtures::{Model, Shelf, TIME, comment, deployment, part};

/// Deploys a serving and a shadow model.
fn score_all(contents: Vec<ContentEvent>, scope: DirectMessageScope) -> Vec<ScoredEvent> {
    let shelf = Shelf::new();
    let shadow = Model::new("shadow", 2).with_labels(&["spam", "hate"]);
    let bundles = [
        shelf.place(&shadow, BundleRole::Shadow),
        shelf.serve(&Model::new("serving", 1)),
    ];
    let mut deployment = deployment(bundles);
    deployment.direct_messages = scope;
    let engine = shelf.engine();
    engine.deploy(DeploymentVersion(1), &deployment).unwrap();
    contents
        .into_iter()
        .map(|content| engine.score(content, TIME).unwrap())
        .collect()
}

fn score(content: ContentEvent) -> ScoredEvent {
    let mut scored = score_all(vec![content], DirectMessageScope::Reported);
    scored.remove(0)
}

fn lines(scored: &ScoredEvent) -> Vec<(u32, String, LabelOutcome, Option<u32>, Support)> {
    let line = |score: &moderation::LabelScore| {
        (
            score.part,
            score.label.to_string(),
            score.outcome,
            score.bundle,
            score.support,
        )
    };
    scored.scores.iter().map(line).collect()
}

#[test]
fn every_label_of_every_bundle_has_a_line() {
    let text = "good morning to you and your friends";
    let scored = score(comment("a", text));
    let (serving, shadow) = (Model::new("serving", 1), Model::new("shadow", 2));
    let expected = |model: &Model, label| LabelOutcome::Scored(model.expected(text, label));
    let supported = Support::Supported;
    assert_eq!(
        lines(&scored),
        [
            (
                0,
                "harassment".to_owned(),
                expected(&serving, 0),
                Some(0),
                supported
            ),
            (
                0,
                "spam".to_owned(),
                expected(&serving, 1),
                Some(0),
                supported
            ),
            (
                0,
                "spam".to_owned(),
                expected(&shadow, 0),
                Some(1),
                supported
            ),
            (
                0,
                "hate".to_owned(),
                expected(&shadow, 1),
                Some(1),
                supported
            ),
        ]
    );
    let roles: Vec<_> = scored.bundles.iter().map(|bundle| bundle.role).collect();
    assert_eq!(roles, [BundleRole::Serving, BundleRole::Shadow]);
    assert_eq!(scored.deployment_version, DeploymentVersion(1));
    assert_eq!(
        (scored.evaluation_time, scored.source.as_str()),
        (TIME, inference::SOURCE)
    );
    assert_eq!(scored.cpu_class, inference::cpu_class());
    assert_eq!(
        (scored.parts[0].windows, scored.parts[0].characters),
        (1, text.len() as u32)
    );
    assert_eq!(scored.parts[0].detected_language.unwrap().as_str(), "en");
    assert!(scored.flags.is_empty());
}

#[test]
fn languages_follow_the_support_matrix() {
    let check = |text: &str, language: &str, support: Support| {
        let scored = score(comment("a", text));
        assert_eq!(
            scored.parts[0].detected_language.unwrap().as_str(),
            language
        );
        for line in &scored.scores {
            let is_refused = line.outcome == LabelOutcome::UnsupportedLanguage;
            assert_eq!(
                (line.support, is_refused),
                (support, support == Support::Unsupported)
            );
            assert!(line.bundle.is_some());
        }
    };
    check(
        "this is a sentence that everybody can read",
        "en",
        Support::Supported,
    );
    check(
        "das ist ein Satz, den hier wirklich jeder lesen kann",
        "de",
        Support::Experimental,
    );
    check(
        "ceci est une phrase que tout le monde peut lire ici",
        "fr",
        Support::Unsupported,
    );
    check("これは誰でも読める文章です。", "ja", Support::Unsupported);
}

#[test]
fn parts_without_text_have_an_outcome_too() {
    let mut content = comment("a", " \u{200b} ");
    content
        .parts
        .push(part("media", PartContent::Reference("media/1".to_owned())));
    content.parts.push(part(
        "broken",
        PartContent::Broken(PartCondition::InvalidUtf8),
    ));
    content.flags.push(Flag::BrokenPart);
    let scored = score(content);
    let outcomes: Vec<_> = scored
        .scores
        .iter()
        .map(|line| (line.part, line.outcome, line.bundle))
        .collect();
    let (absent, failed) = (LabelOutcome::NotApplicable, LabelOutcome::Failed);
    assert_eq!(
        outcomes,
        [
            (0, absent, None),
            (0, absent, None),
            (1, absent, None),
            (1, absent, None),
            (2, failed, None),
            (2, failed, None),
        ]
    );
    assert_eq!(scored.flags, [Flag::BrokenPart]);
    assert_eq!(scored.cpu_class, "");
}

#[test]
fn events_without_content_and_private_messages_are_not_scored() {
    let check = |kind, surface, source, scope, is_scored| {
        let mut content = comment("a", "good morning to you and your friends");
        content.event.kind = kind;
        content.event.surface = surface;
        content.event.detection_source = source;
        let scored = score_all(vec![content], scope).remove(0);
        for line in &scored.scores {
            assert_eq!(
                line.outcome.score().is_some(),
                is_scored,
                "{kind} {surface} {source} {scope}"
            );
            assert!(is_scored || line.outcome == LabelOutcome::NotApplicable);
        }
        assert_eq!(scored.scores.len(), if is_scored { 4 } else { 2 });
    };
    use DirectMessageScope::{All, Reported};
    let (own, user) = (DetectionSource::OwnInitiative, DetectionSource::UserReport);
    check(EventKind::React, Surface::Comment, own, All, false);
    check(
        EventKind::Message,
        Surface::DirectMessage,
        own,
        Reported,
        false,
    );
    check(
        EventKind::Message,
        Surface::DirectMessage,
        user,
        Reported,
        true,
    );
    check(EventKind::Message, Surface::DirectMessage, own, All, true);
    let mut empty = comment("a", "");
    empty.parts.clear();
    assert!(score(empty).scores.is_empty());
}

#[test]
fn long_text_has_the_greatest_score_of_its_windows() {
    let long = "a garden full of music for all of your friends ".repeat(20);
    let model = Model::new("serving", 1);
    let scored = score(comment("a", &long));
    assert_eq!(
        scored.scores[0].outcome,
        LabelOutcome::Scored(model.expected(&long, 0))
    );
    assert_eq!(scored.parts[0].windows, 8);
    assert_eq!(scored.flags, [Flag::LimitExceeded]);
    let whole = "another question about music ".repeat(8);
    let mut content = comment("b", &whole);
    content
        .parts
        .push(part("two", PartContent::Text(UserText::new(long))));
    let scored = score(content);
    assert!(
        (2..8).contains(&scored.parts[0].windows),
        "{}",
        scored.parts[0].windows
    );
    assert_eq!(
        scored.scores[0].outcome,
        LabelOutcome::Scored(model.expected(&whole, 0))
    );
    assert_eq!(scored.scores.len(), 8);
}
