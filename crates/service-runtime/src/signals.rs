//! SIGTERM and SIGINT: the first asks for a drain, the second ends the program.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Installs the handlers and returns what waits for signals.
///
/// # Errors
///
/// What the operating system says of the handlers.
pub(crate) fn handle(
    stop_requested: CancellationToken,
) -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        let name = next(&mut interrupt, &mut terminate).await.1;
        tracing::info!(signal = name, "signal received; a second one exits at once");
        stop_requested.cancel();
        let (kind, name) = next(&mut interrupt, &mut terminate).await;
        tracing::warn!(
            signal = name,
            "second signal received; exiting without draining"
        );
        exit_at_once(kind);
    })
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> (SignalKind, &'static str) {
    tokio::select! {
        _ = interrupt.recv() => (SignalKind::interrupt(), "SIGINT"),
        _ = terminate.recv() => (SignalKind::terminate(), "SIGTERM"),
    }
}

/// Without `atexit` handlers: they would tear native libraries down under threads that are still in them.
fn exit_at_once(kind: SignalKind) -> ! {
    signal_hook::low_level::exit(128 + kind.as_raw_value())
}
