"""Which blocks of a network cost its eight-bit file quality: each in turn keeps its floats."""

from collections.abc import Callable, Sequence
from typing import Any

from hytnas_jax.model_files.parity import Check
from hytnas_jax.numbers import counted
from supernet.graph import build_graph
from supernet.network_spec import NetworkSpec

ACCEPTED_LOSS = 0.01  # of the quality
NUM_NAMED = 3


def costly_blocks(spec: NetworkSpec, check_without: Callable[[str], Check]) -> list[dict[str, Any]]:
    """The blocks whose floats bring an eight-bit file nearest to the network, the worst first.

    Args:
        spec: the network.
        check_without: gives the check of a file in which the block of a name ("blocks/3", "head") keeps its
            floats.

    Returns:
        `NUM_NAMED` blocks: "block", "quality" and "correlation" of the outputs with that block in floats.
    """
    names = dict.fromkeys(op.block for op in build_graph(spec).ops)
    checks = {name: check_without(name) for name in names}
    found: list[dict[str, Any]] = [
        {"block": name, "quality": check.quality, "correlation": check.correlation}
        for name, check in checks.items()
    ]
    return sorted(found, key=lambda block: -block["correlation"])[:NUM_NAMED]


def describe_loss(check: Check, blocks: Sequence[dict[str, Any]], quality: str) -> str:
    """What the user is told, after the name of the file; `quality` is what is lost."""
    worst = "; ".join(f"{b['block']} ({b['quality']:.3f})" for b in blocks)
    return (
        f"loses {100 * check.loss:.1f} points of {quality} ({check.quality:.3f} for "
        f"{check.quality_in_jax:.3f} on {counted(check.num_images, 'image')}). "
        f"What helps most is to keep "
        f"one of these blocks in floats: {worst}"
    )
