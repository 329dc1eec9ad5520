//! Shows in the stage's readiness whether the models that serve answer.

use inference::Health;
use service_runtime::{ReadinessCondition, ServiceContext};
use tokio::sync::watch;

/// Registers the condition `model`, and keeps it in step until the engine is gone or the service stops.
pub(crate) fn tell(health: watch::Receiver<Health>, context: &ServiceContext) {
    let condition = context.readiness("model", "the engine has not been asked yet");
    let stopped = context.shutdown().clone();
    context.spawn(async move {
        tokio::select! {
            () = stopped.cancelled() => {}
            () = follow(health, &condition) => {}
        }
    });
}

async fn follow(mut health: watch::Receiver<Health>, condition: &ReadinessCondition) {
    loop {
        match health.borrow_and_update().outage() {
            None => condition.set_ready(),
            Some(outage) => {
                let reason = format!("{} is down: {}", outage.bundle, outage.reason);
                condition.set_not_ready(reason);
            }
        }
        if health.changed().await.is_err() {
            return;
        }
    }
}
