"""Platt scaling, the support matrix and the tables of the card."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from dataset import LABELS, MISSING, Split

# A pair is promised when it was learnt and held out with this many texts of each class and ranks this well.
ENOUGH_TEXTS = 50
SUPPORTED_ROC_AUC = 0.80
SUPPORTED_AUPRC = 0.60


def halves(split: Split, seed: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """Returns masks of the half that calibration is fitted on and of the half that it is judged on."""
    fitted = np.random.default_rng(seed).random(len(split.labels)) < 0.5
    return fitted, ~fitted


def fit_platt(logits: np.ndarray, split: Split, rows: np.ndarray, label: int) -> tuple[float, float]:
    """Fits slope and intercept; data sets count by the root of their size, so that the largest does not decide alone."""
    used = rows & (split.labels[:, label] != MISSING) & ~np.isnan(logits[:, label])
    names, inverse, counts = np.unique(split.datasets[used], return_inverse=True, return_counts=True)
    model = LogisticRegression(C=1e6)
    model.fit(logits[used, label : label + 1], split.labels[used, label], sample_weight=counts[inverse] ** -0.5)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    assert slope > 0, f"{LABELS[label]} ranks backwards"
    return slope, intercept


def probability(logits: np.ndarray, platt: list[tuple[float, float]]) -> np.ndarray:
    slopes, intercepts = np.array(platt).T
    return 1 / (1 + np.exp(-(slopes * logits.astype(np.float64) + intercepts)))


@dataclass
class Ranking:
    """How well one label ranks one set of texts."""

    positives: int
    negatives: int
    auprc: float | None
    roc_auc: float | None


def ranking(values: np.ndarray, split: Split, rows: np.ndarray, label: int) -> Ranking:
    used = rows & (split.labels[:, label] != MISSING) & ~np.isnan(values[:, label])
    truth = split.labels[used, label]
    positives, negatives = int((truth == 1).sum()), int((truth == 0).sum())
    if not positives or not negatives:
        return Ranking(positives, negatives, None, None)
    auprc = float(average_precision_score(truth, values[used, label]))
    return Ranking(positives, negatives, auprc, float(roc_auc_score(truth, values[used, label])))


def support(found: Ranking, trained: tuple[int, int]) -> str:
    """The rule of the support matrix; `trained` counts the positives and negatives that were learnt from."""
    if min(trained) == 0:
        return "unsupported"
    enough = min(*trained, found.positives, found.negatives) >= ENOUGH_TEXTS
    ranks = found.auprc is not None and found.auprc >= SUPPORTED_AUPRC and found.roc_auc >= SUPPORTED_ROC_AUC
    return "supported" if enough and ranks else "experimental"


def expected_calibration_error(probabilities: np.ndarray, split: Split, rows: np.ndarray, label: int, bins: int = 10) -> float:
    used = rows & (split.labels[:, label] != MISSING) & ~np.isnan(probabilities[:, label])
    chance, truth = probabilities[used, label], split.labels[used, label]
    bin_of = np.minimum((chance * bins).astype(int), bins - 1)
    gaps = [abs((chance[bin_of == b] - truth[bin_of == b]).sum()) for b in range(bins)]
    return float(sum(gaps) / len(truth))
