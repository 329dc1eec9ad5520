//! What the machine must have, and the command that installs what it lacks.

use std::process::{Command, Stdio};

/// The oldest Rust that builds the workspace, as its `rust-version` says.
const OLDEST_RUST: (u32, u32) = (1, 95);
/// The oldest Java that runs Apache Kafka.
const OLDEST_JAVA: u32 = 17;

/// A tool, how to see whether it is there, and the packages that bring it.
pub(crate) struct Tool {
    what: &'static str,
    probe: &'static [&'static str],
    /// Tells from what the probe prints whether this one will do.
    will_do: fn(&str) -> bool,
    debian: &'static str,
    fedora: &'static str,
    macos: &'static str,
}

/// What building needs: librdkafka, zstd, zlib and OpenSSL are compiled from source.
pub(crate) const BUILD: &[Tool] = &[
    Tool {
        what: "a C compiler (cc)",
        probe: &["cc", "--version"],
        will_do: any,
        debian: "gcc libc6-dev",
        fedora: "gcc",
        macos: "xcode-select --install",
    },
    Tool {
        what: "a C++ compiler (c++)",
        probe: &["c++", "--version"],
        will_do: any,
        debian: "g++",
        fedora: "gcc-c++",
        macos: "xcode-select --install",
    },
    Tool {
        what: "make",
        probe: &["make", "--version"],
        will_do: any,
        debian: "make",
        fedora: "make",
        macos: "xcode-select --install",
    },
    // OpenSSL is configured by a Perl program. Debian's smallest Perl lacks the module that it begins with.
    Tool {
        what: "Perl with its standard modules (perl)",
        probe: &["perl", "-MIPC::Cmd", "-MFindBin", "-e", "1"],
        will_do: any,
        debian: "perl",
        fedora: "perl-core",
        macos: "xcode-select --install",
    },
];

const PYTHON: Tool = Tool {
    what: "Python 3 (python3)",
    probe: &["python3", "-c", "import hashlib, zipfile"],
    will_do: any,
    debian: "python3",
    fedora: "python3",
    macos: "brew install python",
};

/// What fetching ONNX Runtime needs: it comes as a Python wheel.
pub(crate) const FETCH: &[Tool] = &[
    PYTHON,
    Tool {
        what: "pip for Python 3 (python3 -m pip)",
        probe: &["python3", "-m", "pip", "--version"],
        will_do: any,
        debian: "python3-pip",
        fedora: "python3-pip",
        macos: "brew install python",
    },
];

/// What running Apache Kafka needs.
pub(crate) const KAFKA: &[Tool] = &[JAVA, KEYTOOL, PYTHON];

/// What fetching and running Apache Kafka needs: it comes from a Maven repository.
pub(crate) const FETCH_KAFKA: &[Tool] = &[JAVA, KEYTOOL, MAVEN, PYTHON];

/// What running Apache Kafka needs where there is a Java: the default one of an older system is not new enough.
pub(crate) const NEWER_JAVA: &[Tool] = &[Tool {
    what: "Java 17 or newer (the one that is there is older)",
    will_do: is_new_java,
    debian: "openjdk-17-jre-headless",
    ..JAVA
}];

const JAVA: Tool = Tool {
    what: "Java 17 or newer (java)",
    probe: &["java", "--version"],
    will_do: any,
    debian: "default-jre-headless",
    fedora: "java-21-openjdk-headless",
    macos: "brew install --cask temurin",
};

/// The packages of Java bring it. Starting it would take as long as the rest of the checks.
const KEYTOOL: Tool = Tool {
    what: "Java's keytool",
    probe: &["sh", "-c", "command -v keytool"],
    ..JAVA
};

const MAVEN: Tool = Tool {
    what: "Maven (mvn)",
    probe: &["mvn", "--version"],
    will_do: any,
    debian: "maven",
    fedora: "maven",
    macos: "brew install maven",
};

fn any(_printed: &str) -> bool {
    true
}

/// Reads the first line that Java prints, such as `openjdk 17.0.15 2025-04-15`.
fn is_new_java(printed: &str) -> bool {
    let version = printed.split_whitespace().nth(1).unwrap_or_default();
    let major = version.split(['.', '-', '+']).next().unwrap_or_default();
    major.parse::<u32>().is_ok_and(|major| major >= OLDEST_JAVA)
}

/// Checks that Rust is new enough to build the workspace.
///
/// # Errors
///
/// Says what is needed, and the command that installs it.
pub(crate) fn check_rust() -> Result<(), String> {
    check_rust_version(&output_of(&["rustc", "--version"]).unwrap_or_default())
}

/// Checks that all of `tools` are there.
///
/// # Errors
///
/// Names everything that is missing, and one command that installs it.
pub(crate) fn check(tools: &[Tool]) -> Result<(), String> {
    let missing: Vec<&Tool> = tools
        .iter()
        .filter(|tool| !output_of(tool.probe).is_some_and(|printed| (tool.will_do)(&printed)))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let os_release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    Err(explain(
        &missing,
        System::of(std::env::consts::OS, &os_release),
    ))
}

/// Returns what a command prints, if it can be run and succeeds.
fn output_of(command: &[&str]) -> Option<String> {
    let output = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn check_rust_version(version_line: &str) -> Result<(), String> {
    let found = version_line.split_whitespace().nth(1).unwrap_or("none");
    let mut numbers = found
        .split('.')
        .map_while(|number| number.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= OLDEST_RUST {
        return Ok(());
    }
    let (major, minor) = OLDEST_RUST;
    Err(format!(
        "Rust {major}.{minor} or newer is needed, found {found}; install it with: \
         rustup update stable && rustup default stable"
    ))
}

/// The systems whose packages are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Debian,
    Fedora,
    MacOs,
    Other,
}

impl System {
    /// Reads the family from `/etc/os-release`, whose `ID_LIKE` lists what a derived system descends from.
    fn of(os: &str, os_release: &str) -> Self {
        if os == "macos" {
            return Self::MacOs;
        }
        let families = os_release
            .lines()
            .filter_map(|line| {
                line.strip_prefix("ID=")
                    .or_else(|| line.strip_prefix("ID_LIKE="))
            })
            .flat_map(|value| value.trim_matches('"').split_whitespace());
        for family in families {
            match family {
                "debian" | "ubuntu" => return Self::Debian,
                "fedora" | "rhel" | "centos" => return Self::Fedora,
                _ => {}
            }
        }
        Self::Other
    }
}

fn explain(missing: &[&Tool], system: System) -> String {
    let names = missing
        .iter()
        .map(|tool| tool.what)
        .collect::<Vec<_>>()
        .join(", ");
    let packages = |of: fn(&Tool) -> &'static str, separator: &str| {
        let mut packages: Vec<&str> = missing.iter().map(|tool| of(tool)).collect();
        packages.dedup();
        packages.join(separator)
    };
    let debian = || format!("apt-get install -y {}", packages(|tool| tool.debian, " "));
    let fedora = || format!("dnf install -y {}", packages(|tool| tool.fedora, " "));
    let command = match system {
        System::Debian => format!("{} (as root)", debian()),
        System::Fedora => format!("{} (as root)", fedora()),
        System::MacOs => packages(|tool| tool.macos, " && "),
        System::Other => format!("{} (Debian, Ubuntu) or {} (Fedora)", debian(), fedora()),
    };
    format!("missing on this machine: {names}; install with: {command}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_system(os_release: &str, expected: System) {
        assert_eq!(System::of("linux", os_release), expected);
    }

    #[test]
    fn a_derived_system_counts_as_what_it_descends_from() {
        check_system("NAME=x\nID=debian\n", System::Debian);
        check_system("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", System::Debian);
        check_system(
            "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
            System::Fedora,
        );
        check_system("ID=alpine\n", System::Other);
        check_system("", System::Other);
        assert_eq!(System::of("macos", ""), System::MacOs);
    }

    #[track_caller]
    fn check_rust_line(line: &str, expected: Result<(), &str>) {
        let found = check_rust_version(line);
        match expected {
            Ok(()) => assert_eq!(found, Ok(())),
            Err(version) => {
                let error = found.unwrap_err();
                assert!(error.contains(&format!("found {version};")), "{error}");
            }
        }
    }

    #[test]
    fn an_old_rust_is_refused() {
        check_rust_line("rustc 1.95.0 (59807616e 2026-04-14)", Ok(()));
        check_rust_line("rustc 1.97.0-nightly (e50aa6fba 2026-05-19)", Ok(()));
        check_rust_line("rustc 2.0.0", Ok(()));
        check_rust_line("rustc 1.94.1 (abc 2026-03-01)", Err("1.94.1"));
        check_rust_line("", Err("none"));
    }

    #[track_caller]
    fn check_java(printed: &str, expected: bool) {
        assert_eq!(is_new_java(printed), expected, "{printed}");
    }

    #[test]
    fn an_old_java_will_not_do() {
        check_java("openjdk 17.0.15 2025-04-15\nOpenJDK Runtime\n", true);
        check_java("java 21 2023-09-19 LTS", true);
        check_java("openjdk 26-ea 2026-03-17", true);
        check_java("openjdk 11.0.2 2019-01-15", false);
        check_java("", false);
    }

    #[track_caller]
    fn check_explanation(missing: &[&Tool], system: System, expected: &str) {
        assert_eq!(explain(missing, system), expected);
    }

    #[test]
    fn what_is_missing_comes_with_one_command() {
        let compilers_and_pip = [&BUILD[0], &BUILD[1], &FETCH[1]];
        check_explanation(
            &compilers_and_pip,
            System::Debian,
            "missing on this machine: a C compiler (cc), a C++ compiler (c++), pip for Python 3 (python3 -m pip); \
             install with: apt-get install -y gcc libc6-dev g++ python3-pip (as root)",
        );
        check_explanation(
            &compilers_and_pip,
            System::MacOs,
            "missing on this machine: a C compiler (cc), a C++ compiler (c++), pip for Python 3 (python3 -m pip); \
             install with: xcode-select --install && brew install python",
        );
        check_explanation(
            &[&BUILD[2]],
            System::Other,
            "missing on this machine: make; \
             install with: apt-get install -y make (Debian, Ubuntu) or dnf install -y make (Fedora)",
        );
    }
}
