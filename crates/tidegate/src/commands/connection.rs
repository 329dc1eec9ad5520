//! The way to the control plane.

use std::time::Duration;

use anyhow::{Context, anyhow};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

/// Where the control plane is, and how to print.
#[derive(clap::Args, Debug)]
pub(crate) struct Connection {
    /// The control plane's address.
    #[arg(
        long,
        global = true,
        env = "TIDEGATE_ENDPOINT",
        value_name = "URL",
        default_value = "http://127.0.0.1:7301"
    )]
    endpoint: String,
    /// Print JSON instead of text for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// One line that names the address and the way out.
    pub(crate) async fn open(&self) -> anyhow::Result<Channel> {
        let address = match self.endpoint.contains("://") {
            true => self.endpoint.clone(),
            false => format!("http://{}", self.endpoint),
        };
        let endpoint = Endpoint::from_shared(address)
            .with_context(|| {
                format!(
                    "{} is no address such as http://127.0.0.1:7301",
                    self.endpoint
                )
            })?
            .connect_timeout(CONNECT_PATIENCE)
            // One that waits for its brokers has its port and answers nobody.
            .http2_keep_alive_interval(SIGN_OF_LIFE)
            .keep_alive_timeout(SIGN_OF_LIFE);
        endpoint.connect().await.map_err(|error| {
            anyhow!(
                "no control plane answers at {} ({}); start one with `tidegate demo` or `tidegate control-plane`, or name \
                 another with --endpoint or TIDEGATE_ENDPOINT",
                self.endpoint,
                innermost(&error)
            )
        })
    }
}

/// Runs a command's requests to their end on this thread.
pub(crate) fn block_on<T>(requests: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime")?
        .block_on(requests)
}

/// Makes the server's refusal an error for people: its words, and what they can do where it does not say so itself.
pub(crate) fn refused(status: Status) -> anyhow::Error {
    let advice = match status.code() {
        Code::Unimplemented => " (the control plane is of another release)",
        Code::Unavailable if status.message().is_empty() => {
            "the control plane went away; look with `tidegate status`"
        }
        _ => "",
    };
    anyhow!("{}{advice}", status.message())
}

/// Returns what is at the bottom of an error: the transport wraps "connection refused" three times.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How often a server is asked whether it is there while it answers nothing, and how long it may take to say so.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
