//! What is no policy, what changed between two, and changing one number.

use moderation::policy::{Policy, SetThresholdError, differences, set_threshold};
use moderation::{RuleId, Score};

use crate::events::{CATEGORIES, policy, rule};

/// Checks the first finding about a rule: its code, and a piece of what it says.
fn check(keys: &str, code: &str, says: &str) {
    let document = format!("{CATEGORIES}{}", rule("rule", keys));
    let findings = Policy::parse(&document).expect_err(keys);
    let finding = &findings[0];
    assert_eq!(finding.code, code, "{keys}: {findings:#?}");
    assert!(finding.message.contains(says), "{keys}: {finding}");
    assert!(
        finding.error && finding.line > 0 && !finding.fix.is_empty(),
        "{finding:?}"
    );
}

#[test]
fn rules_that_are_none() {
    check("", "T115", "does nothing");
    check(
        "surprise = 1\nreview = true",
        "T101",
        "unknown field `surprise`",
    );
    check(
        "severity = \"huge\"\nreview = true",
        "T101",
        "unknown variant `huge`",
    );
    check("review = 3", "T101", "expected true, false or a table");
    for twice in [
        "region = { DE = 0.9, de = 0.5 }",
        "language = { zh-hant = 0.9, ZH-Hant = 0.5 }",
    ] {
        let keys = format!("review = true\noverrides = {{ {twice} }}");
        check(&keys, "T109", "a second override for");
    }
    check("threshold = 0.9205\nreview = true", "T104", "0.9205");
    check("threshold = 1.2\nreview = true", "T104", "1.2");
    check("threshold = nan\nreview = true", "T104", "NaN");
    check(
        "category = \"sport\"\nreview = true",
        "T106",
        "not declared",
    );
    check("review = { due_in = \"soon\" }", "T112", "");
    check("review = true\nreason = \"\"", "T111", "no reason");
    check("review = true\nmode = \"canary\"", "T113", "needs a share");
    check(
        "review = true\ncaps = { target = { elder = 0.5 } }",
        "T108",
        "elder",
    );
    check(
        "review = true\noverrides = { region = { Germany = 0.5 } }",
        "T109",
        "",
    );
    check(
        "review = true\noverrides = { surface = { moon = 0.5 } }",
        "T101",
        "moon",
    );
    check("review = true\nsurfaces = []", "T116", "empty");
    check("review = true\non_missing = \"interim\"", "T114", "interim");
    check(
        "review = true\nvalid_from = 2026-01-01",
        "T112",
        "point in time",
    );
    check(
        "review = true\nvalid_from = 2026-01-02T00:00:00Z\nvalid_until = 2026-01-01T00:00:00Z",
        "T112",
        "ends before",
    );
    check("actions = [{ kind = \"explode\" }]", "T101", "explode");
    check(
        "actions = [{ kind = \"strike\", on = \"content\" }]",
        "T110",
        "strike",
    );
    check("actions = [{ kind = \"disable\" }]", "T110", "territories");
    check("actions = [{ kind = \"label\" }]", "T110", "needs a label");
    check(
        "actions = [{ kind = \"warn_author\", for = \"1d\" }]",
        "T110",
        "no duration",
    );
    check(
        "actions = [{ kind = \"demote\", feature = \"chat\" }]",
        "T110",
        "no feature",
    );
}

#[test]
fn documents_that_are_none() {
    let check = |document: &str, code: &str, line: u32, column: u32| {
        let findings = Policy::parse(document).expect_err(document);
        let found = (findings[0].code, findings[0].line, findings[0].column);
        assert_eq!(found, (code, line, column), "{findings:#?}");
    };
    check("schema = 1\nname = ", "T101", 2, 8);
    check("schema = 2\nname = \"x\"", "T102", 1, 10);
    check(
        "schema = 1\nname = \"x\"\n[age]\nunknown = \"adult\"",
        "T105",
        4,
        11,
    );
    let category = "schema = 1\nname = \"x\"\n[[categories]]\ntitle = \"T\"\n";
    check(
        &format!("{category}id = \"a/b\"\ndsa_category = \"VIOLENCE\""),
        "T103",
        5,
        6,
    );
    check(
        &format!("{category}id = \"a\"\ndsa_category = \"VIOLENT\""),
        "T117",
        6,
        16,
    );
    let twice = format!("{CATEGORIES}{0}{0}", rule("twice", "review = true"));
    assert_eq!(Policy::parse(&twice).unwrap_err()[0].code, "T107");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let document = format!(
        "{CATEGORIES}{}{}",
        rule("a", "threshold = 0.12345"),
        rule("b", "category = \"sport\"\nreview = true")
    );
    let findings = Policy::parse(&document).unwrap_err();
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["T115", "T104", "T106"]);
}

#[test]
fn differences_in_words() {
    let check = |old: &str, new: &str, expected: &[&str]| {
        let old = policy(&[rule("rule", &format!("review = true\n{old}"))]);
        let new = policy(&[rule("rule", &format!("review = true\n{new}"))]);
        assert_eq!(differences(&old, &new), expected);
    };
    check("", "# a comment", &[]);
    check(
        "",
        "threshold = 0.88",
        &["rule rule: threshold 0.900 -> 0.880"],
    );
    check("", "mode = \"shadow\"", &["rule rule: mode live -> shadow"]);
    check(
        "caps = { target = { 13_15 = 0.7 } }",
        "overrides = { surface = { live = 0.5 } }",
        &[
            "rule rule: cap:target=13_15 0.700 -> none",
            "rule rule: surface=live none -> 0.500",
        ],
    );
    check(
        "",
        "actions = [{ kind = \"demote\", for = \"1h\" }]",
        &["rule rule: actions none -> demote for 1h"],
    );
    let old = policy(&[rule("old", "review = true")]);
    let new = policy(&[rule("new", "review = true")]);
    assert_eq!(
        differences(&old, &new),
        [
            "rule new: added (live, harassment at 0.900)",
            "rule old: removed (was live)"
        ]
    );
}

const EDITED: &str = r#"# Why we do this.
schema = 1
name = "edited"

[[categories]]
id = "spam"
title = "Spam"
labels = ["spam"]
dsa_category = "SCAMS_AND_FRAUD"

[[rules]]
id = "spam-review"
issue = "spam"
title = "Review"
severity = "low"
category = "spam"
mode = "live"
threshold  =  0.9   # agreed on Monday
review = true
on_missing = "allow"
reason = "spam"
overrides = { surface = { comment = 0.8 }, region = { de = 0.7 } }

[rules.caps.target] # minors
13_15 = 0.75
"#;

#[test]
fn one_number_changes_and_nothing_else() {
    let check = |layer: &str, old: &str, new: &str| {
        let rule = RuleId::new("spam-review").unwrap();
        let threshold = Score::from_thousandths(655).unwrap();
        let edited = set_threshold(EDITED, &rule, layer, threshold).unwrap();
        assert_eq!(edited, EDITED.replace(old, new), "{layer}");
    };
    check("", "0.9 ", "0.655 ");
    check("base", "0.9 ", "0.655 ");
    check("surface=comment", "0.8 ", "0.655 ");
    check("region=DE", "0.7 ", "0.655 ");
    check("cap:target=13_15", "0.75", "0.655");
}

#[test]
fn only_what_is_there_can_be_set() {
    let threshold = Score::from_thousandths(655).unwrap();
    let set = |rule: &str, layer: &str| {
        set_threshold(EDITED, &RuleId::new(rule).unwrap(), layer, threshold).unwrap_err()
    };
    assert!(matches!(
        set("other", ""),
        SetThresholdError::UnknownRule { .. }
    ));
    for layer in [
        "surface=live",
        "cap:base",
        "cap:viewer=13_15",
        "nonsense",
        "threshold",
    ] {
        let error = set("spam-review", layer);
        assert!(
            matches!(error, SetThresholdError::UnknownLayer { .. }),
            "{layer}"
        );
        assert!(error.to_string().contains("cap:target=13_15"), "{error}");
    }
    let broken = set_threshold("x", &RuleId::new("r").unwrap(), "", threshold).unwrap_err();
    assert!(matches!(broken, SetThresholdError::Document(_)));
}
