//! Puts results back into the order of their records.

use std::collections::VecDeque;

/// Holds results that are ahead of their turn.
///
/// Places are dense numbers from 0. The buffer is as long as the span between the oldest missing place and the
/// furthest result, which the in-flight budget bounds.
#[derive(Debug)]
pub struct ReorderBuffer<T> {
    /// `waiting[i]` is the result for place `next + i`.
    waiting: VecDeque<Option<T>>,
    next: u64,
    held: usize,
}

impl<T> Default for ReorderBuffer<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            next: 0,
            held: 0,
        }
    }
}

impl<T> ReorderBuffer<T> {
    /// Takes the result for `place`.
    ///
    /// # Errors
    /// Hands the result back if the place was taken before: the caller finished one record twice.
    pub fn insert(&mut self, place: u64, result: T) -> Result<(), T> {
        let Some(index) = place.checked_sub(self.next) else {
            return Err(result);
        };
        let index = index as usize;
        if index >= self.waiting.len() {
            self.waiting.resize_with(index + 1, || None);
        }
        match &mut self.waiting[index] {
            Some(_) => Err(result),
            empty => {
                *empty = Some(result);
                self.held += 1;
                Ok(())
            }
        }
    }

    /// Returns the next result in order, if it is there.
    pub fn pop_ready(&mut self) -> Option<T> {
        let ready = self.waiting.front_mut()?.take()?;
        self.waiting.pop_front();
        self.next += 1;
        self.held -= 1;
        Some(ready)
    }

    /// Returns the place whose result comes next: all places below it have been popped.
    pub fn next_place(&self) -> u64 {
        self.next
    }

    /// Returns how many results are held.
    pub fn len(&self) -> usize {
        self.held
    }

    /// Returns whether no result is held.
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Removes and returns all results that are held, in order, ready or not.
    pub fn drain(&mut self) -> impl Iterator<Item = T> {
        self.held = 0;
        std::mem::take(&mut self.waiting).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_sorted_map(places in prop::collection::vec(0_u64..40, 0..120)) {
            let mut buffer = ReorderBuffer::default();
            let mut model = BTreeMap::new();
            let mut next = 0;
            for place in places {
                let fresh = place >= next && !model.contains_key(&place);
                prop_assert_eq!(buffer.insert(place, place).is_ok(), fresh);
                if fresh {
                    model.insert(place, place);
                }
                prop_assert_eq!(buffer.len(), model.len());
                // Popping only now and then leaves results that are ready among those that are not.
                if place % 3 == 0 {
                    while let Some(expected) = model.remove(&next) {
                        prop_assert_eq!(buffer.pop_ready(), Some(expected));
                        next += 1;
                    }
                    prop_assert_eq!(buffer.pop_ready(), None);
                }
                prop_assert_eq!(buffer.next_place(), next);
            }
            prop_assert_eq!(buffer.drain().collect::<Vec<_>>(), model.into_values().collect::<Vec<_>>());
            prop_assert!(buffer.is_empty());
        }
    }
}
