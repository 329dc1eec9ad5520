"""Chooses what is learnt from which row, and how much each row counts."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from dataset import LABELS, MISSING, Split

# Windows of a long benign text that become examples of their own; more would let one text outweigh many.
WINDOWS_PER_BENIGN_ROW = 4
# Data sets with one class only anchor a label less than those where both classes come from one source.
ONE_CLASS_SHARE = 0.5
# The total weight of a data set grows with the root of its size, so that no language collapses. The share of a class
# in it grows with this power of its size: between plain counting (1) and full balance (0).
DATASET_POWER = 0.5
CLASS_POWER = 0.75


@dataclass
class Examples:
    ids: np.ndarray
    starts: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    leaked: int


def usable_labels(train: Split, held_out: list[Split]) -> tuple[np.ndarray, int]:
    """Masks leaked rows and label x language pairs of one class; returns the labels and the number of leaked rows."""
    held_out_keys = {key for split in held_out for key in split.keys()}
    leaked = np.array([key in held_out_keys for key in train.keys()])
    labels = train.labels.copy()
    labels[leaked] = MISSING
    for language in np.unique(train.languages):
        of_language = train.languages == language
        for label in range(len(LABELS)):
            if not {0, 1} <= set(labels[of_language, label].tolist()):
                labels[of_language, label] = MISSING
    return labels, int(leaked.sum())


def row_weights(train: Split, labels: np.ndarray) -> np.ndarray:
    """Balances data sets (and so languages) and classes for each label; the mean weight of a label is 1."""
    weights = np.zeros(labels.shape, dtype=np.float32)
    sources = list(zip(train.datasets.tolist(), train.languages.tolist()))
    for label in range(labels.shape[1]):
        groups = Counter((source, int(value)) for source, value in zip(sources, labels[:, label]) if value != MISSING)
        for row, source in enumerate(sources):
            value = int(labels[row, label])
            if value != MISSING:
                weights[row, label] = weight_of(groups[source, value], groups[source, 1 - value])
        used = weights[:, label] > 0
        weights[used, label] /= weights[used, label].mean()
    return weights


def weight_of(same: int, other: int) -> float:
    dataset_total = (same + other) ** DATASET_POWER
    if other == 0:
        return ONE_CLASS_SHARE * dataset_total / same
    share = same**CLASS_POWER / (same**CLASS_POWER + other**CLASS_POWER)
    return dataset_total * share / same


def build(train: Split, held_out: list[Split]) -> Examples:
    """A long benign text is benign in every window; of a long harmful one nobody knows where the harm is, so it stays whole."""
    labels, leaked = usable_labels(train, held_out)
    weights = row_weights(train, labels)
    rows, pieces = [], []
    for row in np.flatnonzero(weights.any(axis=1) & (np.diff(train.row_windows) > 0)):
        first, end = train.row_windows[row], train.row_windows[row + 1]
        is_harmful = (labels[row] == 1).any()
        windows = [(first, end)] if is_harmful else [(w, w + 1) for w in range(first, end)][:WINDOWS_PER_BENIGN_ROW]
        for start, stop in windows:
            pieces.append(train.ids[train.starts[start] : train.starts[stop]])
            rows.append(row)
    starts = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(np.int64)
    targets = (labels[rows] == 1).astype(np.float32)
    return Examples(np.concatenate(pieces), starts, targets, weights[rows], leaked)
