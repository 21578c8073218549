"""Genes, canonical form, sampling, JSON, constraints and every error of a search space."""

import dataclasses
import itertools
import re
from collections import Counter
from typing import Any

import numpy as np
import pytest

from supernet.errors import UserError
from supernet.network_spec import ConvSpec, HeadSpec, InvertedResidualSpec, MobileViTSpec
from supernet.search_space import SearchSpace
from supernet.spaces import built_in_space
from supernet.stage_space import RELATIONS, Gene, StageSpace

CONV = StageSpace(stride=1, expansion=(1, 4), kernel=(3, 5), width=(4, 6))
HYBRID = StageSpace(
    block=("conv", "attention"),
    depth=(1, 2),
    growth=(1, 1.5, 2),
    max_width=8,
    heads=(1, 2),
    ffn_ratio=(1, 1.5),
    patch=(2, 4, 8),
)
SPACE = SearchSpace("tiny", (CONV, HYBRID), (8, 16), stem_width=4, stem_stride=1, head_min=5)


def code(space: SearchSpace = SPACE, **values: Any) -> np.ndarray:
    """A code [1, G] by value: stage2_width=6 for gene "stage2.width"; the first choice elsewhere."""
    named = {name.replace("_", ".", 1): value for name, value in values.items()}
    indices = [g.choices.index(named.pop(g.name)) if g.name in named else 0 for g in space.genes]
    assert not named
    return np.array([indices])


def test_genes_are_ordered_by_family_then_stage() -> None:
    assert [gene.name for gene in SPACE.genes] == [
        "resolution",
        "stage2.block",
        "stage2.depth",
        "stage1.expansion",
        "stage1.kernel",
        "stage1.width",
        "stage2.growth",
        "stage2.heads",
        "stage2.ffn_ratio",
        "stage2.patch",
    ]
    assert SPACE.cardinalities.tolist() == [2, 2, 2, 2, 2, 2, 3, 2, 2, 3]
    assert SPACE.num_codes == 2**6 * 3 * 2 * 2 * 3


def test_decoded_by_hand() -> None:
    genes = code(
        resolution=16,
        stage2_block="attention",
        stage2_depth=2,
        stage1_expansion=4,
        stage1_kernel=5,
        stage1_width=6,
        stage2_growth=1.5,
        stage2_heads=2,
        stage2_ffn_ratio=1.5,
        stage2_patch=4,
    )
    architecture = SPACE.decode(genes[0])
    # 6 * 1.5 = 9 is over the cap of 8; the largest power of two not above is 8; FFN 1.5 * 8.
    blocks = (
        ConvSpec(4, stride=1),
        InvertedResidualSpec(6, 16, kernel=5),
        InvertedResidualSpec(8, 6, stride=2, expand=False),
        MobileViTSpec(8, embed=8, heads=2, ffn=12, depth=2, patch=4),
    )
    spec = SPACE.network_spec(architecture, num_classes=3, channels=1)
    assert spec.blocks == blocks
    assert spec.head == HeadSpec(5)
    assert (spec.resolution, spec.channels, spec.num_classes) == (16, 1, 3)
    assert spec.name == architecture.name
    columns = SPACE.columns(genes)
    assert columns["stage1.side"].tolist() == [16]
    assert columns["stage2.side"].tolist() == [8]
    assert columns["stage2.width"].tolist() == [8]


def test_sides_of_maps_are_rounded_up() -> None:
    space = dataclasses.replace(SPACE, resolution=(9,), stem_stride=2)
    columns = space.columns(code(space))
    assert [columns[f"stage{stage}.side"].tolist() for stage in (1, 2)] == [[5], [3]]


def test_columns_of_genes_without_effect() -> None:
    """A patch as large as the map, which leaves pixels alone, has one head; convolution has no attention."""
    columns = SPACE.columns(code(stage2_block="attention", stage2_heads=2, stage2_patch=8))
    assert [columns[f"stage2.{field}"].tolist() for field in ("patch", "heads")] == [[4], [1]]
    columns = SPACE.columns(code(stage2_heads=2, stage2_patch=4))
    for field in ("embed", "heads", "ffn_ratio", "patch"):
        assert columns[f"stage2.{field}"].tolist() == [0]


def test_grown_widths_are_rounded_down() -> None:
    space = dataclasses.replace(SPACE, stages=(CONV, dataclasses.replace(HYBRID, growth=(1, 1.7))))
    assert space.columns(code(space, stage2_growth=1.7))["stage2.width"].tolist() == [6]  # 4 * 1.7 = 6.8


def test_corners() -> None:
    """The largest has the smallest patch: one as large as the map is no attention. Constraints cut some."""
    most = {"resolution": 16, "stage2_depth": 2, "stage1_expansion": 4, "stage1_kernel": 5, "stage1_width": 6}
    small, large = code(), code(**most, stage2_growth=1.5)  # as wide as growth 2, for the cap
    attends = {"stage2_block": "attention", "stage2_ffn_ratio": 1.5, "stage2_heads": 2, "stage2_patch": 2}
    attention_small = code(stage2_block="attention", stage2_patch=4)  # the whole map
    attention_large = code(**most, stage2_growth=1.5, **attends)
    expected = np.concatenate([small, large, attention_small, attention_large])
    np.testing.assert_array_equal(SPACE.corners(), np.unique(expected, axis=0))
    assert [SPACE.extreme(small[0], largest=largest)[[0, -1]].tolist() for largest in (False, True)] == [
        [0, 2],
        [1, 0],
    ]
    space = dataclasses.replace(SPACE, constraints=("stage1.width <= 4",))
    assert len(space.corners()) == 2
    assert space.satisfied(space.corners()).all()


def test_convolution_stage_repeats_inverted_residuals() -> None:
    spec = SPACE.network_spec(SPACE.decode(code(stage2_depth=2, stage2_growth=2)[0]), num_classes=2)
    last = InvertedResidualSpec(8, 8, expand=False)
    assert spec.blocks[2:] == (InvertedResidualSpec(8, 4, stride=2, expand=False), last)


@pytest.mark.parametrize(
    ("values", "same"),
    [
        # No attention: its genes are without effect.
        ({"stage2_heads": 2, "stage2_ffn_ratio": 1.5, "stage2_patch": 8}, {}),
        # Growth over the cap: 6 * 1.5 = 9 and 6 * 2 = 12 are both 8.
        ({"stage1_width": 6, "stage2_growth": 2}, {"stage1_width": 6, "stage2_growth": 1.5}),
        # A map of 4x4: patches of 4 and 8 both leave every pixel alone, and then heads mean nothing.
        (
            {"stage2_block": "attention", "stage2_patch": 8, "stage2_heads": 2},
            {"stage2_block": "attention", "stage2_patch": 4},
        ),
    ],
)
def test_genes_without_effect(values: dict[str, Any], same: dict[str, Any]) -> None:
    np.testing.assert_array_equal(SPACE.canonical(code(**values)), code(**same))
    assert SPACE.decode(code(**values)[0]) == SPACE.decode(code(**same)[0])


def test_ffn_ratios_of_one_width_are_one() -> None:
    stage = dataclasses.replace(HYBRID, growth=(), width=(4,), max_width=None, ffn_ratio=(1, 1.2, 2))
    space = dataclasses.replace(SPACE, stages=(stage,))
    same = code(space, stage1_block="attention", stage1_ffn_ratio=1.2)
    np.testing.assert_array_equal(space.canonical(same), code(space, stage1_block="attention"))
    stage = dataclasses.replace(stage, block=("attention",), ffn_ratio=(1.2,))
    space = dataclasses.replace(SPACE, stages=(stage,))
    assert space.decode(code(space)[0]).stages[0].ffn == 4  # 4.8 rounded down


@pytest.mark.parametrize("name", ["hybrid-small", "hytnas", "tiny"])
def test_equal_networks_have_one_canonical_code(name: str) -> None:
    """Over 300 codes and a neighbour of each, so that equal networks do occur."""
    space = SPACE if name == "tiny" else built_in_space(name)
    rng = np.random.default_rng(7)
    codes = rng.integers(0, space.cardinalities, (300, len(space.genes)))
    near = codes.copy()
    changed = rng.integers(0, len(space.genes), 300)
    near[np.arange(300), changed] = rng.integers(0, space.cardinalities[changed])
    codes = np.concatenate([codes, near])
    canonical = space.canonical(codes)
    specs = [
        dataclasses.replace(space.network_spec(a, num_classes=2), name="") for a in space.decode_all(codes)
    ]
    by_code: dict[tuple[int, ...], set[Any]] = {}
    by_spec: dict[Any, set[tuple[int, ...]]] = {}
    for row, spec in zip(canonical.tolist(), specs, strict=True):
        by_code.setdefault(tuple(row), set()).add(spec)
        by_spec.setdefault(spec, set()).add(tuple(row))
    assert all(len(found) == 1 for found in (*by_code.values(), *by_spec.values()))
    assert len({tuple(c) for c in codes.tolist()}) > len(by_code)  # some of them were equal
    np.testing.assert_array_equal(space.canonical(canonical), canonical)


@pytest.mark.parametrize("name", ["hybrid-small", "hytnas", "hytnas-initial", "hybrid"])
def test_json_round_trip(name: str) -> None:
    space = built_in_space(name)
    for architecture in space.decode_all(space.sample(np.random.default_rng(0), 20)):
        data = space.to_json(architecture)
        assert list(data["genes"]) == [gene.name for gene in space.genes]
        assert space.from_json(data) == architecture
        assert space.decode(architecture.genes) == architecture


def test_json_errors_name_gene_and_value() -> None:
    data = SPACE.to_json(SPACE.decode(code()[0]))
    with pytest.raises(UserError, match=r"stage1\.width=5: must be one of \[4, 6\]"):
        SPACE.from_json({**data, "genes": {**data["genes"], "stage1.width": 5}})
    with pytest.raises(UserError, match=r"stage2\.heads=None"):
        SPACE.from_json({**data, "genes": {k: v for k, v in data["genes"].items() if "heads" not in k}})
    with pytest.raises(UserError, match=r"'stage9\.width': space 'tiny' has no such gene"):
        SPACE.from_json({**data, "genes": {**data["genes"], "stage9.width": 4}})
    with pytest.raises(UserError, match="space='other': this architecture is not of 'tiny'"):
        SPACE.from_json({**data, "space": "other"})


def test_code_errors_name_the_gene() -> None:
    with pytest.raises(UserError, match=r"expected \[N, 10\]"):
        SPACE.canonical(np.zeros((1, 3), int))
    with pytest.raises(UserError, match=r"stage2\.growth: index 3 not in 0\.\.2"):
        SPACE.canonical(code() + 3 * (np.arange(10) == 6))
    with pytest.raises(UserError, match=r"resolution: index -1 not in 0\.\.1"):
        SPACE.decode([-1] + [0] * 9)


def test_samples_are_canonical_and_uniform() -> None:
    space = SearchSpace("two", (StageSpace(width=(4, 8, 12), kernel=(3, 5)),), (8,))
    codes = space.sample(np.random.default_rng(0), 3000)
    counts = Counter(map(tuple, codes.tolist()))
    assert set(counts) == set(itertools.product(range(2), range(3)))
    assert min(counts.values()) > 400  # of 500 expected, 5 standard deviations
    sampled = SPACE.sample(np.random.default_rng(0), 100)
    np.testing.assert_array_equal(SPACE.canonical(sampled), sampled)
    np.testing.assert_array_equal(SPACE.sample(np.random.default_rng(0), 100), sampled)


def test_no_more_is_drawn_than_is_needed() -> None:
    sizes: list[int] = []
    found = SPACE.meeting(lambda size: sizes.append(size) or np.repeat(code(), size, axis=0), 20)
    assert (sizes, len(found)) == ([20], 20)


CONSTRAINTS = ("stage1.width < stage2.width", "stage2.embed <= 4", "resolution >= 16.0")


def test_samples_meet_the_constraints() -> None:
    space = dataclasses.replace(SPACE, constraints=CONSTRAINTS)
    codes = space.sample(np.random.default_rng(0), 200)
    assert space.satisfied(codes).all()
    columns = space.columns(codes)
    assert (columns["stage1.width"] < columns["stage2.width"]).all()
    assert columns["stage2.embed"].max() == 4
    assert set(columns["resolution"].tolist()) == {16}
    assert not space.satisfied(code(space)).any()


def test_impossible_constraints_say_so() -> None:
    """Also where that follows from how one width comes of another: then it is found by drawing."""
    space = dataclasses.replace(SPACE, constraints=("stage2.width < stage1.width",))
    with pytest.raises(UserError, match=r"stage1\.width'.*of 16000 codes.*0 meet them and 2 are needed"):
        space.sample(np.random.default_rng(0), 2)


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (["stage1.width > 100"], "'stage1.width > 100': nothing meets it: stage1.width is 4 to 6; loosen"),
        (["stage2.depth < 1"], "stage2.depth is 1 to 2"),
        (["stage1.embed >= 1"], "stage1.embed is 0"),
        (["stage1.width > stage2.width", "stage2.width >= 6"], "beside the other constraints"),
        (["stage1.kernel < stage2.depth"], "stage1.kernel is 3 to 5 and stage2.depth is 1 to 2"),
        (["stage1.width < stage2.width", "stage2.width < stage1.width"], "beside the other"),
        (["stage1.width < stage1.width"], "nothing meets it"),
        (["resolution >= 8.5", "resolution < 16"], "resolution is 16"),
    ],
)
def test_contradictory_constraints_are_refused_at_once(constraints: list[str], message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        dataclasses.replace(SPACE, constraints=tuple(constraints))


def test_constraints_that_leave_something_are_taken() -> None:
    """By counting: what arc consistency leaves is never less than what there is."""
    fields = ("resolution", "stage1.width", "stage2.width", "stage2.depth", "stage2.heads", "stage2.patch")
    codes = np.indices(tuple(SPACE.cardinalities)).reshape(len(SPACE.cardinalities), -1).T
    columns = SPACE.columns(codes)
    rng, refused, taken = np.random.default_rng(0), 0, 0
    for _ in range(300):
        texts, met = [], np.ones(len(codes), bool)
        for _ in range(int(rng.integers(1, 4))):
            left, right = rng.choice(fields, 2)
            relation = str(rng.choice(list(RELATIONS)))
            bound = rng.integers(0, 17) if rng.random() < 0.5 else right
            texts.append(f"{left} {relation} {bound}")
            met &= RELATIONS[relation](columns[left], columns.get(str(bound), bound))
        try:
            dataclasses.replace(SPACE, constraints=tuple(texts))
            taken += bool(met.any())
        except UserError:
            refused += 1
            assert not met.any(), texts
    assert min(refused, taken) > 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stem_width": 10**12}, "stem_width=1000000000000: must be a positive integer of at most 16384: no"),
        (
            {"resolution": (8, 10**5)},
            "resolution=100000: must be a positive number of pixels of at most 4096",
        ),
        ({"head_ratio": 1e300}, "head_ratio=1e+300: must be a positive number of at most 64"),
        ({"head_min": 10**9}, "head_min=1000000000: must be a positive integer of at most 16384"),
        ({"resolution": tuple(range(8, 600))}, "must be 256 choices at most"),
        ({"stages": (CONV,) * 33}, "stages=33: must be 32 at most"),
        ({"stages": [CONV]}, "must be a tuple of StageSpace"),
        ({"stages": (3,)}, "stages=(3,): must be a tuple of StageSpace"),
        ({"name": 3}, "name=3: must be a text of one line"),
        ({"name": "a\nb"}, "must be a text of one line"),
        ({"name": " "}, "must be a text of one line"),
        ({"constraints": ("stage1.width < ²",)}, "'²': must be one of"),
        (
            {"resolution": (1024,)},
            "stage2: the attention over 512 x 512 pixels has 1.4e+11 numbers, which take 550 GB for one",
        ),
        (
            {"stages": (dataclasses.replace(CONV, width=(16384,), depth=(100,), kernel=(99,)), CONV)},
            "weights, which take",
        ),
        (
            {"stages": (dataclasses.replace(CONV, expansion=(64,)),), "resolution": (4096,), "stem_width": 8},
            "stage1: the map over 4096 x 4096 pixels has 8.6e+09 numbers",
        ),
    ],
)
def test_what_no_machine_can_hold_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        dataclasses.replace(SPACE, **change)
    assert len(str(caught.value)) < 400


def test_growth_is_limited_by_what_comes_out() -> None:
    """Of any length, and at once: 30 stages of 32 factors."""
    stage = StageSpace(growth=tuple(float(n) for n in range(1, 33)), max_width=None)
    with pytest.raises(UserError, match=r"stage4\.growth=32\.0: must be smaller, or capped by max_width"):
        dataclasses.replace(SPACE, stages=(CONV, *[stage] * 3), resolution=(64,))
    with pytest.raises(UserError, match=r"stage2\.max_width=8: must be left out: only growth is capped"):
        dataclasses.replace(SPACE, stages=(CONV, dataclasses.replace(CONV, max_width=8)))


def test_with_resolutions() -> None:
    assert SPACE.with_resolutions((32, 16)).resolution == (16, 32)
    with pytest.raises(UserError, match="resolution=1"):
        SPACE.with_resolutions((1,))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resolution": ()}, r"resolution=\(\): must be a tuple of one choice at least"),
        ({"resolution": (8, 8)}, r"resolution=\(8, 8\): must be without doubles"),
        ({"resolution": (8, -8)}, "resolution=-8: must be a positive number of pixels"),
        ({"resolution": (1, 8)}, "resolution=1: must be at least the product of all strides"),
        ({"stem_width": 0}, "stem_width=0: must be a positive integer"),
        ({"stem_stride": 1.5}, "stem_stride=1.5: must be a positive integer"),
        ({"head_min": True}, "head_min=True: must be a positive integer"),
        ({"stages": ()}, "stages is empty"),
        ({"constraints": ("stage1.width = 4",)}, r"constraint 'stage1\.width = 4': write"),
        ({"constraints": ("stage7.width < 4",)}, r"'stage7\.width < 4'='stage7\.width': must be one of"),
        ({"constraints": ("stage1.width < wide",)}, "='wide': must be one of"),
    ],
)
def test_space_errors(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        dataclasses.replace(SPACE, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block": ("pool",)}, r"stage2\.block='pool': must be 'conv' or 'attention'"),
        ({"depth": (0, 1)}, r"stage2\.depth=0: must be a positive integer"),
        ({"depth": [1, 2]}, r"stage2\.depth=\[1, 2\]: must be a tuple"),
        ({"expansion": (1.5,)}, r"stage2\.expansion=1\.5: must be a positive integer"),
        ({"kernel": (3, 4)}, r"stage2\.kernel=4: must be an odd positive integer"),
        ({"kernel": (3, 3)}, r"stage2\.kernel=\(3, 3\): must be without doubles"),
        ({"width": (8,)}, "stage2: give either width or growth"),
        ({"growth": ()}, "stage2: give either width or growth"),
        ({"growth": (), "width": (8, -8)}, r"stage2\.width=-8: must be a positive integer"),
        ({"growth": (1, -1)}, r"stage2\.growth=-1: must be a positive number"),
        ({"growth": (0.1, 1)}, r"stage2\.growth=0\.1: must be larger"),
        ({"stride": 3}, r"stage2\.stride=3: must be 1 or 2"),
        ({"heads": ()}, r"stage2\.heads=\(\): must be a tuple of one choice at least"),
        ({"heads": (2, 3)}, r"stage2\.heads=2: must be a divisor of the largest, 3"),
        ({"heads": (1, 8)}, r"stage2\.heads=8: must be a divisor of every embedding size, and 4 is one"),
        ({"embed": (6,), "heads": (1, 4)}, r"stage2\.heads=4: .* and 6 is one"),
        ({"embed": (0,)}, r"stage2\.embed=0: must be a positive integer"),
        ({"ffn_ratio": (0, 1)}, r"stage2\.ffn_ratio=0: must be a positive number"),
        ({"ffn_ratio": (0.1, 1)}, r"stage2\.ffn_ratio=0\.1: must be"),
        ({"patch": (2.5,)}, r"stage2\.patch=2\.5: must be a positive integer"),
        ({"patch": ()}, r"stage2\.patch=\(\)"),
    ],
)
def test_stage_errors(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        dataclasses.replace(SPACE, stages=(CONV, dataclasses.replace(HYBRID, **change)))


def test_the_family_of_a_gene() -> None:
    names = {"stage2.growth": "width", "stage1.heads": "heads", "resolution": "resolution"}
    assert {name: Gene(name, (1, 2)).family for name in names} == names
