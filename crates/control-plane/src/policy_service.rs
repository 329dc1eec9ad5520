//! `PolicyService`.

use moderation::policy::Finding;
use moderation::{PolicyVersion, RuleId, Score};
use moderation_wire::v1;
use moderation_wire::v1::policy_service_server::PolicyService;
use tonic::{Request, Response, Status};

use crate::api::{Api, WriteRequest, finding_to_wire, page_size};
use crate::object::Object;
use crate::plan::{Proposal, ThresholdChange, head_version, policy_differences};
use crate::policy_check::check_policy;
use crate::refusal::Refusal;

#[derive(Debug)]
pub(crate) struct PolicyApi(pub(crate) Api);

#[tonic::async_trait]
impl PolicyService for PolicyApi {
    async fn get_policy(
        &self,
        request: Request<v1::GetPolicyRequest>,
    ) -> Result<Response<v1::GetPolicyResponse>, Status> {
        let request = request.into_inner();
        let state = self.0.read(request.min_offset).await?;
        let policies = state.policies();
        let found = match request.version {
            0 => policies
                .head()
                .ok_or(Refusal::NothingServes(Object::Policy))?,
            version => policies
                .get(PolicyVersion(version))
                .ok_or(Refusal::UnknownVersion {
                    object: Object::Policy,
                    version,
                })?,
        };
        Ok(Response::new(v1::GetPolicyResponse {
            policy: Some((&**found).into()),
            head_version: head_version(&state, Object::Policy),
        }))
    }

    async fn list_policy_versions(
        &self,
        request: Request<v1::ListPolicyVersionsRequest>,
    ) -> Result<Response<v1::ListPolicyVersionsResponse>, Status> {
        let request = request.into_inner();
        let state = self.0.read(0).await?;
        let is_below =
            |version: u64| request.before_version == 0 || version < request.before_version;
        let versions = state
            .policies()
            .newest_first()
            .filter(|policy| is_below(policy.version.0))
            .take(page_size(request.page_size))
            .map(|policy| v1::PolicyVersion {
                document: String::new(),
                ..v1::PolicyVersion::from(&**policy)
            });
        Ok(Response::new(v1::ListPolicyVersionsResponse {
            versions: versions.collect(),
            head_version: head_version(&state, Object::Policy),
        }))
    }

    async fn validate_policy(
        &self,
        request: Request<v1::ValidatePolicyRequest>,
    ) -> Result<Response<v1::ValidatePolicyResponse>, Status> {
        let document = request.into_inner().document;
        let state = self.0.read(0).await?;
        let (valid, findings, differences) = match check_policy(&document, self.0.max_policy_bytes)
        {
            Ok(checked) => (
                true,
                checked.warnings,
                policy_differences(&state, &checked.policy),
            ),
            Err(findings) => (false, findings, Vec::new()),
        };
        Ok(Response::new(v1::ValidatePolicyResponse {
            valid,
            findings: findings_to_wire(&findings),
            differences,
        }))
    }

    async fn apply_policy(
        &self,
        request: Request<v1::ApplyPolicyRequest>,
    ) -> Result<Response<v1::ApplyPolicyResponse>, Status> {
        let request = request.into_inner();
        let write = WriteRequest::check(request.options)?;
        let proposal = Proposal::ApplyPolicy(request.document);
        let (outcome, findings) = self.0.change(proposal, write).await?.into_wire();
        Ok(Response::new(v1::ApplyPolicyResponse {
            outcome: Some(outcome),
            findings,
        }))
    }

    async fn set_threshold(
        &self,
        request: Request<v1::SetThresholdRequest>,
    ) -> Result<Response<v1::SetThresholdResponse>, Status> {
        let request = request.into_inner();
        let write = WriteRequest::check(request.options)?;
        let rule = RuleId::new(request.rule_id)
            .map_err(|error| Refusal::request("rule_id", error.to_string()))?;
        let threshold = Score::from_thousandths(request.threshold)
            .ok_or_else(|| Refusal::request("threshold", "is above 1000"))?;
        let proposal = Proposal::SetThreshold(ThresholdChange {
            rule,
            layer: request.layer,
            threshold,
        });
        let (outcome, findings) = self.0.change(proposal, write).await?.into_wire();
        Ok(Response::new(v1::SetThresholdResponse {
            outcome: Some(outcome),
            findings,
        }))
    }

    async fn rollback_policy(
        &self,
        request: Request<v1::RollbackPolicyRequest>,
    ) -> Result<Response<v1::RollbackPolicyResponse>, Status> {
        let request = request.into_inner();
        let write = WriteRequest::check(request.options)?;
        let proposal = Proposal::RollbackPolicy(PolicyVersion(request.to_version));
        let (outcome, _) = self.0.change(proposal, write).await?.into_wire();
        Ok(Response::new(v1::RollbackPolicyResponse {
            outcome: Some(outcome),
        }))
    }
}

fn findings_to_wire(findings: &[Finding]) -> Vec<v1::LintFinding> {
    findings.iter().map(finding_to_wire).collect()
}
