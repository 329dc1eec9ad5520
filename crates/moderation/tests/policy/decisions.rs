//! What a policy does with an event, table by table.

use moderation::*;

use crate::events::*;

/// Describes what came of an event in one line per item: matches, actions, review.
fn describe(decided: &Decided) -> Vec<String> {
    let mut lines = Vec::new();
    for matched in &decided.decision.matched {
        let act = if matched.enforced { "acts" } else { "records" };
        lines.push(format!(
            "{} {act} {:?} at {} by {}",
            matched.rule_id, matched.trigger, matched.threshold, matched.threshold_source
        ));
    }
    for action in &decided.actions {
        let beneficiary = action.beneficiary.as_ref();
        let beneficiary = beneficiary.map_or(String::new(), |account| format!(" for {account}"));
        let subject = &action.subject.id;
        lines.push(format!(
            "{} {} {subject}{beneficiary}",
            action.operation, action.kind
        ));
    }
    if let Some(review) = &decided.review {
        lines.push(format!("review {} {}", review.operation, review.severity));
    }
    lines
}

fn check(rules: &[String], event: &ScoredEvent, expected: &[&str]) {
    let decided = decide(event, &compiled(rules));
    assert_eq!(describe(&decided), expected, "{event:#?}");
    assert_eq!(decided, decide(event, &compiled(rules)));
}

const DEMOTE: &str = "actions = [{ kind = \"demote\" }]";

fn demote(keys: &str) -> Vec<String> {
    vec![rule("demote", &format!("{keys}\n{DEMOTE}"))]
}

#[test]
fn a_score_meets_a_threshold() {
    let rules = demote("");
    let acts: &[&str] = &[
        "demote acts Score at 0.900 by base",
        "apply demote content-1",
    ];
    check(&rules, &comment_with([scored("harassment", 900)]), acts);
    check(&rules, &comment_with([scored("harassment", 899)]), &[]);
    check(&rules, &comment_with([scored("threat", 950)]), acts);
    check(&rules, &comment_with([scored("spam", 950)]), &[]);
    check(&rules, &comment_with([scored("unheard_of", 950)]), &[]);
    let narrower = demote("category = \"harassment/threat\"");
    check(&narrower, &comment_with([scored("harassment", 950)]), &[]);
}

#[test]
fn only_serving_bundles_decide() {
    for bundle in [1, 2] {
        let mut event = comment_with([scored("spam", 0), scored("harassment", 1000)]);
        event.scores[1].bundle = Some(bundle);
        check(&demote("on_missing = \"review\""), &event, &[]);
    }
}

#[test]
fn modes_say_whether_a_rule_acts() {
    let event = comment_with([scored("harassment", 990)]);
    let acts: &[&str] = &[
        "demote acts Score at 0.900 by base",
        "apply demote content-1",
    ];
    let records: &[&str] = &["demote records Score at 0.900 by base"];
    check(&demote("mode = \"shadow\""), &event, records);
    check(&demote("mode = \"paused\""), &event, &[]);
    let canary = |share: &str| {
        demote(&format!(
            "mode = \"canary\"\ncanary = {{ share = {share}, unit = \"author\" }}"
        ))
    };
    check(&canary("1.0"), &event, acts);
    check(&canary("0.001"), &event, records);
}

#[test]
fn a_canary_draws_its_share_of_authors() {
    let rules = demote("mode = \"canary\"\ncanary = { share = 0.2, unit = \"author\" }");
    let policy = compiled(&rules);
    let drawn = (0..2000).filter(|number| {
        let mut event = comment_with([scored("harassment", 990)]);
        event.event.author = Some(account(&format!("author-{number}")));
        !decide(&event, &policy).actions.is_empty()
    });
    let drawn = drawn.count();
    assert!((330..470).contains(&drawn), "{drawn} of 2000");
}

#[test]
fn validity_follows_the_evaluation_time() {
    let at = |keys: &str, expected: &[&str]| {
        check(
            &demote(keys),
            &comment_with([scored("harassment", 990)]),
            expected,
        );
    };
    let acts: &[&str] = &[
        "demote acts Score at 0.900 by base",
        "apply demote content-1",
    ];
    // The event is of 2023-11-14T22:13:20Z.
    at("valid_from = 2023-11-14T22:13:20Z", acts);
    at("valid_from = 2023-11-14T22:13:21Z", &[]);
    at("valid_until = 2023-11-14T22:13:20Z", &[]);
    at("valid_until = 2023-11-14T23:13:21+01:00", acts);
}

#[test]
fn missing_scores_follow_the_rule() {
    let keys = |on_missing: &str| {
        format!(
            "on_missing = \"{on_missing}\"\ninterim = [{{ kind = \"label\", label = \"unchecked\" }}]"
        )
    };
    let missing: &[LabelOutcome] = &[
        LabelOutcome::Failed,
        LabelOutcome::TimedOut,
        LabelOutcome::UnsupportedLanguage,
    ];
    for outcome in missing {
        let event = comment_with([says("harassment", *outcome)]);
        check(&demote(&keys("allow")), &event, &[]);
        check(
            &demote(&keys("review")),
            &event,
            &[
                "demote acts MissingReview at 0.900 by base",
                "review open medium",
            ],
        );
        check(
            &demote(&keys("interim")),
            &event,
            &[
                "demote acts MissingInterim at 0.900 by base",
                "apply label content-1",
                "review open medium",
            ],
        );
    }
    for outcome in [LabelOutcome::NotApplicable, LabelOutcome::SkippedByCascade] {
        check(
            &demote(&keys("interim")),
            &comment_with([says("harassment", outcome)]),
            &[],
        );
    }
    let unsupported = comment_with([says("harassment", LabelOutcome::UnsupportedLanguage)]);
    let rules = demote("on_missing = \"review\"\non_unsupported = \"allow\"");
    check(&rules, &unsupported, &[]);
}

#[test]
fn silence_about_a_part_is_a_missing_score() {
    let rules = demote("on_missing = \"review\"");
    let asks: &[&str] = &[
        "demote acts MissingReview at 0.900 by base",
        "review open medium",
    ];
    check(&rules, &comment(), asks);
    let mut broken = comment();
    broken.parts[0].condition = PartCondition::InvalidUtf8;
    check(&rules, &broken, asks);
    let mut media = comment();
    media.parts[0].condition = PartCondition::Reference;
    check(&rules, &media, &[]);
    let mut phantom = comment_with([scored("harassment", 10)]);
    phantom.scores[0].bundle = Some(99);
    check(&rules, &phantom, asks);
    check(&rules, &comment_with([scored("spam", 10)]), &[]);
}

#[test]
fn events_without_parts() {
    let rules = demote("on_missing = \"review\"");
    for kind in EventKind::ALL.iter().chain(&[EventKind::Unrecognised]) {
        let mut event = comment();
        event.parts.clear();
        event.event.kind = *kind;
        let expected: &[&str] = match kind {
            EventKind::React | EventKind::Follow | EventKind::AccountChange => &[],
            EventKind::Delete => &["review cancel low"],
            _ => &[
                "demote acts MissingReview at 0.900 by base",
                "review open medium",
            ],
        };
        check(&rules, &event, expected);
    }
}

#[test]
fn a_deleted_subject_is_not_judged() {
    let mut event = comment_with([scored("harassment", 1000)]);
    event.event.kind = EventKind::Delete;
    check(&demote(""), &event, &["review cancel low"]);
}

#[test]
fn no_action_rests_on_a_language_that_is_not_supported() {
    let mut event = comment_with([scored("harassment", 990)]);
    event.scores[0].support = Support::Experimental;
    let asks: &[&str] = &[
        "demote acts UnsupportedReview at 0.900 by base",
        "review open medium",
    ];
    check(&demote("on_missing = \"review\""), &event, asks);
    check(&demote("review = true"), &event, asks);
    check(&demote(""), &event, &[]);
    event.scores[0].outcome = LabelOutcome::Scored(score(899));
    check(&demote("on_missing = \"review\""), &event, &[]);
    event.scores[0] = scored("harassment", 990);
    event.scores[0].support = Support::Unsupported;
    let asks: &[&str] = &[
        "demote acts MissingReview at 0.900 by base",
        "review open medium",
    ];
    check(&demote("on_missing = \"review\""), &event, asks);
}

#[test]
fn the_highest_score_over_parts_is_reported() {
    let mut event = comment_with([scored("harassment", 910), scored("threat", 970)]);
    event.parts.push(part("caption", "fr"));
    event.scores[1].part = 1;
    let decided = decide(&event, &compiled(&demote("")));
    let matched = &decided.decision.matched[0];
    assert_eq!(matched.part_id.as_ref().unwrap().as_str(), "caption");
    assert_eq!(matched.label.as_ref().unwrap().as_str(), "threat");
    assert_eq!(matched.outcome, LabelOutcome::Scored(score(970)));
}

#[test]
fn overrides_by_specificity() {
    let overrides = r#"overrides = { surface = { comment = 0.8, live_chat = 0.7 }, region = { US = 0.6, US-CA = 0.5 }, language = { de = 0.4, zh = 0.3, zh-hant = 0.2 } }"#;
    let rules = demote(overrides);
    let threshold = |surface: Surface, region: Option<&str>, language: &str| {
        let mut event = comment_with([scored("harassment", 1000)]);
        event.event.surface = surface;
        let author = event.event.author.as_mut().unwrap();
        author.region = region.map(|region| Region::new(region).unwrap());
        event.parts[0].detected_language = Some(Language::new(language).unwrap());
        let matched = decide(&event, &compiled(&rules)).decision.matched.remove(0);
        format!("{} {}", matched.threshold, matched.threshold_source)
    };
    let check = |surface, region, language: &str, expected: &str| {
        assert_eq!(threshold(surface, region, language), expected);
    };
    check(Surface::Video, Some("DE"), "en", "0.900 base");
    check(Surface::Comment, Some("DE"), "en", "0.800 surface=comment");
    check(Surface::Comment, Some("US"), "en", "0.600 region=US");
    check(Surface::Comment, Some("US-TX"), "en", "0.600 region=US");
    check(Surface::Comment, Some("US-CA"), "en", "0.500 region=US-CA");
    check(
        Surface::Comment,
        Some("US-CA"),
        "de-at",
        "0.400 language=de",
    );
    check(Surface::Comment, None, "zh", "0.300 language=zh");
    check(Surface::Comment, None, "zh-hant", "0.200 language=zh-hant");
    check(Surface::Video, Some("DE"), "und", "0.900 base");
    check(
        Surface::Unrecognised,
        Some("DE"),
        "en",
        "0.700 surface=live_chat",
    );
    check(Surface::Video, None, "en", "0.500 region=US-CA");
    check(Surface::Unrecognised, None, "en", "0.500 region=US-CA");
}

#[test]
fn what_is_not_recognised_meets_every_rule() {
    let rules = demote("surfaces = [\"live\"]\nkinds = [\"edit\"]");
    let mut event = comment_with([scored("harassment", 990)]);
    check(&rules, &event, &[]);
    event.event.surface = Surface::Unrecognised;
    check(&rules, &event, &[]);
    event.event.kind = EventKind::Unrecognised;
    let acts: &[&str] = &[
        "demote acts Score at 0.900 by base",
        "apply demote content-1",
    ];
    check(&rules, &event, acts);
}

#[test]
fn caps_protect_whatever_the_overrides_say() {
    let rules = demote(
        "overrides = { surface = { comment = 0.99 } }\ncaps = { target = { 13_15 = 0.7, 16_17 = 0.8 }, viewer = { 13_15 = 0.95 } }",
    );
    let threshold = |targets: &[(u32, TargetRole)], audience: Audience| {
        let mut event = comment_with([scored("harassment", 1000)]);
        event.event.audience = audience;
        for (years, role) in targets {
            let account = aged(&format!("target-{years}"), *years);
            event.event.targets.push(target(account, *role));
        }
        let matched = decide(&event, &compiled(&rules)).decision.matched.remove(0);
        format!("{} {}", matched.threshold, matched.threshold_source)
    };
    let check = |targets: &[(u32, TargetRole)], audience, expected: &str| {
        assert_eq!(threshold(targets, audience), expected);
    };
    let mentioned = TargetRole::Mentioned;
    check(&[], Audience::AuthorOnly, "0.990 surface=comment");
    check(&[], Audience::Public, "0.950 cap:viewer=13_15");
    check(
        &[(40, mentioned)],
        Audience::Participants,
        "0.990 surface=comment",
    );
    check(
        &[(14, mentioned)],
        Audience::Public,
        "0.700 cap:target=13_15",
    );
    check(
        &[(40, mentioned), (16, mentioned)],
        Audience::Public,
        "0.800 cap:target=16_17",
    );
    check(
        &[(16, mentioned), (14, mentioned)],
        Audience::Public,
        "0.700 cap:target=13_15",
    );
    check(
        &[(14, TargetRole::Reported)],
        Audience::AuthorOnly,
        "0.990 surface=comment",
    );
    check(
        &[(14, TargetRole::Unrecognised)],
        Audience::Public,
        "0.700 cap:target=13_15",
    );
}

#[test]
fn targets_beyond_the_limit_are_protected_as_minors_of_any_age() {
    let rules = demote("caps = { target = { under_13 = 0.6, 13_15 = 0.7 } }");
    let mut event = comment_with([scored("harassment", 650)]);
    event
        .event
        .targets
        .push(target(aged("adult", 40), TargetRole::Mentioned));
    check(&rules, &event, &[]);
    event.flags.push(Flag::LimitExceeded);
    check(
        &rules,
        &event,
        &[
            "demote acts Score at 0.600 by cap:target=under_13",
            "apply demote content-1",
        ],
    );
}

#[test]
fn actions_have_their_own_subjects() {
    let actions = r#"actions = [{ kind = "demote" }, { kind = "strike" }, { kind = "limit_contact" }, { kind = "filter_for_target" }, { kind = "notify_target" }, { kind = "escalate", on = "author" }]"#;
    let rules = [rule("all", actions)];
    let mut event = comment_with([scored("harassment", 990)]);
    for (id, role) in [
        ("friend", TargetRole::Mentioned),
        ("friend", TargetRole::RepliedTo),
        ("author", TargetRole::Mentioned),
        ("accused", TargetRole::Reported),
    ] {
        event.event.targets.push(target(account(id), role));
    }
    let matched = "all acts Score at 0.900 by base";
    check(
        &rules,
        &event,
        &[
            matched,
            "apply demote content-1",
            "apply filter_for_target content-1 for friend",
            "apply limit_contact author for friend",
            "apply strike author",
            "apply notify_target friend for friend",
            "apply escalate author",
        ],
    );
    event.event.author = None;
    check(
        &rules,
        &event,
        &[
            matched,
            "apply demote content-1",
            "apply filter_for_target content-1 for author",
            "apply filter_for_target content-1 for friend",
            "apply notify_target author for author",
            "apply notify_target friend for friend",
            "review open medium",
        ],
    );
}

#[test]
fn what_is_meant_for_content_is_not_done_to_an_account() {
    let actions = r#"actions = [{ kind = "demote" }, { kind = "strike" }, { kind = "filter_for_target" }, { kind = "escalate" }]"#;
    let mut event = comment_with([scored("harassment", 990)]);
    event.event.surface = Surface::Username;
    event.event.subject.kind = SubjectKind::Account;
    event
        .event
        .targets
        .push(target(account("friend"), TargetRole::Mentioned));
    check(
        &[rule("all", actions)],
        &event,
        &[
            "all acts Score at 0.900 by base",
            "apply filter_for_target content-1 for friend",
            "apply strike author",
            "apply escalate content-1",
            "review open medium",
        ],
    );
}

#[test]
fn actions_form_a_set() {
    let rules = [
        rule(
            "a",
            "severity = \"low\"\nreason = \"low\"\nactions = [{ kind = \"demote\", for = \"1h\", territories = [\"DE\"] }, { kind = \"label\", label = \"b\" }]",
        ),
        rule(
            "b",
            "severity = \"high\"\nreason = \"high\"\nactions = [{ kind = \"demote\", for = \"2h\", territories = [\"AT\"] }, { kind = \"label\", label = \"a\" }]",
        ),
    ];
    let event = comment_with([scored("harassment", 990)]);
    let decided = decide(&event, &compiled(&rules));
    let [label, demote] = &decided.actions[..] else {
        panic!("{:#?}", decided.actions)
    };
    assert_eq!(label.parameters.labels, ["a", "b"]);
    assert_eq!(label.parameters.until, None);
    assert_eq!(demote.parameters.reason_code.as_deref(), Some("high"));
    assert_eq!(
        demote.parameters.until,
        Some(Timestamp::from_millis(1_700_000_000_000 + 7_200_000))
    );
    let territories: Vec<&str> = demote
        .parameters
        .territories
        .iter()
        .map(Region::as_str)
        .collect();
    assert_eq!(territories, ["AT", "DE"]);
    let rule_ids: Vec<&str> = demote.rule_ids.iter().map(RuleId::as_str).collect();
    assert_eq!(rule_ids, ["a", "b"]);
}

#[test]
fn only_stated_subsumption_removes_an_action() {
    let event = comment_with([scored("harassment", 990)]);
    let check = |actions: &[&str], expected: &[(&str, usize)]| {
        let rules: Vec<String> = actions
            .iter()
            .enumerate()
            .map(|(place, action)| rule(&format!("r{place}"), &format!("actions = [{action}]")))
            .collect();
        let decided = decide(&event, &compiled(&rules));
        let found: Vec<(&str, usize)> = decided
            .actions
            .iter()
            .map(|action| (action.kind.as_str(), action.rule_ids.len()))
            .collect();
        assert_eq!(found, expected, "{actions:?}");
    };
    check(
        &["{ kind = 'demote' }", "{ kind = 'remove' }"],
        &[("remove", 2)],
    );
    check(
        &["{ kind = 'demote' }", "{ kind = 'remove', for = '1h' }"],
        &[("demote", 1), ("remove", 1)],
    );
    check(
        &[
            "{ kind = 'demote', for = '1h' }",
            "{ kind = 'remove', for = '1h' }",
        ],
        &[("remove", 2)],
    );
    check(
        &["{ kind = 'remove', on = 'author' }", "{ kind = 'demote' }"],
        &[("demote", 1), ("remove", 1)],
    );
    check(
        &[
            "{ kind = 'remove' }",
            "{ kind = 'strike' }",
            "{ kind = 'limit_comments' }",
        ],
        &[("remove", 1), ("limit_comments", 1), ("strike", 1)],
    );
    check(
        &[
            "{ kind = 'terminate' }",
            "{ kind = 'suspend' }",
            "{ kind = 'strike' }",
        ],
        &[("strike", 1), ("terminate", 2)],
    );
}

#[test]
fn one_review_for_all_rules_that_ask() {
    let rules = [
        rule("a", "review = { due_in = \"2h\" }\nseverity = \"low\""),
        rule(
            "b",
            "review = { due_in = \"1h\" }\ncategory = \"spam\"\nseverity = \"high\"",
        ),
        rule(
            "c",
            "review = true\nmode = \"shadow\"\nseverity = \"critical\"",
        ),
    ];
    let event = comment_with([scored("harassment", 990), scored("spam", 990)]);
    let review = decide(&event, &compiled(&rules)).review.unwrap();
    let categories: Vec<&str> = review
        .categories
        .iter()
        .map(|category| &**category)
        .collect();
    assert_eq!(categories, ["harassment", "spam"]);
    assert_eq!(review.severity, Severity::High);
    assert_eq!(review.sensitivity, Sensitivity::Graphic);
    let rule_ids: Vec<&str> = review.rule_ids.iter().map(RuleId::as_str).collect();
    assert_eq!(rule_ids, ["a", "b"]);
    assert_eq!(
        review.due_at,
        Some(Timestamp::from_millis(1_700_000_000_000 + 3_600_000))
    );
}

fn overturned(kind: ActionKind) -> OverturnedAction {
    OverturnedAction {
        action_id: ActionId::new("0".repeat(32)).unwrap(),
        subject: comment().event.subject,
        kind,
        beneficiary: None,
    }
}

#[test]
fn what_a_person_overturns_is_reversed() {
    let rules = [rule(
        "remove",
        "actions = [{ kind = \"remove\" }, { kind = \"strike\" }]\non_missing = \"review\"",
    )];
    let mut event = comment();
    event.cause.kind = CauseKind::Appeal;
    event.overturned = vec![overturned(ActionKind::Remove)];
    check(&rules, &event, &["reverse remove content-1"]);
    let decided = decide(&event, &compiled(&rules));
    assert_eq!(decided.actions[0].origin, ActionOrigin::Appeal);
    assert_eq!(
        decided.actions[0].reverses,
        Some(overturned(ActionKind::Remove).action_id)
    );
    assert_eq!(decided.decision.decided_by, DecidedBy::NotAutomated);

    event.overturned.push(overturned(ActionKind::Remove));
    check(&rules, &event, &["reverse remove content-1"]);
    let mut damaged = event.clone();
    damaged.flags.push(Flag::BrokenPart);
    check(
        &rules,
        &damaged,
        &[
            "remove acts MissingReview at 0.900 by base",
            "reverse remove content-1",
            "review open medium",
        ],
    );

    event.cause.kind = CauseKind::HumanReview;
    event.scores = vec![scored("harassment", 990)];
    check(
        &rules,
        &event,
        &[
            "remove acts Score at 0.900 by base",
            "reverse remove content-1",
            "apply strike author",
        ],
    );
    let decided = decide(&event, &compiled(&rules));
    assert_eq!(decided.actions[0].origin, ActionOrigin::Reviewer);
    assert_eq!(decided.decision.decided_by, DecidedBy::PartiallyAutomated);
}

#[test]
fn a_decision_says_how_much_a_machine_made() {
    let check = |keys: &str, expected: DecidedBy| {
        let event = comment_with([scored("harassment", 990)]);
        let decided = decide(&event, &compiled(&[rule("rule", keys)]));
        assert_eq!(decided.decision.decided_by, expected, "{keys}");
    };
    check("review = true\nthreshold = 1.0", DecidedBy::FullyAutomated);
    check("review = true", DecidedBy::PartiallyAutomated);
    check(DEMOTE, DecidedBy::FullyAutomated);
    check(
        &format!("review = true\n{DEMOTE}"),
        DecidedBy::FullyAutomated,
    );
}

#[test]
fn bands_limit_rules() {
    let mut event = comment_with([scored("harassment", 990)]);
    let acts: &[&str] = &[
        "demote acts Score at 0.900 by base",
        "apply demote content-1",
    ];
    check(&demote("authors = [\"adult\"]"), &event, acts);
    check(&demote("authors = [\"adult_unassured\"]"), &event, &[]);
    check(&demote("targets = [\"13_15\"]"), &event, &[]);
    event
        .event
        .targets
        .push(target(account("somebody"), TargetRole::Recipient));
    check(&demote("targets = [\"13_15\"]"), &event, acts);
    event.event.author = None;
    check(&demote("authors = [\"adult\"]"), &event, &[]);
    check(&demote("authors = [\"adult_unassured\"]"), &event, acts);
}

#[test]
fn a_score_in_one_part_does_not_answer_for_another() {
    let mut event = comment_with([scored("harassment", 990)]);
    event.parts.push(part("caption", "en"));
    let acts = "demote acts Score at 0.900 by base";
    let demoted = "apply demote content-1";
    check(&demote(""), &event, &[acts, demoted]);
    let asks = demote("on_missing = \"review\"");
    check(&asks, &event, &[acts, demoted, "review open medium"]);
    let interim = "on_missing = \"interim\"\ninterim = [{ kind = \"label\", label = \"x\" }]";
    let labelled = "apply label content-1";
    check(
        &demote(interim),
        &event,
        &[acts, labelled, demoted, "review open medium"],
    );
}
