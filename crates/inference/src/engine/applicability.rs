//! Which events a text model has something to say about.

use moderation::{
    ContentEvent, DetectionSource, DirectMessageScope, Event, EventKind, PartContent, Surface,
};

/// Returns whether the event's texts are to be scored. A kind or surface that this version does not know is.
pub(crate) fn is_applicable(event: &Event, direct_messages: DirectMessageScope) -> bool {
    let has_content = !matches!(
        event.kind,
        EventKind::React | EventKind::Follow | EventKind::Delete
    );
    let is_private = event.surface == Surface::DirectMessage
        && direct_messages == DirectMessageScope::Reported
        && !is_reported(event);
    has_content && !is_private
}

/// Returns whether a model must run; the rest is finished where it stands.
pub(crate) fn needs_a_model(content: &ContentEvent, direct_messages: DirectMessageScope) -> bool {
    let is_text = |content: &PartContent| matches!(content, PartContent::Text(_));
    content.parts.iter().any(|part| is_text(&part.content))
        && is_applicable(&content.event, direct_messages)
}

fn is_reported(event: &Event) -> bool {
    event.kind == EventKind::Report
        || match event.detection_source {
            DetectionSource::UserReport
            | DetectionSource::TrustedFlagger
            | DetectionSource::Authority
            | DetectionSource::Appeal => true,
            DetectionSource::OwnInitiative | DetectionSource::Unrecognised => false,
        }
}

#[cfg(test)]
mod tests {
    use moderation::{EventId, Subject, SubjectId, SubjectKind};

    use super::*;

    #[test]
    fn applicability_follows_kind_surface_and_scope() {
        use DirectMessageScope::{All, Reported};
        let check = |kind, surface, source, scope, expected| {
            let mut event = Event::identified(
                EventId::new("e").unwrap(),
                Subject {
                    kind: SubjectKind::Content,
                    id: SubjectId::new("s").unwrap(),
                    revision: 0,
                },
            );
            event.kind = kind;
            event.surface = surface;
            event.detection_source = source;
            let found = is_applicable(&event, scope);
            assert_eq!(found, expected, "{kind} {surface} {source} {scope}");
        };
        let own = DetectionSource::OwnInitiative;
        check(EventKind::Publish, Surface::Comment, own, Reported, true);
        check(
            EventKind::Unrecognised,
            Surface::Unrecognised,
            own,
            Reported,
            true,
        );
        check(EventKind::React, Surface::Comment, own, All, false);
        check(EventKind::Follow, Surface::Profile, own, All, false);
        check(EventKind::Delete, Surface::Comment, own, All, false);
        check(
            EventKind::Message,
            Surface::DirectMessage,
            own,
            Reported,
            false,
        );
        check(
            EventKind::Message,
            Surface::DirectMessage,
            DetectionSource::Unrecognised,
            Reported,
            false,
        );
        check(EventKind::Message, Surface::DirectMessage, own, All, true);
        check(
            EventKind::Report,
            Surface::DirectMessage,
            own,
            Reported,
            true,
        );
        for source in [
            DetectionSource::UserReport,
            DetectionSource::TrustedFlagger,
            DetectionSource::Authority,
            DetectionSource::Appeal,
        ] {
            check(
                EventKind::Message,
                Surface::DirectMessage,
                source,
                Reported,
                true,
            );
        }
    }
}
