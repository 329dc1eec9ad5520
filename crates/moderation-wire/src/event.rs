//! Events, without text.

use std::collections::BTreeMap;

use moderation::{
    AccountId, ContentType, Context, Event, EventId, Fact, FactName, FactValue, Report, Subject,
    SubjectId,
};

use crate::account::{author, targets};
use crate::invalid::{Invalid, Path, Problem};
use crate::reading::{Reading, required};
use crate::time::timestamp_to_wire;
use crate::v1;
use crate::words::Word;

/// Content types of one event; the list has fewer words.
const MAX_CONTENT_TYPES: usize = 16;
/// Bytes of a report's reason, which is a code.
const MAX_REASON_BYTES: usize = 64;
/// Bytes of a fact's text or source, which are words of the platform's.
const MAX_FACT_BYTES: usize = 256;

/// Reads an event. Fails only where it does not tell its id and subject.
pub(crate) fn event(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    wire: v1::Event,
) -> Result<Event, Invalid> {
    let event_id = required(&at.field("event_id"), wire.event_id, EventId::new)?;
    let subject_at = at.field("subject");
    let subject = subject(
        reading,
        &subject_at,
        wire.subject.ok_or_else(|| subject_at.missing())?,
    )?;
    Ok(Event {
        event_id,
        subject,
        kind: reading.open_expected(&at.field("kind"), wire.kind),
        surface: reading.open_expected(&at.field("surface"), wire.surface),
        occurred_at: reading
            .time(&at.field("occurred_at"), wire.occurred_at)
            .map(|time| reading.not_ahead(&at.field("occurred_at"), time)),
        author: author(reading, &at.field("author"), wire.author),
        targets: targets(reading, at, wire.targets),
        content_types: content_types(reading, at, wire.content_types),
        context: context(
            reading,
            &at.field("context"),
            wire.context.unwrap_or_default(),
        ),
        audience: reading.open(&at.field("audience"), wire.audience),
        publication_state: reading.open(&at.field("publication_state"), wire.publication_state),
        detection_source: reading.open(&at.field("detection_source"), wire.detection_source),
        report: wire
            .report
            .map(|wire| report(reading, &at.field("report"), wire)),
        data_region: reading.region(&at.field("data_region"), &wire.data_region),
        facts: facts(reading, at, wire.facts),
    })
}

/// Reads a subject. Fails only where it has no id.
pub(crate) fn subject(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    wire: v1::Subject,
) -> Result<Subject, Invalid> {
    Ok(Subject {
        kind: reading.open_expected(&at.field("kind"), wire.kind),
        id: required(&at.field("id"), wire.id, SubjectId::new)?,
        revision: wire.revision,
    })
}

fn content_types(reading: &mut Reading<'_>, at: &Path<'_>, wire: Vec<i32>) -> Vec<ContentType> {
    let at = at.field("content_types");
    if wire.len() > MAX_CONTENT_TYPES {
        reading.note(&at, Problem::LimitExceeded);
    }
    wire.into_iter()
        .take(MAX_CONTENT_TYPES)
        .map(|number| reading.open(&at, number))
        .collect()
}

fn context(reading: &mut Reading<'_>, at: &Path<'_>, wire: v1::Context) -> Context {
    Context {
        parent: reading.optional(&at.field("parent_id"), wire.parent_id, SubjectId::new),
        root: reading.optional(&at.field("root_id"), wire.root_id, SubjectId::new),
        relation: reading.open(&at.field("relation"), wire.relation),
        conversation_id: reading.optional(
            &at.field("conversation_id"),
            wire.conversation_id,
            SubjectId::new,
        ),
        community_id: reading.optional(
            &at.field("community_id"),
            wire.community_id,
            SubjectId::new,
        ),
    }
}

fn report(reading: &mut Reading<'_>, at: &Path<'_>, wire: v1::Report) -> Report {
    let mut reason = wire.reason;
    if reason.len() > MAX_REASON_BYTES {
        reading.note(&at.field("reason"), Problem::LimitExceeded);
        reason = String::new();
    }
    Report {
        reporter: reading.optional(&at.field("reporter_id"), wire.reporter_id, AccountId::new),
        reason,
        channel: reading.open(&at.field("channel"), wire.channel),
    }
}

fn facts(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    wire: BTreeMap<String, v1::Fact>,
) -> BTreeMap<FactName, Fact> {
    let at = at.field("facts");
    if wire.len() > reading.limits.max_facts {
        reading.note(&at, Problem::LimitExceeded);
    }
    let mut facts = BTreeMap::new();
    for (name, wire) in wire.into_iter().take(reading.limits.max_facts) {
        match required(&at, name, FactName::new) {
            Ok(name) => {
                if let Some(fact) = fact(reading, &at, wire) {
                    facts.insert(name, fact);
                }
            }
            Err(invalid) => reading.note(&at, invalid.problem),
        }
    }
    facts
}

fn fact(reading: &mut Reading<'_>, at: &Path<'_>, wire: v1::Fact) -> Option<Fact> {
    use v1::fact::Value;

    let value = match wire.value {
        Some(Value::Flag(flag)) => FactValue::Flag(flag),
        Some(Value::Integer(integer)) => FactValue::Integer(integer),
        Some(Value::Number(number)) if number.is_finite() => FactValue::Number(number),
        Some(Value::Number(_)) => {
            reading.note(at, Problem::OutOfRange);
            return None;
        }
        Some(Value::Text(text)) if text.len() <= MAX_FACT_BYTES => FactValue::Text(text),
        Some(Value::Text(_)) => {
            reading.note(at, Problem::LimitExceeded);
            return None;
        }
        None => {
            reading.note(at, Problem::Unreadable);
            return None;
        }
    };
    let mut source = wire.source;
    if source.len() > MAX_FACT_BYTES {
        reading.note(at, Problem::LimitExceeded);
        source = String::new();
    }
    Some(Fact {
        value,
        source,
        as_of: reading.time(at, wire.as_of),
    })
}

impl From<&Event> for v1::Event {
    fn from(event: &Event) -> Self {
        Self {
            event_id: event.event_id.as_str().to_owned(),
            subject: Some((&event.subject).into()),
            kind: event.kind.number(),
            surface: event.surface.number(),
            occurred_at: event.occurred_at.map(timestamp_to_wire),
            author: event.author.as_ref().map(Into::into),
            targets: event.targets.iter().map(Into::into).collect(),
            content_types: event
                .content_types
                .iter()
                .map(|word| word.number())
                .collect(),
            context: context_to_wire(&event.context),
            audience: event.audience.number(),
            publication_state: event.publication_state.number(),
            detection_source: event.detection_source.number(),
            report: event.report.as_ref().map(Into::into),
            data_region: event
                .data_region
                .map(|region| region.as_str().to_owned())
                .unwrap_or_default(),
            facts: event
                .facts
                .iter()
                .map(|(name, fact)| (name.as_str().to_owned(), fact.into()))
                .collect(),
        }
    }
}

impl From<&Subject> for v1::Subject {
    fn from(subject: &Subject) -> Self {
        Self {
            kind: subject.kind.number(),
            id: subject.id.as_str().to_owned(),
            revision: subject.revision,
        }
    }
}

fn context_to_wire(context: &Context) -> Option<v1::Context> {
    let id = |id: &Option<SubjectId>| {
        id.as_ref()
            .map_or_else(String::new, |id| id.as_str().to_owned())
    };
    (*context != Context::default()).then(|| v1::Context {
        parent_id: id(&context.parent),
        root_id: id(&context.root),
        relation: context.relation.number(),
        conversation_id: id(&context.conversation_id),
        community_id: id(&context.community_id),
    })
}

impl From<&Report> for v1::Report {
    fn from(report: &Report) -> Self {
        Self {
            reporter_id: report
                .reporter
                .as_ref()
                .map_or_else(String::new, |id| id.as_str().to_owned()),
            reason: report.reason.clone(),
            channel: report.channel.number(),
        }
    }
}

impl From<&Fact> for v1::Fact {
    fn from(fact: &Fact) -> Self {
        use v1::fact::Value;

        Self {
            value: Some(match &fact.value {
                FactValue::Flag(flag) => Value::Flag(*flag),
                FactValue::Integer(integer) => Value::Integer(*integer),
                FactValue::Number(number) => Value::Number(*number),
                FactValue::Text(text) => Value::Text(text.clone()),
            }),
            source: fact.source.clone(),
            as_of: fact.as_of.map(timestamp_to_wire),
        }
    }
}

impl TryFrom<v1::Event> for Event {
    type Error = Invalid;

    /// Refuses what a lenient reading would replace, leave out or cut off.
    fn try_from(wire: v1::Event) -> Result<Self, Invalid> {
        crate::strict(|reading| event(reading, &Path::ROOT, wire))
    }
}

impl TryFrom<v1::Subject> for Subject {
    type Error = Invalid;

    fn try_from(wire: v1::Subject) -> Result<Self, Invalid> {
        crate::strict(|reading| subject(reading, &Path::ROOT, wire))
    }
}
