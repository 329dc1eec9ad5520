//! Scored events: events without text, and what models say of them.

use moderation::{
    AccountId, ActionId, BundleDigest, BundleIdentity, BundleRole, Cause, CauseId,
    DeploymentVersion, Flag, OverturnedAction, PartCondition, PartOrigin, ScoredEvent, ScoredPart,
    Timestamp,
};

use crate::damage::Damage;
use crate::event::{event, subject};
use crate::invalid::{Invalid, Path, Problem};
use crate::label_scores::Scores;
use crate::part_ids::PartIds;
use crate::reading::{Reading, known, required};
use crate::time::timestamp_to_wire;
use crate::v1;
use crate::words::Word;

/// Reads a scored event. Fails only where it does not tell its id and subject.
///
/// `broker_time` stands in for an evaluation time that is missing.
pub(crate) fn scored(
    reading: &mut Reading<'_>,
    wire: v1::ScoredEvent,
    damage: &Damage,
    broker_time: Option<Timestamp>,
) -> Result<ScoredEvent, Invalid> {
    let at = Path::ROOT;
    let event_at = at.field("event");
    let evaluation_time = evaluation_time(reading, wire.evaluation_time, broker_time)?;
    let event = event(
        reading,
        &event_at,
        wire.event.ok_or_else(|| event_at.missing())?,
    )?;
    let cause = wire
        .cause
        .and_then(|wire| lenient_cause(reading, &at.field("cause"), wire));
    let cause = cause.unwrap_or_else(|| {
        reading.note(&at.field("cause"), Problem::Missing);
        event.cause()
    });
    let mut parts = parts(reading, wire.parts, damage);
    let (bundles, places) = bundles(reading, wire.bundles);
    let (scores, has_lost_label) =
        Scores::new(&places, &mut parts, &damage.scores).read(reading, wire.scores);
    let verdicts = wire.overturned.len();
    let overturned = overturned(reading, wire.overturned);
    let has_lost_verdict = overturned.len() < verdicts;
    // What is not there any more may have been about anything: of this part nothing is said, and rules find that missing.
    if damage.parts_lost || damage.surplus || has_lost_label || has_lost_verdict {
        reading.raise(Flag::BrokenPart);
        let mut ids = PartIds::of(parts.iter().map(|part| &part.part_id));
        parts.push(unreadable_part(&mut ids));
    }
    for number in wire.flags {
        match Flag::from_number(number) {
            Some(flag) => reading.raise(flag),
            None => reading.note(&at.field("flags"), Problem::UnknownValue),
        }
    }
    Ok(ScoredEvent {
        cause,
        source: wire.source,
        parts,
        scores,
        evaluation_time,
        deployment_version: DeploymentVersion(wire.deployment_version),
        bundles,
        flags: Vec::new(),
        overturned,
        cpu_class: wire.cpu_class,
        event,
    })
}

fn evaluation_time(
    reading: &mut Reading<'_>,
    wire: Option<prost_types::Timestamp>,
    broker_time: Option<Timestamp>,
) -> Result<Timestamp, Invalid> {
    let at = Path::ROOT.field("evaluation_time");
    match (reading.time(&at, wire), broker_time) {
        (Some(time), _) => Ok(reading.not_ahead(&at, time)),
        (None, Some(broker_time)) => {
            reading.note(&at, Problem::Missing);
            Ok(broker_time)
        }
        (None, None) => Err(at.missing()),
    }
}

fn lenient_cause(reading: &mut Reading<'_>, at: &Path<'_>, wire: v1::Cause) -> Option<Cause> {
    let id = reading.optional(&at.field("id"), wire.id, CauseId::new)?;
    Some(Cause {
        kind: reading.open(&at.field("kind"), wire.kind),
        id,
    })
}

/// Reads a cause that must be there.
pub(crate) fn cause(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    wire: Option<v1::Cause>,
) -> Result<Cause, Invalid> {
    let wire = wire.ok_or_else(|| at.missing())?;
    Ok(Cause {
        kind: reading.open(&at.field("kind"), wire.kind),
        id: required(&at.field("id"), wire.id, CauseId::new)?,
    })
}

fn parts(reading: &mut Reading<'_>, wire: Vec<v1::ScoredPart>, damage: &Damage) -> Vec<ScoredPart> {
    let mut ids = PartIds::default();
    let mut parts: Vec<ScoredPart> = wire
        .into_iter()
        .enumerate()
        .map(|(index, wire)| {
            let at = Path::ROOT.item("parts", index);
            ScoredPart {
                part_id: ids.take(reading, &at, wire.part_id, index),
                origin: reading.open(&at.field("origin"), wire.origin),
                condition: reading.closed(
                    &at.field("condition"),
                    wire.condition,
                    PartCondition::Malformed,
                ),
                declared_language: reading
                    .language(&at.field("declared_language"), &wire.declared_language),
                detected_language: reading
                    .language(&at.field("detected_language"), &wire.detected_language),
                characters: wire.characters,
                windows: wire.windows,
            }
        })
        .collect();
    for &(index, condition) in &damage.parts {
        if let Some(part) = parts.get_mut(index) {
            part.condition = condition;
            reading.raise(Flag::BrokenPart);
        }
    }
    parts
}

/// Returns a part that stands in for what cannot be read.
pub(crate) fn unreadable_part(ids: &mut PartIds) -> ScoredPart {
    ScoredPart {
        part_id: ids.unused("lost-parts"),
        origin: PartOrigin::Unrecognised,
        condition: PartCondition::Malformed,
        declared_language: None,
        detected_language: None,
        characters: 0,
        windows: 0,
    }
}

/// Reads bundles and where each went: a bundle without a digest has no place.
fn bundles(
    reading: &mut Reading<'_>,
    wire: Vec<v1::BundleIdentity>,
) -> (Vec<BundleIdentity>, Vec<Option<u32>>) {
    let mut bundles = Vec::with_capacity(wire.len());
    let places = wire
        .into_iter()
        .enumerate()
        .map(|(index, wire)| {
            let at = Path::ROOT.item("bundles", index);
            match bundle(reading, &at, wire) {
                Ok(bundle) => {
                    bundles.push(bundle);
                    Some(bundles.len() as u32 - 1)
                }
                Err(invalid) => {
                    reading.note(&at.field("digest"), invalid.problem);
                    None
                }
            }
        })
        .collect();
    (bundles, places)
}

/// Reads a bundle's identity. A role that is not known decides nothing.
pub(crate) fn bundle(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    wire: v1::BundleIdentity,
) -> Result<BundleIdentity, Invalid> {
    Ok(BundleIdentity {
        digest: required(&at.field("digest"), wire.digest, BundleDigest::new)?,
        name: wire.name,
        version: wire.version,
        role: reading.closed(&at.field("role"), wire.role, BundleRole::Shadow),
    })
}

fn overturned(reading: &mut Reading<'_>, wire: Vec<v1::OverturnedAction>) -> Vec<OverturnedAction> {
    let mut overturned = Vec::with_capacity(wire.len());
    for (index, wire) in wire.into_iter().enumerate() {
        let at = Path::ROOT.item("overturned", index);
        match overturned_action(reading, &at, wire) {
            Ok(action) => overturned.push(action),
            Err(invalid) => reading.note(&at, invalid.problem),
        }
    }
    overturned
}

fn overturned_action(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    wire: v1::OverturnedAction,
) -> Result<OverturnedAction, Invalid> {
    let subject_at = at.field("subject");
    Ok(OverturnedAction {
        action_id: required(&at.field("action_id"), wire.action_id, ActionId::new)?,
        subject: subject(
            reading,
            &subject_at,
            wire.subject.ok_or_else(|| subject_at.missing())?,
        )?,
        kind: known(&at.field("kind"), wire.kind)?,
        beneficiary: reading.optional(
            &at.field("beneficiary_id"),
            wire.beneficiary_id,
            AccountId::new,
        ),
    })
}

impl From<&ScoredEvent> for v1::ScoredEvent {
    fn from(scored: &ScoredEvent) -> Self {
        Self {
            event: Some((&scored.event).into()),
            cause: Some((&scored.cause).into()),
            source: scored.source.clone(),
            parts: scored.parts.iter().map(Into::into).collect(),
            scores: scored.scores.iter().map(Into::into).collect(),
            evaluation_time: Some(timestamp_to_wire(scored.evaluation_time)),
            deployment_version: scored.deployment_version.0,
            bundles: scored.bundles.iter().map(Into::into).collect(),
            flags: scored.flags.iter().map(|flag| flag.number()).collect(),
            overturned: scored.overturned.iter().map(Into::into).collect(),
            cpu_class: scored.cpu_class.clone(),
        }
    }
}

impl From<&Cause> for v1::Cause {
    fn from(cause: &Cause) -> Self {
        Self {
            kind: cause.kind.number(),
            id: cause.id.as_str().to_owned(),
        }
    }
}

impl From<&ScoredPart> for v1::ScoredPart {
    fn from(part: &ScoredPart) -> Self {
        Self {
            part_id: part.part_id.as_str().to_owned(),
            origin: part.origin.number(),
            condition: part.condition.number(),
            declared_language: part
                .declared_language
                .map(|language| language.as_str().to_owned())
                .unwrap_or_default(),
            detected_language: part
                .detected_language
                .map(|language| language.as_str().to_owned())
                .unwrap_or_default(),
            characters: part.characters,
            windows: part.windows,
        }
    }
}

impl From<&BundleIdentity> for v1::BundleIdentity {
    fn from(bundle: &BundleIdentity) -> Self {
        Self {
            digest: bundle.digest.as_str().to_owned(),
            name: bundle.name.clone(),
            version: bundle.version.clone(),
            role: bundle.role.number(),
        }
    }
}

impl From<&OverturnedAction> for v1::OverturnedAction {
    fn from(action: &OverturnedAction) -> Self {
        Self {
            action_id: action.action_id.as_str().to_owned(),
            subject: Some((&action.subject).into()),
            kind: action.kind.number(),
            beneficiary_id: action
                .beneficiary
                .as_ref()
                .map_or_else(String::new, |id| id.as_str().to_owned()),
        }
    }
}

impl TryFrom<v1::ScoredEvent> for ScoredEvent {
    type Error = Invalid;

    /// Refuses what a lenient reading would replace, leave out or cut off.
    fn try_from(wire: v1::ScoredEvent) -> Result<Self, Invalid> {
        let flags = wire
            .flags
            .iter()
            .filter_map(|&number| Flag::from_number(number))
            .collect();
        let scored = crate::strict(|reading| scored(reading, wire, &Damage::default(), None))?;
        Ok(Self { flags, ..scored })
    }
}
