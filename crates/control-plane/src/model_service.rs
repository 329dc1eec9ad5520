//! `ModelService`.

use moderation::{Deployment, DeploymentVersion};
use moderation_wire::v1;
use moderation_wire::v1::model_service_server::ModelService;
use tonic::{Request, Response, Status};

use crate::api::{Api, WriteRequest, page_size};
use crate::object::Object;
use crate::plan::{Proposal, head_version};
use crate::refusal::Refusal;

#[derive(Debug)]
pub(crate) struct ModelApi(pub(crate) Api);

#[tonic::async_trait]
impl ModelService for ModelApi {
    async fn get_deployment(
        &self,
        request: Request<v1::GetDeploymentRequest>,
    ) -> Result<Response<v1::GetDeploymentResponse>, Status> {
        let request = request.into_inner();
        let state = self.0.read(request.min_offset).await?;
        let deployments = state.deployments();
        let found = match request.version {
            0 => deployments
                .head()
                .ok_or(Refusal::NothingServes(Object::Deployment))?,
            version => {
                deployments
                    .get(DeploymentVersion(version))
                    .ok_or(Refusal::UnknownVersion {
                        object: Object::Deployment,
                        version,
                    })?
            }
        };
        Ok(Response::new(v1::GetDeploymentResponse {
            deployment: Some((&**found).into()),
            head_version: head_version(&state, Object::Deployment),
        }))
    }

    async fn list_deployments(
        &self,
        request: Request<v1::ListDeploymentsRequest>,
    ) -> Result<Response<v1::ListDeploymentsResponse>, Status> {
        let request = request.into_inner();
        let state = self.0.read(0).await?;
        let is_below =
            |version: u64| request.before_version == 0 || version < request.before_version;
        let deployments = state
            .deployments()
            .newest_first()
            .filter(|deployment| is_below(deployment.version.0))
            .take(page_size(request.page_size))
            .map(|deployment| (&**deployment).into());
        Ok(Response::new(v1::ListDeploymentsResponse {
            deployments: deployments.collect(),
            head_version: head_version(&state, Object::Deployment),
        }))
    }

    async fn deploy(
        &self,
        request: Request<v1::DeployRequest>,
    ) -> Result<Response<v1::DeployResponse>, Status> {
        let request = request.into_inner();
        let write = WriteRequest::check(request.options)?;
        let deployment = request
            .deployment
            .ok_or_else(|| Refusal::request("deployment", "is missing"))?;
        let deployment = Deployment::try_from(deployment)
            .map_err(|error| Refusal::Deployment(format!("deployment.{error}")))?;
        let (outcome, _) = self
            .0
            .change(Proposal::Deploy(deployment), write)
            .await?
            .into_wire();
        Ok(Response::new(v1::DeployResponse {
            outcome: Some(outcome),
        }))
    }

    async fn rollback_deployment(
        &self,
        request: Request<v1::RollbackDeploymentRequest>,
    ) -> Result<Response<v1::RollbackDeploymentResponse>, Status> {
        let request = request.into_inner();
        let write = WriteRequest::check(request.options)?;
        let proposal = Proposal::RollbackDeployment(DeploymentVersion(request.to_version));
        let (outcome, _) = self.0.change(proposal, write).await?.into_wire();
        Ok(Response::new(v1::RollbackDeploymentResponse {
            outcome: Some(outcome),
        }))
    }
}
