//! The ages of those in an event, each read in its role.

use crate::policy::{AgeBands, AgeRole, Band, Protected};
use crate::{AgeFacts, Audience, EffectiveAge, Event, Flag, ScoredEvent, TargetRole};

/// The bands that a decision rests on.
pub(super) struct Ages {
    /// The author's first, then the targets' in the event's order.
    pub(super) effective: Vec<EffectiveAge>,
    pub(super) author: Band,
    pub(super) protected: Protected,
}

impl Ages {
    pub(super) fn read(scored: &ScoredEvent, bands: &AgeBands) -> Self {
        let event = &scored.event;
        let targets = event.targets.len();
        let mut effective = Vec::with_capacity(targets + usize::from(event.author.is_some()));
        let author = read_author(event, bands, &mut effective);
        let mut protected = Protected {
            targets: unread_targets(&scored.flags, bands),
            viewers: viewers(event, bands),
        };
        for target in &event.targets {
            let account = &target.account;
            let role = if is_protected(target.role) {
                AgeRole::Protected
            } else {
                AgeRole::Sanctioned
            };
            let (band, basis) = bands.read(&account.age, account.region, role);
            if is_protected(target.role) {
                protected.targets |= band.bit();
            }
            effective.push(EffectiveAge {
                role: target.role.as_str(),
                account_id: account.account_id.clone(),
                band: bands.name(band).clone(),
                basis: basis.as_str(),
            });
        }
        Self {
            effective,
            author,
            protected,
        }
    }
}

/// Returns the bands of targets who were not read. Otherwise whoever attacks a minor would name enough adults before.
fn unread_targets(flags: &[Flag], bands: &AgeBands) -> u32 {
    if flags.contains(&Flag::LimitExceeded) {
        bands.minors().fold(0, |bits, minor| bits | minor.bit())
    } else {
        0
    }
}

/// Returns whether a target is somebody whom the content may hurt. Who is reported by an event is not.
pub(super) fn is_protected(role: TargetRole) -> bool {
    role != TargetRole::Reported
}

/// An author who addresses others is read as an initiator of contact.
fn read_author(event: &Event, bands: &AgeBands, effective: &mut Vec<EffectiveAge>) -> Band {
    let addresses_others = event.targets.iter().any(|target| is_protected(target.role));
    let role = if addresses_others {
        AgeRole::Initiator
    } else {
        AgeRole::Sanctioned
    };
    let Some(author) = &event.author else {
        return bands.read(&AgeFacts::default(), None, role).0;
    };
    let (band, basis) = bands.read(&author.age, author.region, role);
    effective.push(EffectiveAge {
        role: "author",
        account_id: author.account_id.clone(),
        band: bands.name(band).clone(),
        basis: basis.as_str(),
    });
    band
}

/// No event says who will look, so viewers are of unknown age; there are none besides the targets where only participants
/// look, and none at all where only the author does.
fn viewers(event: &Event, bands: &AgeBands) -> Option<Band> {
    match event.audience {
        Audience::AuthorOnly => None,
        Audience::Participants if !event.targets.is_empty() => None,
        _ => {
            let nobody_in_particular = AgeFacts::default();
            Some(
                bands
                    .read(&nobody_in_particular, None, AgeRole::Protected)
                    .0,
            )
        }
    }
}
