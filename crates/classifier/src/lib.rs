//! The classifier stage: content events in, scored events out.
