//! What a stage serves.

use kafka_pipeline::{Error, Handle, Lease};

/// What a stage serves, and how the pipeline that serves it is started: over again after its process stood still.
pub trait Serving: Send {
    /// Takes on what the control topic says now; nothing is consumed meanwhile.
    fn catch_up(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Starts a pipeline that serves what was taken on last, under a lease.
    ///
    /// # Errors
    /// A setting that is wrong.
    fn start(&self, lease: Lease) -> Result<Handle, Error>;

    /// Takes on each later version and acknowledges it, while `pipeline` runs. Ends only by failing.
    fn follow(&mut self, pipeline: &Handle) -> impl Future<Output = anyhow::Result<()>> + Send;
}
