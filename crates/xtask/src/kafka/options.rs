//! What a cluster is started with.

use std::path::PathBuf;

/// The port of a broker where nobody asks for another.
const DEFAULT_PORT: u16 = 9092;

/// A cluster to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterOptions {
    /// 1, or 3 that keep every record on three nodes.
    pub(crate) brokers: u8,
    /// Port of the first broker, the others follow; 0 takes free ones.
    pub(crate) port: u16,
    /// Where the records are kept; a folder that is removed at the end if none is named.
    pub(crate) data: Option<PathBuf>,
    /// Whether to listen with SASL over TLS too.
    pub(crate) secure: bool,
    /// Whether a program is spoken to, and not a person.
    pub(crate) json: bool,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            brokers: 1,
            port: DEFAULT_PORT,
            data: None,
            secure: false,
            json: false,
        }
    }
}

impl ClusterOptions {
    /// One broker that is in nobody's way.
    pub(crate) fn at_a_free_port() -> Self {
        Self {
            port: 0,
            ..Self::default()
        }
    }

    /// What all tests share.
    pub(crate) fn for_tests() -> Self {
        Self {
            secure: true,
            ..Self::at_a_free_port()
        }
    }

    /// Reads the arguments of `cargo xtask kafka`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.ok_or_else(|| format!("kafka {argument} wants a value"))
            };
            match argument.as_str() {
                "--brokers" => options.brokers = parse_brokers(value()?)?,
                "--port" => options.port = parse_port(value()?)?,
                "--data" => options.data = Some(PathBuf::from(value()?)),
                "--secure" => options.secure = true,
                "--json" => options.json = true,
                unknown => {
                    return Err(format!(
                        "kafka takes no argument {unknown}: use --brokers, --port, --data, --secure or --json"
                    ));
                }
            }
        }
        Ok(options)
    }
}

fn parse_brokers(value: &str) -> Result<u8, String> {
    match value {
        "1" => Ok(1),
        "3" => Ok(3),
        other => Err(format!("kafka --brokers {other} cannot be used: 1 or 3")),
    }
}

fn parse_port(value: &str) -> Result<u16, String> {
    // Six ports follow each other at most.
    match value.parse() {
        Ok(port) if port <= u16::MAX - 6 => Ok(port),
        _ => Err(format!(
            "kafka --port {value} cannot be used: 1 to {}, or 0 for free ones",
            u16::MAX - 6
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Result<ClusterOptions, &str>) {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let found = ClusterOptions::parse(&arguments);
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn arguments_change_the_defaults() {
        check("", Ok(ClusterOptions::default()));
        let all = ClusterOptions {
            brokers: 3,
            port: 0,
            data: Some(PathBuf::from("here")),
            secure: true,
            json: true,
        };
        check("--brokers 3 --port 0 --data here --secure --json", Ok(all));
    }

    #[test]
    fn what_cannot_be_used_is_named_with_what_can() {
        check(
            "--brokers 2",
            Err("kafka --brokers 2 cannot be used: 1 or 3"),
        );
        check(
            "--port 70000",
            Err("kafka --port 70000 cannot be used: 1 to 65529, or 0 for free ones"),
        );
        check("--port", Err("kafka --port wants a value"));
        check(
            "--topics x",
            Err(
                "kafka takes no argument --topics: use --brokers, --port, --data, --secure or --json",
            ),
        );
    }
}
