//! `/metrics`, `/live` and `/ready` on one address.

use std::{net::TcpListener, time::Instant};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{
    health::{self, Condition, Readiness},
    metrics,
    process_usage::ProcessUsage,
    watchdog::{SilentLoop, Watchdogs},
};

/// What the answers are made from.
#[derive(Debug, Clone)]
pub(crate) struct Telemetry {
    pub(crate) recorder: PrometheusHandle,
    pub(crate) readiness: Readiness,
    pub(crate) watchdogs: Watchdogs,
    /// Cancelled when the process begins to drain: from then on it is not ready, whatever its conditions say.
    pub(crate) draining: CancellationToken,
}

#[derive(Serialize)]
struct ReadyAnswer {
    ready: bool,
    draining: bool,
    conditions: Vec<Condition>,
}

#[derive(Serialize)]
struct LiveAnswer {
    live: bool,
    silent_loops: Vec<SilentLoop>,
}

/// Serves until it is dropped, so that health can be asked for to the end of the drain.
pub(crate) async fn serve(listener: TcpListener, telemetry: Telemetry) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    axum::serve(listener, router(telemetry)).await
}

fn router(telemetry: Telemetry) -> Router {
    Router::new()
        .route("/metrics", get(show_metrics))
        .route("/live", get(show_live))
        .route("/ready", get(show_ready))
        .with_state(telemetry)
}

async fn show_metrics(State(telemetry): State<Telemetry>) -> Response {
    if let Some(usage) = ProcessUsage::now() {
        metrics::publish(&usage);
    }
    let exposition_format = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (exposition_format, telemetry.recorder.render()).into_response()
}

async fn show_live(State(telemetry): State<Telemetry>) -> Response {
    let silent_loops = telemetry.watchdogs.silent_loops(Instant::now());
    let live = silent_loops.is_empty();
    answer(live, &LiveAnswer { live, silent_loops })
}

async fn show_ready(State(telemetry): State<Telemetry>) -> Response {
    let conditions = telemetry.readiness.snapshot();
    let draining = telemetry.draining.is_cancelled();
    let ready = !draining && health::all_ready(&conditions);
    answer(
        ready,
        &ReadyAnswer {
            ready,
            draining,
            conditions,
        },
    )
}

fn answer(is_good: bool, body: &impl Serialize) -> Response {
    let status = if is_good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    match serde_json::to_string(body) {
        Ok(json) => (status, [(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
