//! What holds for every event and every policy.

use std::collections::BTreeSet;

use moderation::policy::{AgeRole, CompiledPolicy, Policy, lint};
use moderation::*;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::events::*;

const LABELS: &[&str] = &["harassment", "threat", "spam", "unheard_of"];

fn outcomes() -> impl Strategy<Value = LabelOutcome> {
    prop_oneof![
        6 => (0_u32..=1000).prop_map(|value| LabelOutcome::Scored(score(value))),
        1 => select(vec![
            LabelOutcome::NotApplicable,
            LabelOutcome::UnsupportedLanguage,
            LabelOutcome::Failed,
            LabelOutcome::TimedOut,
            LabelOutcome::SkippedByCascade,
        ]),
    ]
}

fn label_scores() -> impl Strategy<Value = LabelScore> {
    (
        0_u32..4,
        select(LABELS),
        outcomes(),
        prop::option::of(0_u32..4),
        select(vec![
            Support::Supported,
            Support::Supported,
            Support::Experimental,
            Support::Unsupported,
        ]),
    )
        .prop_map(|(part, label, outcome, bundle, support)| LabelScore {
            part,
            label: Label::new(label).unwrap(),
            outcome,
            bundle,
            support,
        })
}

fn accounts() -> impl Strategy<Value = Account> {
    let years = || prop::option::of(select(vec![0_u32, 12, 13, 15, 16, 17, 18, 40, 999]));
    let states = [&[AgeState::Unrecognised], AgeState::ALL].concat();
    (
        select(vec!["a", "b", "c"]),
        prop::option::of(select(vec!["DE", "US", "US-CA", "KR"])),
        (
            years(),
            years(),
            prop::option::of(0.0..=1.0),
            years(),
            select(states),
        ),
    )
        .prop_map(
            |(id, region, (declared, inferred, confidence, assured, state))| Account {
                account_id: AccountId::new(id).unwrap(),
                region: region.map(|region| Region::new(region).unwrap()),
                created_at: None,
                age: AgeFacts {
                    declared_years: declared,
                    inferred_years: inferred,
                    inferred_confidence: confidence,
                    assured_years: assured,
                    state,
                },
            },
        )
}

fn events() -> impl Strategy<Value = ScoredEvent> {
    let roles = [&[TargetRole::Unrecognised], TargetRole::ALL].concat();
    let kinds = [&[EventKind::Unrecognised], EventKind::ALL].concat();
    let surfaces = [&[Surface::Unrecognised], Surface::ALL].concat();
    let audiences = [&[Audience::Unrecognised], Audience::ALL].concat();
    let parts = (
        select(vec!["en", "de", "zh-hant", "und"]),
        select(PartCondition::ALL),
    )
        .prop_map(|(language, condition)| {
            let mut part = part("part", language);
            part.condition = condition;
            part
        });
    (
        prop::collection::vec(label_scores(), 0..8),
        prop::collection::vec(parts, 0..3),
        prop::option::of(accounts()),
        prop::collection::vec((accounts(), select(roles)), 0..4),
        (select(kinds), select(surfaces), select(audiences)),
        any::<i64>(),
        prop::collection::vec(select(ActionKind::ALL), 0..4),
    )
        .prop_map(|(scores, parts, author, targets, words, time, undone)| {
            let mut event = comment_with(scores);
            event.parts = parts;
            event.event.author = author;
            event.event.targets = targets
                .into_iter()
                .map(|(account, role)| target(account, role))
                .collect();
            (event.event.kind, event.event.surface, event.event.audience) = words;
            event.evaluation_time = Timestamp::from_millis(time);
            event.overturned = undone
                .into_iter()
                .map(|kind| OverturnedAction {
                    action_id: ActionId::new("earlier").unwrap(),
                    subject: event.event.subject.clone(),
                    kind,
                    beneficiary: None,
                })
                .collect();
            event
        })
}

/// Rules of all kinds that have the form of one.
fn rules() -> impl Strategy<Value = Vec<String>> {
    let actions = [
        "{ kind = 'remove' }",
        "{ kind = 'remove', for = '1h' }",
        "{ kind = 'demote', for = '2h' }",
        "{ kind = 'demote', territories = ['DE'] }",
        "{ kind = 'label', label = 'x' }",
        "{ kind = 'label', label = 'y', on = 'author' }",
        "{ kind = 'suspend', for = '1d' }",
        "{ kind = 'terminate' }",
        "{ kind = 'limit_contact' }",
        "{ kind = 'filter_for_target' }",
        "{ kind = 'notify_target' }",
    ];
    let modes = [
        "mode = 'live'",
        "mode = 'live'",
        "mode = 'shadow'",
        "mode = 'paused'",
        "mode = 'canary'\ncanary = { share = 0.5, unit = 'author' }",
        "mode = 'canary'\ncanary = { share = 0.5, unit = 'target' }",
    ];
    let scopes = [
        "",
        "surfaces = ['comment', 'live']",
        "kinds = ['publish', 'report']",
        "authors = ['adult', 'adult_unassured']",
        "targets = ['under_13', '13_15', '16_17']",
        "overrides = { surface = { comment = 0.3 }, region = { US = 0.8 }, language = { de = 0.2 } }",
        "caps = { target = { under_13 = 0.2, 13_15 = 0.3, 16_17 = 0.4 }, viewer = { 13_15 = 0.6 } }",
        "caps = { target = { adult = 0.2 } }",
    ];
    let choices = (
        (
            select(&["low", "medium", "high"]),
            select(&["harassment", "harassment/threat", "spam"]),
        ),
        0_u32..=1000,
        select(modes.to_vec()),
        subsequence(scopes.to_vec(), 0..3),
        subsequence(actions.to_vec(), 0..4),
        select(&["allow", "review", "interim"]),
        any::<bool>(),
    );
    // The wording of keys that two scopes could both give is kept apart, so that a document has each key once.
    let text = choices.prop_map(|((severity, category), threshold, mode, scopes, actions, missing, review)| {
        let mut keys = format!(
            "severity = '{severity}'\ncategory = '{category}'\nthreshold = {}\n{mode}\non_missing = '{missing}'\ninterim = [{{ kind = 'demote' }}]\nactions = [{}]\nreview = {}\n",
            f64::from(threshold) / 1000.0,
            actions.join(", "),
            review || actions.is_empty(),
        );
        let mut has_caps = false;
        for scope in scopes {
            let is_cap = scope.starts_with("caps");
            if !(is_cap && has_caps) {
                keys.push_str(scope);
                keys.push('\n');
            }
            has_caps |= is_cap;
        }
        keys
    });
    prop::collection::vec(text, 1..6).prop_map(|texts| {
        let numbered = texts.iter().enumerate();
        numbered
            .map(|(place, keys)| rule(&format!("rule-{place}"), keys))
            .collect()
    })
}

/// What is the same whatever the order of rules: the actions but for the order of their rules.
fn as_set(decided: &Decided) -> BTreeSet<String> {
    decided
        .actions
        .iter()
        .map(|action| {
            let rule_ids: BTreeSet<&RuleId> = action.rule_ids.iter().collect();
            format!(
                "{} {} {:?} {rule_ids:?}",
                action.action_id, action.kind, action.parameters
            )
        })
        .collect()
}

fn enforced(decided: &Decided) -> BTreeSet<RuleId> {
    let matched = decided.decision.matched.iter();
    matched
        .filter(|matched| matched.enforced)
        .map(|matched| matched.rule_id.clone())
        .collect()
}

/// How much is done, for comparisons: whether a rule acts on a score.
fn acting(decided: &Decided) -> BTreeSet<RuleId> {
    let matched = decided.decision.matched.iter();
    matched
        .filter(|matched| matched.enforced && matched.trigger == Trigger::Score)
        .map(|matched| matched.rule_id.clone())
        .collect()
}

proptest! {
    #[test]
    fn the_same_event_is_decided_the_same(event in events(), rules in rules()) {
        let decided = decide(&event, &compiled(&rules));
        prop_assert_eq!(&decided, &decide(&event, &compiled(&rules)));
        let ids: BTreeSet<&ActionId> = decided.actions.iter().map(|action| &action.action_id).collect();
        prop_assert_eq!(ids.len(), decided.actions.len());
    }

    #[test]
    fn the_order_of_rules_decides_nothing(event in events(), rules in rules()) {
        let mut reversed = rules.clone();
        reversed.reverse();
        let (one, two) = (decide(&event, &compiled(&rules)), decide(&event, &compiled(&reversed)));
        prop_assert_eq!(as_set(&one), as_set(&two));
        prop_assert_eq!(one.decision.decision_id, two.decision.decision_id);
        prop_assert_eq!(one.review.map(|review| (review.task_id, review.severity, review.due_at)),
            two.review.map(|review| (review.task_id, review.severity, review.due_at)));
    }

    #[test]
    fn a_higher_score_never_does_less(event in events(), rules in rules(), place in any::<prop::sample::Index>(), higher in 0_u32..=1000) {
        prop_assume!(!event.scores.is_empty());
        let mut raised = event.clone();
        let changed = place.get_mut(&mut raised.scores);
        let LabelOutcome::Scored(old) = changed.outcome else { return Ok(()) };
        changed.outcome = LabelOutcome::Scored(old.max(score(higher)));
        let policy = compiled(&rules);
        let (before, after) = (decide(&event, &policy), decide(&raised, &policy));
        prop_assert!(enforced(&before).is_subset(&enforced(&after)));
        prop_assert!(acting(&before).is_subset(&acting(&after)));
    }

    #[test]
    fn a_cap_never_raises_a_threshold(event in events(), rules in rules()) {
        let uncapped: Vec<String> = rules
            .iter()
            .map(|rule| rule.lines().filter(|line| !line.starts_with("caps")).collect::<Vec<_>>().join("\n") + "\n")
            .collect();
        let (capped, uncapped) = (decide(&event, &compiled(&rules)), decide(&event, &compiled(&uncapped)));
        prop_assert!(enforced(&uncapped).is_subset(&enforced(&capped)));
        for matched in &capped.decision.matched {
            let without = uncapped.decision.matched.iter().find(|other| other.rule_id == matched.rule_id);
            if let Some(without) = without.filter(|without| without.part_id == matched.part_id) {
                prop_assert!(matched.threshold <= without.threshold);
            }
        }
    }

    #[test]
    fn minors_are_protected_no_less_under_a_clean_policy(event in events(), rules in rules(), minor in 0_u32..18) {
        // A waiver, so that what is clean is not only what does little.
        let rules: Vec<String> = rules.iter().map(|rule| format!("{rule}waiver = 'board'\n")).collect();
        let policy = policy(&rules);
        prop_assume!(!lint(&policy).iter().any(|finding| finding.error));
        let compiled = CompiledPolicy::compile(&policy, PolicyVersion(1)).unwrap();
        let with = |years: u32| {
            let mut event = event.clone();
            event.event.targets = vec![target(aged("somebody", years), TargetRole::Recipient)];
            decide(&event, &compiled)
        };
        let kinds = |decided: &Decided| -> BTreeSet<(ActionKind, Subject)> {
            decided.actions.iter().map(|action| (action.kind, action.subject.clone())).collect()
        };
        let (adult, minor) = (with(40), with(minor));
        let missing: Vec<_> = kinds(&adult).difference(&kinds(&minor)).cloned().collect();
        // What removal covers is not missing.
        let is_covered = kinds(&minor).iter().any(|(kind, _)| matches!(kind, ActionKind::Remove | ActionKind::Terminate));
        prop_assert!(missing.is_empty() || is_covered, "{missing:?}");
        prop_assert!(adult.review.is_none() || minor.review.is_some());
    }

    #[test]
    fn the_protected_are_never_read_as_older_than_by_their_word(account in accounts()) {
        let policy = Policy::parse("schema = 1\nname = \"x\"").unwrap();
        prop_assume!(account.age.state != AgeState::Assured);
        let read = |facts: &AgeFacts, role| policy.age.read(facts, account.region, role).0;
        let word = AgeFacts { declared_years: account.age.declared_years, ..AgeFacts::default() };
        prop_assert!(read(&account.age, AgeRole::Protected) <= read(&word, AgeRole::Protected));
        prop_assert!(read(&account.age, AgeRole::Initiator) >= read(&word, AgeRole::Initiator));
    }

    #[test]
    fn reading_a_document_never_panics(document in "[a-z0-9_=\"\\[\\]{}., \n.-]{0,200}") {
        if let Ok(policy) = Policy::parse(&document) {
            lint(&policy);
        }
    }
}
