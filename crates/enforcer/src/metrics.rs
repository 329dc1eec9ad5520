//! The enforcer's metrics. The only file of this crate that names metrics.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use moderation::{
    ActionKind, Decided, Flag, MatchedRule, Operation, PolicyVersion, RuleId, Timestamp, Trigger,
};

const DECISIONS: &str = "tidegate_enforcer_decisions_total";
const ACTIONS: &str = "tidegate_enforcer_actions_total";
const REVIEWS: &str = "tidegate_enforcer_review_requests_total";
const MATCHES: &str = "tidegate_enforcer_rule_matches_total";
const FLAGS: &str = "tidegate_enforcer_flagged_decisions_total";
const STEP_DURATION: &str = "tidegate_enforcer_step_duration_seconds";
const EVENT_AGE: &str = "tidegate_enforcer_event_age_seconds";
const POLICY_VERSION: &str = "tidegate_enforcer_policy_version";
const POLICY_REFUSALS: &str = "tidegate_enforcer_policy_refusals_total";

fn describe() {
    describe_counter!(DECISIONS, "Decisions made, by what follows from them.");
    describe_counter!(
        ACTIONS,
        "Enforcement actions published, by kind and operation."
    );
    describe_counter!(REVIEWS, "Review requests published.");
    describe_counter!(
        MATCHES,
        "Rules that matched, by rule, trigger and whether they acted."
    );
    describe_counter!(FLAGS, "Decisions about events that were unusual, by flag.");
    describe_histogram!(
        STEP_DURATION,
        Unit::Seconds,
        "Time that one record spends in a step of the enforcer."
    );
    describe_histogram!(
        EVENT_AGE,
        Unit::Seconds,
        "Age of an event when it is decided, from the broker's timestamp."
    );
    describe_gauge!(
        POLICY_VERSION,
        "Policy version under which this replica decides."
    );
    describe_counter!(
        POLICY_REFUSALS,
        "Policy versions that this replica could not compile."
    );
}

/// Handles for what is counted with every record, looked up once.
pub(crate) struct DeciderMetrics {
    decode: Histogram,
    policy: Histogram,
    event_age: Histogram,
    no_action: Counter,
    shadow_only: Counter,
    review_only: Counter,
    acted: Counter,
    reviews: Counter,
    actions: HashMap<(ActionKind, Operation), Counter>,
    flags: HashMap<Flag, Counter>,
    matches: HashMap<(RuleId, Trigger, bool), Counter>,
}

impl DeciderMetrics {
    pub(crate) fn new() -> Self {
        describe();
        Self {
            decode: histogram!(STEP_DURATION, "step" => "decode"),
            policy: histogram!(STEP_DURATION, "step" => "policy"),
            event_age: histogram!(EVENT_AGE),
            no_action: counter!(DECISIONS, "outcome" => "no_action"),
            shadow_only: counter!(DECISIONS, "outcome" => "shadow_only"),
            review_only: counter!(DECISIONS, "outcome" => "review"),
            acted: counter!(DECISIONS, "outcome" => "action"),
            reviews: counter!(REVIEWS),
            actions: HashMap::new(),
            flags: HashMap::new(),
            matches: HashMap::new(),
        }
    }

    /// Notes that work on a record begins.
    pub(crate) fn start(&self) -> Instant {
        Instant::now()
    }

    /// Counts the time since `started` as decoding, and returns now.
    pub(crate) fn decoded(&self, started: Instant) -> Instant {
        let now = Instant::now();
        self.decode.record(now - started);
        now
    }

    /// Counts a decision and all that follows from it.
    pub(crate) fn decided(&mut self, decoded: Instant, decided: &Decided) {
        self.policy.record(decoded.elapsed());
        self.event_age.record(age(decided.decision.evaluation_time));
        self.outcome(decided).increment(1);
        self.reviews.increment(u64::from(decided.review.is_some()));
        for action in &decided.actions {
            let key = (action.kind, action.operation);
            let counter = self.actions.entry(key).or_insert_with(
                || counter!(ACTIONS, "kind" => key.0.as_str(), "operation" => key.1.as_str()),
            );
            counter.increment(1);
        }
        for flag in &decided.decision.flags {
            let counter = self
                .flags
                .entry(*flag)
                .or_insert_with(|| counter!(FLAGS, "flag" => flag.as_str()));
            counter.increment(1);
        }
        for matched in &decided.decision.matched {
            self.matched(matched);
        }
    }

    fn outcome(&self, decided: &Decided) -> &Counter {
        if !decided.actions.is_empty() {
            &self.acted
        } else if decided.review.is_some() {
            &self.review_only
        } else if !decided.decision.matched.is_empty() {
            &self.shadow_only
        } else {
            &self.no_action
        }
    }

    fn matched(&mut self, matched: &MatchedRule) {
        let key = (matched.rule_id.clone(), matched.trigger, matched.enforced);
        let counter = self.matches.entry(key).or_insert_with(|| {
            counter!(
                MATCHES,
                "rule" => matched.rule_id.to_string(),
                "trigger" => trigger_label(matched.trigger),
                "enforced" => if matched.enforced { "true" } else { "false" },
            )
        });
        counter.increment(1);
    }
}

fn trigger_label(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Score => "score",
        Trigger::MissingReview => "missing_review",
        Trigger::MissingInterim => "missing_interim",
        Trigger::UnsupportedReview => "unsupported_review",
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an age is shown, never decided by"
)]
fn age(evaluation_time: Timestamp) -> Duration {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let then = Duration::from_millis(u64::try_from(evaluation_time.as_millis()).unwrap_or(0));
    now.saturating_sub(then)
}

/// What this replica tells about the policy it serves.
pub(crate) struct PolicyMetrics {
    version: Gauge,
    refusals: Counter,
}

impl PolicyMetrics {
    pub(crate) fn new() -> Self {
        describe();
        Self {
            version: gauge!(POLICY_VERSION),
            refusals: counter!(POLICY_REFUSALS),
        }
    }

    /// Shows the version that serves.
    pub(crate) fn serving(&self, version: PolicyVersion) {
        self.version.set(version.0 as f64);
    }

    /// Counts a version that does not compile.
    pub(crate) fn refused(&self) {
        self.refusals.increment(1);
    }
}
