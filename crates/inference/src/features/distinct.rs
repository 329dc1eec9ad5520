//! Step 5: each feature counts once a window, so that saying a thing often neither raises nor dilutes a score.

/// Remembers which rows the current window has, without clearing a table for each window.
#[derive(Default)]
pub(super) struct SeenRows {
    /// For each row, the number of the last window that had it.
    windows: Vec<u8>,
    current: u8,
}

impl SeenRows {
    /// Drops repeats from `ids[start..]`, all of them below `rows`; the first of each stays in its place.
    pub(super) fn keep_first(&mut self, rows: usize, ids: &mut Vec<i32>, start: usize) {
        self.begin_window(rows);
        let mut kept = start;
        for at in start..ids.len() {
            let id = ids[at];
            let seen = &mut self.windows[id as usize];
            if *seen != self.current {
                *seen = self.current;
                ids[kept] = id;
                kept += 1;
            }
        }
        ids.truncate(kept);
    }

    fn begin_window(&mut self, rows: usize) {
        if self.windows.len() != rows || self.current == u8::MAX {
            self.windows.clear();
            self.windows.resize(rows, 0);
            self.current = 0;
        }
        self.current += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_agrees(windows in prop::collection::vec(prop::collection::vec(0_i32..16, 0..40), 0..600)) {
            let mut seen = SeenRows::default();
            let mut ids = Vec::new();
            for window in windows {
                let start = ids.len();
                ids.extend_from_slice(&window);
                seen.keep_first(16, &mut ids, start);
                let mut set = HashSet::new();
                let expected: Vec<i32> = window.into_iter().filter(|id| set.insert(*id)).collect();
                prop_assert_eq!(&ids[start..], expected.as_slice());
            }
        }
    }
}
