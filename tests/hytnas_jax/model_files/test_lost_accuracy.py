"""The blocks that cost an eight-bit file its accuracy, and how that is told."""

import dataclasses

from hytnas_jax.model_files.lost_accuracy import costly_blocks, describe_loss
from hytnas_jax.model_files.parity import Check
from supernet.network_spec import ConvSpec, HeadSpec, NetworkSpec

SPEC = NetworkSpec("four blocks", 8, 3, 2, (ConvSpec(4),) * 4, HeadSpec(0))
CHECK = Check(1000, 0.81, 0.9, 0.85, 0.003, 0.8, 2.0, 5.0)
CORRELATIONS = {"blocks/0": 0.81, "blocks/1": 0.99, "blocks/2": 0.8, "blocks/3": 0.85, "head": 0.82}


def test_worst_first() -> None:
    asked = []

    def check_without(block: str) -> Check:
        asked.append(block)
        return dataclasses.replace(CHECK, correlation=CORRELATIONS[block], quality=CORRELATIONS[block] - 0.1)

    blocks = costly_blocks(SPEC, check_without)
    assert asked == list(CORRELATIONS)
    assert [block["block"] for block in blocks] == ["blocks/1", "blocks/3", "head"]
    text = describe_loss(CHECK, blocks, "AP50")
    assert "loses 9.0 points of AP50 (0.810 for 0.900" in text
    assert "blocks/1 (0.890)" in text
