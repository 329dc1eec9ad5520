//! Facts about an age, read by role.

use moderation::policy::{AgeRole, Policy};
use moderation::{AgeFacts, AgeState, Region};

const DOCUMENT: &str = r#"
schema = 1
name = "ages"
[age.jurisdictions]
KR = { "16_17" = 19 }
DE = { under_13 = 16 }
US-CA = { under_13 = 14 }
"#;

fn check(facts: AgeFacts, region: &str, expected: [&str; 3]) {
    let policy = Policy::parse(DOCUMENT).unwrap();
    let region = Region::new(region).ok();
    let roles = [AgeRole::Protected, AgeRole::Initiator, AgeRole::Sanctioned];
    let found = roles.map(|role| {
        let (band, basis) = policy.age.read(&facts, region, role);
        format!("{} {}", policy.age.name(band), basis.as_str())
    });
    assert_eq!(found, expected, "{facts:?} in {region:?}");
}

fn facts(declared: Option<u32>, inferred: Option<(u32, f64)>, state: AgeState) -> AgeFacts {
    AgeFacts {
        declared_years: declared,
        inferred_years: inferred.map(|(years, _)| years),
        inferred_confidence: inferred.map(|(_, confidence)| confidence),
        assured_years: None,
        state,
    }
}

#[test]
fn the_unknown_are_read_with_care() {
    let unknown = [
        "13_15 unknown",
        "adult_unassured unknown",
        "adult_unassured unknown",
    ];
    check(AgeFacts::default(), "DE", unknown);
    check(facts(Some(200), None, AgeState::Declared), "DE", unknown);
    check(facts(None, None, AgeState::Assured), "", unknown);
}

#[test]
fn the_holders_word_counts_where_nothing_better_is_known() {
    let declared = |years| facts(Some(years), None, AgeState::Declared);
    check(declared(12), "FR", ["under_13 declared"; 3]);
    check(declared(13), "FR", ["13_15 declared"; 3]);
    check(declared(17), "FR", ["16_17 declared"; 3]);
    check(declared(18), "FR", ["adult_unassured declared"; 3]);
    check(declared(18), "KR", ["16_17 declared"; 3]);
    check(declared(15), "DE", ["under_13 declared"; 3]);
    check(declared(13), "US-CA", ["under_13 declared"; 3]);
    check(declared(13), "US-TX", ["13_15 declared"; 3]);
    check(declared(15), "DE-BY", ["under_13 declared"; 3]);
}

#[test]
fn a_check_decides_alone() {
    let mut assured = facts(Some(30), Some((10, 1.0)), AgeState::Assured);
    assured.assured_years = Some(17);
    check(assured, "FR", ["16_17 assured"; 3]);
    assured.assured_years = Some(18);
    check(assured, "FR", ["adult assured"; 3]);
    assured.state = AgeState::Reset;
    check(
        assured,
        "FR",
        [
            "under_13 inferred",
            "adult_unassured declared",
            "adult_unassured declared",
        ],
    );
}

#[test]
fn a_guess_counts_only_on_the_careful_side() {
    let young = facts(Some(30), Some((14, 0.9)), AgeState::Declared);
    check(
        young,
        "FR",
        [
            "13_15 inferred",
            "adult_unassured declared",
            "adult_unassured declared",
        ],
    );
    let old = facts(Some(14), Some((30, 0.9)), AgeState::Declared);
    check(
        old,
        "FR",
        [
            "13_15 declared",
            "adult_unassured inferred",
            "13_15 declared",
        ],
    );
    let unsure = facts(Some(30), Some((14, 0.79)), AgeState::Declared);
    check(unsure, "FR", ["adult_unassured declared"; 3]);
    let not_a_number = facts(Some(30), Some((14, f64::NAN)), AgeState::Declared);
    check(not_a_number, "FR", ["adult_unassured declared"; 3]);
}

#[test]
fn a_failed_check_makes_nobody_an_adult_to_protect_less() {
    let blocked = |declared| facts(declared, None, AgeState::Blocked);
    let others = "adult_unassured state";
    check(blocked(Some(40)), "FR", ["13_15 state", others, others]);
    check(
        blocked(Some(11)),
        "FR",
        ["under_13 declared", others, others],
    );
    check(blocked(None), "FR", ["13_15 unknown", others, others]);
}
