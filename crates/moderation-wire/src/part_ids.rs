//! Ids of parts, unique within their record.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use moderation::PartId;

use crate::invalid::{Path, Problem};
use crate::reading::Reading;

/// The ids given so far, so that each is given once.
///
/// Only their hashes are kept. Two ids that collide count as the same, and the later one gets a substitute: harmless,
/// and nothing that whoever chose the ids gains by.
#[derive(Default)]
pub(crate) struct PartIds(BTreeSet<u64>);

impl PartIds {
    /// Starts with ids that are given already.
    pub(crate) fn of<'a>(ids: impl Iterator<Item = &'a PartId>) -> Self {
        Self(ids.map(hash).collect())
    }

    /// Takes the producer's id, or a substitute by position where it is none or given already.
    pub(crate) fn take(
        &mut self,
        reading: &mut Reading<'_>,
        at: &Path<'_>,
        id: String,
        index: usize,
    ) -> PartId {
        let problem = match PartId::new(id) {
            Ok(id) if self.0.insert(hash(&id)) => return id,
            Ok(_) => Problem::Repeated,
            Err(moderation::InvalidIdentifier::Empty(_)) => Problem::Missing,
            Err(error) => error.into(),
        };
        reading.note(&at.field("part_id"), problem);
        self.unused(&format!("part-{index}"))
    }

    /// Takes `base`, or with a number behind where that is given already.
    pub(crate) fn unused(&mut self, base: &str) -> PartId {
        let numbered = (2_u64..).map(|number| format!("{base}-{number}"));
        std::iter::once(base.to_owned())
            .chain(numbered)
            .map(|name| PartId::new(name).expect("a short word with digits is an id"))
            .find(|id| self.0.insert(hash(id)))
            .expect("there are more numbers than parts")
    }
}

fn hash(id: &PartId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
