//! One loaded copy of a model, owned by one thread at a time.

use std::sync::Arc;

use ort::session::builder::GraphOptimizationLevel;
use ort::session::{RunOptions, Session};
use ort::value::{Outlet, TensorElementType, TensorRef};

use crate::bundle::{Bundle, Inputs};
use crate::runtime::Runtime;

/// Why a model cannot be loaded or run. No message of the runtime's is shown that could quote its input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The runtime refuses the file.
    #[error("the runtime cannot load model.onnx: {0}")]
    Load(String),
    /// The graph's inputs or outputs are not the manifest's.
    #[error("{0}")]
    Contract(String),
    /// The run failed or was stopped.
    #[error("inference failed with runtime code {0}")]
    Run(String),
    /// The run gave another number of outputs than labels.
    #[error("the model answered with shape {found}, expected {windows} windows x {labels} labels")]
    Shape {
        /// What it answered with.
        found: String,
        /// Windows asked.
        windows: usize,
        /// Labels of the manifest.
        labels: usize,
    },
}

/// The input of one run: the features of some windows.
#[derive(Debug, Default)]
pub struct WindowBatch {
    ids: Vec<i32>,
    owners: Vec<i32>,
    lengths: Vec<i32>,
}

impl WindowBatch {
    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.owners.clear();
        self.lengths.clear();
    }

    /// Adds a window that has at least one feature.
    pub fn push(&mut self, ids: &[i32]) {
        debug_assert!(
            !ids.is_empty(),
            "the graph divides by the length of a window"
        );
        let owner = self.lengths.len() as i32;
        self.ids.extend_from_slice(ids);
        self.owners.resize(self.ids.len(), owner);
        self.lengths.push(ids.len() as i32);
    }

    /// Returns the number of windows.
    pub fn windows(&self) -> usize {
        self.lengths.len()
    }

    /// Returns the number of features in all windows.
    pub fn features(&self) -> usize {
        self.ids.len()
    }
}

/// A loaded model.
pub struct ModelSession {
    session: Session,
    inputs: Inputs,
    output: String,
    labels: usize,
    options: Arc<RunOptions>,
}

impl ModelSession {
    /// Loads a bundle's model for one thread.
    ///
    /// # Errors
    /// Says why the runtime refuses the model, or which input or output is not as the manifest says.
    pub fn open(runtime: &Runtime, bundle: &Bundle) -> Result<Self, SessionError> {
        let load = |error: ort::Error| SessionError::Load(one_line(error.message()));
        let session = commit(runtime, bundle.model()).map_err(load)?;
        let manifest = bundle.manifest();
        check_contract(&session, bundle)?;
        Ok(Self {
            session,
            inputs: manifest.inputs.clone(),
            output: manifest.outputs.logits.clone(),
            labels: bundle.labels().len(),
            options: Arc::new(RunOptions::new().map_err(load)?),
        })
    }

    /// Appends the outputs for every window of the batch, label by label, to `logits`.
    ///
    /// # Errors
    /// After an error the session is not to be used again.
    pub fn run(&mut self, batch: &WindowBatch, logits: &mut Vec<f32>) -> Result<(), SessionError> {
        let failed = |error: ort::Error| SessionError::Run(format!("{:?}", error.code()));
        let outputs = self
            .session
            .run_with_options(
                ort::inputs![
                    self.inputs.ids.as_str() => vector(&batch.ids).map_err(failed)?,
                    self.inputs.owners.as_str() => vector(&batch.owners).map_err(failed)?,
                    self.inputs.lengths.as_str() => vector(&batch.lengths).map_err(failed)?,
                ],
                &self.options,
            )
            .map_err(failed)?;
        let (shape, values) = outputs[self.output.as_str()]
            .try_extract_tensor::<f32>()
            .map_err(failed)?;
        if values.len() != batch.windows() * self.labels {
            return Err(SessionError::Shape {
                found: format!("{:?}", &shape[..]),
                windows: batch.windows(),
                labels: self.labels,
            });
        }
        logits.extend_from_slice(values);
        Ok(())
    }

    /// Returns what stops a run of this session from another thread, for good.
    pub(crate) fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.options))
    }
}

/// Stops a running session from another thread.
#[derive(Clone)]
pub(crate) struct Stopper(Arc<RunOptions>);

impl Stopper {
    /// Makes the current run fail before its next operator, and all later runs.
    pub(crate) fn stop(&self) {
        if let Err(error) = self.0.terminate() {
            tracing::warn!(code = ?error.code(), "a late inference cannot be stopped");
        }
    }
}

fn vector(data: &[i32]) -> ort::Result<TensorRef<'_, i32>> {
    TensorRef::from_array_view(([data.len()], data))
}

/// Builder errors are not `Send`, so everything that makes them stays in here.
fn commit(runtime: &Runtime, model: &[u8]) -> ort::Result<Session> {
    Session::builder(runtime.environment())?
        .with_execution_providers([ort::ep::CPU::default().with_arena_allocator(false).build()])?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_memory_pattern(false)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .commit_from_memory(model)
}

fn check_contract(session: &Session, bundle: &Bundle) -> Result<(), SessionError> {
    let manifest = bundle.manifest();
    let Inputs {
        ids,
        owners,
        lengths,
    } = &manifest.inputs;
    check_names("inputs", session.inputs(), &[ids, owners, lengths])?;
    for input in session.inputs() {
        check_tensor(input, TensorElementType::Int32, &[None])?;
    }
    check_names("outputs", session.outputs(), &[&manifest.outputs.logits])?;
    for output in session.outputs() {
        let labels = bundle.labels().len() as i64;
        check_tensor(output, TensorElementType::Float32, &[None, Some(labels)])?;
    }
    Ok(())
}

fn check_names(what: &str, found: &[Outlet], expected: &[&String]) -> Result<(), SessionError> {
    let mut found: Vec<&str> = found.iter().map(Outlet::name).collect();
    let mut expected: Vec<&str> = expected.iter().map(|name| name.as_str()).collect();
    found.sort_unstable();
    expected.sort_unstable();
    if found == expected {
        return Ok(());
    }
    Err(SessionError::Contract(format!(
        "the graph's {what} are {}, but the manifest says {}",
        found.join(", "),
        expected.join(", ")
    )))
}

/// Checks the type and the known dimensions; the graph may leave any dimension open.
fn check_tensor(
    outlet: &Outlet,
    element: TensorElementType,
    dimensions: &[Option<i64>],
) -> Result<(), SessionError> {
    let shape = outlet.dtype().tensor_shape();
    let has_shape = shape.is_some_and(|shape| {
        shape.len() == dimensions.len()
            && shape.iter().zip(dimensions).all(|(found, expected)| {
                *found < 0 || expected.is_none_or(|expected| *found == expected)
            })
    });
    if has_shape && outlet.dtype().tensor_type() == Some(element) {
        return Ok(());
    }
    let expected: Vec<String> = dimensions
        .iter()
        .map(|dimension| dimension.map_or_else(|| "any".to_owned(), |size| size.to_string()))
        .collect();
    Err(SessionError::Contract(format!(
        "the graph's `{}` is {}, expected {element} x {}",
        outlet.name(),
        outlet.dtype(),
        expected.join(" x ")
    )))
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
