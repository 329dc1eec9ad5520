//! One object's versions and the one that serves.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::entry::SkipReason;
use crate::versioned::Versioned;

/// How much of the past is kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// What serves: all that a stage needs.
    HeadsOnly,
    /// Every version.
    Full,
}

/// The versions of one object.
///
/// A version above the head is only prepared: it serves nobody, is not listed, and may be replaced until a head with
/// its number makes it immutable. That is how a write that stopped half-way leaves no trace.
#[derive(Clone, Debug)]
pub struct Lineage<V, T> {
    versions: BTreeMap<V, Arc<Versioned<V, T>>>,
    head: Option<Arc<Versioned<V, T>>>,
}

impl<V, T> Default for Lineage<V, T> {
    fn default() -> Self {
        Self {
            versions: BTreeMap::new(),
            head: None,
        }
    }
}

impl<V: Copy + Ord, T: PartialEq> Lineage<V, T> {
    /// Returns what serves.
    pub fn head(&self) -> Option<&Arc<Versioned<V, T>>> {
        self.head.as_ref()
    }

    /// Returns what stands under a number; nothing above the head, nor anything old where no history is kept.
    pub fn get(&self, version: V) -> Option<&Arc<Versioned<V, T>>> {
        let head = self.head.as_ref()?;
        if version == head.version {
            return Some(head);
        }
        self.versions
            .get(&version)
            .filter(|_| version < head.version)
    }

    /// Iterates over the head and what came before it, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Arc<Versioned<V, T>>> {
        let head = self.head.as_ref();
        head.into_iter().flat_map(|head| {
            let older = self.versions.range(..head.version).rev();
            std::iter::once(head).chain(older.map(|(_, versioned)| versioned))
        })
    }

    pub(crate) fn record(
        &mut self,
        versioned: Versioned<V, T>,
        history: History,
    ) -> Result<(), SkipReason> {
        if history == History::HeadsOnly {
            return Ok(());
        }
        match self.get(versioned.version) {
            Some(known) if **known != versioned => Err(SkipReason::Conflict),
            Some(_) => Ok(()),
            None => {
                self.versions.insert(versioned.version, Arc::new(versioned));
                Ok(())
            }
        }
    }

    /// Returns whether the head moved.
    pub(crate) fn move_head(
        &mut self,
        versioned: Versioned<V, T>,
        history: History,
    ) -> Result<bool, SkipReason> {
        match &self.head {
            Some(head) if head.version > versioned.version => return Err(SkipReason::WentBack),
            Some(head) if head.version == versioned.version => {
                let is_same = **head == versioned;
                return is_same.then_some(false).ok_or(SkipReason::Conflict);
            }
            _ => {}
        }
        let versioned = Arc::new(versioned);
        if history == History::Full {
            // The head is the authority: it is a full copy of what was accepted.
            self.versions
                .insert(versioned.version, Arc::clone(&versioned));
        }
        self.head = Some(versioned);
        Ok(true)
    }
}
