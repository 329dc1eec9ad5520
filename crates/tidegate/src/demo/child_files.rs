//! The configuration files of stages that the demo runs as processes.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use kafka_pipeline::KafkaOptions;
use serde::Serialize;

use super::installation::Installation;

/// A stage's file. What is not in it has its default.
#[derive(Clone, Serialize)]
pub(super) struct StageFile<'a> {
    topic_prefix: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bootstrap_policy: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bootstrap_deployment: Option<&'a Path>,
    process: ProcessTable<'a>,
    kafka: &'a KafkaOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    inference: Option<InferenceTable<'a>>,
}

#[derive(Clone, Serialize)]
struct ProcessTable<'a> {
    telemetry_address: SocketAddr,
    log_filter: &'a str,
}

#[derive(Clone, Serialize)]
struct InferenceTable<'a> {
    bundle_directory: &'a Path,
}

impl<'a> StageFile<'a> {
    /// Makes what all stages have in common.
    pub(super) fn new(installation: &'a Installation, log_filter: &'a str) -> Self {
        Self {
            topic_prefix: &installation.topic_prefix,
            listen: None,
            bootstrap_policy: None,
            bootstrap_deployment: None,
            process: ProcessTable {
                telemetry_address: SocketAddr::from(([127, 0, 0, 1], 0)),
                log_filter,
            },
            kafka: &installation.kafka,
            inference: None,
        }
    }

    /// Returns the file of the control plane.
    pub(super) fn control_plane(
        &self,
        listen: SocketAddr,
        policy: &'a Path,
        deployment: &'a Path,
    ) -> Self {
        Self {
            listen: Some(listen),
            bootstrap_policy: Some(policy),
            bootstrap_deployment: Some(deployment),
            ..self.clone()
        }
    }

    /// Returns the file of the classifier.
    pub(super) fn classifier(&self, bundle_directory: &'a Path) -> Self {
        Self {
            inference: Some(InferenceTable { bundle_directory }),
            ..self.clone()
        }
    }

    /// Returns the file of the enforcer.
    pub(super) fn enforcer(&self) -> Self {
        self.clone()
    }

    /// Sets where metrics and health are served.
    pub(super) fn serve_telemetry_at(&mut self, address: SocketAddr) {
        self.process.telemetry_address = address;
    }

    /// Writes the file's text.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub(super) fn text(&self) -> anyhow::Result<String> {
        toml::to_string(self).context("a stage's configuration cannot be written")
    }
}

/// Writes a new file that only this user may read: it may hold what opens the brokers.
///
/// # Errors
/// If it exists or cannot be written.
pub(super) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use service_runtime::config;

    use super::*;

    #[test]
    fn stages_read_what_is_written_for_them() {
        let mut kafka = KafkaOptions::new("localhost:9092");
        let (key, value) = ("sasl.password", "a \"quoted\" one");
        kafka.client.insert(key.to_owned(), value.to_owned());
        let mut file = StageFile {
            topic_prefix: "own",
            listen: None,
            bootstrap_policy: None,
            bootstrap_deployment: None,
            process: ProcessTable {
                telemetry_address: SocketAddr::from(([127, 0, 0, 1], 0)),
                log_filter: "warn",
            },
            kafka: &kafka,
            inference: None,
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 4711));
        file.serve_telemetry_at(address);
        let path = Path::new("c.toml");
        let classifier = file.classifier(Path::new("bundles")).text().unwrap();
        let classifier: classifier::Config = config::parse(path, &classifier).unwrap();
        assert_eq!(classifier.kafka, kafka);
        assert_eq!(classifier.topic_prefix, "own");
        assert_eq!(classifier.process.telemetry_address, address);
        assert_eq!(classifier.inference.bundle_directory, Path::new("bundles"));
        let enforcer = file.enforcer().text().unwrap();
        config::parse::<enforcer::Config>(path, &enforcer).unwrap();
        let control_plane = file.control_plane(address, Path::new("p"), Path::new("d"));
        let control_plane = control_plane.text().unwrap();
        let control_plane: control_plane::Config = config::parse(path, &control_plane).unwrap();
        assert_eq!(control_plane.listen, address);
    }

    #[test]
    fn nobody_else_reads_a_private_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.toml");
        write_private(&path, "a").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(write_private(&path, "b").is_err());
    }
}
