//! Fetching a broker's jars with Maven, with the hash of each one checked.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::VERSION;
use crate::{prerequisites, program, python};

/// What `sha256sum` says of every jar.
const JARS: &str = include_str!("jars.sha256");
/// What Maven resolves to those jars.
const PROJECT: &str = include_str!("pom.xml");
/// Named with its version, for Maven would take another with every release of its own.
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// Makes sure that `folder` holds the pinned jars, fetching them if it does not, and returns the class path.
///
/// The jars appear in one step, and only with the right hashes.
pub(crate) fn install(folder: &Path) -> Result<OsString, String> {
    let libs = folder.join("libs");
    let tools = match libs.is_dir() {
        true => prerequisites::KAFKA,
        false => prerequisites::FETCH_KAFKA,
    };
    prerequisites::check(tools)?;
    prerequisites::check(prerequisites::NEWER_JAVA)?;
    if check(&libs).is_err() {
        prerequisites::check(prerequisites::FETCH_KAFKA)?;
        // Of this process alone, so that two set-ups at the same time do not meet.
        let scratch = folder.join(format!("download-{}", std::process::id()));
        fs::create_dir_all(&scratch)
            .map_err(|error| format!("cannot create {}: {error}", scratch.display()))?;
        let result = fetch(&scratch, &libs);
        if let Err(error) = fs::remove_dir_all(&scratch) {
            eprintln!("warning: cannot remove {}: {error}", scratch.display());
        }
        result?;
    }
    // Jar by jar, so that what else lies there is never loaded.
    std::env::join_paths(jars_in(&libs))
        .map_err(|error| format!("{} cannot stand in a class path: {error}", libs.display()))
}

fn fetch(scratch: &Path, libs: &Path) -> Result<(), String> {
    eprintln!("fetching Apache Kafka {VERSION} (about 44 MB)");
    let fetched = scratch.join("libs");
    download(scratch, &fetched)?;
    check(&fetched)?;
    put_in_place(scratch, &fetched, libs)?;
    eprintln!("verified, and placed at {}", libs.display());
    Ok(())
}

fn download(scratch: &Path, destination: &Path) -> Result<(), String> {
    let project = scratch.join("pom.xml");
    fs::write(&project, PROJECT)
        .map_err(|error| format!("cannot write {}: {error}", project.display()))?;
    let mut output_folder = OsString::from("-DoutputDirectory=");
    output_folder.push(destination);
    let mut maven = Command::new("mvn");
    maven
        .args(["--quiet", "--batch-mode", "-Dstyle.color=never", "--file"])
        .arg(&project)
        .args([COPY, "-DincludeScope=runtime"])
        .arg(output_folder);
    program::run(&mut maven).map(drop).map_err(|reason| {
        format!(
            "Maven could not download Apache Kafka {VERSION}: {reason}; check the network and `mvn help:effective-settings`"
        )
    })
}

/// Moves a folder to where another may be, which only an empty one could be replaced by.
fn put_in_place(scratch: &Path, fetched: &Path, libs: &Path) -> Result<(), String> {
    if libs.exists() {
        fs::rename(libs, scratch.join("replaced"))
            .map_err(|error| format!("cannot replace {}: {error}", libs.display()))?;
    }
    fs::rename(fetched, libs).or_else(|error| match check(libs) {
        // Another set-up was faster.
        Ok(()) => Ok(()),
        Err(_) => Err(format!("cannot put {} in place: {error}", libs.display())),
    })
}

/// Checks that every jar is there and right.
fn check(libs: &Path) -> Result<(), String> {
    let jars = jars_in(libs);
    if let Some(missing) = jars.iter().find(|jar| !jar.is_file()) {
        return Err(format!("{} is missing", missing.display()));
    }
    let found = python::sha256(jars.iter().map(PathBuf::as_path))?;
    let wrong = pinned()
        .zip(&found)
        .find(|((expected, _), found)| expected != *found);
    match wrong {
        None => Ok(()),
        Some(((expected, name), found)) => Err(format!(
            "Maven's {name} has sha256 {found}, expected {expected}; \
             remove it from ~/.m2/repository and check where `mvn help:effective-settings` fetches from"
        )),
    }
}

fn jars_in(libs: &Path) -> Vec<PathBuf> {
    pinned().map(|(_, name)| libs.join(name)).collect()
}

/// Yields hash and name of every jar.
fn pinned() -> impl Iterator<Item = (&'static str, &'static str)> {
    JARS.lines().filter_map(|line| line.split_once("  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_pins_a_jar() {
        for (hash, name) in pinned() {
            assert!(hash.len() == 64 && name.ends_with(".jar"), "{hash}  {name}");
        }
        assert_eq!(pinned().count(), JARS.lines().count());
    }

    #[test]
    fn the_pins_are_of_the_version_that_is_fetched() {
        let broker = format!("kafka_2.13-{VERSION}.jar");
        assert!(pinned().any(|(_, name)| name == broker));
        assert!(PROJECT.contains(&format!("<version>{VERSION}</version>")));
    }
}
