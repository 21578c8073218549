"""The built-in spaces against their publication, and spaces from plain values."""

import json
import math
from typing import Any

import numpy as np
import pytest
import yaml

from supernet.errors import UserError
from supernet.named import named_network
from supernet.search_space import SearchSpace
from supernet.space_size import num_networks
from supernet.spaces import SPACE_NAMES, built_in_space, space_from_mapping, space_to_mapping


def test_hytnas_has_the_published_genes() -> None:
    space = built_in_space("hytnas")
    expected = [
        ("stage2.depth", (1, 2, 3, 4)),
        *((f"stage{n}.depth", (1, 2, 3, 4)) for n in (3, 4, 5)),
        *((f"stage{n}.expansion", (1, 2, 4)) for n in (1, 2, 3, 4, 5)),
        ("stage1.width", (8, 16, 24, 32)),
        *((f"stage{n}.growth", (1, 1.5, 2)) for n in (2, 3, 4, 5)),
        *((f"stage{n}.heads", (1, 2, 4)) for n in (3, 4, 5)),
        *((f"stage{n}.ffn_ratio", (1, 1.5, 2)) for n in (3, 4, 5)),
        *((f"stage{n}.patch", (2, 4, 8)) for n in (3, 4, 5)),
    ]
    assert [(gene.name, gene.choices) for gene in space.genes] == expected
    assert len(space.genes) == 23
    assert space.num_codes == 4**4 * 3**5 * 4 * 3**4 * 3**9
    assert f"{space.num_codes:.2e}" == "3.97e+11"
    assert [stage.max_width for stage in space.stages] == [None, None, 96, 128, 256]


def test_hytnas_holds_the_convolutions_of_a_published_winner() -> None:
    """HyT-NAS-BL; its embedding of 16 over 8 channels is not among the reduced space's sizes."""
    space = built_in_space("hytnas")
    genes: dict[str, Any] = {gene.name: gene.choices[0] for gene in space.genes}
    for number, expansion, ratio in ((3, 4, 1.5), (4, 1, 2), (5, 1, 1.5)):
        values = {"expansion": expansion, "heads": 2, "ffn_ratio": ratio, "patch": 8}
        genes |= {f"stage{number}.{field}": value for field, value in values.items()}
    spec = space.network_spec(space.from_json({"space": "hytnas", "genes": genes}), num_classes=2)
    published = named_network("hyt-nas-bl", num_classes=2, resolution=224)
    residuals = [b for b in spec.blocks if not hasattr(b, "embed")]
    assert residuals == [b for b in published.blocks if not hasattr(b, "embed")]
    assert spec.head == published.head


def test_initial_space_is_as_large_as_published() -> None:
    assert num_networks(built_in_space("hytnas-initial")) >= 10**27


@pytest.mark.parametrize("name", SPACE_NAMES)
def test_every_space_can_be_sampled(name: str) -> None:
    space = built_in_space(name)
    assert space.name == name
    assert num_networks(space) <= space.num_codes
    assert num_networks(space) > 10**6
    for architecture in space.decode_all(space.sample(np.random.default_rng(2), 5)):
        spec = space.network_spec(architecture, num_classes=2)
        assert len(spec.blocks) > len(space.stages)
        assert math.prod(getattr(b, "stride", 1) for b in spec.blocks) == {"hybrid-small": 4}.get(name, 32)


def test_unknown_space_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'hybrid'") as error:
        built_in_space("hybird")
    assert all(name in str(error.value) for name in SPACE_NAMES)


@pytest.mark.parametrize("name", SPACE_NAMES)
def test_mapping_round_trip(name: str) -> None:
    space = built_in_space(name)
    data = space_to_mapping(space)
    assert space_from_mapping(yaml.safe_load(yaml.safe_dump(data))) == space
    assert space_from_mapping(json.loads(json.dumps(data))) == space


def test_a_space_written_by_hand() -> None:
    text = """
    name: mine
    resolution: [32]
    constraints: [stage1.width <= stage2.width]
    stages:
      - {width: [8, 16], stride: 1}
      - {block: [conv, attention], width: [16], embed: [16], heads: [1, 2], ffn_ratio: [2], patch: [2]}
    """
    space = space_from_mapping(yaml.safe_load(text))
    assert isinstance(space, SearchSpace)
    assert [gene.name for gene in space.genes] == ["stage2.block", "stage1.width", "stage2.heads"]
    assert space.constraints == ("stage1.width <= stage2.width",)


STAGE = {"width": [8]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "space: expected a mapping of fields, got list"),
        ({"name": "x"}, r"space\.stages: expected a list"),
        ({"stages": [STAGE]}, r"space\.name: missing"),
        ({"name": "x", "stages": [8]}, "stage1: expected a mapping of fields, got 8"),
        ({"name": "x", "stages": [STAGE], "stem": 8}, r"space\.stem: no such field; there are"),
        ({"name": "x", "stages": [STAGE, {"widths": [8]}]}, r"stage2\.widths: no such field"),
        ({"name": "x", "stages": [{"width": 8}]}, r"stage1\.width=8: must be a tuple"),
        ({"name": "x", "stages": [{"width": ["8"]}]}, r"stage1\.width='8': must be a positive integer"),
        ({"name": "x", "stages": [{**STAGE, "kernel": 3}]}, r"stage1\.kernel=3: must be a tuple"),
        ({"name": "x", "stages": [{**STAGE, "stride": "2"}]}, r"stage1\.stride='2': must be 1 or 2"),
        ({"name": "x", "stages": [STAGE], "resolution": 32}, "resolution=32: must be a tuple"),
        ({"name": "x", "stages": [{"growth": ["2"]}]}, r"stage1\.growth='2': must be a positive number"),
        ({"name": "x", "stages": [{"growth": [2], "max_width": "8"}]}, r"stage1\.max_width='8': must be"),
        ({"name": "x", "stages": [STAGE], "head_ratio": "2"}, "head_ratio='2': must be"),
        ({"name": "x", "stages": [{**STAGE, "block": "conv"}]}, r"stage1\.block='conv': must be a tuple"),
        ({"name": "x", "stages": [{"width": [[8]]}]}, r"stage1\.width=\[8\]: must be a number"),
        ({"name": "x", "stages": [STAGE], "constraints": "a < b"}, "constraints='a < b': must be"),
    ],
)
def test_mapping_errors(data: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        space_from_mapping(data)
