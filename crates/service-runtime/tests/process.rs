//! One process from start to drain, over its telemetry address. A process has one recorder and one log subscriber, so
//! this is one test in a program of its own.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::mpsc,
    time::Duration,
};

use service_runtime::{
    Process, ProcessConfig, ReadinessCondition, ServiceContext, StartError, Watchdog,
};
use tokio::sync::oneshot;

/// What the service hands to the test once it runs.
struct Handles {
    condition: ReadinessCondition,
    watchdog: Watchdog,
    shutdown_seen: oneshot::Receiver<()>,
    end: oneshot::Sender<()>,
}

/// Registers a condition and a watchdog, and drains for as long as the test wants.
async fn service(
    context: ServiceContext,
    handles: mpsc::SyncSender<Handles>,
) -> anyhow::Result<()> {
    let (tell_shutdown, shutdown_seen) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let condition = context.readiness("policy", "no policy yet");
    let watchdog = context.watchdog("poll", Duration::ZERO);
    handles.send(Handles {
        condition,
        watchdog,
        shutdown_seen,
        end,
    })?;
    context.shutdown().cancelled().await;
    tell_shutdown
        .send(())
        .map_err(|()| anyhow::anyhow!("the test has ended"))?;
    Ok(ended.await?)
}

#[track_caller]
fn check(address: SocketAddr, path: &str, expected_status: &str, expected_body: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {expected_status}")),
        "{answer}"
    );
    assert!(answer.contains(expected_body), "{answer}");
}

#[test]
fn a_process_tells_its_health_and_drains_on_a_signal() {
    let address = "127.0.0.1:0".parse().unwrap();
    let config = ProcessConfig {
        telemetry_address: address,
        ..ProcessConfig::default()
    };
    let mut process = Process::start(&config).unwrap();
    let address = process.telemetry_address().unwrap();
    let (to_test, from_service) = mpsc::sync_channel(1);
    process.add("stage", |context| service(context, to_test));
    let running = std::thread::spawn(|| process.run());
    let handles = from_service.recv().unwrap();

    check(
        address,
        "/ready",
        "503",
        r#"{"ready":false,"draining":false,"conditions":[{"service":"stage","condition":"policy","ready":false,"reason":"no policy yet"}]}"#,
    );
    handles.condition.set_ready();
    check(
        address,
        "/ready",
        "200",
        r#"{"ready":true,"draining":false,"#,
    );
    check(
        address,
        "/live",
        "503",
        r#"{"live":false,"silent_loops":[{"service":"stage","loop":"poll","#,
    );
    drop(handles.watchdog);
    check(
        address,
        "/live",
        "200",
        r#"{"live":true,"silent_loops":[]}"#,
    );
    check(
        address,
        "/metrics",
        "200",
        "# TYPE tidegate_process_start_time_seconds gauge",
    );
    check(address, "/nothing", "404", "");

    let taken = ProcessConfig {
        telemetry_address: address,
        ..ProcessConfig::default()
    };
    let cause = TcpListener::bind(address).unwrap_err();
    let Err(error @ StartError::Address { .. }) = Process::start(&taken) else {
        panic!()
    };
    assert_eq!(
        error.to_string(),
        format!(
            "cannot listen on {address} for metrics and health: {cause}; \
             stop what listens there, or set process.telemetry_address (port 0 takes a free one)"
        )
    );

    let own_id = std::process::id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &own_id])
            .status()
            .unwrap()
            .success()
    );
    handles.shutdown_seen.blocking_recv().unwrap();
    check(
        address,
        "/ready",
        "503",
        r#"{"ready":false,"draining":true,"#,
    );
    handles.end.send(()).unwrap();
    running.join().unwrap().unwrap();
    assert!(TcpStream::connect(address).is_err());
}
