"""The order in which a forward pass meets the variables of a SavedModel.

A module lists its variables as it likes: Keras by layers, others sorted by name, where block_10
comes before block_2. The graph knows: a variable is after another if it meets the image later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

#: Calls of functions, which are looked into; other control flow counts as one operation.
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


@dataclasses.dataclass(frozen=True)
class _Value:
    """What is known of a tensor.

    Attributes:
      depth: operations between it and the image on the longest way; 0 if the image does not matter.
      variables: positions of the variables it is made of, as long as no image is mixed in.
    """

    depth: int = 0
    variables: frozenset[int] = frozenset()


def forward_order(
    call: Callable[[tf.Tensor], tf.Tensor], spec: tf.TensorSpec, variables: Sequence[tf.Variable]
) -> list[int]:
    """Positions of variables in the order of the forward pass.

    Args:
      call: from images to features; traced, not run.
      spec: of the images.
      variables: those to be put in order.

    Returns:
      Positions in `variables`, those of the first layers first; variables of one depth keep their
      order, and those that no image meets are left out.
    """
    concrete = tf.function(call, input_signature=[spec], autograph=False).get_concrete_function()
    positions = {id(variable.handle): index for index, variable in enumerate(variables)}
    known = {concrete.inputs[0].op.name: _Value(depth=1)}
    captured = concrete.inputs[len(concrete.inputs) - len(concrete.captured_inputs) :]
    for placeholder, outside in zip(captured, concrete.captured_inputs, strict=True):
        position = positions.get(id(outside))
        variable = frozenset() if position is None else frozenset([position])
        known[placeholder.op.name] = _Value(variables=variable)
    graph = concrete.graph.as_graph_def()
    walk = _Walk({function.signature.name: function for function in graph.library.function})
    walk.through(graph.node, known)
    return sorted(walk.depths, key=lambda position: (walk.depths[position], position))


class _Walk:
    """Follows the image and the variables through a graph and the functions it calls."""

    def __init__(self, functions: Mapping[str, Any]) -> None:
        self._functions = functions
        #: By position, where a variable first meets the image.
        self.depths: dict[int, int] = {}

    def through(self, nodes: Iterable, known: Mapping[str, _Value]) -> int:
        """Visits all nodes of one body and gives the largest depth in it.

        Args:
          nodes: their NodeDefs, in any order.
          known: values of the nodes or arguments that the body is given, by name.
        """
        by_name = {node.name: node for node in nodes}
        values = dict(known)
        for name in _inputs_first(by_name, values):
            values[name] = self._value(by_name[name], values)
        return max((value.depth for value in values.values()), default=0)

    def _value(self, node: tf.compat.v1.NodeDef, values: Mapping[str, _Value]) -> _Value:
        inputs = [values[source] for source in _sources(node)]
        depth = max((value.depth for value in inputs), default=0)
        variables = frozenset().union(*(value.variables for value in inputs))
        if node.op in _CALLS and node.attr["f"].func.name in self._functions:
            function = self._functions[node.attr["f"].func.name]
            names = [argument.name for argument in function.signature.input_arg]
            inside = self.through(function.node_def, dict(zip(names, inputs, strict=True)))
            return _Value(inside, frozenset() if inside else variables)
        if not depth:
            return _Value(0, variables)
        for position in variables:
            self.depths[position] = min(depth, self.depths.get(position, depth))
        return _Value(depth + 1)


def _inputs_first(nodes: Mapping[str, tf.compat.v1.NodeDef], given: Iterable[str]) -> list[str]:
    """Names of the nodes, none before those it takes its inputs from."""
    order, done = [], set(given)
    for start in nodes:
        stack = [start]
        while stack:
            name = stack[-1]
            missing = [source for source in _sources(nodes[name]) if source not in done]
            if name in done or not missing:
                stack.pop()
                if name not in done:
                    done.add(name)
                    order.append(name)
            else:
                stack.extend(missing)
    return order


def _sources(node: tf.compat.v1.NodeDef) -> list[str]:
    """Names of the nodes or arguments that a node takes its inputs from, control inputs aside."""
    if node.op == "NextIteration":  # the way back in a loop
        return []
    return [source.split(":")[0] for source in node.input if not source.startswith("^")]
