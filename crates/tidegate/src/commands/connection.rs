//! The way to the control plane.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use moderation_wire::v1;
use moderation_wire::v1::status_service_client::StatusServiceClient;
use tokio::time::sleep;
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
    /// Connects, to look at something.
    ///
    /// # Errors
    /// One line that names the address and the way out.
    pub(crate) async fn open(&self) -> anyhow::Result<Channel> {
        connect(&self.endpoint).await.map_err(|error| {
            anyhow!(
                "no control plane answers at {} ({error:#}); start one with `tidegate demo` or `tidegate control-plane`, or \
                 name another with --endpoint or TIDEGATE_ENDPOINT",
                self.endpoint,
            )
        })
    }

    /// Connects, to change something: where the control plane that answers stands by, to the one that leads.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) async fn open_leader(&self) -> anyhow::Result<Channel> {
        let channel = self.open().await?;
        let mut client =
            StatusServiceClient::new(channel.clone()).max_decoding_message_size(MAX_STATUS_BYTES);
        let patience = Instant::now() + ELECTION_PATIENCE;
        loop {
            let response = client.get_status(v1::GetStatusRequest {}).await;
            let response = response.map_err(refused)?.into_inner();
            let status = response.status.unwrap_or_default();
            // Where nobody leads, the one that answers waits for somebody to.
            if status.leads || status.leader.is_empty() {
                return Ok(channel);
            }
            match connect(&status.leader).await {
                Ok(leader) => return Ok(leader),
                // One that died is taken for the leader until it has been silent for long enough.
                Err(_) if Instant::now() < patience => sleep(ASK_AGAIN).await,
                Err(error) => {
                    let (endpoint, leader) = (&self.endpoint, status.leader);
                    return Err(error.context(format!(
                        "{endpoint} stands by, and {leader}, which leads, does not answer"
                    )));
                }
            }
        }
    }
}

async fn connect(address: &str) -> anyhow::Result<Channel> {
    let url = match address.contains("://") {
        true => address.to_owned(),
        false => format!("http://{address}"),
    };
    let endpoint = Endpoint::from_shared(url)
        .with_context(|| format!("{address} is no address such as http://127.0.0.1:7301"))?
        .connect_timeout(CONNECT_PATIENCE)
        // One that waits for its brokers has its port and answers nobody.
        .http2_keep_alive_interval(SIGN_OF_LIFE)
        .keep_alive_timeout(SIGN_OF_LIFE);
    endpoint
        .connect()
        .await
        .map_err(|error| anyhow!(innermost(&error)))
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

/// What a status of ten thousand replicas takes.
pub(crate) const MAX_STATUS_BYTES: usize = 16 * 1024 * 1024;
/// How long to ask for a leader that answers.
const ELECTION_PATIENCE: Duration = Duration::from_secs(10);
const ASK_AGAIN: Duration = Duration::from_millis(500);
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How often a server is asked whether it is there while it answers nothing, and how long it may take to say so.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
