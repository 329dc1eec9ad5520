//! The versions of what a stage serves, one after the other.

use std::sync::Arc;

use anyhow::Context as _;
use kafka_pipeline::Handle;
use tokio::sync::watch;

/// The versions that come, and the one that is yet to be acknowledged.
#[derive(Debug)]
pub struct Versions<T> {
    coming: watch::Receiver<Option<Arc<T>>>,
    unacknowledged: Option<Arc<T>>,
}

impl<T> Versions<T> {
    /// Begins with what is shown already, if anything is.
    pub fn new(mut coming: watch::Receiver<Option<Arc<T>>>) -> Self {
        coming.mark_changed();
        Self {
            coming,
            unacknowledged: None,
        }
    }

    /// Waits for the next version, and passes over those that are gone by then. Cancellation-safe.
    ///
    /// # Errors
    /// The control topic is no longer followed.
    pub async fn next(&mut self) -> anyhow::Result<Arc<T>> {
        loop {
            self.coming
                .changed()
                .await
                .context("the control topic is no longer followed")?;
            if let Some(version) = self.coming.borrow_and_update().clone() {
                return Ok(version);
            }
        }
    }

    /// Returns the version that is shown now, if it has not been returned before.
    pub fn shown(&mut self) -> Option<Arc<T>> {
        // Where nobody shows anything any more, waiting for the next version says so.
        match self.coming.has_changed() {
            Ok(true) => self.coming.borrow_and_update().clone(),
            Ok(false) | Err(_) => None,
        }
    }

    /// Says that a version serves from now on. It is acknowledged when nothing made under an older one is on its way.
    pub fn serves(&mut self, version: Arc<T>) {
        self.unacknowledged = Some(version);
    }

    /// Waits for the next version as [`next`](Self::next) does, and meanwhile acknowledges the one that serves once
    /// `pipeline` has settled. Settling may take as long as the brokers are away, and what comes meanwhile may take
    /// something back; so neither waits for the other.
    ///
    /// # Errors
    /// As [`next`](Self::next); or the pipeline has ended.
    pub async fn next_while_settling(
        &mut self,
        pipeline: &Handle,
        acknowledge: impl Fn(&T),
    ) -> anyhow::Result<Arc<T>> {
        while let Some(serving) = self.unacknowledged.clone() {
            tokio::select! {
                biased;
                version = self.next() => return version,
                settled = pipeline.settled() => {
                    settled?;
                    acknowledge(&serving);
                    self.unacknowledged = None;
                }
            }
        }
        self.next().await
    }
}
