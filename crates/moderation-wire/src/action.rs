//! Enforcement actions: what the platform must do, or undo.

use moderation::{
    AccountId, ActionId, ActionParameters, DecisionId, EnforcementAction, PolicyVersion, Region,
    RuleId,
};

use crate::decision::{each, strings, text};
use crate::event::subject;
use crate::invalid::{Invalid, Path};
use crate::reading::{Reading, absent_or, known, non_empty, required, required_time};
use crate::scored::cause;
use crate::time::timestamp_to_wire;
use crate::v1;
use crate::words::Word;

impl TryFrom<v1::EnforcementAction> for EnforcementAction {
    type Error = Invalid;

    fn try_from(wire: v1::EnforcementAction) -> Result<Self, Invalid> {
        crate::strict(|reading| action(reading, wire))
    }
}

fn action(
    reading: &mut Reading<'_>,
    wire: v1::EnforcementAction,
) -> Result<EnforcementAction, Invalid> {
    let at = Path::ROOT;
    let subject_at = at.field("subject");
    Ok(EnforcementAction {
        action_id: required(&at.field("action_id"), wire.action_id, ActionId::new)?,
        subject: subject(
            reading,
            &subject_at,
            wire.subject.ok_or_else(|| subject_at.missing())?,
        )?,
        kind: known(&at.field("kind"), wire.kind)?,
        operation: known(&at.field("operation"), wire.operation)?,
        reverses: absent_or(&at.field("reverses"), wire.reverses, ActionId::new)?,
        origin: known(&at.field("origin"), wire.origin)?,
        decision_id: required(&at.field("decision_id"), wire.decision_id, DecisionId::new)?,
        cause: cause(reading, &at.field("cause"), wire.cause)?,
        beneficiary: absent_or(
            &at.field("beneficiary_id"),
            wire.beneficiary_id,
            AccountId::new,
        )?,
        parameters: parameters(
            reading,
            &at.field("parameters"),
            wire.parameters.unwrap_or_default(),
        )?,
        rule_ids: each(&at, "rule_ids", wire.rule_ids, |at, id| {
            required(at, id, RuleId::new)
        })?,
        policy_version: PolicyVersion(wire.policy_version),
        evaluation_time: required_time(&at.field("evaluation_time"), wire.evaluation_time)?,
    })
}

fn parameters(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    wire: v1::ActionParameters,
) -> Result<ActionParameters, Invalid> {
    Ok(ActionParameters {
        until: reading.time(&at.field("until"), wire.until),
        territories: each(at, "territories", wire.territories, |at, territory| {
            Region::new(&territory).map_err(|error| at.invalid(error))
        })?,
        labels: wire.labels,
        reason_code: non_empty(wire.reason_code),
        features: wire.features,
    })
}

impl From<&EnforcementAction> for v1::EnforcementAction {
    fn from(action: &EnforcementAction) -> Self {
        Self {
            action_id: action.action_id.as_str().to_owned(),
            subject: Some((&action.subject).into()),
            kind: action.kind.number(),
            operation: action.operation.number(),
            reverses: text(action.reverses.as_ref().map(ActionId::as_str)),
            origin: action.origin.number(),
            decision_id: action.decision_id.as_str().to_owned(),
            cause: Some((&action.cause).into()),
            beneficiary_id: text(action.beneficiary.as_ref().map(AccountId::as_str)),
            parameters: (action.parameters != ActionParameters::default())
                .then(|| (&action.parameters).into()),
            rule_ids: strings(action.rule_ids.iter().map(RuleId::as_str)),
            policy_version: action.policy_version.0,
            evaluation_time: Some(timestamp_to_wire(action.evaluation_time)),
        }
    }
}

impl From<&ActionParameters> for v1::ActionParameters {
    fn from(parameters: &ActionParameters) -> Self {
        Self {
            until: parameters.until.map(timestamp_to_wire),
            territories: strings(parameters.territories.iter().map(Region::as_str)),
            labels: parameters.labels.clone(),
            reason_code: text(parameters.reason_code.as_deref()),
            features: parameters.features.clone(),
        }
    }
}
