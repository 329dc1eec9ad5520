"""Quantises a network and writes it as an ONNX graph whose results do not depend on batch neighbours."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from trainer import Network

OPSET = 17


def quantise(network: Network) -> tuple[np.ndarray, Network]:
    """Returns the int8 table and the equal network in float, whose dense layers have taken up the scales.

    Each column has one scale. The few values beyond it are clipped, which costs less than a coarser grid for all.
    """
    largest = np.quantile(np.abs(network.table), 0.9999, axis=0)
    scales = (np.maximum(largest, 1e-9) / 127).astype(np.float32)
    table = np.clip(np.rint(network.table / scales), -127, 127).astype(np.int8)
    rounded = Network(
        table=table.astype(np.float32),
        first=network.first * scales,
        first_bias=network.first_bias,
        second=network.second,
        direct=network.direct * scales,
        bias=network.bias,
    )
    return table, rounded


def build(table: np.ndarray, network: Network, name: str) -> onnx.ModelProto:
    """Builds the graph: ids int32[N], owners int32[N], lengths int32[B] -> logits float32[B, labels].

    Rows are summed as integers, so no order of addition matters. The dense layers are products summed row by row
    instead of matrix products, whose order of addition may depend on the size of the batch.
    """
    nodes, constants = [], []
    node = lambda kind, inputs, output, **options: nodes.append(helper.make_node(kind, inputs, [output], **options))

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(value, name))
        return name

    constant("table", table)
    constant("width", np.array([table.shape[1]], dtype=np.int64))
    constant("axis_1", np.array([1], dtype=np.int64))
    constant("axis_2", np.array([2], dtype=np.int64))

    node("Gather", ["table", "ids"], "rows_int8")
    node("Cast", ["rows_int8"], "rows", to=TensorProto.INT32)
    node("Shape", ["lengths"], "batch")
    node("Concat", ["batch", "width"], "sums_shape", axis=0)
    node("ConstantOfShape", ["sums_shape"], "zeros", value=numpy_helper.from_array(np.zeros(1, dtype=np.int32)))
    node("Cast", ["owners"], "owners_int64", to=TensorProto.INT64)
    node("Unsqueeze", ["owners_int64", "axis_1"], "owner_indices")
    node("ScatterND", ["zeros", "owner_indices", "rows"], "sums_int32", reduction="add")
    node("Cast", ["sums_int32"], "sums", to=TensorProto.FLOAT)
    node("Cast", ["lengths"], "lengths_float", to=TensorProto.FLOAT)
    node("Sqrt", ["lengths_float"], "norms")
    node("Unsqueeze", ["norms", "axis_1"], "norm_column")
    node("Div", ["sums", "norm_column"], "pooled")

    def dense(inputs: str, weights: np.ndarray, output: str) -> None:
        constant(f"{output}_weights", weights[None].astype(np.float32))
        node("Unsqueeze", [inputs, "axis_1"], f"{output}_inputs")
        node("Mul", [f"{output}_inputs", f"{output}_weights"], f"{output}_products")
        node("ReduceSum", [f"{output}_products", "axis_2"], output, keepdims=0)

    dense("pooled", network.first, "first")
    node("Add", ["first", constant("first_bias", network.first_bias)], "first_biased")
    node("Relu", ["first_biased"], "hidden")
    dense("hidden", network.second, "second")
    dense("pooled", network.direct, "direct")
    node("Add", ["second", "direct"], "unbiased")
    node("Add", ["unbiased", constant("bias", network.bias)], "logits")

    integer = lambda name, size: helper.make_tensor_value_info(name, TensorProto.INT32, [size])
    inputs = [integer("ids", "features"), integer("owners", "features"), integer("lengths", "windows")]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["windows", network.bias.shape[0]])]
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="tidegate")
    onnx.checker.check_model(model, full_check=True)
    return model
