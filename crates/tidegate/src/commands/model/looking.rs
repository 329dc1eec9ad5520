//! What a bundle says of itself, and what it shows on this machine.

use std::path::Path;
use std::process::ExitCode;

use inference::inspect::{Inspection, Verification};
use moderation::BundleDigest;
use serde_json::{Value, json};

use crate::commands::output::{print, print_json, printable, table};

pub(crate) fn inspect(directory: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let inspection = inference::inspect::inspect(directory)?;
    if json {
        print_json(&inspection_json(&inspection))?;
    } else {
        print(&inspection_text(&inspection))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn verify(
    directory: &Path,
    digest: Option<&BundleDigest>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let verification = inference::inspect::verify(directory, digest, None)?;
    if json {
        print_json(&verification_json(&verification))?;
    } else {
        print(&verification_text(&verification))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn inspection_text(inspection: &Inspection) -> String {
    let rows: Vec<[String; 6]> = inspection
        .support
        .iter()
        .map(|entry| {
            let auprc = entry
                .auprc
                .map(|auprc| format!("{auprc:.3}"))
                .unwrap_or_default();
            [
                printable(&entry.label),
                printable(&entry.language),
                entry.status.to_string(),
                entry.positives.to_string(),
                entry.negatives.to_string(),
                auprc,
            ]
        })
        .collect();
    format!(
        "bundle        {} {}\ndigest        {}\nkind          {}\nlabels        {}\nmodel         {} bytes\n\
         golden texts  {}\nruntime       ONNX Runtime {}\n\n{}",
        printable(&inspection.name),
        printable(&inspection.version),
        inspection.digest,
        inspection.kind,
        printable(&inspection.labels.join(", ")),
        inspection.model_bytes,
        inspection.golden_texts,
        printable(&inspection.onnxruntime),
        table(
            [
                "LABEL",
                "LANGUAGE",
                "SUPPORT",
                "POSITIVES",
                "NEGATIVES",
                "AUPRC"
            ],
            &rows
        )
    )
}

fn verification_text(verification: &Verification) -> String {
    let certification = &verification.certification;
    let inspection = &verification.inspection;
    format!(
        "bundle           {} {}\ndigest           {}\nruntime          ONNX Runtime {} on {}\n\
         golden texts     {} met, largest deviation {:.1e}\nbatch neighbours move a probability by {:.1e} at most\n\
         recomputed alone within {:.1e} of a rounding boundary\nthe bundle may serve on this machine",
        printable(&inspection.name),
        printable(&inspection.version),
        inspection.digest,
        verification.onnxruntime,
        verification.cpu_class,
        certification.golden_texts,
        certification.golden_deviation,
        certification.batch_deviation,
        certification.epsilon,
    )
}

fn inspection_json(inspection: &Inspection) -> Value {
    let support = inspection.support.iter().map(|entry| {
        json!({
            "label": entry.label,
            "language": entry.language,
            "status": entry.status.as_str(),
            "positives": entry.positives,
            "negatives": entry.negatives,
            "auprc": entry.auprc,
        })
    });
    json!({
        "digest": inspection.digest.as_str(),
        "name": inspection.name,
        "version": inspection.version,
        "kind": inspection.kind,
        "labels": inspection.labels,
        "onnxruntime": inspection.onnxruntime,
        "model_bytes": inspection.model_bytes,
        "golden_texts": inspection.golden_texts,
        "support": support.collect::<Vec<_>>(),
    })
}

fn verification_json(verification: &Verification) -> Value {
    let certification = &verification.certification;
    json!({
        "bundle": inspection_json(&verification.inspection),
        "onnxruntime": verification.onnxruntime,
        "cpu_class": verification.cpu_class,
        "golden_texts": certification.golden_texts,
        "golden_deviation": certification.golden_deviation,
        "batch_deviation": certification.batch_deviation,
        "epsilon": certification.epsilon,
    })
}
