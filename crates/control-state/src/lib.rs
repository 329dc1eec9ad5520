//! Following the control topic, and telling what this replica serves.
