//! `StatusService`.

use std::pin::Pin;
use std::time::{Duration, Instant};

use moderation_wire::v1;
use moderation_wire::v1::status_service_server::StatusService;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status};

use crate::api::Api;
use crate::object::Object;
use crate::plan::head_version;

#[derive(Debug)]
pub(crate) struct StatusApi {
    pub(crate) api: Api,
    /// Owns the tasks that feed streams; each ends with its client or with the service.
    pub(crate) watchers: TaskTracker,
}

type StatusStream = Pin<Box<dyn Stream<Item = Result<v1::WatchStatusResponse, Status>> + Send>>;

#[tonic::async_trait]
impl StatusService for StatusApi {
    type WatchStatusStream = StatusStream;

    async fn get_status(
        &self,
        _request: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        let status = Some(current(&self.api, Instant::now()));
        Ok(Response::new(v1::GetStatusResponse { status }))
    }

    async fn watch_status(
        &self,
        _request: Request<v1::WatchStatusRequest>,
    ) -> Result<Response<StatusStream>, Status> {
        if self.watchers.len() >= MAX_WATCHERS {
            return Err(Status::resource_exhausted(
                "too many clients watch the status",
            ));
        }
        let (sender, receiver) = mpsc::channel(1);
        self.watchers.spawn(feed(self.api.clone(), sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

async fn feed(api: Api, sender: mpsc::Sender<Result<v1::WatchStatusResponse, Status>>) {
    let mut heard = api.replicas.subscribe();
    let mut standing = api.view.standing();
    let mut sent = None;
    loop {
        heard.mark_unchanged();
        standing.mark_unchanged();
        let status = current(&api, Instant::now());
        let lasting = Some(without_clocks(&status));
        if sent != lasting {
            sent = lasting;
            let status = Some(status);
            if sender
                .send(Ok(v1::WatchStatusResponse { status }))
                .await
                .is_err()
            {
                return;
            }
        }
        let is_over = tokio::select! {
            changed = heard.changed() => changed.is_err(),
            changed = standing.changed() => changed.is_err(),
            // Nothing is heard of a replica that dies.
            () = sleep(SILENCE_LOOK_INTERVAL) => false,
            () = sender.closed() => true,
            () = api.shutdown.cancelled() => true,
        };
        if is_over {
            return;
        }
    }
}

fn current(api: &Api, now: Instant) -> v1::Status {
    let state = api.view.state().borrow().clone();
    let heard = api.replicas.subscribe();
    let heard = heard.borrow();
    let replicas = heard.table.iter().map(|(_, replica)| v1::ReplicaStatus {
        heartbeat: Some(replica.heartbeat.clone()),
        live: replica.is_live(now),
        age_ms: u64::try_from(replica.silence(now).as_millis()).unwrap_or(u64::MAX),
    });
    v1::Status {
        policy_version: head_version(&state, Object::Policy),
        deployment_version: head_version(&state, Object::Deployment),
        control_offset: state.control_offset(),
        replicas: replicas.collect(),
        leader: heard
            .leader()
            .map(|(_, leader)| leader.heartbeat.address.clone())
            .unwrap_or_default(),
        leads: *api.leads.borrow(),
    }
}

/// What is to change before a watcher is told again: all but what every heartbeat changes.
fn without_clocks(status: &v1::Status) -> v1::Status {
    let mut status = status.clone();
    for replica in &mut status.replicas {
        replica.age_ms = 0;
        if let Some(heartbeat) = &mut replica.heartbeat {
            heartbeat.at = None;
        }
    }
    status
}

const SILENCE_LOOK_INTERVAL: Duration = Duration::from_millis(500);
const MAX_WATCHERS: usize = 256;
