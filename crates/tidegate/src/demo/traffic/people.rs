//! Who takes part: accounts whose holders' true ages we know, whatever the platform knows of them.

use moderation_wire::v1;
use serde::Serialize;

use super::dice::{Dice, Purpose};

/// Accounts in the demo's world.
const POPULATION: u32 = 200_000;
/// 2026-01-01: no account is younger.
const NEWEST_ACCOUNT: i64 = 1_767_225_600;

/// An account and its holder.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) number: u32,
    pub(super) region: &'static str,
    /// Index into the grammar's languages.
    pub(super) language: usize,
    pub(super) true_age: u32,
    created_at: i64,
    age: v1::AgeFacts,
}

/// The holder's true age, as the report cuts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) enum AgeBand {
    /// Below 13.
    #[serde(rename = "under_13")]
    Under13,
    /// 13 to 15.
    #[serde(rename = "13_15")]
    From13To15,
    /// 16 and 17.
    #[serde(rename = "16_17")]
    From16To17,
    /// 18 and over.
    #[serde(rename = "adult")]
    Adult,
}

impl AgeBand {
    /// Every band, youngest first.
    pub(crate) const ALL: [Self; 4] = [
        Self::Under13,
        Self::From13To15,
        Self::From16To17,
        Self::Adult,
    ];

    /// Returns the band as people read it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Under13 => "under 13",
            Self::From13To15 => "13-15",
            Self::From16To17 => "16-17",
            Self::Adult => "adult",
        }
    }
}

const REGIONS: [(u32, (&str, usize)); 20] = [
    (22, ("US", 0)),
    (6, ("US-CA", 0)),
    (9, ("GB", 0)),
    (5, ("IN", 0)),
    (3, ("AU", 0)),
    (6, ("ES", 1)),
    (7, ("MX", 1)),
    (3, ("AR", 1)),
    (8, ("DE", 2)),
    (2, ("AT", 2)),
    (1, ("CH", 2)),
    (9, ("BR", 3)),
    (2, ("PT", 3)),
    (6, ("FR", 4)),
    (1, ("BE", 4)),
    (5, ("KR", 5)),
    (3, ("TW", 6)),
    (2, ("SG", 6)),
    (4, ("JP", 7)),
    (3, ("IT", 8)),
];

impl Person {
    pub(super) fn new(seed: u64, number: u32) -> Self {
        let mut dice = Dice::new(seed, Purpose::Person, number.into());
        let (region, language) = dice.weighted(&REGIONS);
        let true_age = dice.weighted(&[(4, 9), (12, 13), (10, 16), (40, 18), (34, 30)]);
        let true_age = true_age + dice.below(if true_age == 9 { 4 } else { 2 });
        Self {
            number,
            region,
            language,
            true_age,
            created_at: NEWEST_ACCOUNT - i64::from(dice.below(5 * 365 * 86_400)),
            age: age_facts(&mut dice, true_age),
        }
    }

    /// Draws anybody; some take part far more often than others.
    pub(super) fn anybody(seed: u64, dice: &mut Dice) -> Self {
        let place = u64::from(dice.below(1 << 20));
        // Squared, so that low numbers are the busy ones.
        let number = (place * place * u64::from(POPULATION)) >> 40;
        Self::new(seed, number as u32)
    }

    /// Draws somebody whose true age `fits`.
    pub(super) fn aged(seed: u64, dice: &mut Dice, fits: impl Fn(u32) -> bool) -> Self {
        let first = dice.below(POPULATION);
        let mut candidates = (0..64).map(|step| Self::new(seed, (first + step) % POPULATION));
        candidates
            .find(|person| fits(person.true_age))
            .unwrap_or_else(|| Self::new(seed, first))
    }

    pub(super) fn id(&self) -> String {
        format!("a-{}", self.number)
    }

    pub(super) fn band(&self) -> AgeBand {
        match self.true_age {
            ..13 => AgeBand::Under13,
            13..16 => AgeBand::From13To15,
            16..18 => AgeBand::From16To17,
            _ => AgeBand::Adult,
        }
    }

    pub(super) fn account(&self) -> v1::Account {
        v1::Account {
            account_id: self.id(),
            region: self.region.to_owned(),
            created_at: Some(prost_types::Timestamp {
                seconds: self.created_at,
                nanos: 0,
            }),
            age: Some(self.age),
        }
    }

    pub(super) fn target(
        &self,
        role: v1::TargetRole,
        relationship: v1::Relationship,
    ) -> v1::Target {
        v1::Target {
            account: Some(self.account()),
            role: role.into(),
            relationship: relationship.into(),
        }
    }
}

/// What the platform knows of a holder's age: often little, sometimes wrong, least of all about children.
fn age_facts(dice: &mut Dice, true_age: u32) -> v1::AgeFacts {
    let state = dice.weighted(&[
        (15, v1::AgeState::Unknown),
        (48, v1::AgeState::Declared),
        (6, v1::AgeState::Pending),
        (23, v1::AgeState::Assured),
        (4, v1::AgeState::Reset),
        (4, v1::AgeState::Blocked),
    ]);
    let overstates = true_age < 13 || (true_age < 18 && dice.chance(250));
    let declared = if overstates {
        true_age.max(13) + dice.below(6)
    } else {
        true_age
    };
    let inferred = dice
        .chance(400)
        .then(|| (true_age + dice.below(5)).saturating_sub(2));
    v1::AgeFacts {
        declared_years: (state != v1::AgeState::Unknown).then_some(declared),
        inferred_years: inferred,
        inferred_confidence: inferred.map(|_| f64::from(50 + dice.below(50)) / 100.0),
        assured_years: (state == v1::AgeState::Assured).then_some(true_age),
        state: state.into(),
    }
}
