//! What lint says of policies that have the form of one.

use moderation::PolicyVersion;
use moderation::policy::{CompiledPolicy, lint};

use crate::events::{policy, rule};

fn check(rules: &[(&str, &str)], expected: &[&str]) {
    let rules: Vec<String> = rules.iter().map(|(id, keys)| rule(id, keys)).collect();
    let findings = lint(&policy(&rules));
    let found: Vec<String> = findings
        .iter()
        .map(|finding| {
            let kind = if finding.error { "error" } else { "warning" };
            assert!(finding.line > 0 && !finding.fix.is_empty());
            format!("{kind} {}", finding.code)
        })
        .collect();
    assert_eq!(found, expected, "{findings:#?}");
}

const REVIEW: &str = "review = true";
const DEMOTE: &str = "actions = [{ kind = \"demote\" }]";
const STRIKE: &str = "actions = [{ kind = \"strike\" }]\nreview = true";

#[test]
fn plain_rules_pass() {
    check(&[("a", REVIEW)], &[]);
    check(&[("a", REVIEW), ("b", DEMOTE)], &[]);
    check(&[("a", &format!("{STRIKE}\nmode = \"shadow\""))], &[]);
}

#[test]
fn minors_are_protected_no_less_than_adults() {
    let capped = |caps: &str| format!("{REVIEW}\ncaps = {{ target = {{ {caps} }} }}");
    check(&[("a", &capped("13_15 = 0.7"))], &[]);
    check(&[("a", &capped("adult = 0.7"))], &["error T201"]);
    check(
        &[(
            "a",
            &capped("adult = 0.7, under_13 = 0.7, 13_15 = 0.7, 16_17 = 0.7"),
        )],
        &[],
    );
    check(
        &[(
            "a",
            &capped("adult = 0.7, under_13 = 0.7, 13_15 = 0.7, 16_17 = 0.8"),
        )],
        &["error T201"],
    );
    let viewers = "caps = { viewer = { adult = 0.7 } }";
    check(
        &[("a", &format!("{REVIEW}\n{viewers}"))],
        &["error T201", "warning T208"],
    );
    let adults = format!("{DEMOTE}\ntargets = [\"adult\", \"adult_unassured\"]");
    let minors =
        |more: &str| format!("{DEMOTE}\ntargets = [\"under_13\", \"13_15\", \"16_17\"]\n{more}");
    check(&[("a", &adults)], &["error T201"]);
    check(&[("a", &adults), ("m", &minors(""))], &[]);
    check(
        &[("a", &adults), ("m", &minors("threshold = 0.91"))],
        &["error T201"],
    );
    check(
        &[("a", &adults), ("m", &minors("mode = \"shadow\""))],
        &["error T201"],
    );
    check(
        &[
            ("a", &adults),
            ("m", &minors("valid_from = 2030-01-01T00:00:00Z")),
        ],
        &["error T201"],
    );
    check(
        &[
            ("a", &adults),
            (
                "m",
                &minors("mode = \"canary\"\ncanary = { share = 0.5, unit = \"target\" }"),
            ),
        ],
        &["error T201"],
    );
    check(
        &[
            ("a", &adults),
            ("m", &minors("overrides = { language = { de = 0.95 } }")),
        ],
        &["error T201"],
    );
}

#[test]
fn nobody_is_sanctioned_more_for_their_age() {
    let authors = |bands: &str| format!("{DEMOTE}\nauthors = [{bands}]");
    let waived = format!(
        "{}\nwaiver = \"minor safety board, 12 May\"",
        authors("\"13_15\"")
    );
    check(&[("a", &authors("\"13_15\""))], &["error T202"]);
    check(&[("a", &waived)], &[]);
    check(
        &[("a", &authors("\"13_15\"")), ("b", DEMOTE)],
        &["warning T203"],
    );
    check(&[("a", &authors("\"adult_unassured\""))], &["error T202"]);
    check(&[("a", &authors("\"adult\""))], &["error T202"]);
    check(&[("a", &authors("\"adult\", \"adult_unassured\""))], &[]);
    let helpful = "actions = [{ kind = \"nudge_author\" }]\nauthors = [\"13_15\"]";
    check(&[("a", helpful)], &[]);
}

#[test]
fn rules_that_add_nothing() {
    check(&[("a", REVIEW), ("b", REVIEW)], &["warning T203"]);
    check(
        &[("a", REVIEW), ("b", "review = true\nthreshold = 0.95")],
        &["warning T203"],
    );
    check(
        &[("a", "review = true\nthreshold = 0.95"), ("b", REVIEW)],
        &["warning T203"],
    );
    check(
        &[
            ("a", REVIEW),
            ("b", "review = true\nthreshold = 0.95\nseverity = \"high\""),
        ],
        &[],
    );
    check(
        &[
            ("a", REVIEW),
            ("b", "review = true\ncategory = \"harassment/threat\""),
        ],
        &["warning T203"],
    );
    check(
        &[
            ("a", REVIEW),
            ("b", "review = true\ncaps = { target = { 13_15 = 0.7 } }"),
        ],
        &["warning T203"],
    );
}

#[test]
fn strong_actions_need_a_person() {
    let remove = "actions = [{ kind = \"remove\" }]";
    check(&[("a", remove)], &["warning T204"]);
    check(&[("a", &format!("{remove}\nreview = true"))], &[]);
    check(&[("a", STRIKE)], &["error T205"]);
    check(&[("a", &format!("{STRIKE}\nwaiver = \"board\""))], &[]);
    let acts = |action: &str| format!("actions = [{{ {action} }}]\nreview = true");
    for whole_account in [
        "kind = \"warn_author\"",
        "kind = \"demote\", on = \"author\"",
        "kind = \"label\", label = \"x\", on = \"author\"",
        "kind = \"limit_comments\", on = \"author\"",
        "kind = \"report_to_authority\"",
        "kind = \"report_to_authority\", on = \"author\"",
    ] {
        check(&[("a", &acts(whole_account))], &["error T205"]);
    }
    for harmless in [
        "kind = \"nudge_author\"",
        "kind = \"limit_contact\"",
        "kind = \"escalate\", on = \"author\"",
        "kind = \"preserve_evidence\", on = \"author\"",
    ] {
        check(&[("a", &acts(harmless))], &[]);
    }
    let interim = "review = true\non_missing = \"interim\"\ninterim = [{ kind = \"suspend\" }]";
    check(&[("a", interim)], &["error T205"]);
}

#[test]
fn numbers_without_effect() {
    let with = |keys: &str| format!("{REVIEW}\n{keys}");
    check(
        &[("a", &with("caps = { target = { 13_15 = 0.9 } }"))],
        &["warning T209"],
    );
    check(
        &[(
            "a",
            &with("surfaces = [\"live\"]\noverrides = { surface = { video = 0.5 } }"),
        )],
        &["warning T209"],
    );
    check(
        &[("a", &with("caps = { viewer = { 16_17 = 0.5 } }"))],
        &["warning T208"],
    );
    check(
        &[("a", &with("interim = [{ kind = \"demote\" }]"))],
        &["warning T210"],
    );
}

#[test]
fn the_rule_that_explodes_the_table_is_named() {
    let countries = |letters: std::ops::RangeInclusive<char>| {
        let codes = letters
            .flat_map(|first| ('A'..='Z').map(move |second| format!("{first}{second} = 0.5")));
        codes.collect::<Vec<_>>().join(", ")
    };
    let languages: Vec<String> = ('a'..='z')
        .flat_map(|first| ('a'..='z').map(move |second| format!("{first}{second} = 0.5")))
        .collect();
    let huge = format!(
        "{REVIEW}\noverrides = {{ region = {{ {} }}, language = {{ {} }} }}",
        countries('B'..='Z'),
        languages.join(", ")
    );
    let small = format!(
        "{REVIEW}\noverrides = {{ region = {{ {} }} }}",
        countries('A'..='A')
    );
    let rules = [rule("small", &small), rule("huge", &huge)];
    let policy = policy(&rules);
    let findings = lint(&policy);
    assert_eq!(findings[0].code, "T206");
    assert!(findings[0].message.contains("rule huge"), "{}", findings[0]);
    let refused = CompiledPolicy::compile(&policy, PolicyVersion(1)).unwrap_err();
    assert_eq!(refused, findings);
}
