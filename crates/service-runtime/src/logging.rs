//! Log lines: on standard error, for a person or as JSON.

use std::{backtrace::Backtrace, io::IsTerminal, panic::PanicHookInfo};

use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    config::{InvalidValue, LogFormat, ProcessConfig},
    process::StartError,
};

/// Overrides the configured filter, as it does in every program that uses `tracing`.
const FILTER_VARIABLE: &str = "RUST_LOG";

pub(crate) fn parse_filter(
    directives: &str,
) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::builder().parse(directives)
}

/// Installs the process's log subscriber.
///
/// Lines go to standard error, so that a command's result on standard output stays clean.
pub(crate) fn start(config: &ProcessConfig) -> Result<(), StartError> {
    let filter = filter(config)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Human => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        // Not a filter of this layer alone: rdkafka asks whether a target is enabled without writing anything, and such a
        // filter keeps a "no" for the thread's next line.
        .with(filter)
        .with(lines)
        .try_init()
        .map_err(|_| StartError::AlreadyStarted("tracing"))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs where a panic happened, and its message only if that is a literal.
///
/// A formatted message may quote what was being processed: slicing a string inside a character prints the string.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload().downcast_ref::<&'static str>().copied();
    tracing::error!(
        location = panic.location().map(tracing::field::display),
        message = message.unwrap_or("withheld, for it may quote content"),
        backtrace = %Backtrace::capture(),
        "panicked"
    );
}

fn filter(config: &ProcessConfig) -> Result<EnvFilter, StartError> {
    let (key, directives) = match std::env::var(FILTER_VARIABLE) {
        Ok(directives) if !directives.is_empty() => (FILTER_VARIABLE, directives),
        _ => ("process.log_filter", config.log_filter.clone()),
    };
    parse_filter(&directives).map_err(|cause| {
        StartError::LogFilter(InvalidValue::new(
            key,
            directives,
            format!("tracing directives ({cause})"),
        ))
    })
}
