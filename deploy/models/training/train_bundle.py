"""Trains, calibrates, exports, proves and measures one bundle: from the labelled CSV files to the finished directory."""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnx

import bundle
import calibration
import contrast
import examples
import graph
import report
import runtime
from dataset import LABELS, Split, read_split, with_sentences
from trainer import Network, score, train
from variants import VARIANTS, Variant

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
SPLITS = ("train", "dev", "public_test")
# Few beside 80,000 English rows: more would teach the grammar instead of the language.
CONTRAST_SENTENCES = 4000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--data", type=Path, required=True, help="directory with train, dev and public_test .csv.gz")
    parser.add_argument("--out", type=Path, help="directory of the bundle; default deploy/models/VARIANT")
    parser.add_argument("--filter", type=Path, help="dump_features already built; default: cargo builds it")
    arguments = parser.parse_args()
    variant = VARIANTS[arguments.variant]
    out = arguments.out or HERE.parent / variant.name
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        features_toml = Path(scratch) / "features.toml"
        features_toml.write_text(variant.features_toml())
        make(variant, arguments.data, out, arguments.filter or build_filter(), features_toml)


def build_filter() -> Path:
    """Builds the Rust filter, so that training sees the features that serving will see."""
    command = ["cargo", "build", "--release", "-p", "inference", "--example", "dump_features", "--message-format=json"]
    built = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True)
    messages = [json.loads(line) for line in built.stdout.splitlines()]
    return Path([message["executable"] for message in messages if message.get("executable")][-1])


def make(variant: Variant, data: Path, out: Path, filter_binary: Path, features_toml: Path) -> None:
    splits = {name: read_split(data / f"{name}.csv.gz", filter_binary, features_toml) for name in SPLITS}
    sentences = contrast.sentences(CONTRAST_SENTENCES, variant.recipe.seed)
    training = with_sentences(splits["train"], "contrast", "en", sentences, filter_binary, features_toml)
    learnt = examples.build(training, [splits["dev"], splits["public_test"]])
    print(f"{len(learnt.starts) - 1} examples, {learnt.leaked} rows dropped because dev or public_test holds them")
    table, network = graph.quantise(fit(variant, learnt))
    onnx.save(graph.build(table, network, variant.name), out / "model.onnx")

    logits = {name: splits[name].row_maximum(score(network, splits[name].ids, splits[name].starts)) for name in SPLITS}
    fitted, judged = calibration.halves(splits["dev"])
    platt = [calibration.fit_platt(logits["dev"], splits["dev"], fitted, label) for label in range(len(LABELS))]
    matrix = support_matrix(splits, logits["dev"])
    (out / "model.toml").write_text(bundle.manifest(variant, platt, matrix))
    golden = bundle.golden(HERE / "golden_texts.jsonl", out / "model.onnx", filter_binary, features_toml, platt)
    (out / "golden.jsonl").write_text(golden)
    rates = prove(out / "model.onnx", network, splits["dev"])

    digest = bundle.digest(out)
    tables = report.tables(splits, logits, platt, judged, matrix, rates)
    report.write_into_card(out / "card.md", digest, tables)
    print(tables, f"\ndigest {digest}")


def fit(variant: Variant, learnt: examples.Examples) -> Network:
    started = time.monotonic()

    def after_epoch(member: int, number: int, loss: float) -> None:
        passed = f"network {member}/{variant.recipe.members}, epoch {number}/{variant.recipe.epochs}"
        print(f"{passed}: loss {loss:.4f}, {time.monotonic() - started:.0f} s", flush=True)

    return train(variant.recipe, learnt.ids, learnt.starts, learnt.targets, learnt.weights, after_epoch)


def support_matrix(splits: dict[str, Split], dev_logits: np.ndarray) -> list[tuple[str, str, str, calibration.Ranking]]:
    train_split, dev = splits["train"], splits["dev"]
    rows = []
    for label, name in enumerate(LABELS):
        for language in sorted(set(train_split.languages) | set(splits["public_test"].languages)):
            learnt = train_split.labels[train_split.languages == language, label]
            trained = (int((learnt == 1).sum()), int((learnt == 0).sum()))
            found = calibration.ranking(dev_logits, dev, dev.languages == language, label)
            rows.append((name, str(language), calibration.support(found, trained), found))
    return rows


def prove(model: Path, network: Network, dev: Split) -> dict[int, float]:
    """Checks the graph against the trainer and against itself among neighbours; returns windows a second."""
    session = runtime.session(model)
    windows = min(len(dev.starts) - 1, 4096)
    starts = dev.starts[: windows + 1]
    by_graph, _ = runtime.run(session, dev.ids, starts, np.arange(windows), 32)
    furthest = np.abs(by_graph - score(network, dev.ids, starts)).max()
    assert furthest < 1e-3, f"the graph differs from the trainer by {furthest}"
    return runtime.check_neighbours(session, dev.ids, starts)


if __name__ == "__main__":
    main()
