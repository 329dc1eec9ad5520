"""The measured tables of a card."""

from pathlib import Path

import numpy as np

import calibration
from dataset import LABELS, MISSING, Split

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

# TF-IDF (words 1-2, characters 2-5) with class-balanced logistic regression, one model per language and label.
FLOOR_AUPRC = {
    ("edos", "hate"): 0.524,
    ("davidson", "hate"): 0.285,
    ("davidson", "harassment"): 0.997,
    ("openai_moderation", "hate"): 0.397,
    ("openai_moderation", "harassment"): 0.313,
    ("sms_spam", "spam"): 0.993,
    ("youtube_spam", "spam"): 0.990,
    ("told_br", "hate"): 0.407,
    ("told_br", "harassment"): 0.740,
    ("germeval2018", "hate"): 0.704,
    ("germeval2018", "harassment"): 0.490,
    ("korean_hate", "hate"): 0.832,
    ("korean_hate", "harassment"): 0.622,
    ("cold", "hate"): 0.950,
}
FLOOR_ROC_AUC = {("hatecheck", "en"): 0.722, ("multilingual_hatecheck", "de"): 0.610}


def tables(splits, logits, platt, judged, matrix, rates) -> str:
    sections = [
        ("Support matrix (dev)", support_table(matrix)),
        ("By data set (dev)", dataset_table(splits["dev"], logits["dev"])),
        ("HateCheck, public part (never trained on; its figures were seen while the recipe was chosen)", hatecheck_table(splits["public_test"], logits["public_test"], platt)),
        ("Calibration (the half of dev it was not fitted on)", calibration_table(splits["dev"], logits["dev"], platt, judged)),
        ("How often each label fires on texts annotated for others only (dev, English)", stray_table(splits["dev"], logits["dev"], platt)),
        ("Windows a second in ONNX Runtime, one thread, by batch size", rate_table(rates)),
    ]
    return "\n\n".join(f"### {title}\n\n{table}" for title, table in sections)


def rows_to_table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def support_table(matrix) -> str:
    rows = [
        [label, language, status, str(found.positives), str(found.negatives), number(found.auprc), number(found.roc_auc)]
        for label, language, status, found in matrix
    ]
    return rows_to_table(["label", "language", "status", "positives", "negatives", "AUPRC", "ROC-AUC"], rows)


def dataset_table(dev: Split, logits: np.ndarray) -> str:
    rows = []
    for dataset in np.unique(dev.datasets):
        for label, name in enumerate(LABELS):
            found = calibration.ranking(logits, dev, dev.datasets == dataset, label)
            if found.auprc is not None:
                floor = FLOOR_AUPRC.get((str(dataset), name))
                counts = f"{found.positives} / {found.negatives}"
                rows.append([str(dataset), name, counts, number(found.auprc), number(floor), number(found.roc_auc)])
    return rows_to_table(["data set", "label", "positives / negatives", "AUPRC", "TF-IDF floor AUPRC", "ROC-AUC"], rows)


def hatecheck_table(test: Split, logits: np.ndarray, platt) -> str:
    hate = LABELS.index("hate")
    chance = calibration.probability(logits, platt)[:, hate]
    rows = []
    for dataset, language in sorted(set(zip(test.datasets.tolist(), test.languages.tolist()))):
        of_set = (test.datasets == dataset) & (test.languages == language) & (test.labels[:, hate] != MISSING)
        found = calibration.ranking(logits, test, of_set, hate)
        truth = test.labels[of_set, hate]
        hits, correct = (chance[of_set][truth == 1] >= 0.5).mean(), (chance[of_set][truth == 0] < 0.5).mean()
        floor = FLOOR_ROC_AUC.get((dataset, language))
        rows.append([dataset, language, f"{found.positives} / {found.negatives}", number(found.roc_auc), number(floor), number(hits), number(correct)])
    header = ["data set", "language", "hateful / not", "ROC-AUC", "TF-IDF floor", "hateful found at 0.5", "non-hateful passed at 0.5"]
    return rows_to_table(header, rows)


def calibration_table(dev: Split, logits: np.ndarray, platt, judged: np.ndarray) -> str:
    chance = calibration.probability(logits, platt)
    rows = []
    for label, name in enumerate(LABELS):
        for language in ("all", *sorted(set(dev.languages.tolist()))):
            used = judged if language == "all" else judged & (dev.languages == language)
            found = calibration.ranking(logits, dev, used, label)
            if found.auprc is not None:
                error = calibration.expected_calibration_error(chance, dev, used, label)
                rows.append([name, language, f"{found.positives} / {found.negatives}", number(error)])
    return rows_to_table(["label", "language", "positives / negatives", "expected calibration error"], rows)


def stray_table(dev: Split, logits: np.ndarray, platt) -> str:
    chance = calibration.probability(logits, platt)
    rows = []
    for label, name in enumerate(LABELS):
        for dataset in np.unique(dev.datasets[dev.languages == "en"]):
            used = (dev.datasets == dataset) & ~np.isnan(logits[:, label])
            if (dev.labels[used, label] == MISSING).all():
                shares = [number(float((chance[used, label] >= threshold).mean())) for threshold in (0.5, 0.8, 0.95)]
                rows.append([name, str(dataset), str(int(used.sum())), *shares])
    return rows_to_table(["label", "data set", "texts", "share at 0.5 or more", "at 0.8", "at 0.95"], rows)


def rate_table(rates: dict[int, float]) -> str:
    return rows_to_table([str(size) for size in rates], [[f"{rate:,.0f}" for rate in rates.values()]])


def write_into_card(path: Path, digest: str, measured: str) -> None:
    """Replaces the measured part of the card; the prose around it is written by hand."""
    card = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = card.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\nBundle digest: `{digest}`\n\n{measured}\n{END}{after}", encoding="utf-8")
