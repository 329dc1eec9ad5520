//! Accounts: authors and targets, and what is known of their age.

use moderation::{Account, AccountId, AgeFacts, Target};

use crate::invalid::{Invalid, Path, Problem};
use crate::reading::{Reading, required};
use crate::time::timestamp_to_wire;
use crate::v1;
use crate::words::Word;

/// No account holder is older.
const MAX_YEARS: u32 = 150;

/// Reads the author of an event; drops one without a readable id.
pub(crate) fn author(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    wire: Option<v1::Account>,
) -> Option<Account> {
    let Some(wire) = wire.filter(|wire| !wire.account_id.is_empty()) else {
        reading.note_absent(at);
        return None;
    };
    account(reading, at, wire)
        .map_err(|invalid| reading.note(&at.field("account_id"), invalid.problem))
        .ok()
}

fn account(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    wire: v1::Account,
) -> Result<Account, Invalid> {
    let account_id = required(&at.field("account_id"), wire.account_id, AccountId::new)?;
    Ok(Account {
        account_id,
        region: reading.region(&at.field("region"), &wire.region),
        created_at: reading.time(&at.field("created_at"), wire.created_at),
        age: age(reading, &at.field("age"), &wire.age.unwrap_or_default()),
    })
}

fn age(reading: &mut Reading<'_>, at: &Path<'_>, wire: &v1::AgeFacts) -> AgeFacts {
    let declared_years = years(reading, &at.field("declared_years"), wire.declared_years);
    let inferred_years = years(reading, &at.field("inferred_years"), wire.inferred_years);
    let assured_years = years(reading, &at.field("assured_years"), wire.assured_years);
    let inferred_confidence = wire.inferred_confidence.filter(|confidence| {
        let is_probability = (0.0..=1.0).contains(confidence);
        if !is_probability {
            reading.note(&at.field("inferred_confidence"), Problem::OutOfRange);
        }
        is_probability
    });
    AgeFacts {
        declared_years,
        inferred_years,
        inferred_confidence,
        assured_years,
        state: reading.open(&at.field("state"), wire.state),
    }
}

fn years(reading: &mut Reading<'_>, at: &Path<'_>, years: Option<u32>) -> Option<u32> {
    if years.is_some_and(|years| years > MAX_YEARS) {
        reading.note(at, Problem::OutOfRange);
        return None;
    }
    years
}

/// Reads the targets of an event, up to the limit.
pub(crate) fn targets(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    wire: Vec<v1::Target>,
) -> Vec<Target> {
    if wire.len() > reading.limits.max_targets {
        reading.note(&at.field("targets"), Problem::LimitExceeded);
    }
    wire.into_iter()
        .take(reading.limits.max_targets)
        .enumerate()
        .filter_map(|(index, wire)| target(reading, &at.item("targets", index), index, wire))
        .collect()
}

/// Reads a target. One without a readable id stays, under a substitute: what protects a target must not depend on a
/// broken byte in its id.
fn target(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    index: usize,
    wire: v1::Target,
) -> Option<Target> {
    let account_at = at.field("account");
    let mut wire_account = wire.account.unwrap_or_default();
    if let Err(invalid) = required(
        &account_at.field("account_id"),
        std::mem::take(&mut wire_account.account_id),
        |id| AccountId::new(id.as_str()).map(|_| wire_account.account_id = id),
    ) {
        reading.note(&account_at.field("account_id"), invalid.problem);
        wire_account.account_id = format!("unreadable-target-{index}");
    }
    let account = account(reading, &account_at, wire_account).ok()?;
    Some(Target {
        account,
        role: reading.open(&at.field("role"), wire.role),
        relationship: reading.open(&at.field("relationship"), wire.relationship),
    })
}

impl From<&Account> for v1::Account {
    fn from(account: &Account) -> Self {
        let age = &account.age;
        Self {
            account_id: account.account_id.as_str().to_owned(),
            region: account
                .region
                .map(|region| region.as_str().to_owned())
                .unwrap_or_default(),
            created_at: account.created_at.map(timestamp_to_wire),
            age: (*age != AgeFacts::default()).then(|| v1::AgeFacts {
                declared_years: age.declared_years,
                inferred_years: age.inferred_years,
                inferred_confidence: age.inferred_confidence,
                assured_years: age.assured_years,
                state: age.state.number(),
            }),
        }
    }
}

impl From<&Target> for v1::Target {
    fn from(target: &Target) -> Self {
        Self {
            account: Some((&target.account).into()),
            role: target.role.number(),
            relationship: target.relationship.number(),
        }
    }
}
