//! What a change writes, or why it is refused. Pure.

use control_state::{
    Change, ControlEntry, ControlState, PolicyDocument, VersionedDeployment, VersionedPolicy,
};
use moderation::policy::{Finding, Policy, differences, set_threshold};
use moderation::{Deployment, DeploymentVersion, PolicyVersion, RuleId, Score, Timestamp};

use crate::deployment_check::{self, check_deployment};
use crate::object::Object;
use crate::policy_check::{CheckedPolicy, check_policy, compilable};
use crate::refusal::Refusal;

/// What somebody wants to become the next version.
#[derive(Clone, Debug)]
pub(crate) enum Proposal {
    ApplyPolicy(String),
    SetThreshold(ThresholdChange),
    RollbackPolicy(PolicyVersion),
    Deploy(Deployment),
    RollbackDeployment(DeploymentVersion),
}

#[derive(Clone, Debug)]
pub(crate) struct ThresholdChange {
    pub(crate) rule: RuleId,
    pub(crate) layer: String,
    pub(crate) threshold: Score,
}

/// Who wants it, why, and on which version it rests.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) author: String,
    pub(crate) reason: String,
    pub(crate) expected_version: u64,
}

/// What a change writes: first the version, then the head.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) from_version: u64,
    pub(crate) to_version: u64,
    pub(crate) version: ControlEntry,
    pub(crate) head: ControlEntry,
    pub(crate) differences: Vec<String>,
    pub(crate) warnings: Vec<Finding>,
}

impl Proposal {
    pub(crate) fn object(&self) -> Object {
        match self {
            Self::ApplyPolicy(_) | Self::SetThreshold(_) | Self::RollbackPolicy(_) => {
                Object::Policy
            }
            Self::Deploy(_) | Self::RollbackDeployment(_) => Object::Deployment,
        }
    }
}

/// Plans changes of one state.
pub(crate) struct Planner<'a> {
    pub(crate) state: &'a ControlState,
    pub(crate) now: Timestamp,
    pub(crate) max_policy_bytes: usize,
}

impl Planner<'_> {
    /// Decides what a proposal writes.
    ///
    /// # Errors
    /// Says why nothing is to be written.
    pub(crate) fn plan(&self, proposal: Proposal, terms: &Terms) -> Result<Plan, Refusal> {
        let object = proposal.object();
        let current = head_version(self.state, object);
        if terms.expected_version != current {
            return Err(Refusal::Conflict {
                object,
                expected: terms.expected_version,
                current,
            });
        }
        match proposal {
            Proposal::ApplyPolicy(document) => self.apply_policy(document, terms),
            Proposal::SetThreshold(change) => self.set_threshold(&change, terms),
            Proposal::RollbackPolicy(version) => self.roll_policy_back(version, terms),
            Proposal::Deploy(deployment) => self.deploy(deployment, terms),
            Proposal::RollbackDeployment(version) => self.roll_deployment_back(version, terms),
        }
    }

    fn apply_policy(&self, document: String, terms: &Terms) -> Result<Plan, Refusal> {
        let checked = check_policy(&document, self.max_policy_bytes).map_err(Refusal::Policy)?;
        Ok(self.next_policy(document, checked, self.change(terms, None)))
    }

    fn set_threshold(&self, change: &ThresholdChange, terms: &Terms) -> Result<Plan, Refusal> {
        let head = self
            .state
            .policies()
            .head()
            .ok_or(Refusal::NothingServes(Object::Policy))?;
        let document = set_threshold(
            head.content.text(),
            &change.rule,
            &change.layer,
            change.threshold,
        )
        .map_err(|error| Refusal::Threshold(error.to_string()))?;
        self.apply_policy(document, terms)
    }

    fn roll_policy_back(&self, to: PolicyVersion, terms: &Terms) -> Result<Plan, Refusal> {
        let known = self
            .state
            .policies()
            .get(to)
            .ok_or(Refusal::UnknownVersion {
                object: Object::Policy,
                version: to.0,
            })?;
        let document = known.content.text().to_owned();
        let policy = compilable(&document, self.max_policy_bytes).map_err(Refusal::Policy)?;
        let checked = CheckedPolicy {
            policy,
            warnings: Vec::new(),
        };
        Ok(self.next_policy(document, checked, self.change(terms, Some(to.0))))
    }

    fn next_policy(&self, document: String, checked: CheckedPolicy, change: Change) -> Plan {
        let from_version = head_version(self.state, Object::Policy);
        let to_version = from_version + 1;
        let policy = VersionedPolicy {
            version: PolicyVersion(to_version),
            content: PolicyDocument::new(document),
            change,
        };
        Plan {
            from_version,
            to_version,
            version: ControlEntry::PolicyVersion(policy.clone()),
            head: ControlEntry::PolicyHead(policy),
            differences: policy_differences(self.state, &checked.policy),
            warnings: checked.warnings,
        }
    }

    fn deploy(&self, deployment: Deployment, terms: &Terms) -> Result<Plan, Refusal> {
        check_deployment(&deployment).map_err(Refusal::Deployment)?;
        Ok(self.next_deployment(deployment, self.change(terms, None)))
    }

    fn roll_deployment_back(&self, to: DeploymentVersion, terms: &Terms) -> Result<Plan, Refusal> {
        let known = self
            .state
            .deployments()
            .get(to)
            .ok_or(Refusal::UnknownVersion {
                object: Object::Deployment,
                version: to.0,
            })?;
        Ok(self.next_deployment(known.content.clone(), self.change(terms, Some(to.0))))
    }

    fn next_deployment(&self, content: Deployment, change: Change) -> Plan {
        let from_version = head_version(self.state, Object::Deployment);
        let to_version = from_version + 1;
        let before = self.state.deployments().head().map(|head| &head.content);
        let differences = deployment_check::differences(before, &content);
        let deployment = VersionedDeployment {
            version: DeploymentVersion(to_version),
            content,
            change,
        };
        Plan {
            from_version,
            to_version,
            version: ControlEntry::DeploymentVersion(deployment.clone()),
            head: ControlEntry::DeploymentHead(deployment),
            differences,
            warnings: Vec::new(),
        }
    }

    fn change(&self, terms: &Terms, rollback_of: Option<u64>) -> Change {
        Change {
            author: terms.author.clone(),
            reason: terms.reason.clone(),
            at: self.now,
            rollback_of,
        }
    }
}

/// Returns the number of what serves; 0 is none.
pub(crate) fn head_version(state: &ControlState, object: Object) -> u64 {
    match object {
        Object::Policy => state.policies().head().map_or(0, |head| head.version.0),
        Object::Deployment => state.deployments().head().map_or(0, |head| head.version.0),
    }
}

/// Says what a policy would change of the one that serves.
pub(crate) fn policy_differences(state: &ControlState, new: &Policy) -> Vec<String> {
    let Some(head) = state.policies().head() else {
        return vec!["the first policy".to_owned()];
    };
    match Policy::parse(head.content.text()) {
        Ok(old) => differences(&old, new),
        // Written by an earlier release whose form this one no longer reads.
        Err(_) => vec![format!("policy {} cannot be compared", head.version)],
    }
}
