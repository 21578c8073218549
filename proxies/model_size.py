"""The size of a network's TFLite file, from its operators and constants: what it takes of a device's flash.

A file is its constants, each filled up to 16 bytes, and the tables of its graph: tensors with their names and
scales, operators. Of small networks in eight bits the tables are most of it.
"""

from typing import NamedTuple

from proxies.tflite_operators import Constant, TFLiteOperators
from supernet.operations import Graph

ALIGNMENT = 16  # bytes
CHANNEL = 12  # a scale in float32 and a zero point in int64
SCOPE = len("blocks/0")  # of the names; a block's own number is not looked at


class FileBytes(NamedTuple):
    """Bytes of a float32 file and of the same in int8."""

    float32: int
    int8: int


# Bytes of the tables beside names and channels: what a file has once, an operator with its output, a
# constant, and the scales of one that is no integer. By least squares on 54 files (24 of `hybrid`, 8 of
# `hybrid-small`, 4 of `hytnas`, the named networks and small ones); how far the sum is off,
# benchmarks/export/tflite_memory.py says.
FILE = FileBytes(503, 607)
OPERATOR = FileBytes(61, 105)
CONSTANT = FileBytes(83, 78)
SCALES = 36


def operation_bytes(graph: Graph, operators: TFLiteOperators) -> list[FileBytes]:
    """What each operation of a graph adds to its file [len(ops)]; `FILE` comes on top."""
    sizes = [[0, 0] for _ in graph.ops]
    for name, _, _, index in operators.operators:
        named = _name_bytes(name, graph.ops[index].block)
        sizes[index][0] += OPERATOR.float32 + named
        sizes[index][1] += OPERATOR.int8 + named
    for index, constants in enumerate(operators.constants):
        for constant in constants:
            named = _name_bytes(constant.name, graph.ops[index].block)
            sizes[index][0] += CONSTANT.float32 + named + _filled(4 * constant.size)
            sizes[index][1] += CONSTANT.int8 + named + _int8_bytes(constant)
    return [FileBytes(*pair) for pair in sizes]


def _int8_bytes(constant: Constant) -> int:
    is_wide = constant.kind in ("bias", "int")
    scales = 0 if constant.kind == "int" else SCALES + CHANNEL * constant.channels
    return _filled((4 if is_wide else 1) * constant.size) + scales


def _filled(nbytes: int) -> int:
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def _name_bytes(name: str, block: str) -> int:
    """A text: its length in four bytes, and one that ends it; filled up to four."""
    return -(-(SCOPE + len(name) - len(block) + 5) // 4) * 4
