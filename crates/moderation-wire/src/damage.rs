//! What a record lost on the way to being readable.

use moderation::{Flag, PartCondition};
use prost_reflect::FieldDescriptor;

use crate::reading::Reading;

/// What was lost of a whole record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Whether anything at all was lost.
    pub(crate) any: bool,
    /// Parts whose content was lost, by index and in order.
    pub(crate) parts: Vec<(usize, PartCondition)>,
    /// Scores that lost something, by index and in order.
    pub(crate) scores: Vec<usize>,
    /// Whether there may have been parts that are not there any more.
    pub(crate) parts_lost: bool,
    /// Whether a list was longer than anybody wants to read.
    pub(crate) surplus: bool,
}

impl Damage {
    /// Notes what one field of the record, or one element of a list, lost.
    pub(crate) fn note_element(&mut self, field: &str, index: usize, lost: Lost) {
        self.any |= lost.worst.is_some();
        match (field, lost.content, lost.worst) {
            ("parts", Some(condition), _) => self.parts.push((index, condition)),
            ("scores", _, Some(_)) => self.scores.push(index),
            _ => {}
        }
    }

    /// Raises the flags that stand for the damage.
    pub(crate) fn raise(&self, reading: &mut Reading<'_>) {
        if self.any {
            reading.raise(Flag::Salvaged);
        }
        if self.surplus {
            reading.raise(Flag::LimitExceeded);
        }
    }
}

/// What was lost of one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// The worst of all losses.
    pub(crate) worst: Option<PartCondition>,
    /// The worst of those that a part cannot be scored without.
    pub(crate) content: Option<PartCondition>,
}

impl Lost {
    /// Says that nothing could be kept.
    pub(crate) fn all(condition: PartCondition) -> Self {
        Self {
            worst: Some(condition),
            content: Some(condition),
        }
    }

    /// Notes the loss of a field, or with `None` of nobody knows what.
    pub(crate) fn field(&mut self, field: Option<&FieldDescriptor>, condition: PartCondition) {
        worsen(&mut self.worst, condition);
        if field.is_none_or(is_content) {
            worsen(&mut self.content, condition);
        }
    }
}

fn worsen(loss: &mut Option<PartCondition>, condition: PartCondition) {
    // Bytes that are no text at all outweigh text in the wrong encoding.
    if *loss != Some(PartCondition::Malformed) {
        *loss = Some(condition);
    }
}

fn is_content(field: &FieldDescriptor) -> bool {
    field
        .containing_oneof()
        .is_some_and(|oneof| oneof.name() == "content")
}
