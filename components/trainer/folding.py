"""A frozen extractor as one flat graph of constants, without its batch normalisation.

After training a normalisation is linear, and so is the convolution before it; one convolution with
other weights and a bias does for both (Jacob et al. 2018, arXiv:1712.05877, section 3.2):

    scale = gamma / sqrt(variance + epsilon)
    scale * (conv(x, w) - mean) + beta = conv(x, scale * w) + (beta - scale * mean)

MobileNet spends a third of its time on normalising. The graph is also a tenth as large as that of a
TF-Hub module, which nests a function a layer and reads a variable at each: what is exported with it
is sooner traced, saved and loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import graph_pb2, node_def_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

#: Constants are part of the graph, which Protocol Buffers limit to 2 GiB.
_MAX_WEIGHT_BYTES = 1 << 30
#: A flat graph differs from its module by rounding: by so much of the largest feature at most.
_TOLERANCE = 1e-4
_IMAGES, _FEATURES = "flat/images", "flat/features"
_NORMALISATIONS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
#: By the convolution: the axes of its weights that hold the outputs.
_CONVOLUTIONS = {"Conv2D": (3,), "DepthwiseConv2dNative": (2, 3)}
#: Control flow of TensorFlow 1: what hangs on what there is more than who reads whom.
_UNSTRUCTURED = frozenset({"Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond"})


class FlatExtractor:
    """(N, size, size, 3) float32 in [0, 1] -> (N, D) float32; has no variables."""

    def __init__(self, graph: graph_pb2.GraphDef, image_size: int) -> None:
        """Takes what `fold` gives."""
        self.graph = graph
        spec = tf.TensorSpec((None, image_size, image_size, 3), tf.float32)
        self._function = tf.compat.v1.wrap_function(self._import, [spec])

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """The features of a batch."""
        return self._function(images)

    @property
    def width(self) -> int | None:
        """D, where the graph tells it."""
        return self._function.structured_outputs.shape[1]

    def constants(self) -> Iterator[np.ndarray]:
        """Weights and all else that is fixed, in the order of the graph."""
        for node in self.graph.node:
            if node.op == "Const":
                yield tf.make_ndarray(node.attr["value"].tensor)

    def _import(self, images: tf.Tensor) -> tf.Tensor:
        (features,) = tf.graph_util.import_graph_def(
            self.graph, {_IMAGES: images}, [f"{_FEATURES}:0"], name=""
        )
        return features


def flatten(layer: Callable[[tf.Tensor], tf.Tensor], image_size: int) -> Callable:
    """The same extractor as a `FlatExtractor`, or itself if it cannot be made one.

    Args:
      layer: frozen: (N, image_size, image_size, 3) float32 -> (N, D) float32; has `weights`.
      image_size: side in pixels.
    """
    graph = fold(layer, image_size)
    if graph is None:
        return layer
    flat = FlatExtractor(graph, image_size)
    images = tf.random.stateless_uniform((2, image_size, image_size, 3), (0, 0))
    wanted, got = layer(images).numpy(), flat(images).numpy()
    if np.abs(got - wanted).max() <= _TOLERANCE * max(1.0, np.abs(wanted).max()):
        return flat
    logging.getLogger(__name__).warning("the extractor's graph cannot be folded: it is used as is")
    return layer


def fold(layer: Callable[[tf.Tensor], tf.Tensor], image_size: int) -> graph_pb2.GraphDef | None:
    """The graph of an extractor with constants for variables and no foldable normalisation.

    Args:
      layer: as for `flatten`.
      image_size: side in pixels.

    Returns:
      A graph from `flat/images` to `flat/features`; None if weights are too large for one, or if
      it holds tables or control flow of TensorFlow 1.
    """
    weight_bytes = (weight.shape.num_elements() * weight.dtype.size for weight in layer.weights)
    if sum(weight_bytes) > _MAX_WEIGHT_BYTES:
        return None
    spec = tf.TensorSpec((None, image_size, image_size, 3), tf.float32)
    traced = tf.function(lambda images: layer(images), input_signature=[spec], autograph=False)
    frozen = convert_variables_to_constants_v2(
        traced.get_concrete_function(), lower_control_flow=False
    )
    graph = frozen.graph.as_graph_def()
    if len(frozen.inputs) != 1 or _UNSTRUCTURED & {node.op for node in graph.node}:
        return None
    return _Folding(graph, frozen.inputs[0].op.name, frozen.outputs[0]).result()


class _Folding:
    """One graph on its way."""

    def __init__(self, graph: graph_pb2.GraphDef, images: str, features: tf.Tensor) -> None:
        self._given = graph
        self._nodes: Mapping[str, node_def_pb2.NodeDef] = {node.name: node for node in graph.node}
        self._images = images
        self._features = self._source(features.name)
        self._dtype = features.dtype
        self._readers = self._count_readers()

    def result(self) -> graph_pb2.GraphDef:
        """What the features depend on, without normalisations and nodes that only pass on."""
        flat = graph_pb2.GraphDef(versions=self._given.versions, library=self._given.library)
        for name in self._needed():
            node = self._nodes[name]
            made = list(self._folded(node)) or [self._copy(node, node.name)]
            if name == self._images:
                made[0].name = _IMAGES
            flat.node.extend(made)
        flat.node.append(_node(_FEATURES, "Identity", [self._renamed(self._features)], self._dtype))
        return flat

    def _source(self, reference: str) -> str:
        """The output that a data input reads, behind nodes that pass it on."""
        while self._nodes[_name(reference)].op == "Identity":
            reference = self._nodes[_name(reference)].input[0]
        return reference.removesuffix(":0")

    def _inputs(self, node: node_def_pb2.NodeDef) -> list[str]:
        # What a node only waits for changes no value: there is no state here.
        return [self._source(each) for each in node.input if not each.startswith("^")]

    def _count_readers(self) -> dict[str, int]:
        readers: dict[str, int] = {_name(self._features): 1}
        for node in self._given.node:
            if node.op != "Identity":
                for each in self._inputs(node):
                    readers[_name(each)] = readers.get(_name(each), 0) + 1
        return readers

    def _needed(self) -> list[str]:
        """Names of what is reached from the features and not folded away, inputs first."""
        order: dict[str, None] = {}
        waiting = [(_name(self._features), False)]
        while waiting:
            name, is_ready = waiting.pop()
            if is_ready:
                order[name] = None
            elif name not in order:
                node = self._nodes[name]
                convolution = self._convolution(node)
                inputs = self._inputs(convolution)[:1] if convolution else self._inputs(node)
                waiting.append((name, True))
                waiting += [(_name(each), False) for each in inputs]
        return list(order)

    def _convolution(self, node: node_def_pb2.NodeDef) -> node_def_pb2.NodeDef | None:
        """The convolution that a normalisation can be folded into."""
        if node.op not in _NORMALISATIONS or node.attr["is_training"].b:
            return None
        source, *parameters = self._inputs(node)
        convolution = self._nodes[_name(source)]
        if convolution.op not in _CONVOLUTIONS or self._readers[convolution.name] > 1:
            return None
        layouts = {each.attr["data_format"].s for each in (node, convolution)}
        constants = [*parameters, self._inputs(convolution)[1]]
        is_float = convolution.attr["T"].type == tf.float32.as_datatype_enum
        if layouts != {b"NHWC"} or not is_float or None in map(self._constant_node, constants):
            return None
        return convolution

    def _folded(self, node: node_def_pb2.NodeDef) -> Iterator[node_def_pb2.NodeDef]:
        """What takes the place of a normalisation and its convolution; nothing for other nodes."""
        convolution = self._convolution(node)
        if convolution is None:
            return
        images, weights_name = self._inputs(convolution)
        weights = self._value(weights_name)
        gamma, beta, mean, variance = (self._value(each) for each in self._inputs(node)[1:])
        scale = gamma / np.sqrt(variance + node.attr["epsilon"].f)
        outputs = [weights.shape[axis] for axis in _CONVOLUTIONS[convolution.op]]
        folded = weights * scale.reshape(outputs)
        name = node.name
        yield _of_constant(f"{name}/weights", folded)
        yield _of_constant(f"{name}/bias", beta - mean * scale)
        taken = self._copy(convolution, f"{name}/convolution")
        taken.input[:] = [self._renamed(images), f"{name}/weights"]
        yield taken
        yield _node(name, "BiasAdd", [taken.name, f"{name}/bias"], tf.float32)

    def _constant_node(self, reference: str) -> node_def_pb2.NodeDef | None:
        node = self._nodes[_name(reference)]
        return node if node.op == "Const" else None

    def _value(self, reference: str) -> np.ndarray:
        node = self._nodes[_name(reference)]
        return tf.make_ndarray(node.attr["value"].tensor).astype(np.float64)

    def _copy(self, node: node_def_pb2.NodeDef, name: str) -> node_def_pb2.NodeDef:
        copy = node_def_pb2.NodeDef()
        copy.CopyFrom(node)
        copy.name, copy.device = name, ""
        copy.input[:] = [self._renamed(each) for each in self._inputs(node)]
        return copy

    def _renamed(self, reference: str) -> str:
        return _IMAGES if reference == self._images else reference


def _name(reference: str) -> str:
    return reference.partition(":")[0]


def _of_constant(name: str, value: np.ndarray) -> node_def_pb2.NodeDef:
    node = node_def_pb2.NodeDef(name=name, op="Const")
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value.astype(np.float32)))
    return node


def _node(name: str, op: str, inputs: list[str], dtype: tf.DType) -> node_def_pb2.NodeDef:
    node = node_def_pb2.NodeDef(name=name, op=op, input=inputs)
    node.attr["T"].type = dtype.as_datatype_enum
    return node
