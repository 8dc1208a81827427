"""Smaller forms for a TensorFlow Lite model's weights, which are computed with as floats.

TensorFlow Lite's own dynamic-range quantisation also rounds what flows between layers, image by
image, and that of float16 rounds biases too, which moves every image's answer to the same side.
Here only kernels are stored smaller; an operation DEQUANTIZE before each makes floats of it once,
when the model is loaded, so that the layers compute as before and as fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

Form = Literal["float32", "float16", "int8"]
#: A model's operations that have a kernel, their second input, with its axis of output channels.
CHANNELS = {
    schema.BuiltinOperator.CONV_2D: 0,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: 3,
    schema.BuiltinOperator.FULLY_CONNECTED: 0,
}
_KERNEL = 1
_LARGEST = 127
#: The first version of DEQUANTIZE that knows a scale a channel.
_DEQUANTIZE_VERSION = 5


def shrink(content: bytes, choose: Callable[[int, np.ndarray], Form]) -> bytes:
    """Stores kernels in other forms.

    Args:
      content: a TensorFlow Lite model with kernels of float32.
      choose: the form for a kernel; gets the operation, a key of `CHANNELS`, and the kernel.

    Returns:
      The model with the same signatures. An int8 kernel has a scale for each output channel.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    dequantize = len(model.operatorCodes)
    model.operatorCodes.append(_dequantize_code())
    for graph in model.subgraphs:
        added: dict[int, schema.OperatorT] = {}
        for operation in graph.operators:
            kind = model.operatorCodes[operation.opcodeIndex].builtinCode
            if kind not in CHANNELS or operation.inputs[_KERNEL] in added:
                continue
            index = int(operation.inputs[_KERNEL])
            kernel = _constant(model, graph.tensors[index])
            form = "float32" if kernel is None else choose(kind, kernel)
            if form != "float32":
                stored = _store(model, graph.tensors[index], kernel, form, CHANNELS[kind])
                graph.tensors.append(stored)
                added[index] = _dequantized(len(graph.tensors) - 1, index, dequantize)
        graph.operators = [*added.values(), *graph.operators]
    _drop_unused_buffers(model)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def quantize(kernel: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Rounds a kernel to 8-bit integers, symmetric about zero.

    Args:
      kernel: float32, of any rank.
      axis: of the output channels, of which there are C.

    Returns:
      Integers in [-127, 127] in the kernel's shape, and the (C,) float32 scales, above zero: an
      integer times its scale is off by at most half a scale.
    """
    others = tuple(other for other in range(kernel.ndim) if other != axis)
    scale = np.abs(kernel).max(axis=others, keepdims=True).astype(np.float32) / _LARGEST
    # A channel of zeros, or of what is too small to be told from zero.
    scale = np.where(scale >= np.finfo(np.float32).tiny, scale, np.float32(1))
    return np.rint(kernel / scale).astype(np.int8), scale.ravel()


def _dequantize_code() -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = _DEQUANTIZE_VERSION
    return code


def _constant(model: schema.ModelT, tensor: schema.TensorT) -> np.ndarray | None:
    """A float32 tensor's values, or None if it has another type or is computed."""
    data = model.buffers[tensor.buffer].data
    if tensor.type != schema.TensorType.FLOAT32 or data is None or not len(data):
        return None
    return np.frombuffer(bytes(data), "<f4").reshape(tensor.shape)


def _store(
    model: schema.ModelT, tensor: schema.TensorT, kernel: np.ndarray, form: Form, axis: int
) -> schema.TensorT:
    """A new tensor with the kernel in that form; the old one has nothing stored any more."""
    stored = schema.TensorT()
    stored.shape, stored.hasRank = tensor.shape, tensor.hasRank
    stored.name = tensor.name + b"_stored"
    if form == "float16":
        stored.type, values = schema.TensorType.FLOAT16, kernel.astype("<f2")
    else:
        stored.type = schema.TensorType.INT8
        stored.quantization = schema.QuantizationParametersT()
        values, stored.quantization.scale = quantize(kernel, axis)
        stored.quantization.zeroPoint = np.zeros(kernel.shape[axis], np.int64)
        stored.quantization.quantizedDimension = axis
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    stored.buffer, tensor.buffer = len(model.buffers) - 1, 0
    return stored


def _dequantized(stored: int, kernel: int, code: int) -> schema.OperatorT:
    operation = schema.OperatorT()
    operation.opcodeIndex = code
    operation.inputs, operation.outputs = np.array([stored], "i4"), np.array([kernel], "i4")
    operation.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
    operation.builtinOptions = schema.DequantizeOptionsT()
    return operation


def _drop_unused_buffers(model: schema.ModelT) -> None:
    holders = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    holders += model.metadata or []
    # The first is the empty one, that of every tensor that is computed.
    used = sorted({0, *(holder.buffer for holder in holders)})
    place = {old: new for new, old in enumerate(used)}
    model.buffers = [model.buffers[old] for old in used]
    for holder in holders:
        holder.buffer = place[holder.buffer]
