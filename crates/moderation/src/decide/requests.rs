//! What the matched rules ask for.

use super::addressing::addresses;
use super::matching::RuleMatch;
use super::wanted::{self, WantedAction};
use crate::ScoredEvent;
use crate::policy::{CompiledPolicy, CompiledRule};

/// What is to be done, and which rules want a person to look.
pub(super) struct Requests<'a> {
    pub(super) actions: Vec<WantedAction<'a>>,
    /// In the policy's order.
    pub(super) reviewed_by: Vec<&'a CompiledRule>,
}

/// Gathers what the rules that act ask for. A rule whose action has no address asks a person instead.
pub(super) fn gather<'a>(
    scored: &ScoredEvent,
    policy: &CompiledPolicy,
    matches: &[RuleMatch<'a>],
) -> Requests<'a> {
    let mut requests = Requests {
        actions: Vec::new(),
        reviewed_by: Vec::new(),
    };
    for found in matches.iter().filter(|found| found.enforced) {
        let rule = found.rule;
        let effects = found.effects;
        let mut asks = effects.asks || (effects.acts && rule.review.is_some());
        let actions = rule.actions.iter().filter(|_| effects.acts);
        let meanwhile = rule.interim.iter().filter(|_| effects.acts_meanwhile);
        for action in actions.chain(meanwhile) {
            match addresses(action, &scored.event) {
                None => asks = true,
                Some(addresses) => {
                    for address in addresses {
                        let action =
                            WantedAction::new(rule, action, address, scored.evaluation_time);
                        wanted::add(&mut requests.actions, action);
                    }
                }
            }
        }
        if asks {
            requests.reviewed_by.push(rule);
        }
    }
    let order = |rule: &CompiledRule| {
        let rules = policy.rules();
        rules
            .iter()
            .position(|known| known.id == rule.id)
            .unwrap_or(rules.len())
    };
    requests.actions = wanted::settle(requests.actions, &scored.overturned, order);
    requests
}
