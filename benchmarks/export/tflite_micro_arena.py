"""TensorFlow Lite Micro in Python: the arena that it plans for a file, and what the file computes there.

`pip install tflite-micro`: a wheel for x86-64, with the reference kernels. `tflite_memory` runs without.
"""

import importlib.util
import os
import re
import tempfile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

IS_INSTALLED = importlib.util.find_spec("tflite_micro") is not None


class Arena(NamedTuple):
    """Bytes of the activations as planned, and of what stays (pointers have 64 bits here, 32 on a device)."""

    planned: int
    persistent: int
    logits: NDArray[np.generic]


def run_in_arena(model: bytes, image: NDArray[np.generic], size: int) -> Arena:
    """Runs one image, as the file takes it, in an arena of `size` bytes."""
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model, arena_size=size)
    interpreter.set_input(image, 0)
    interpreter.invoke()
    with tempfile.TemporaryFile() as file:
        stderr = os.dup(2)
        os.dup2(file.fileno(), 2)  # C++ writes there
        try:
            interpreter.print_allocations()
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        file.seek(0)
        said = file.read().decode()
    found = dict(re.findall(r"allocation (head|tail) (\d+)", said))
    planned, persistent = int(found["head"]), int(found["tail"])
    return Arena(planned, persistent, interpreter.get_output(0)[0])
