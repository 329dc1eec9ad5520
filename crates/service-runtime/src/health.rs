//! Readiness: named conditions, each with the reason why it does not hold yet.

use std::{borrow::Cow, sync::Arc};

use serde::Serialize;
use tokio::sync::watch;

/// Stands for a service that has registered no condition yet: until it does, nobody knows what it waits for.
const UNDECLARED: &str = "declared";

/// Every readiness condition of a process. Conditions are only ever added, so an index stays valid.
#[derive(Debug, Clone)]
pub(crate) struct Readiness {
    conditions: Arc<watch::Sender<Vec<Condition>>>,
}

/// One condition as `/ready` shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Condition {
    service: &'static str,
    condition: &'static str,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'static, str>>,
}

impl Condition {
    fn unmet(service: &'static str, condition: &'static str, reason: Cow<'static, str>) -> Self {
        Self {
            service,
            condition,
            ready: false,
            reason: Some(reason),
        }
    }
}

impl Readiness {
    pub(crate) fn new() -> Self {
        Self {
            conditions: Arc::new(watch::Sender::new(Vec::new())),
        }
    }

    /// Holds readiness back until `service` registers its first condition.
    pub(crate) fn declare(&self, service: &'static str) {
        let reason = Cow::Borrowed("the service has not said yet what it waits for");
        let condition = Condition::unmet(service, UNDECLARED, reason);
        self.conditions
            .send_modify(|conditions| conditions.push(condition));
    }

    pub(crate) fn register(
        &self,
        service: &'static str,
        condition: &'static str,
        reason: Cow<'static, str>,
    ) -> ReadinessCondition {
        let added = Condition::unmet(service, condition, reason);
        let mut index = 0;
        self.conditions.send_modify(|conditions| {
            let undeclared = conditions
                .iter()
                .position(|known| known.service == service && known.condition == UNDECLARED);
            index = undeclared.unwrap_or(conditions.len());
            match undeclared {
                Some(index) => conditions[index] = added,
                None => conditions.push(added),
            }
        });
        ReadinessCondition {
            readiness: self.clone(),
            index,
        }
    }

    pub(crate) fn snapshot(&self) -> Vec<Condition> {
        self.conditions.borrow().clone()
    }

    /// Returns the names of a service's conditions that do not hold.
    pub(crate) fn unmet(&self, service: &str) -> Vec<&'static str> {
        let conditions = self.conditions.borrow();
        let unmet = conditions
            .iter()
            .filter(|known| known.service == service && !known.ready);
        unmet.map(|known| known.condition).collect()
    }

    /// Waits until every service but `except` is ready.
    pub(crate) async fn until_ready_except(&self, except: &'static str) {
        let mut changes = self.conditions.subscribe();
        let all_others_ready = |conditions: &Vec<Condition>| {
            conditions
                .iter()
                .all(|condition| condition.ready || condition.service == except)
        };
        if changes.wait_for(all_others_ready).await.is_err() {
            unreachable!("self holds the sender");
        }
    }
}

/// Whether every condition holds.
pub(crate) fn all_ready(conditions: &[Condition]) -> bool {
    conditions.iter().all(|condition| condition.ready)
}

/// One named condition of a service's readiness, for whoever knows whether it holds. May be used from any thread.
#[derive(Debug, Clone)]
pub struct ReadinessCondition {
    readiness: Readiness,
    index: usize,
}

impl ReadinessCondition {
    /// Marks the condition as met.
    pub fn set_ready(&self) {
        self.set(None);
    }

    /// Marks the condition as unmet; the reason is shown by `/ready` and must hold no user's text.
    pub fn set_not_ready(&self, reason: impl Into<Cow<'static, str>>) {
        self.set(Some(reason.into()));
    }

    /// Tells whether the condition is met.
    pub fn is_ready(&self) -> bool {
        self.readiness.conditions.borrow()[self.index].ready
    }

    fn set(&self, reason: Option<Cow<'static, str>>) {
        self.readiness.conditions.send_if_modified(|conditions| {
            let condition = &mut conditions[self.index];
            let is_changed = condition.reason != reason;
            condition.ready = reason.is_none();
            condition.reason = reason;
            is_changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(readiness: &Readiness, expected: &str) {
        let shown: Vec<String> = readiness
            .snapshot()
            .iter()
            .map(|known| match &known.reason {
                None => format!("{}/{} ready", known.service, known.condition),
                Some(reason) => format!("{}/{} {reason}", known.service, known.condition),
            })
            .collect();
        assert_eq!(shown.join(", "), expected);
    }

    #[test]
    fn a_service_is_unready_until_it_says_what_it_waits_for() {
        let readiness = Readiness::new();
        readiness.declare("a");
        check(
            &readiness,
            "a/declared the service has not said yet what it waits for",
        );
        let policy = readiness.register("a", "policy", "none yet".into());
        check(&readiness, "a/policy none yet");
        let broker = readiness.register("a", "broker", "not reached".into());
        policy.set_ready();
        check(&readiness, "a/policy ready, a/broker not reached");
        assert!(!all_ready(&readiness.snapshot()));
        broker.set_ready();
        assert!(all_ready(&readiness.snapshot()));
        policy.set_not_ready("withdrawn");
        check(&readiness, "a/policy withdrawn, a/broker ready");
        assert!(!policy.is_ready() && broker.is_ready());
        readiness.declare("b");
        assert_eq!(readiness.unmet("a"), ["policy"]);
        assert_eq!(readiness.unmet("b"), [UNDECLARED]);
    }

    #[tokio::test]
    async fn waiting_for_the_others_ends_when_the_last_of_them_is_ready() {
        let readiness = Readiness::new();
        readiness.declare("waiting");
        readiness.declare("a");
        let condition = readiness.register("a", "policy", "none yet".into());
        let waiting = readiness.until_ready_except("waiting");
        tokio::pin!(waiting);
        assert!(futures_poll(waiting.as_mut()).await.is_none());
        condition.set_ready();
        waiting.await;
    }

    /// Polls once.
    async fn futures_poll<F: Future + Unpin>(future: F) -> Option<F::Output> {
        tokio::select! { biased; output = future => Some(output), () = std::future::ready(()) => None }
    }
}
