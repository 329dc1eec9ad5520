//! Content events: events with the text that the models read.

use moderation::{ContentEvent, Flag, Part, PartCondition, PartContent, PartOrigin, UserText};

use crate::damage::Damage;
use crate::event::event;
use crate::invalid::{Invalid, Path, Problem};
use crate::part_ids::PartIds;
use crate::reading::Reading;
use crate::v1;
use crate::words::Word;

/// Reads a content event. Fails only where it does not tell its id and subject.
pub(crate) fn content(
    reading: &mut Reading<'_>,
    wire: v1::ContentEvent,
    damage: &Damage,
) -> Result<ContentEvent, Invalid> {
    let event_at = Path::ROOT.field("event");
    let event = event(
        reading,
        &event_at,
        wire.event.ok_or_else(|| event_at.missing())?,
    )?;
    let parts = parts(reading, wire.parts, damage);
    Ok(ContentEvent {
        event,
        parts,
        flags: Vec::new(),
    })
}

fn parts(reading: &mut Reading<'_>, wire: Vec<v1::Part>, damage: &Damage) -> Vec<Part> {
    let has_surplus = wire.len() > reading.limits.max_parts;
    let mut ids = PartIds::default();
    let mut broken = damage.parts.iter().copied().peekable();
    let mut parts = Vec::with_capacity(wire.len().min(reading.limits.max_parts));
    for (index, wire) in wire.into_iter().take(reading.limits.max_parts).enumerate() {
        let condition = broken
            .next_if(|(damaged, _)| *damaged == index)
            .map(|(_, condition)| condition);
        parts.push(part(reading, &mut ids, index, wire, condition));
    }
    // What was not read must not pass as harmless: a part stands in for it, of which no score can exist.
    if has_surplus {
        reading.note(&Path::ROOT.field("parts"), Problem::LimitExceeded);
        parts.push(stand_in(
            reading,
            &mut ids,
            "surplus-parts",
            PartCondition::Oversized,
        ));
    }
    if damage.parts_lost {
        parts.push(stand_in(
            reading,
            &mut ids,
            "lost-parts",
            PartCondition::Malformed,
        ));
    }
    parts
}

fn part(
    reading: &mut Reading<'_>,
    ids: &mut PartIds,
    index: usize,
    wire: v1::Part,
    broken: Option<PartCondition>,
) -> Part {
    let at = Path::ROOT.item("parts", index);
    let content = match (broken, wire.content) {
        (Some(condition), _) => PartContent::Broken(condition),
        (None, Some(v1::part::Content::Text(text)))
            if text.len() > reading.limits.max_text_bytes =>
        {
            PartContent::Broken(PartCondition::Oversized)
        }
        (None, Some(v1::part::Content::Text(text))) => PartContent::Text(UserText::new(text)),
        (None, Some(v1::part::Content::Reference(reference))) => PartContent::Reference(reference),
        (None, None) => {
            reading.note(&at, Problem::Unreadable);
            PartContent::Broken(PartCondition::Malformed)
        }
    };
    if let PartContent::Broken(_) = content {
        reading.raise(Flag::BrokenPart);
    }
    Part {
        part_id: ids.take(reading, &at, wire.part_id, index),
        origin: reading.open(&at.field("origin"), wire.origin),
        content,
        declared_language: reading
            .language(&at.field("declared_language"), &wire.declared_language),
    }
}

fn stand_in(
    reading: &mut Reading<'_>,
    ids: &mut PartIds,
    name: &str,
    condition: PartCondition,
) -> Part {
    reading.raise(Flag::BrokenPart);
    Part {
        part_id: ids.unused(name),
        origin: PartOrigin::Unrecognised,
        content: PartContent::Broken(condition),
        declared_language: None,
    }
}

impl From<&ContentEvent> for v1::ContentEvent {
    /// A broken part has no content; flags are not written, since reading finds them again.
    fn from(content: &ContentEvent) -> Self {
        Self {
            event: Some((&content.event).into()),
            parts: content.parts.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Part> for v1::Part {
    fn from(part: &Part) -> Self {
        Self {
            part_id: part.part_id.as_str().to_owned(),
            origin: part.origin.number(),
            content: match &part.content {
                PartContent::Text(text) => Some(v1::part::Content::Text(text.expose().to_owned())),
                PartContent::Reference(reference) => {
                    Some(v1::part::Content::Reference(reference.clone()))
                }
                PartContent::Broken(_) => None,
            },
            declared_language: part
                .declared_language
                .map(|language| language.as_str().to_owned())
                .unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::ContentEvent> for ContentEvent {
    type Error = Invalid;

    /// Refuses what a lenient reading would replace, leave out or cut off.
    fn try_from(wire: v1::ContentEvent) -> Result<Self, Invalid> {
        crate::strict(|reading| content(reading, wire, &Damage::default()))
    }
}
