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
        match &*health.borrow_and_update() {
            Health::Up => condition.set_ready(),
            Health::Down(outage) => {
                let reason = format!("{} is down: {}", outage.bundle, outage.reason);
                condition.set_not_ready(reason);
            }
        }
        if health.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use inference::Outage;

    use super::*;

    #[test]
    fn the_condition_follows_the_models() {
        let context = ServiceContext::standalone("classifier");
        let condition = context.readiness("model", "not looked at");
        let (sender, health) = watch::channel(Health::Up);
        let outage = Outage {
            bundle: "one 1.0.0".to_owned(),
            reason: "out of memory".to_owned(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let following = follow(health, &condition);
            tokio::pin!(following);
            let mut check = async |found: Option<Health>, is_ready| {
                if let Some(found) = found {
                    sender.send_replace(found);
                }
                // One poll takes in all that was sent.
                tokio::select! {
                    biased;
                    () = &mut following => panic!("the engine is not gone"),
                    () = std::future::ready(()) => {}
                }
                assert_eq!(condition.is_ready(), is_ready);
            };
            check(None, true).await;
            check(Some(Health::Down(outage)), false).await;
            check(Some(Health::Up), true).await;
        });
    }
}
