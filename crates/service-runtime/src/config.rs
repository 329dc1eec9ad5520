//! Reading a configuration file as a whole, before anything starts.

use std::{
    fmt::Display,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, de::DeserializeOwned};

/// A value longer than this is a table or a text, and would drown the message that shows it.
const LONGEST_SHOWN_VALUE: usize = 80;

/// The part of a configuration file that is the same for every process: its `[process]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProcessConfig {
    /// Where `/metrics`, `/live` and `/ready` are served; port 0 takes a free one.
    pub telemetry_address: SocketAddr,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines are written, as `tracing` directives (`info`, `warn,enforcer=debug`); `RUST_LOG` overrides it.
    pub log_filter: String,
    /// How long services may take to drain after the first signal.
    #[serde(with = "humantime_serde")]
    pub drain_deadline: Duration,
}

impl Default for ProcessConfig {
    fn default() -> Self {
        Self {
            // Reachable from this machine alone until someone says otherwise.
            telemetry_address: SocketAddr::from(([127, 0, 0, 1], 9464)),
            log_format: LogFormat::Human,
            log_filter: "info".to_owned(),
            // Below Kubernetes' default grace period of 30 s, so that a drain that overruns is ours to report.
            drain_deadline: Duration::from_secs(25),
        }
    }
}

impl ServiceConfig for ProcessConfig {
    fn validate(&self) -> Result<(), InvalidValue> {
        if self.drain_deadline.is_zero() {
            return Err(InvalidValue::new(
                "process.drain_deadline",
                "0s",
                "a duration above zero, such as \"25s\"",
            ));
        }
        if let Err(cause) = crate::logging::parse_filter(&self.log_filter) {
            let allowed =
                format!("tracing directives such as \"info\" or \"warn,enforcer=debug\" ({cause})");
            return Err(InvalidValue::new(
                "process.log_filter",
                &self.log_filter,
                allowed,
            ));
        }
        Ok(())
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One line for a person to read, coloured on a terminal.
    Human,
    /// One JSON object a line.
    Json,
}

/// A configuration file's type: what [`load`] reads and checks.
///
/// Its serde type denies unknown fields, and has a `process: ProcessConfig` with `#[serde(default)]`.
pub trait ServiceConfig: DeserializeOwned {
    /// Checks what the types cannot: ranges, and values that must fit each other.
    ///
    /// Calls `self.process.validate()` too.
    fn validate(&self) -> Result<(), InvalidValue>;
}

/// A value that parsed and cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value} cannot be used: expected {allowed}")]
pub struct InvalidValue {
    key: String,
    value: String,
    allowed: String,
}

impl InvalidValue {
    /// Names the dotted key, the value found there, and what is allowed.
    pub fn new(key: impl Into<String>, value: impl Display, allowed: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.to_string(),
            allowed: allowed.into(),
        }
    }
}

/// Why a configuration file cannot be used. Every message is one line.
///
/// Messages hold their causes, and `source()` is none: a chain that is printed whole says nothing twice.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read configuration file {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The file is not TOML, or holds a key or a value that its service does not know.
    #[error("{}:{line}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line of the offending key or value, from 1.
        line: usize,
        /// Key, value and what is allowed.
        message: String,
    },
    /// A value is outside its range, or does not fit another.
    #[error("{}: {cause}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The value.
        cause: InvalidValue,
    },
}

/// Reads and validates the whole of a configuration file.
///
/// # Errors
///
/// A [`ConfigError`] that names the file and, where it has them, line, key, value and what is allowed.
pub fn load<C: ServiceConfig>(path: &Path) -> Result<C, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable {
        path: path.to_owned(),
        cause,
    })?;
    parse(path, &text)
}

/// Parses and validates the text of a configuration file; `path` is for messages alone.
///
/// # Errors
///
/// As [`load`].
pub fn parse<C: ServiceConfig>(path: &Path, text: &str) -> Result<C, ConfigError> {
    let config: C = toml::from_str(text).map_err(|error| malformed(path, text, error))?;
    config.validate().map_err(|cause| ConfigError::Invalid {
        path: path.to_owned(),
        cause,
    })?;
    Ok(config)
}

fn malformed(path: &Path, text: &str, mut error: toml::de::Error) -> ConfigError {
    let span = error.span().unwrap_or(0..0);
    let line = text[..span.start].matches('\n').count() + 1;
    let value = text[span].trim();
    // Without its input the error draws no excerpt of several lines: it displays as the message, and the key below it.
    error.set_input(None);
    let shown = error.to_string();
    let mut message = match shown.trim_end().rsplit_once("\nin `") {
        Some((message, key)) => format!("{}: {message}", key.trim_end_matches('`')),
        None => shown.trim_end().to_owned(),
    };
    if is_worth_showing(value) && !message.contains(value.trim_matches('"')) {
        message = format!("{message}, found {value}");
    }
    let message = message.replace('\n', " ");
    ConfigError::Malformed {
        path: path.to_owned(),
        line,
        message,
    }
}

fn is_worth_showing(value: &str) -> bool {
    !value.is_empty() && value.len() <= LONGEST_SHOWN_VALUE && !value.contains('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(default)]
        process: ProcessConfig,
        lane: Lane,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Lane {
        width: u16,
    }

    impl ServiceConfig for Sample {
        fn validate(&self) -> Result<(), InvalidValue> {
            if self.lane.width == 0 {
                return Err(InvalidValue::new(
                    "lane.width",
                    self.lane.width,
                    "1 to 65535",
                ));
            }
            self.process.validate()
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let error = parse::<Sample>(Path::new("a.toml"), text)
            .unwrap_err()
            .to_string();
        assert_eq!(error, expected);
    }

    #[test]
    fn errors_name_file_line_key_value_and_what_is_allowed() {
        check("", "a.toml:1: missing field `lane`");
        check(
            "[lane]\nwidth = 0",
            "a.toml: lane.width = 0 cannot be used: expected 1 to 65535",
        );
        check(
            "[lane]\nwidth = 70000",
            "a.toml:2: lane.width: invalid value: integer `70000`, expected u16",
        );
        check(
            "[lane]\nwidth = 1\nheight = 2",
            "a.toml:3: lane: unknown field `height`, expected `width`",
        );
        check("[lane\n", "a.toml:1: unclosed table, expected `]`");
    }

    #[test]
    fn errors_in_the_common_table_say_what_it_takes() {
        let check = |line: &str, expected| {
            check(&format!("[lane]\nwidth = 1\n[process]\n{line}"), expected)
        };
        check(
            "drain_deadline = \"soon\"",
            "a.toml:4: process.drain_deadline: invalid value: string \"soon\", expected a duration",
        );
        check(
            "drain_deadline = \"0s\"",
            "a.toml: process.drain_deadline = 0s cannot be used: expected a duration above zero, such as \"25s\"",
        );
        check(
            "log_format = \"xml\"",
            "a.toml:4: process.log_format: unknown variant `xml`, expected `human` or `json`",
        );
        check(
            "log_filter = \"info,,=\"",
            "a.toml: process.log_filter = info,,= cannot be used: expected tracing directives such as \"info\" or \
             \"warn,enforcer=debug\" (invalid filter directive)",
        );
        check(
            "telemetry_address = \"localhost\"",
            "a.toml:4: process.telemetry_address: invalid socket address syntax, found \"localhost\"",
        );
    }

    #[test]
    fn a_file_without_the_common_table_gets_its_defaults() {
        let sample: Sample = parse(Path::new("a.toml"), "[lane]\nwidth = 3").unwrap();
        assert_eq!(sample.process, ProcessConfig::default());
        assert_eq!(sample.lane.width, 3);
    }

    #[test]
    fn units_are_read() {
        let text =
            "[lane]\nwidth = 3\n[process]\ndrain_deadline = \"250ms\"\nlog_format = \"json\"";
        let sample: Sample = parse(Path::new("a.toml"), text).unwrap();
        assert_eq!(sample.process.drain_deadline, Duration::from_millis(250));
        assert_eq!(sample.process.log_format, LogFormat::Json);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = load::<Sample>(Path::new("/nowhere/a.toml"))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "cannot read configuration file /nowhere/a.toml: No such file or directory (os error 2)"
        );
    }
}
