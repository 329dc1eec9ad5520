//! The gRPC server: its services, limits and end.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context;
use moderation_wire::v1::model_service_server::ModelServiceServer;
use moderation_wire::v1::policy_service_server::PolicyServiceServer;
use moderation_wire::v1::status_service_server::StatusServiceServer;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::task::TaskTracker;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::HealthReporter;

use crate::api::Api;
use crate::model_service::ModelApi;
use crate::policy_service::PolicyApi;
use crate::status_service::StatusApi;

/// Takes the port.
///
/// # Errors
/// Names the address and the way out.
pub(crate) fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| {
        format!("cannot listen on {address}; end what uses it, or choose another `listen`")
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until `api.shutdown`, and then finishes what was asked before.
///
/// # Errors
/// What ended the listener.
pub(crate) async fn serve(
    listener: TcpListener,
    api: Api,
    health: HealthServer<impl Health>,
) -> anyhow::Result<()> {
    let incoming = TcpListenerStream::new(tokio::net::TcpListener::from_std(listener)?);
    let shutdown = api.shutdown.clone();
    let watchers = TaskTracker::new();
    router(api, &watchers, health)?
        .serve_with_incoming_shutdown(incoming, shutdown.cancelled_owned())
        .await
        .context("the gRPC server has ended")?;
    watchers.close();
    watchers.wait().await;
    Ok(())
}

fn router(
    api: Api,
    watchers: &TaskTracker,
    health: HealthServer<impl Health>,
) -> anyhow::Result<Router> {
    // A policy travels with its findings and a few small fields.
    let limit = api.max_policy_bytes + MESSAGE_OVERHEAD_BYTES;
    let policy = PolicyServiceServer::new(PolicyApi(api.clone()))
        .max_decoding_message_size(limit)
        .max_encoding_message_size(MAX_RESPONSE_BYTES);
    let model = ModelServiceServer::new(ModelApi(api.clone()))
        .max_decoding_message_size(MESSAGE_OVERHEAD_BYTES)
        .max_encoding_message_size(MAX_RESPONSE_BYTES);
    let status = StatusServiceServer::new(StatusApi {
        api,
        watchers: watchers.clone(),
    })
    .max_decoding_message_size(MESSAGE_OVERHEAD_BYTES)
    .max_encoding_message_size(MAX_RESPONSE_BYTES);
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(moderation_wire::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .context("gRPC reflection")?;
    Ok(Server::builder()
        .concurrency_limit_per_connection(REQUESTS_PER_CONNECTION)
        .add_service(health)
        .add_service(reflection)
        .add_service(policy)
        .add_service(model)
        .add_service(status))
}

/// Makes the health service, in which nothing is healthy yet.
pub(crate) async fn health() -> (HealthReporter, HealthServer<impl Health>) {
    let (reporter, service) = tonic_health::server::health_reporter();
    report(&reporter, false).await;
    (reporter, service)
}

/// Says whether the services work.
pub(crate) async fn report(reporter: &HealthReporter, is_healthy: bool) {
    let status = if is_healthy {
        tonic_health::ServingStatus::Serving
    } else {
        tonic_health::ServingStatus::NotServing
    };
    for service in REPORTED_SERVICES {
        reporter.set_service_status(service, status).await;
    }
}

/// Says that the services work no more, and ends the streams of those who watch: the server waits for open streams.
pub(crate) async fn end_reports(mut reporter: HealthReporter) {
    report(&reporter, false).await;
    for service in REPORTED_SERVICES {
        reporter.clear_service_status(service).await;
    }
}

/// The server as a whole, and each of its services.
const REPORTED_SERVICES: [&str; 4] = [
    "",
    "tidegate.v1.PolicyService",
    "tidegate.v1.ModelService",
    "tidegate.v1.StatusService",
];
const MESSAGE_OVERHEAD_BYTES: usize = 64 * 1024;
/// A page of 500 versions, or 10,000 replicas.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;
const REQUESTS_PER_CONNECTION: usize = 64;
