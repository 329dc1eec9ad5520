//! Review requests: what a person must look at.

use moderation::{DecisionId, Language, PolicyVersion, ReviewRequest, RuleId, Sample, TaskId};

use crate::decision::{each, strings};
use crate::event::subject;
use crate::invalid::{Invalid, Path, Problem};
use crate::reading::{Reading, known, required, required_time};
use crate::scored::cause;
use crate::time::timestamp_to_wire;
use crate::v1;
use crate::words::Word;

impl TryFrom<v1::ReviewRequest> for ReviewRequest {
    type Error = Invalid;

    fn try_from(wire: v1::ReviewRequest) -> Result<Self, Invalid> {
        crate::strict(|reading| review(reading, wire))
    }
}

fn review(reading: &mut Reading<'_>, wire: v1::ReviewRequest) -> Result<ReviewRequest, Invalid> {
    let at = Path::ROOT;
    let subject_at = at.field("subject");
    Ok(ReviewRequest {
        task_id: required(&at.field("task_id"), wire.task_id, TaskId::new)?,
        operation: known(&at.field("operation"), wire.operation)?,
        subject: subject(
            reading,
            &subject_at,
            wire.subject.ok_or_else(|| subject_at.missing())?,
        )?,
        causes: each(&at, "causes", wire.causes, |at, wire| {
            cause(reading, at, Some(wire))
        })?,
        categories: wire.categories.into_iter().map(Into::into).collect(),
        severity: known(&at.field("severity"), wire.severity)?,
        languages: each(&at, "languages", wire.languages, |at, language| {
            Language::new(&language).map_err(|error| at.invalid(error))
        })?,
        sensitivity: known(&at.field("sensitivity"), wire.sensitivity)?,
        due_at: reading.time(&at.field("due_at"), wire.due_at),
        sample: wire
            .sample
            .map(|wire| sample(&at.field("sample"), wire))
            .transpose()?,
        decision_id: required(&at.field("decision_id"), wire.decision_id, DecisionId::new)?,
        rule_ids: each(&at, "rule_ids", wire.rule_ids, |at, id| {
            required(at, id, RuleId::new)
        })?,
        policy_version: PolicyVersion(wire.policy_version),
        surface: reading.open(&at.field("surface"), wire.surface),
        evaluation_time: required_time(&at.field("evaluation_time"), wire.evaluation_time)?,
    })
}

fn sample(at: &Path<'_>, wire: v1::Sample) -> Result<Sample, Invalid> {
    if !(0.0..=1.0).contains(&wire.inclusion_probability) {
        return Err(at
            .field("inclusion_probability")
            .invalid(Problem::OutOfRange));
    }
    Ok(Sample {
        reason: wire.reason,
        inclusion_probability: wire.inclusion_probability,
    })
}

impl From<&ReviewRequest> for v1::ReviewRequest {
    fn from(review: &ReviewRequest) -> Self {
        Self {
            task_id: review.task_id.as_str().to_owned(),
            operation: review.operation.number(),
            subject: Some((&review.subject).into()),
            causes: review.causes.iter().map(Into::into).collect(),
            categories: strings(review.categories.iter().map(AsRef::as_ref)),
            severity: review.severity.number(),
            languages: strings(review.languages.iter().map(Language::as_str)),
            sensitivity: review.sensitivity.number(),
            due_at: review.due_at.map(timestamp_to_wire),
            sample: review.sample.as_ref().map(|sample| v1::Sample {
                reason: sample.reason.clone(),
                inclusion_probability: sample.inclusion_probability,
            }),
            decision_id: review.decision_id.as_str().to_owned(),
            rule_ids: strings(review.rule_ids.iter().map(RuleId::as_str)),
            policy_version: review.policy_version.0,
            surface: review.surface.number(),
            evaluation_time: Some(timestamp_to_wire(review.evaluation_time)),
        }
    }
}
