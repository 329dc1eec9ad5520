//! Actions that rules ask for, as a set.

use super::addressing::Address;
use crate::policy::{CompiledRule, PolicyAction};
use crate::{ActionKind, ActionParameters, OverturnedAction, Severity, Timestamp};

/// One action, and all rules that asked for it or for what it covers.
pub(super) struct WantedAction<'a> {
    pub(super) kind: ActionKind,
    pub(super) address: Address,
    pub(super) parameters: ActionParameters,
    /// In the policy's order.
    pub(super) rules: Vec<&'a CompiledRule>,
    /// The worst severity among `rules`.
    severity: Severity,
}

impl<'a> WantedAction<'a> {
    pub(super) fn new(
        rule: &'a CompiledRule,
        action: &PolicyAction,
        address: Address,
        time: Timestamp,
    ) -> Self {
        Self {
            kind: action.kind,
            address,
            parameters: ActionParameters {
                until: action
                    .duration
                    .map(|duration| time.saturating_add(duration)),
                territories: action.territories.clone(),
                labels: action.label.iter().cloned().collect(),
                reason_code: Some(rule.reason.to_string()),
                features: action.feature.iter().cloned().collect(),
            },
            rules: vec![rule],
            severity: rule.severity,
        }
    }

    /// Returns whether the two are the same action, though perhaps not done in the same way.
    fn is_same_as(&self, other: &Self) -> bool {
        self.kind == other.kind && self.address == other.address
    }

    /// Returns whether doing this one leaves nothing for the other to do: removal covers what else limits the subject's
    /// visibility, termination covers suspension, unless the other lasts longer.
    fn covers(&self, other: &Self) -> bool {
        use ActionKind as K;
        let kind_covers = match self.kind {
            K::Remove => matches!(
                other.kind,
                K::Label
                    | K::Interstitial
                    | K::AgeRestrict
                    | K::Demote
                    | K::FilterForTarget
                    | K::Disable
            ),
            K::Terminate => other.kind == K::Suspend,
            _ => false,
        };
        let lasts = match (self.parameters.until, other.parameters.until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(others)) => own >= others,
        };
        kind_covers && lasts && self.address.subject == other.address.subject
    }

    /// Takes over the rules of an action that is the same or covered.
    fn take_rules(&mut self, other: &Self) {
        self.severity = self.severity.max(other.severity);
        for rule in &other.rules {
            if !self.rules.iter().any(|known| known.id == rule.id) {
                self.rules.push(rule);
            }
        }
    }

    /// Becomes both: the longer time, all territories, all labels and features, and the reason of the worst rule.
    fn merge(&mut self, other: Self) {
        let (own, others) = (&mut self.parameters, &other.parameters);
        own.until = match (own.until, others.until) {
            (Some(a), Some(b)) => Some(a.max(b)),
            _ => None,
        };
        own.territories = match (own.territories.is_empty(), others.territories.is_empty()) {
            (false, false) => united(&own.territories, &others.territories),
            _ => Vec::new(),
        };
        own.labels = united(&own.labels, &others.labels);
        own.features = united(&own.features, &others.features);
        self.take_rules(&other);
    }

    /// Shows the reason of the worst rule; of several such rules, that whose id comes first.
    fn settle(&mut self, order: impl Fn(&CompiledRule) -> usize) {
        let worst = self
            .rules
            .iter()
            .min_by_key(|rule| (std::cmp::Reverse(rule.severity), &rule.id));
        self.parameters.reason_code = worst.map(|rule| rule.reason.to_string());
        self.rules.sort_by_key(|rule| order(rule));
    }
}

/// Returns what is in either list, sorted, each once.
fn united<T: Clone + Ord>(own: &[T], others: &[T]) -> Vec<T> {
    let mut all = [own, others].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// Adds an action to the set.
pub(super) fn add<'a>(wanted: &mut Vec<WantedAction<'a>>, action: WantedAction<'a>) {
    match wanted.iter_mut().find(|known| known.is_same_as(&action)) {
        Some(known) => known.merge(action),
        None => wanted.push(action),
    }
}

/// Removes what is covered and what this very event undoes, and puts the rest into an order that does not depend on that
/// of the rules.
pub(super) fn settle<'a>(
    mut wanted: Vec<WantedAction<'a>>,
    overturned: &[OverturnedAction],
    order: impl Fn(&CompiledRule) -> usize,
) -> Vec<WantedAction<'a>> {
    wanted.retain(|action| {
        !overturned.iter().any(|undone| {
            undone.kind == action.kind
                && undone.subject == action.address.subject
                && undone.beneficiary == action.address.beneficiary
        })
    });
    wanted.sort_by(|a, b| (a.kind, &a.address).cmp(&(b.kind, &b.address)));
    let mut place = 0;
    while place < wanted.len() {
        let coverer = wanted.iter().position(|other| other.covers(&wanted[place]));
        match coverer {
            Some(coverer) => {
                let covered = wanted.remove(place);
                let coverer = if coverer > place {
                    coverer - 1
                } else {
                    coverer
                };
                wanted[coverer].take_rules(&covered);
            }
            None => place += 1,
        }
    }
    for action in &mut wanted {
        action.settle(&order);
    }
    wanted
}
