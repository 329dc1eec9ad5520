//! Content events to send, and nothing unusual about them.

use moderation::{
    Account, AccountId, AgeFacts, AgeState, Audience, ContentEvent, ContentType, DetectionSource,
    Event, EventId, EventKind, Part, PartContent, PartId, PartOrigin, PublicationState, Region,
    Subject, SubjectId, SubjectKind, Surface, UserText,
};

/// A text that the shipped model takes for spam.
pub const SPAM: &str = "CONGRATULATIONS! You have WON a free prize. Claim your cash reward now, \
    call 0900 123 456 or text WIN to 80085, subscribe to my channel and check out my free money link!!!";
/// A text that no model objects to.
pub const HARMLESS: &str =
    "The bread came out of the oven at seven and the whole street smelled of it.";

/// Makes a public comment by an adult.
pub fn comment(event_id: &str, text: &str) -> ContentEvent {
    let subject = Subject {
        kind: SubjectKind::Content,
        id: SubjectId::new(format!("c-{event_id}")).expect("a sample's id is valid"),
        revision: 0,
    };
    let event_id = EventId::new(event_id).expect("a sample's id is valid");
    let event = Event {
        kind: EventKind::Publish,
        surface: Surface::Comment,
        author: Some(adult("author-1")),
        content_types: vec![ContentType::Text],
        audience: Audience::Public,
        publication_state: PublicationState::Published,
        detection_source: DetectionSource::OwnInitiative,
        ..Event::identified(event_id, subject)
    };
    let part = Part {
        part_id: PartId::new("body").expect("a sample's id is valid"),
        origin: PartOrigin::Body,
        content: PartContent::Text(UserText::new(text)),
        declared_language: None,
    };
    ContentEvent {
        event,
        parts: vec![part],
        flags: Vec::new(),
    }
}

/// Makes an account of an adult whose age was checked.
pub fn adult(account_id: &str) -> Account {
    Account {
        account_id: AccountId::new(account_id).expect("a sample's id is valid"),
        region: Region::new("DE").ok(),
        created_at: None,
        age: AgeFacts {
            assured_years: Some(34),
            state: AgeState::Assured,
            ..AgeFacts::default()
        },
    }
}
