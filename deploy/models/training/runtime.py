"""Runs a graph as the engine does: one thread, no spinning, no arena."""

import time

import numpy as np
import onnxruntime


def session(path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def batch(ids: np.ndarray, starts: np.ndarray, windows: np.ndarray) -> dict[str, np.ndarray]:
    lengths = (starts[windows + 1] - starts[windows]).astype(np.int32)
    return {
        "ids": np.concatenate([ids[starts[w] : starts[w + 1]] for w in windows]).astype(np.int32),
        "owners": np.repeat(np.arange(len(windows), dtype=np.int32), lengths),
        "lengths": lengths,
    }


def run(graph: onnxruntime.InferenceSession, ids, starts, order: np.ndarray, size: int) -> tuple[np.ndarray, float]:
    """Returns the logits of all windows and the windows a second, run in `order` in batches of `size`."""
    groups = [order[at : at + size] for at in range(0, len(order), size)]
    feeds = [batch(ids, starts, group) for group in groups]
    started = time.perf_counter()
    results = [graph.run(None, feed)[0] for feed in feeds]
    seconds = time.perf_counter() - started
    logits = np.zeros((len(starts) - 1, results[0].shape[1]), dtype=np.float32)
    logits[order] = np.concatenate(results)
    return logits, len(order) / seconds


def check_neighbours(graph: onnxruntime.InferenceSession, ids, starts, seed: int = 3) -> dict[int, float]:
    """Fails unless every window has the same bits alone and among others; returns windows a second by batch size."""
    windows = len(starts) - 1
    alone, rate = run(graph, ids, starts, np.arange(windows), 1)
    rates = {1: rate}
    for size in (4, 16, 32, 64):
        order = np.random.default_rng(seed + size).permutation(windows)
        logits, rates[size] = run(graph, ids, starts, order, size)
        changed = int((logits.view(np.uint32) != alone.view(np.uint32)).any(axis=1).sum())
        assert changed == 0, f"{changed} windows change with their neighbours in batches of {size}"
    return rates
