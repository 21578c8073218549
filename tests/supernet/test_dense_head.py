"""The head with an output for each cell: elastic in the supernet, sliced exactly, declared and refused."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_space import SPACE

from supernet import built_in_space, num_networks, space_from_mapping, space_to_mapping
from supernet.architecture import Architecture, DenseHeadChoice
from supernet.dense_head import RARE
from supernet.errors import UserError
from supernet.graph import build_graph
from supernet.named import named_network
from supernet.network import stand_alone
from supernet.network_spec import DenseHeadSpec, NetworkSpec
from supernet.ops import enlarge
from supernet.stage_space import DenseHeadSpace
from supernet.subnet import slice_subnet
from supernet.supernet import controls, supernet

HEAD = DenseHeadSpace(width=(4, 6), depth=(1, 3), kernel=3, stride=1, box_channels=4)
DENSE = dataclasses.replace(SPACE, dense_head=HEAD)
NUM_CLASSES = 2
MEMBERS: dict[str, dict[str, Any]] = {
    "smallest": {},
    "wide": {"head_width": 6, "stage1_width": 6},
    "deep": {"head_depth": 3, "stage2_growth": 1.5},
    "largest": {"head_width": 6, "head_depth": 3, "stage1_width": 6, "stage2_growth": 1.5},
}


def member(**genes: Any) -> Architecture:
    values = {gene.name: gene.choices[0] for gene in DENSE.genes}
    values |= {name.replace("_", ".", 1): value for name, value in genes.items()}
    return DENSE.from_json({"space": DENSE.name, "genes": values})


class Trained:
    """A supernet with weights that are not those of the start, compiled once."""

    def __init__(self) -> None:
        self.model = supernet(DENSE, channels=2, num_classes=NUM_CLASSES, tiers=2)
        rng = np.random.default_rng(0)
        self.params, self.stats = (
            jax.tree.map(lambda leaf: leaf + 0.3 * rng.random(leaf.shape).astype(np.float32), tree)
            for tree in self.model.init(jax.random.key(0))
        )
        self.images = jnp.asarray(rng.standard_normal((3, 7, 7, 2)).astype(np.float32))
        self.num_traces = 0

        def forward(params: Any, images: jax.Array, control: Any) -> Any:
            self.num_traces += 1
            return [self.model.apply(params, self.stats, images, control, train=t) for t in (True, False)]

        options = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
        self.forward = jax.jit(forward, compiler_options=options)
        self.gradient = jax.jit(
            jax.grad(
                lambda params, control: jnp.sum(jnp.square(forward(params, self.images, control)[0][0]))
            ),
            compiler_options=options,
        )


@pytest.fixture(scope="module")
def trained() -> Trained:
    return Trained()


@pytest.mark.parametrize("case", MEMBERS)
def test_slice_is_masked(trained: Trained, case: str) -> None:
    architecture = member(**MEMBERS[case])
    masked, used = trained.forward(trained.params, trained.images, controls(DENSE, [architecture]).at(0))
    spec, params, stats = slice_subnet(DENSE, architecture, trained.params, trained.stats)
    assert spec == DENSE.network_spec(architecture, num_classes=NUM_CLASSES, channels=2)
    model = stand_alone(spec)
    assert jax.tree.map(np.shape, params) == jax.tree.map(lambda a: a.shape, model.abstract_params)
    for train, expected in ((True, masked[0]), (False, used[0])):
        output, _ = model.apply(params, stats, trained.images, train=train)
        assert output.shape == (3, *model.output_shape(7)) == (3, *trained.model.output_shape(7))
        np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-4)


def test_one_trace_and_another_output_for_every_choice(trained: Trained) -> None:
    batch = controls(DENSE, [member(**genes) for genes in MEMBERS.values()])
    before = trained.num_traces
    outputs = [trained.forward(trained.params, trained.images, batch.at(n))[1][0] for n in range(4)]
    assert trained.num_traces - before <= 1
    assert all(np.isfinite(output).all() for output in outputs)
    assert len(np.unique(np.round(outputs, 4), axis=0)) == 4


@pytest.mark.parametrize("case", ["smallest", "largest"])
def test_gradients_are_finite_and_zero_where_inactive(trained: Trained, case: str) -> None:
    choice = member(**MEMBERS[case]).dense_head
    assert choice is not None
    head = trained.gradient(trained.params, controls(DENSE, [member(**MEMBERS[case])]).at(0))["head"]
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(head))
    for tap in head["laterals"].values():
        assert np.abs(tap["kernel"][:, : choice.width]).sum() > 0
        assert np.abs(tap["kernel"][:, choice.width :]).sum() == 0
    for number, block in head["blocks"].items():
        assert (np.abs(block["pointwise"]["kernel"]).sum() > 0) == (number < choice.depth)
    assert np.abs(head["classifier"]["kernel"][choice.width :]).sum() == 0


def test_genes_and_fields() -> None:
    assert [gene.name for gene in DENSE.genes[-2:]] == ["head.width", "head.depth"]
    assert num_networks(DENSE) == 4 * num_networks(SPACE)
    architecture = member(head_width=6, head_depth=3)
    assert architecture.dense_head == DenseHeadChoice(width=6, depth=3)
    assert DENSE.from_json(DENSE.to_json(architecture)) == architecture
    assert DENSE.decode(architecture.genes) == architecture
    assert space_from_mapping(space_to_mapping(DENSE)) == DENSE
    assert "dense_head" not in space_to_mapping(SPACE)
    fixed = dataclasses.replace(DENSE, dense_head=dataclasses.replace(HEAD, width=(6,), depth=(1,)))
    assert [gene.name for gene in fixed.genes] == [gene.name for gene in SPACE.genes]
    assert fixed.decode([0] * len(fixed.genes)).dense_head == DenseHeadChoice(6, 1)


def test_constraints_reach_the_head() -> None:
    space = dataclasses.replace(DENSE, constraints=("head.width <= stage1.width",))
    columns = space.columns(space.sample(np.random.default_rng(0), 50))
    assert (columns["head.width"] <= columns["stage1.width"]).all()


@pytest.mark.parametrize(
    ("stride", "taps", "side"), [(4, (1, 2, 3, 4), 24), (8, (2, 3, 4), 12), (32, (4,), 3)]
)
def test_it_reads_the_last_stage_of_each_stride(stride: int, taps: tuple[int, ...], side: int) -> None:
    space = dataclasses.replace(built_in_space("hybrid"), dense_head=DenseHeadSpace(stride=stride))
    assert space.taps == taps
    architecture = space.with_resolutions((96,)).decode([0] * (len(space.genes) - 1))
    spec = space.network_spec(architecture, num_classes=5)
    assert build_graph(spec).ops[-1].shape == (side, side, 5)
    assert stand_alone(spec).output_shape(96) == (side, side, 5)


def test_a_network_by_hand() -> None:
    """Two taps of 3 and 2 channels, on maps of 3x3 and 2x2: what each convolution has, and the sums."""
    spec = _spec()
    graph = build_graph(spec)
    head = [op for op in graph.ops if op.block == "head"]
    assert [(op.kind, op.shape) for op in head] == [
        ("pointwise", (2, 2, 4)),
        ("pointwise", (3, 3, 4)),
        ("upsample", (4, 4, 4)),
        ("crop", (3, 3, 4)),
        ("add", (3, 3, 4)),
        ("depthwise", (3, 3, 4)),
        ("activation", (3, 3, 4)),
        ("pointwise", (3, 3, 4)),
        ("activation", (3, 3, 4)),
        ("pointwise", (3, 3, 5)),
    ]
    parameters = (2 * 4 + 8) + (3 * 4 + 8) + (9 * 4 + 8) + (4 * 4 + 8) + (4 * 5 + 5)
    assert sum(op.num_parameters for op in head) == parameters
    assert sum(op.num_macs for op in head) == 4 * 8 + 9 * 12 + 9 * 36 + 9 * 16 + 9 * 20
    params, _ = stand_alone(spec).init(jax.random.key(0))
    assert sum(leaf.size for leaf in jax.tree.leaves(params["head"])) == parameters
    assert params["head"]["classifier"]["bias"].tolist() == [RARE, 0, 0, 0, 0]
    assert NetworkSpec.from_json(spec.to_json()) == spec


def test_pixels_are_repeated_and_cut() -> None:
    x = jnp.arange(4.0).reshape(1, 2, 2, 1)
    assert enlarge(x, 3, 4)[0, :, :, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3]]


def _spec(**head: Any) -> NetworkSpec:
    """Blocks of 2, 3 and 2 channels over 6x6, 3x3 and 2x2; the last two are read."""
    named = named_network("mobilenetv1-0.25", num_classes=1, resolution=6)
    blocks = tuple(
        dataclasses.replace(named.blocks[0], width=width, stride=stride)
        for width, stride in ((2, 1), (3, 2), (2, 2))
    )
    fields = {"width": 4, "depth": 1, "taps": (1, 2), "kernel": 3, "box_channels": 4} | head
    return NetworkSpec("hand", 6, 3, 1, blocks, DenseHeadSpec(**fields))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"taps": ()}, r"head: taps is \(\), but must be ascending numbers of blocks, of 0 to 2"),
        ({"taps": (2, 1)}, r"taps is \(2, 1\), but must be ascending"),
        ({"taps": (1, 3)}, r"taps is \(1, 3\)"),
        ({"taps": (0, 2)}, "taps 0 and 2 have maps of 6 and 2 pixels; each must be half of the one before"),
        ({"kernel": 4}, "head: kernel is 4, but must be odd; try 5"),
        ({"depth": 0}, "head: depth is 0, but must be an integer of 1 or more"),
    ],
)
def test_impossible_heads_are_refused(head: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build_graph(_spec(**head))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("width", (0, 4), "dense_head.width=0: must be a positive integer"),
        ("depth", (), "dense_head.depth=.*: must be a tuple of one choice at least"),
        ("kernel", 4, "dense_head.kernel=4: must be an odd positive integer"),
        ("stride", 3, r"dense_head.stride=3: must be a stride of a stage's map, of \["),
        ("box_channels", 5, r"dense_head.box_channels=5: must be 4 \(a box for each cell\) or 0"),
    ],
)
def test_impossible_declarations_are_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        dataclasses.replace(SPACE, dense_head=dataclasses.replace(HEAD, **{field: value}))
