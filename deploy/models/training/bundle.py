"""Writes a bundle's files and names their digest."""

import json
from pathlib import Path

import blake3
import numpy as np
import onnxruntime

from calibration import Ranking, probability
from dataset import LABELS, extract
from graph import OPSET
from runtime import run, session
from variants import Variant

LOGIT_TOLERANCE = 1e-4
COVERED = ("golden.jsonl", "model.onnx", "model.toml", "tokenizer.json")


def manifest(variant: Variant, platt: list[tuple[float, float]], matrix: list[tuple[str, str, str, Ranking]]) -> str:
    lines = [
        "format = 1",
        f'name = "{variant.name}"',
        f'version = "{variant.version}"',
        'kind = "text-hashed-ngrams"',
        f"labels = {json.dumps(LABELS)}",
        "",
        "[runtime]",
        f'onnxruntime = "{onnxruntime.__version__}"',
        f"opset = {OPSET}",
        "",
        "[inputs]",
        'ids = "ids"',
        'owners = "owners"',
        'lengths = "lengths"',
        "",
        "[outputs]",
        'logits = "logits"',
        "",
        "[features]",
        variant.features_toml(),
    ]
    for label, (slope, intercept) in zip(LABELS, platt):
        lines += [f"[calibration.{label}]", f"slope = {slope:.6f}", f"intercept = {intercept:.6f}", ""]
    lines += ["[golden]", f"logit_tolerance = {LOGIT_TOLERANCE}"]
    for label, language, status, found in matrix:
        lines += ["", "[[support]]", f'label = "{label}"', f'language = "{language}"', f'status = "{status}"']
        lines += [f"positives = {found.positives}", f"negatives = {found.negatives}"]
        lines += [] if found.auprc is None else [f"auprc = {found.auprc:.4f}"]
    return "\n".join(lines) + "\n"


def golden(texts_path: Path, model_path: Path, filter_binary: Path, features_toml: Path, platt) -> str:
    """Scores the golden texts with the finished graph, each window alone."""
    texts = [json.loads(line) for line in texts_path.read_text(encoding="utf-8").splitlines()]
    ids, starts, row_windows = extract([text["text"] for text in texts], filter_binary, features_toml)
    logits, _ = run(session(model_path), ids, starts, np.arange(len(starts) - 1), 1)
    lines = []
    for row, text in enumerate(texts):
        first, end = row_windows[row], row_windows[row + 1]
        best = logits[first:end].max(axis=0) if end > first else np.zeros(0, dtype=np.float32)
        scores = probability(best, platt) if len(best) else best
        rounded = {"logits": [round(float(v), 6) for v in best], "scores": [round(float(v), 6) for v in scores]}
        lines.append(json.dumps({**text, "windows": int(end - first), **rounded}, ensure_ascii=True))
    return "\n".join(lines) + "\n"


def digest(directory: Path) -> str:
    """BLAKE3 over name and content of each covered file, each after its length as a little-endian u64."""
    hasher = blake3.blake3(derive_key_context="tidegate model bundle v1")
    for name in COVERED:
        path = directory / name
        if path.exists():
            for part in (name.encode(), path.read_bytes()):
                hasher.update(len(part).to_bytes(8, "little"))
                hasher.update(part)
    return hasher.hexdigest()
