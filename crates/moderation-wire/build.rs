//! Compiles `proto/tidegate/v1` without a `protoc`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(sources(&root)?)?;

    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    // Maps are sorted, so that the same record always has the same bytes.
    tonic_prost_build::configure()
        .btree_map(".")
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;

    // Reflection has no use for comments.
    let descriptors = compiler
        .include_source_info(false)
        .encode_file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("tidegate_descriptors.bin"), descriptors)?;
    Ok(())
}

fn sources(root: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(root.join("tidegate/v1"))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}
