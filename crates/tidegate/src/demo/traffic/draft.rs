//! An event in the making, as a producer would write it, with its truth.

use std::collections::BTreeMap;

use moderation_wire::v1;
use v1::part::Content;

use super::people::Person;
use super::truth::{Truth, Violation};

/// An event and its truth.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) record: v1::ContentEvent,
    pub(super) truth: Truth,
}

/// The id of the event of an index, which the oracle reads back.
pub(crate) fn event_id(index: u64) -> String {
    format!("e-{index}")
}

/// Makes a part of text.
pub(super) fn text_part(origin: v1::PartOrigin, text: String, declared_language: &str) -> v1::Part {
    v1::Part {
        part_id: String::new(),
        origin: origin.into(),
        content: Some(Content::Text(text)),
        declared_language: declared_language.to_owned(),
    }
}

impl Draft {
    /// Starts something published.
    pub(super) fn content(
        index: u64,
        scenario: &'static str,
        surface: v1::Surface,
        author: &Person,
    ) -> Self {
        Self::new(
            index,
            scenario,
            subject(v1::SubjectKind::Content, format!("c-{index}")),
            surface,
            author,
        )
    }

    /// Starts something that happens to an account.
    pub(super) fn account(
        index: u64,
        scenario: &'static str,
        surface: v1::Surface,
        account: &Person,
        author: &Person,
    ) -> Self {
        Self::new(
            index,
            scenario,
            subject(v1::SubjectKind::Account, account.id()),
            surface,
            author,
        )
    }

    /// Starts a stretch of a live stream.
    pub(super) fn live(index: u64, author: &Person, stream: u64) -> Self {
        let session = subject(v1::SubjectKind::LiveSession, format!("live-{stream}"));
        Self::new(index, "live_segment", session, v1::Surface::Live, author)
            .of_kind(v1::EventKind::LiveSegment)
    }

    /// Starts a private message.
    pub(super) fn message(
        index: u64,
        scenario: &'static str,
        author: &Person,
        recipient: &Person,
        relationship: v1::Relationship,
    ) -> Self {
        let mut draft = Self::content(index, scenario, v1::Surface::DirectMessage, author)
            .of_kind(v1::EventKind::Message)
            .seen_by(v1::Audience::Participants);
        draft.aim(recipient, v1::TargetRole::Recipient, relationship);
        let (one, other) = (
            author.number.min(recipient.number),
            author.number.max(recipient.number),
        );
        draft
            .event()
            .context
            .get_or_insert_default()
            .conversation_id = format!("dm-{one}-{other}");
        draft
    }

    fn new(
        index: u64,
        scenario: &'static str,
        subject: v1::Subject,
        surface: v1::Surface,
        author: &Person,
    ) -> Self {
        let event = v1::Event {
            event_id: event_id(index),
            subject: Some(subject),
            kind: v1::EventKind::Publish.into(),
            surface: surface.into(),
            occurred_at: None,
            author: Some(author.account()),
            targets: Vec::new(),
            content_types: vec![v1::ContentType::Text.into()],
            context: None,
            audience: v1::Audience::Public.into(),
            publication_state: v1::PublicationState::Published.into(),
            detection_source: v1::DetectionSource::OwnInitiative.into(),
            report: None,
            data_region: if author.region.starts_with("US") {
                "US"
            } else {
                "IE"
            }
            .to_owned(),
            facts: BTreeMap::new(),
        };
        let truth = Truth {
            scenario,
            violation: None,
            actor: Some(author.number),
            target: None,
            age_band: author.band(),
        };
        Self {
            record: v1::ContentEvent {
                event: Some(event),
                parts: Vec::new(),
            },
            truth,
        }
    }

    pub(super) fn event(&mut self) -> &mut v1::Event {
        self.record.event.get_or_insert_default()
    }

    pub(super) fn surface(&mut self) -> v1::Surface {
        self.event().surface()
    }

    pub(super) fn of_kind(mut self, kind: v1::EventKind) -> Self {
        self.event().kind = kind.into();
        self
    }

    pub(super) fn seen_by(mut self, audience: v1::Audience) -> Self {
        self.event().audience = audience.into();
        self
    }

    pub(super) fn violating(mut self, violation: Option<Violation>) -> Self {
        self.truth.violation = violation;
        self
    }

    pub(super) fn aim(
        &mut self,
        target: &Person,
        role: v1::TargetRole,
        relationship: v1::Relationship,
    ) {
        self.event().targets.push(target.target(role, relationship));
        self.truth.target = Some(target.number);
        self.truth.age_band = target.band();
    }

    pub(super) fn reply(&mut self, parent: String) {
        let context = self.event().context.get_or_insert_default();
        context.parent_id = parent.clone();
        context.root_id = parent;
        context.relation = v1::ContextRelation::Reply.into();
    }

    pub(super) fn fact(&mut self, name: &str, value: i64) {
        let fact = v1::Fact {
            value: Some(v1::fact::Value::Integer(value)),
            source: "platform".to_owned(),
            as_of: None,
        };
        self.event().facts.insert(name.to_owned(), fact);
    }

    pub(super) fn push_part(&mut self, mut part: v1::Part) {
        part.part_id = format!("p{}", self.record.parts.len());
        self.record.parts.push(part);
    }

    pub(super) fn push_media(&mut self) {
        let media = match self.surface() {
            v1::Surface::Video => v1::ContentType::Video,
            _ => v1::ContentType::Image,
        };
        self.event().content_types.push(media.into());
        let reference = format!("media://{}", self.event().event_id);
        self.push_part(v1::Part {
            part_id: String::new(),
            origin: v1::PartOrigin::Media.into(),
            content: Some(Content::Reference(reference)),
            declared_language: String::new(),
        });
    }
}

fn subject(kind: v1::SubjectKind, id: String) -> v1::Subject {
    v1::Subject {
        kind: kind.into(),
        id,
        revision: 0,
    }
}
