//! Turns texts into features for training: JSON lines on standard input, binary records on standard output.
//!
//! ```text
//! cargo run --release -p inference --example dump_features -- model-features.toml < texts.jsonl > features.bin
//! ```
//!
//! The argument names a TOML file with the keys of `FeatureConfig`. Each line of input is an object with the key `text`.
//! For each line the output has, in little-endian order: `u32` number of windows; for each window `u32` number of ids,
//! then as many `u32` ids.

use std::io::{self, BufRead, BufWriter, Write};

use inference::features::{FeatureConfig, FeatureExtractor, Features, Scratch};

#[derive(serde::Deserialize)]
struct Line {
    text: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("name a TOML file with the feature parameters")?;
    let config: FeatureConfig = toml::from_str(&std::fs::read_to_string(path)?)?;
    let extractor = FeatureExtractor::new(&config)?;
    let (mut scratch, mut features) = (Scratch::default(), Features::default());
    let mut output = BufWriter::new(io::stdout().lock());
    for (number, line) in io::stdin().lock().lines().enumerate() {
        let line: Line = serde_json::from_str(&line?)
            .map_err(|_| format!("line {} is no JSON object with a text", number + 1))?;
        extractor.extract_into(&line.text, &mut scratch, &mut features);
        write_features(&mut output, &features)?;
    }
    output.flush()?;
    Ok(())
}

fn write_features(output: &mut impl Write, features: &Features) -> io::Result<()> {
    output.write_all(&(features.window_ends.len() as u32).to_le_bytes())?;
    for window in features.windows() {
        output.write_all(&(window.len() as u32).to_le_bytes())?;
        for id in window {
            output.write_all(&id.to_le_bytes())?;
        }
    }
    Ok(())
}
