//! The set-up's own promises, on which the other tests stand: a broker can be killed and started again, and three brokers
//! are one cluster.

use tidegate_tests::kafka::{Cluster, ClusterOptions};

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_comes_back_after_kill_9() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    cluster.kill(1).await;
    cluster.restart(1).await;
    cluster.stop(1).await;
    cluster.restart(1).await;
    cluster.freeze(1);
    cluster.thaw(1);
}
