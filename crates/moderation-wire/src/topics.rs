//! Names of topics.

/// The names of all topics under one prefix.
///
/// `content`, `content_urgent`, `scores` and `decisions` are keyed by content subject, `actions` by the action's own,
/// `review` by the subject to look at, `replicas` by replica id, `control` by what its proto says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// What users said and did, with text.
    pub content: String,
    /// The same, for what must not wait behind the rest.
    pub content_urgent: String,
    /// Events without text, with what models say of them.
    pub scores: String,
    /// What the policy says of each event.
    pub decisions: String,
    /// What the platform must do, or undo.
    pub actions: String,
    /// What a person must look at.
    pub review: String,
    /// What could not be read, byte by byte, with text.
    pub dead_letter: String,
    /// Policies and deployments. Compacted, one partition.
    pub control: String,
    /// Who changed what and why. One partition, kept for ever.
    pub audit: String,
    /// Heartbeats. One partition.
    pub replicas: String,
    /// Reserved: actions before the brakes.
    pub proposed: String,
    /// Reserved: actions that the brakes hold back.
    pub held: String,
    /// Reserved: what the platform reports back of actions.
    pub receipts: String,
    /// Reserved: what reviewers found.
    pub verdicts: String,
}

impl Topics {
    /// The prefix of an installation that has only one.
    pub const DEFAULT_PREFIX: &'static str = "tidegate";

    /// Returns [`DEFAULT_PREFIX`](Self::DEFAULT_PREFIX) as configurations own it.
    pub fn default_prefix() -> String {
        Self::DEFAULT_PREFIX.to_owned()
    }

    /// Names the topics `prefix.content` and so on.
    pub fn new(prefix: &str) -> Self {
        let name = |topic: &str| format!("{prefix}.{topic}");
        Self {
            content: name("content"),
            content_urgent: name("content-urgent"),
            scores: name("scores"),
            decisions: name("decisions"),
            actions: name("actions"),
            review: name("review"),
            dead_letter: name("dead-letter"),
            control: name("control"),
            audit: name("audit"),
            replicas: name("replicas"),
            proposed: name("proposed"),
            held: name("held"),
            receipts: name("receipts"),
            verdicts: name("verdicts"),
        }
    }
}

impl Default for Topics {
    fn default() -> Self {
        Self::new(Self::DEFAULT_PREFIX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_the_prefix() {
        assert_eq!(Topics::default().content_urgent, "tidegate.content-urgent");
        assert_eq!(Topics::new("blue").dead_letter, "blue.dead-letter");
    }
}
