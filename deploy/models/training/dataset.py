"""Reads the labelled CSV files and turns their texts into features with the Rust filter."""

import csv
import gzip
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LABELS = ("hate", "harassment", "spam")
MISSING = -1

csv.field_size_limit(1 << 30)


@dataclass
class Split:
    """Rows with their windows. Window `w` of the split has the ids `ids[starts[w]:starts[w + 1]]`."""

    datasets: np.ndarray
    languages: np.ndarray
    labels: np.ndarray  # rows x labels, 1, 0 or MISSING
    ids: np.ndarray
    starts: np.ndarray
    row_windows: np.ndarray  # row r has the windows row_windows[r] .. row_windows[r + 1]

    def keys(self) -> list[bytes]:
        """One key a row; texts that normalise to the same features share it."""
        return [
            self.ids[self.starts[self.row_windows[r]] : self.starts[self.row_windows[r + 1]]].tobytes()
            for r in range(len(self.labels))
        ]

    def row_maximum(self, window_values: np.ndarray) -> np.ndarray:
        """Takes the maximum over the windows of each row, as the engine does; NaN for rows without a window."""
        result = np.full((len(self.labels),) + window_values.shape[1:], np.nan)
        owners = np.repeat(np.arange(len(self.labels)), np.diff(self.row_windows))
        filled = np.full_like(result, -np.inf)
        np.maximum.at(filled, owners, window_values)
        has_window = np.diff(self.row_windows) > 0
        result[has_window] = filled[has_window]
        return result


def read_split(path: Path, filter_binary: Path, features_toml: Path) -> Split:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = np.array([[int(row[label]) if row[label] else MISSING for label in LABELS] for row in rows], dtype=np.int8)
    ids, starts, row_windows = extract([row["text"] for row in rows], filter_binary, features_toml)
    names = lambda column: np.array([row[column] for row in rows])
    return Split(names("dataset"), names("lang"), labels, ids, starts, row_windows)


def extract(texts: list[str], filter_binary: Path, features_toml: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the ids of all windows, where each window starts, and the first window of each text."""
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    done = subprocess.run([filter_binary, features_toml], input=lines, stdout=subprocess.PIPE, check=True)
    words = np.frombuffer(done.stdout, dtype="<u4")
    pieces, lengths, windows = [], [], []
    at = 0
    for _ in texts:
        windows.append(int(words[at]))
        at += 1
        for _ in range(windows[-1]):
            length = int(words[at])
            pieces.append(words[at + 1 : at + 1 + length])
            lengths.append(length)
            at += 1 + length
    assert at == len(words), "the filter wrote another number of records than texts"
    ids = np.concatenate(pieces).astype(np.int32) if pieces else np.zeros(0, dtype=np.int32)
    return ids, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), np.concatenate([[0], np.cumsum(windows)])


def with_sentences(split: Split, name: str, language: str, sentences, filter_binary: Path, features_toml: Path) -> Split:
    """Returns the split followed by sentences of our own, each a text with a value for every label."""
    ids, starts, row_windows = extract([text for text, _ in sentences], filter_binary, features_toml)
    count = len(sentences)
    return Split(
        datasets=np.concatenate([split.datasets, np.full(count, name)]),
        languages=np.concatenate([split.languages, np.full(count, language)]),
        labels=np.concatenate([split.labels, np.array([labels for _, labels in sentences], dtype=np.int8)]),
        ids=np.concatenate([split.ids, ids]),
        starts=np.concatenate([split.starts, starts[1:] + split.starts[-1]]),
        row_windows=np.concatenate([split.row_windows, row_windows[1:] + split.row_windows[-1]]),
    )
