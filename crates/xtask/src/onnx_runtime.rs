//! Fetching ONNX Runtime's library out of its Python wheel, with both hashes checked.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{program, python};

/// Stays behind 1.29, from which on the library uploads telemetry unless told not to.
const VERSION: &str = "1.28.0";

const ANOTHER_WAY: &str =
    "or set ORT_DYLIB_PATH to the library of an ONNX Runtime 1.28.0 of your own";

/// One published build.
struct Wheel {
    architecture: &'static str,
    platforms: &'static [&'static str],
    wheel_sha256: &'static str,
    library_sha256: &'static str,
}

const WHEELS: &[Wheel] = &[
    Wheel {
        architecture: "x86_64",
        platforms: &["manylinux_2_28_x86_64", "manylinux_2_27_x86_64"],
        wheel_sha256: "a166b78ee04f3a37fa1ef82034b6a3ce96d9684e582d4d30b296de83e9998bb5",
        library_sha256: "aa4079d18f4ea7a5f3a94d80cd4bbe0f2740436626622d64d793803a20381083",
    },
    Wheel {
        architecture: "aarch64",
        platforms: &["manylinux_2_28_aarch64", "manylinux_2_27_aarch64"],
        wheel_sha256: "8d66f9ceb29909c70839e4e4fb3435c7b490050d8f162bd5f3aba4ca01ee517f",
        library_sha256: "23a37c2994bc273e1d59a4f49af6cba5bf1cfbc29f04907ec27df375aba50a7d",
    },
];

/// Makes sure that `library` is the pinned build for this machine, fetching it if it is not.
///
/// The library appears in one step, and only with the right hash.
pub(crate) fn install(library: &Path) -> Result<(), String> {
    let wheel = wheel_for(std::env::consts::OS, std::env::consts::ARCH)?;
    if library.is_file() && sha256(library)? == wheel.library_sha256 {
        return Ok(());
    }
    let folder = library.parent().unwrap_or(Path::new("."));
    // Of this process alone, so that two set-ups at the same time do not meet.
    let scratch = folder.join(format!("download-{}", std::process::id()));
    fs::create_dir_all(&scratch)
        .map_err(|error| format!("cannot create {}: {error}", scratch.display()))?;
    let result = fetch(wheel, &scratch, library);
    if let Err(error) = fs::remove_dir_all(&scratch) {
        eprintln!("warning: cannot remove {}: {error}", scratch.display());
    }
    result
}

fn wheel_for(os: &str, architecture: &str) -> Result<&'static Wheel, String> {
    WHEELS
        .iter()
        .find(|wheel| os == "linux" && wheel.architecture == architecture)
        .ok_or_else(|| {
            format!(
                "no ONNX Runtime {VERSION} is pinned for {os} on {architecture}: \
                 install it, and set ORT_DYLIB_PATH to its library"
            )
        })
}

fn fetch(wheel: &Wheel, scratch: &Path, library: &Path) -> Result<(), String> {
    eprintln!(
        "fetching ONNX Runtime {VERSION} for {} (about 20 MB)",
        wheel.architecture
    );
    let archive = download(wheel, scratch)?;
    let unpacked = scratch.join("libonnxruntime.so");
    let member = format!("onnxruntime/capi/libonnxruntime.so.{VERSION}");
    python::unpack(&archive, &member, &unpacked)?;
    let found = sha256(&unpacked)?;
    if found != wheel.library_sha256 {
        return Err(format!(
            "the ONNX Runtime library in the wheel has sha256 {found}, expected {}; {ANOTHER_WAY}",
            wheel.library_sha256
        ));
    }
    fs::rename(&unpacked, library)
        .map_err(|error| format!("cannot put {} in place: {error}", library.display()))?;
    eprintln!("verified, and placed at {}", library.display());
    Ok(())
}

/// Has pip download the wheel, which it accepts with the right hash alone, and returns where it is.
fn download(wheel: &Wheel, scratch: &Path) -> Result<PathBuf, String> {
    let requirements = scratch.join("requirements.txt");
    let pinned = format!(
        "onnxruntime=={VERSION} --hash=sha256:{}\n",
        wheel.wheel_sha256
    );
    fs::write(&requirements, pinned)
        .map_err(|error| format!("cannot write {}: {error}", requirements.display()))?;
    // `pip download` installs nothing, so that systems whose Python is externally managed allow it.
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ])
    .args([
        "--only-binary=:all:",
        "--implementation",
        "cp",
        "--python-version",
        "3.11",
    ])
    .args(
        wheel
            .platforms
            .iter()
            .flat_map(|platform| ["--platform", platform]),
    )
    .args(["--require-hashes", "--requirement"])
    .arg(&requirements)
    .arg("--dest")
    .arg(scratch);
    program::run(&mut pip).map_err(|reason| {
        format!(
            "pip could not download onnxruntime=={VERSION}: {reason}; \
             check the network and `python3 -m pip config list`, {ANOTHER_WAY}"
        )
    })?;
    let files = fs::read_dir(scratch)
        .map_err(|error| format!("cannot read {}: {error}", scratch.display()))?;
    files
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension() == Some(OsStr::new("whl")))
        .ok_or_else(|| format!("pip left no wheel in {}; {ANOTHER_WAY}", scratch.display()))
}

fn sha256(file: &Path) -> Result<String, String> {
    Ok(python::sha256([file])?.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_linux_on_a_pinned_architecture_has_a_wheel() {
        assert!(wheel_for("linux", "x86_64").is_ok());
        assert!(wheel_for("linux", "aarch64").is_ok());
        for (os, architecture) in [("macos", "aarch64"), ("linux", "riscv64")] {
            let error = wheel_for(os, architecture).err().unwrap_or_default();
            assert!(
                error.contains(&format!("{os} on {architecture}")),
                "{error}"
            );
        }
    }
}
