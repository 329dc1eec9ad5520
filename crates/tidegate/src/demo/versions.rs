//! The policies and deployments that the control topic holds, as far as they have appeared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use moderation::policy::{CompiledPolicy, Policy};
use moderation::{Deployment, PolicyVersion};
use moderation_wire::v1;
use prost::Message;
use v1::control_record::Record;

/// Every policy and deployment by number.
#[derive(Clone, Default)]
pub(crate) struct Versions {
    policies: BTreeMap<u64, Arc<CompiledPolicy>>,
    deployments: BTreeMap<u64, Arc<Deployment>>,
}

impl Versions {
    /// Takes over what a record of the control topic says.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn apply(&mut self, value: &[u8]) -> anyhow::Result<()> {
        let record = v1::ControlRecord::decode(value).context("a control record cannot be read")?;
        match record.record {
            Some(Record::PolicyVersion(policy) | Record::PolicyHead(policy)) => {
                self.policy(&policy)
            }
            Some(Record::DeploymentVersion(deployment) | Record::DeploymentHead(deployment)) => {
                self.deployment(deployment)
            }
            None => Ok(()),
        }
    }

    /// Returns the policy of a number.
    pub(crate) fn policy_of(&self, version: u64) -> Option<&Arc<CompiledPolicy>> {
        self.policies.get(&version)
    }

    /// Returns the deployment of a number.
    pub(crate) fn deployment_of(&self, version: u64) -> Option<&Arc<Deployment>> {
        self.deployments.get(&version)
    }

    /// Returns all bundles of these deployments, as `name version digest`.
    pub(crate) fn models_of(&self, numbers: &BTreeSet<u64>) -> Vec<String> {
        let bundles = numbers
            .iter()
            .filter_map(|number| self.deployments.get(number))
            .flat_map(|deployment| &deployment.bundles);
        let mut models: Vec<_> = bundles
            .map(|bundle| format!("{} {} {}", bundle.name, bundle.version, bundle.digest))
            .collect();
        models.sort();
        models.dedup();
        models
    }

    fn policy(&mut self, policy: &v1::PolicyVersion) -> anyhow::Result<()> {
        let number = policy.version;
        if self.policies.contains_key(&number) {
            return Ok(());
        }
        let unusable = |findings: Vec<moderation::policy::Finding>| {
            anyhow::anyhow!(
                "policy {number} cannot be used: {}",
                findings
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            )
        };
        let parsed = Policy::parse(&policy.document).map_err(unusable)?;
        let compiled = CompiledPolicy::compile(&parsed, PolicyVersion(number)).map_err(unusable)?;
        self.policies.insert(number, Arc::new(compiled));
        Ok(())
    }

    fn deployment(&mut self, record: v1::DeploymentVersion) -> anyhow::Result<()> {
        let deployment = record.deployment.unwrap_or_default();
        let deployment = Deployment::try_from(deployment)
            .with_context(|| format!("deployment {} cannot be used", record.version))?;
        self.deployments
            .insert(record.version, Arc::new(deployment));
        Ok(())
    }
}
