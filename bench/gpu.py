"""How many images a second a GPU passes through a frozen extractor: what sizes a large training.

    python -m bench.gpu --hub-handle MODULE --size 224 --write FILE     where TensorFlow is
    python bench/gpu.py FILE                                            where the GPU is

The second needs JAX alone, which comes with its own CUDA, and no TensorFlow built for the GPU's. It
runs the flat graph that the pipeline runs (`components.trainer.folding`), compiled by XLA, which is
also TensorFlow's compiler for GPUs. It first compares features with those that TensorFlow gave.
Prints one JSON object a batch size and precision: images a second with the pixels already on the
device, and with uint8 pixels that come from the host's memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_BATCHES = (64, 256, 1024)
_PRECISIONS = ("float32", "bfloat16")
_ROUNDS, _PASSES = 5, 20
#: Attributes of nodes that decide what is computed.
_LISTS = ("strides", "dilations")


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes an extractor's graph, or measures one."""
    parser = argparse.ArgumentParser(prog="bench/gpu.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("file", type=Path, nargs="?", help="what --write wrote")
    parser.add_argument("--hub-handle")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args(arguments)
    if options.write:
        _write(options.hub_handle, options.size, options.write)
    else:
        _measure(options.file)
    return 0


def _write(handle: str, size: int, path: Path) -> None:
    import tensorflow as tf

    from components.trainer import extractor

    flat = extractor.load(handle, size)
    constants, nodes = {}, []
    for node in flat.graph.node:
        if node.op == "Const":
            constants[f"constant/{node.name}"] = tf.make_ndarray(node.attr["value"].tensor)
            continue
        known = {key: list(node.attr[key].list.i) for key in _LISTS if key in node.attr}
        if "padding" in node.attr:
            known["padding"] = node.attr["padding"].s.decode()
        nodes.append([node.name, node.op, list(node.input), known])
    images = np.random.default_rng(0).integers(0, 256, (4, size, size, 3), np.uint8)
    features = flat(tf.constant(images / np.float32(255)))
    with path.open("wb") as file:  # of a path savez makes another, with .npz at its end
        np.savez(file, nodes=json.dumps(nodes), images=images, features=features, **constants)


def _measure(path: Path) -> None:
    import jax

    with np.load(path) as arrays:
        given = dict(arrays)
    nodes = json.loads(str(given["nodes"]))
    constants = {key[9:]: value for key, value in given.items() if key[:9] == "constant/"}
    device = jax.devices()[0]
    for precision in _PRECISIONS:
        function = jax.jit(_extractor(nodes, constants, precision))
        features = np.asarray(function(given["images"]), np.float32)
        difference = np.abs(features - given["features"]).max() / np.abs(given["features"]).max()
        for batch in _BATCHES:
            shape = (batch, *given["images"].shape[1:])
            images = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
            found = {
                "device": device.device_kind,
                "precision": precision,
                "relative_difference": float(difference),
                "batch": batch,
                "images_a_second": round(_rate(function, jax.device_put(images))),
                "images_a_second_from_host": round(_rate(function, images)),
            }
            print(json.dumps(found), flush=True)


def _rate(function: Callable, images: Any) -> float:
    """Images a second, the median of several rounds."""
    function(images).block_until_ready()
    seconds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        passed = [function(images) for _ in range(_PASSES)]
        passed[-1].block_until_ready()
        seconds.append(time.perf_counter() - started)
    return _PASSES * len(images) / statistics.median(seconds)


def _extractor(
    nodes: Sequence[Sequence[Any]], constants: Mapping[str, np.ndarray], precision: str
) -> Callable:
    """The graph, with weights of a precision: (N, size, size, 3) uint8 -> (N, D)."""
    import jax.numpy as jnp

    dtype = jnp.dtype(precision)
    fixed = {
        name: jnp.asarray(value, dtype) if value.dtype == np.float32 else value
        for name, value in constants.items()
    }

    def extract(images: Any) -> Any:
        values = {**fixed, "flat/images": images.astype(dtype) / dtype.type(255)}
        for name, op, inputs, known in nodes:
            if op != "Placeholder":
                taken = [values[each.partition(":")[0]] for each in inputs]
                values[name] = _OPERATIONS[op](known, *taken)
        return values["flat/features"]

    return extract


def _convolve(known: Mapping[str, Any], images: Any, kernel: Any, groups: int = 1) -> Any:
    from jax import lax

    return lax.conv_general_dilated(
        images,
        kernel,
        window_strides=known["strides"][1:3],
        padding=known["padding"],
        rhs_dilation=known["dilations"][1:3],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
        precision=lax.Precision.HIGHEST,
    )


def _convolve_depthwise(known: Mapping[str, Any], images: Any, kernel: Any) -> Any:
    height, width, channels, multiplier = kernel.shape
    kernel = kernel.reshape(height, width, 1, channels * multiplier)
    return _convolve(known, images, kernel, groups=channels)


def _pad(known: Mapping[str, Any], images: Any, paddings: np.ndarray) -> Any:
    import jax.numpy as jnp

    return jnp.pad(images, np.asarray(paddings))


#: What the graphs of the usual convolutional extractors are made of.
_OPERATIONS: Mapping[str, Callable] = {
    "AddV2": lambda _, a, b: a + b,
    "BiasAdd": lambda _, a, b: a + b,
    "Conv2D": _convolve,
    "DepthwiseConv2dNative": _convolve_depthwise,
    "Identity": lambda _, a: a,
    "Mean": lambda _, a, axes: a.mean(axis=tuple(int(axis) for axis in np.ravel(axes))),
    "Mul": lambda _, a, b: a * b,
    "Pad": _pad,
    "Relu": lambda _, a: a.clip(0),
    "Relu6": lambda _, a: a.clip(0, 6),
    "Sub": lambda _, a, b: a - b,
}


if __name__ == "__main__":
    sys.exit(main())
