"""Trains embeddings and a small network on hashed features: one example at a time, on one core.

The table follows plain gradient descent with weight decay, the dense layers Adagrad. A rare feature thus moves little;
with Adagrad on the table each rare feature got a full step and was learnt by heart.
"""

from dataclasses import dataclass, replace

import numba
import numpy as np


@dataclass
class Network:
    """logits = direct . pooled + second . relu(first . pooled + first_bias) + bias, pooled = sum(table[ids]) / sqrt(n)"""

    table: np.ndarray  # rows x width
    first: np.ndarray  # hidden x width
    first_bias: np.ndarray
    second: np.ndarray  # labels x hidden
    direct: np.ndarray  # labels x width
    bias: np.ndarray


@dataclass(frozen=True)
class Recipe:
    """`members` networks of `width` columns each are trained from different seeds and merged into one."""

    rows: int
    members: int
    width: int
    hidden: int
    epochs: int
    learning_rate: float
    feature_dropout: float
    table_rate: float = 1.0
    table_decay: float = 1e-5
    seed: int = 7


def initial(recipe: Recipe, labels: int) -> Network:
    random = np.random.default_rng(recipe.seed)
    uniform = lambda shape, bound: random.uniform(-bound, bound, shape).astype(np.float32)
    return Network(
        table=uniform((recipe.rows, recipe.width), 0.5 / recipe.width),
        first=uniform((recipe.hidden, recipe.width), np.sqrt(6 / (recipe.hidden + recipe.width))),
        first_bias=np.zeros(recipe.hidden, dtype=np.float32),
        second=uniform((labels, recipe.hidden), np.sqrt(6 / (recipe.hidden + labels))),
        direct=np.eye(labels, recipe.width, dtype=np.float32),
        bias=np.zeros(labels, dtype=np.float32),
    )


@numba.njit(fastmath=False, cache=True)
def epoch(table, first, first_bias, second, direct, bias, sums, ids, starts, order, targets, weights, rates, dropout, table_rate, table_decay, seed):
    """One pass over `order`; `rates` falls linearly from rates[0] to rates[1]. Returns the mean weighted loss."""
    np.random.seed(seed)
    decayed, first_sums, first_bias_sums, second_sums, bias_sums = sums
    hidden, width = first.shape
    labels = second.shape[0]
    pooled = np.zeros(width, dtype=np.float32)
    activation = np.zeros(hidden, dtype=np.float32)
    hidden_gradient = np.zeros(hidden, dtype=np.float32)
    pooled_gradient = np.zeros(width, dtype=np.float32)
    output_gradient = np.zeros(labels, dtype=np.float32)
    kept = np.zeros(1 << 16, dtype=np.int32)
    total = 0.0
    shrunk = decayed.max()
    for step in range(len(order)):
        example = order[step]
        rate = np.float32(rates[0] + (rates[1] - rates[0]) * step / len(order))
        count = 0
        for at in range(starts[example], min(starts[example + 1], starts[example] + len(kept))):
            if dropout == 0.0 or np.random.random() >= dropout:
                kept[count] = ids[at]
                count += 1
        if count == 0:
            continue
        scale = np.float32(1.0 / np.sqrt(count))
        shrunk += rate * table_rate * table_decay
        pooled[:] = 0
        for k in range(count):
            row = kept[k]
            # Weight decay of rows that were not seen is made up for when they are.
            shrink = np.float32(np.exp(decayed[row] - shrunk))
            decayed[row] = shrunk
            for d in range(width):
                table[row, d] *= shrink
                pooled[d] += table[row, d]
        for d in range(width):
            pooled[d] *= scale
        for h in range(hidden):
            value = first_bias[h]
            for d in range(width):
                value += first[h, d] * pooled[d]
            activation[h] = max(value, np.float32(0))
        for label in range(labels):
            output_gradient[label] = 0
            if weights[example, label] == 0:
                continue
            value = bias[label]
            for d in range(width):
                value += direct[label, d] * pooled[d]
            for h in range(hidden):
                value += second[label, h] * activation[h]
            probability = np.float32(1 / (1 + np.exp(-value)))
            target = targets[example, label]
            output_gradient[label] = weights[example, label] * (probability - target)
            total += weights[example, label] * (np.log1p(np.exp(-abs(value))) + max(value, 0) - target * value)
        for h in range(hidden):
            hidden_gradient[h] = 0
            for label in range(labels):
                hidden_gradient[h] += output_gradient[label] * second[label, h]
        for label in range(labels):
            gradient = output_gradient[label]
            if gradient == 0:
                continue
            bias_sums[label] += gradient * gradient
            bias[label] -= rate * gradient / np.sqrt(bias_sums[label])
            for h in range(hidden):
                g = gradient * activation[h]
                second_sums[label, h] += g * g
                second[label, h] -= rate * g / np.sqrt(second_sums[label, h])
        pooled_gradient[:] = 0
        for h in range(hidden):
            if activation[h] <= 0 or hidden_gradient[h] == 0:
                continue
            gradient = hidden_gradient[h]
            for d in range(width):
                pooled_gradient[d] += gradient * first[h, d]
            first_bias_sums[h] += gradient * gradient
            first_bias[h] -= rate * gradient / np.sqrt(first_bias_sums[h])
            for d in range(width):
                g = gradient * pooled[d]
                first_sums[h, d] += g * g
                first[h, d] -= rate * g / np.sqrt(first_sums[h, d])
        for label in range(labels):
            for d in range(width):
                pooled_gradient[d] += output_gradient[label] * direct[label, d]
        for d in range(width):
            pooled_gradient[d] *= scale * rate * np.float32(table_rate)
        for k in range(count):
            row = kept[k]
            for d in range(width):
                table[row, d] -= pooled_gradient[d]
    for row in range(len(table)):
        table[row] *= np.float32(np.exp(decayed[row] - shrunk))
        decayed[row] = shrunk
    return total / len(order)


@numba.njit(cache=True)
def forward(table, first, first_bias, second, direct, bias, ids, starts):
    windows = len(starts) - 1
    logits = np.zeros((windows, second.shape[0]), dtype=np.float32)
    pooled = np.zeros(table.shape[1], dtype=np.float32)
    for window in range(windows):
        pooled[:] = 0
        for at in range(starts[window], starts[window + 1]):
            for d in range(table.shape[1]):
                pooled[d] += table[ids[at], d]
        pooled /= np.sqrt(np.float32(starts[window + 1] - starts[window]))
        for label in range(second.shape[0]):
            logits[window, label] = bias[label]
            for d in range(table.shape[1]):
                logits[window, label] += direct[label, d] * pooled[d]
        for h in range(first.shape[0]):
            value = first_bias[h]
            for d in range(table.shape[1]):
                value += first[h, d] * pooled[d]
            if value > 0:
                for label in range(second.shape[0]):
                    logits[window, label] += second[label, h] * value
    return logits


def score(network: Network, ids: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return forward(*vars(network).values(), ids, starts)


def train(recipe: Recipe, ids, starts, targets, weights, after_epoch) -> Network:
    """`weights` is examples x labels, 0 where a label is masked. `after_epoch(member, number, loss)` reports."""
    members = []
    for member in range(recipe.members):
        own = replace(recipe, seed=recipe.seed + 1000 * member)
        members.append(train_member(own, ids, starts, targets, weights, lambda number, loss: after_epoch(member + 1, number, loss)))
    return merge(members)


def train_member(recipe: Recipe, ids, starts, targets, weights, after_epoch) -> Network:
    network = initial(recipe, targets.shape[1])
    tiny = np.float32(1e-4)
    sums = (
        np.zeros(recipe.rows, dtype=np.float64),
        np.full_like(network.first, tiny),
        np.full_like(network.first_bias, tiny),
        np.full_like(network.second, tiny),
        np.full_like(network.bias, tiny),
    )
    random = np.random.default_rng(recipe.seed)
    for number in range(recipe.epochs):
        order = random.permutation(len(starts) - 1)
        rate = lambda passed: recipe.learning_rate * (1 - 0.95 * passed / recipe.epochs)
        rates = (rate(number), rate(number + 1))
        parts = vars(network).values()
        loss = epoch(*parts, sums, ids, starts, order, targets, weights, rates, recipe.feature_dropout, recipe.table_rate, recipe.table_decay, recipe.seed + number)
        after_epoch(number + 1, loss)
    return network


def merge(members: list[Network]) -> Network:
    """Returns one network whose logits are the mean of the members': columns side by side, hidden layers in blocks."""
    share = np.float32(1 / len(members))
    join = lambda part, axis: np.concatenate([getattr(member, part) for member in members], axis=axis)
    first = np.zeros((sum(len(m.first) for m in members), sum(m.first.shape[1] for m in members)), dtype=np.float32)
    row = column = 0
    for member in members:
        hidden, width = member.first.shape
        first[row : row + hidden, column : column + width] = member.first
        row, column = row + hidden, column + width
    return Network(
        table=join("table", 1),
        first=first,
        first_bias=join("first_bias", 0),
        second=join("second", 1) * share,
        direct=join("direct", 1) * share,
        bias=np.mean([member.bias for member in members], axis=0, dtype=np.float32),
    )
