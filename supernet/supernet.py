"""The weight-sharing network of a search space, at its largest; a traced `Control` narrows it to a subnet.

Letters: A architectures, S stages.

Examples:
  >>> import jax
  >>> from supernet import SearchSpace, StageSpace
  >>> from supernet import supernet as shared
  >>> space = SearchSpace("mine", (StageSpace(width=(4, 8)),), resolution=(16,))
  >>> model = shared.supernet(space, channels=3, num_classes=2)
  >>> params, stats = model.init(jax.random.key(0))
  >>> sorted(params)
  ['head', 'stages', 'stem']
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from supernet.architecture import Architecture
from supernet.blocks import ConvBlock, Head
from supernet.control_flow import chain, either
from supernet.dense_head import DenseHead
from supernet.elastic import ElasticMobileViT, ElasticResidual
from supernet.layers import Initializer
from supernet.model import Model, Tree
from supernet.network_spec import ConvSpec, DenseHeadSpec, HeadSpec, InvertedResidualSpec, MobileViTSpec
from supernet.ops import Train
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace
from supernet.widths import AttentionWidths, HeadWidths, ResidualWidths

# Sizes in one program on a CPU. On maps of 24 pixels a training step takes 0.7 times as long as with one; on
# maps of 12 it takes 1.7 times as long, and compiles for twice the time.
CPU_TIERS, SMALLEST_TIERED_SIDE = 2, 16


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Control:
    """What a subnet is, as numbers: int32 [S] each, those of the head []; a batch of them has [A] in front.

    In a convolution stage the attention fields hold harmless values (1) and have no effect; so does
    `head_depth` without a dense head.

    Examples:
      >>> from supernet import built_in_space, controls
      >>> space = built_in_space("hybrid-small")
      >>> controls(space, [space.decode([0] * len(space.genes))]).at(0).width.tolist()
      [4, 8, 12]
    """

    attention: Any
    depth: Any
    width: Any
    expansion: Any
    kernel: Any
    embed: Any
    heads: Any
    ffn: Any
    patch: Any
    head: Any
    head_depth: Any

    @property
    def head_widths(self) -> HeadWidths:
        """Those of the head."""
        return HeadWidths(self.head, self.head_depth)

    def at(self, index: Any) -> "Control":
        """The control of one architecture of a batch."""
        return jax.tree.map(lambda leaf: leaf[index], self)


def controls(space: SearchSpace, architectures: Sequence[Architecture]) -> Control:
    """The controls of architectures of `space`, int32 with [A] in front.

    Examples:
      >>> import numpy as np
      >>> from supernet import built_in_space, controls
      >>> space = built_in_space("hybrid-small")
      >>> drawn = space.decode_all(space.sample(np.random.default_rng(0), 5))
      >>> controls(space, drawn).width.shape
      (5, 3)
    """

    def field(name: str) -> np.ndarray:
        return np.array([[getattr(s, name) for s in a.stages] for a in architectures], np.int32)

    kinds = np.array([[s.block == "attention" for s in a.stages] for a in architectures], np.int32)
    # An inactive patch stands at its unit's multiple: 0 means "not an attention stage".
    units = np.array([_patch_unit(stage) for stage in space.stages], np.int32)
    sides = np.array([_sides(space, a.resolution) for a in architectures], np.int32)
    # The decoded patch is cut to the map's side, which need not be a multiple of the unit any more; any
    # multiple at least as large says the same: every pixel on its own.
    patch = field("patch")
    patch = np.where(patch >= sides, -(-sides // units) * units, patch)
    patch = np.where(kinds == 1, patch, units)
    active = {name: np.maximum(field(name), 1) for name in ("embed", "heads", "ffn")}
    head = np.array([_head_sizes(space, a) for a in architectures], np.int32).reshape(-1, 2)
    basic = {name: field(name) for name in ("depth", "width", "expansion", "kernel")}
    return Control(attention=kinds, patch=patch, head=head[:, 0], head_depth=head[:, 1], **basic, **active)


def _head_sizes(space: SearchSpace, architecture: Architecture) -> tuple[int, int]:
    """Channels, and blocks, of an architecture's head."""
    if space.dense_head is None or architecture.dense_head is None:
        return space.head_width(architecture.stages[-1].width), 1
    return architecture.dense_head.width, architecture.dense_head.depth


class SupernetStage(nnx.Module):
    """One stage at its largest: the first inverted residual, then both kinds of blocks it may hold."""

    def __init__(self, space: SearchSpace, number: int, tiers: int, init: Initializer):
        stage, sizes = space.stages[number], stage_sizes(space)
        width, expansion, kernel = sizes[number].width[-1], max(stage.expansion), max(stage.kernel)
        kernels = _tiers(sorted(stage.kernel), tiers)

        def residual(in_width: int, stride: int) -> ElasticResidual:
            spec = InvertedResidualSpec(width, in_width * expansion, kernel, stride, expand=expansion > 1)
            return ElasticResidual(in_width, spec, init, kernels=kernels, tiled=tiers > 1)

        self.number, self.stem_width = number, space.stem_width
        self.first = residual(sizes[number - 1].width[-1] if number else space.stem_width, stage.stride)
        num_more = max(stage.depth) - 1 if "conv" in stage.block else 0
        self.more = nnx.List([residual(width, 1) for _ in range(num_more)])
        has_attention = "attention" in stage.block
        self.transformer = _transformer(stage, sizes[number], tiers, init) if has_attention else None

    def __call__(self, x: jax.Array, control: Control, *, train: Train) -> jax.Array:
        """[B, H, W, in] -> [B, H', W', width]; `control` holds the numbers of all stages."""
        c = _stage(control, self.number)
        in_width = control.width[self.number - 1] if self.number else jnp.int32(self.stem_width)

        def compute(modules: tuple[ElasticResidual], x: jax.Array) -> jax.Array:
            widths = ResidualWidths(c.width, c.width, c.expansion, c.kernel)
            return modules[0].narrowed(x, widths, train=train)

        def block(block: ElasticResidual, x: jax.Array, number: jax.Array) -> jax.Array:
            return either(number + 1 < c.depth, compute, lambda _, x: x, (block,), x)

        def attention(modules: tuple[Any, ElasticMobileViT], x: jax.Array) -> jax.Array:
            widths = AttentionWidths(c.width, c.embed, c.heads, c.ffn, c.patch, c.depth)
            return modules[1].narrowed(x, widths, train=train)

        def convolutions(modules: tuple[Any, ElasticMobileViT], x: jax.Array) -> jax.Array:
            return chain(modules[0], block, x)

        widths = ResidualWidths(in_width, c.width, c.expansion, c.kernel)
        x = self.first.narrowed(x, widths, train=train)
        if self.transformer is None:
            return chain(self.more, block, x)
        # Only the kind in use is computed.
        return either(c.attention == 1, attention, convolutions, (self.more, self.transformer), x)


class Supernet(nnx.Module):
    """All stages of a space at their largest. `supernet(space, ...)` wraps it in pure functions."""

    def __init__(
        self, space: SearchSpace, channels: int, num_classes: int, init: Initializer, *, tiers: int = 1
    ):
        self.stem = _stem(space, channels, init)
        self.stages = nnx.List([SupernetStage(space, n, tiers, init) for n in range(len(space.stages))])
        self.taps = space.taps
        self.head = _head(space, num_classes, init)

    def output_shape(self, resolution: int) -> tuple[int, ...]:
        """Of one image: [num_classes], or [H, W, K] with a dense head."""
        return self.head.output_shape(resolution)

    def features(self, images: jax.Array, control: Control, *, train: Train) -> jax.Array:
        """Feature map before global pooling: [B, H, W, C] -> [B, H', W', C']."""
        *_, x = self._trunk(self.stem(images, train=train), control, train)
        return self.head.features(x, control.head_widths, train=train)

    def __call__(self, images: jax.Array, control: Control, *, train: Train) -> jax.Array:
        """[B, H, W, C] -> logits float32 [B, num_classes], or [B, H, W, K] with a dense head."""
        return self.after_stem(self.stem(images, train=train), control, train=train)

    def after_stem(self, x: jax.Array, control: Control, *, train: Train) -> jax.Array:
        """The stem's maps [B, H, W, C] -> what `__call__` gives."""
        return self.head(self._trunk(x, control, train), control.head_widths, train=train)

    def _trunk(self, x: jax.Array, control: Control, train: Train) -> list[jax.Array]:
        """The maps that the head reads."""
        maps = []
        for number, stage in enumerate(self.stages):
            x = stage(x, control, train=train)
            if number in self.taps:
                maps.append(x)
        return maps


class ModelPart(NamedTuple):
    """One after the other, the parts are the supernet: stem, stages, head.

    `model.apply(of_tree(params), stats, x, of_control(control), train=)` computes this one, `stats` being its
    own; `x` is the map of the part before, but the head reads a list of maps, those of the parts `reads`.
    """

    model: Model
    of_tree: Callable[[Tree], Tree]
    of_control: Callable[[Control], Any]
    reads: tuple[int, ...] = ()


class SupernetModel(Model):
    """The pure functions of a supernet, as a whole and by `parts`.

    Examples:
      >>> import jax.numpy as jnp
      >>> from supernet import SearchSpace, StageSpace, SupernetModel
      >>> space = SearchSpace("mine", (StageSpace(width=(4, 8)),), resolution=(16,))
      >>> model = SupernetModel(space, channels=3, num_classes=2, dtype=jnp.float32, tiers=1)
      >>> len(model.parts)
      3
    """

    def __init__(self, space: SearchSpace, channels: int, num_classes: int, dtype: Any, tiers: int):
        super().__init__(lambda init: Supernet(space, channels, num_classes, init, tiers=tiers), dtype=dtype)
        self._taps = space.taps
        self._builds: tuple[Callable[[Initializer], nnx.Module], ...] = (
            lambda init: _stem(space, channels, init),
            *(functools.partial(SupernetStage, space, number, tiers) for number in range(len(space.stages))),
            lambda init: _head(space, num_classes, init),
        )

    def stem(self, params: Tree, images: jax.Array) -> jax.Array:
        """What all subnets begin with: the stem's maps of images [B, H, W, C], by the batch's statistics."""
        return self._bind(params, self.no_stats()).stem(images.astype(self._dtype), train=True)

    def after_stem(self, params: Tree, maps: jax.Array, control: Control) -> jax.Array:
        """The outputs of the stem's maps, by the batch's statistics."""
        return self._bind(params, self.no_stats()).after_stem(maps, control, train=True)

    @functools.cached_property
    def parts(self) -> tuple[ModelPart, ...]:
        """Made when first asked for: training needs the whole only."""
        stem, *stages, head = (Model(build, dtype=self._dtype) for build in self._builds)

        def stage(number: int, model: Model) -> ModelPart:
            return ModelPart(model, lambda tree: tree["stages"][number], lambda control: control)

        return (
            ModelPart(stem, lambda tree: tree["stem"], lambda _: None),
            *(stage(number, model) for number, model in enumerate(stages)),
            ModelPart(
                head,
                lambda tree: tree["head"],
                lambda control: control.head_widths,
                reads=tuple(number + 1 for number in self._taps),  # the stem is part 0
            ),
        )


def supernet(
    space: SearchSpace,
    *,
    channels: int,
    num_classes: int,
    dtype: Any = jnp.float32,
    tiers: int | None = None,
) -> SupernetModel:
    """The pure functions of a space's supernet; their `control` is one `Control` without [A].

    `tiers` is how many sizes of its widths and embeddings a program holds (`elastic`); 1: it computes
    everything, and masks. If not given, a few where that is quicker: on a CPU, for maps large enough.
    The same arguments give the same model, so that what was compiled for it in this process serves again.
    """
    if tiers is None:
        tiers = quickest_tiers(space, max(space.resolution))
    return _model(space, channels, num_classes, dtype, tiers)


@functools.lru_cache(maxsize=4)
def _model(space: SearchSpace, channels: int, num_classes: int, dtype: Any, tiers: int) -> SupernetModel:
    return SupernetModel(space, channels, num_classes, dtype, tiers)


def quickest_tiers(space: SearchSpace, resolution: int) -> int:
    """How many tiers are quickest here for images of `resolution`."""
    is_large = resolution >= SMALLEST_TIERED_SIDE * space.stem_stride
    return CPU_TIERS if is_large and jax.default_backend() == "cpu" else 1


def _stem(space: SearchSpace, channels: int, init: Initializer) -> ConvBlock:
    return ConvBlock(channels, ConvSpec(space.stem_width, stride=space.stem_stride), init)


def _head(space: SearchSpace, num_classes: int, init: Initializer) -> Head | DenseHead:
    widths = [sizes.width[-1] for sizes in stage_sizes(space)]
    dense = space.dense_head
    if dense is None:
        return Head(widths[-1], HeadSpec(space.head_width(widths[-1])), num_classes, init)
    spec = DenseHeadSpec(max(dense.width), max(dense.depth), space.taps, dense.kernel, dense.box_channels)
    tapped = [widths[number] for number in space.taps]
    return DenseHead(tapped, spec, num_classes, init, stride=space.strides[space.taps[0]])


class StageSizes(NamedTuple):
    """The widths and embedding sizes that a stage may have, in channels, ascending."""

    width: tuple[int, ...]
    embed: tuple[int, ...]


def stage_sizes(space: SearchSpace) -> list[StageSizes]:
    """Of every stage; those that `growth` leads to are all counted."""
    sizes, before = [], {space.stem_width}
    for stage in space.stages:
        if stage.growth:
            widths = {int(w * g) for w in before for g in stage.growth}
            widths = {min(w, stage.max_width or w) for w in widths}
        else:
            widths = set(stage.width)
        embeds = set(stage.embed) or {2 ** (w.bit_length() - 1) for w in widths}
        sizes.append(StageSizes(tuple(sorted(widths)), tuple(sorted(embeds))))
        before = widths
    return sizes


def _transformer(stage: StageSpace, sizes: StageSizes, tiers: int, init: Initializer) -> ElasticMobileViT:
    width, embed, heads = sizes.width[-1], sizes.embed[-1], max(stage.heads)
    spec = MobileViTSpec(
        width, embed, heads, int(embed * max(stage.ffn_ratio)), max(stage.depth), _patch_unit(stage)
    )
    whole_heads = [e for e in sizes.embed if e % heads == 0]
    return ElasticMobileViT(spec, init, widths=_tiers(sizes.width, tiers), embeds=_tiers(whole_heads, tiers))


def _tiers(sizes: Sequence[int], count: int) -> list[int]:
    """At most `count` of ascending `sizes`, evenly spread, the largest among them."""
    places = np.ceil(np.linspace(len(sizes), 0, count, endpoint=False)).astype(int) - 1
    return [sizes[place] for place in np.unique(places)]


def _stage(control: Control, number: int) -> Control:
    fields = {
        field.name: getattr(control, field.name)[number]
        for field in dataclasses.fields(Control)
        if field.name not in ("head", "head_depth")
    }
    return Control(**fields, head=control.head, head_depth=control.head_depth)


def _patch_unit(stage: StageSpace) -> int:
    return math.gcd(*stage.patch) if "attention" in stage.block else 1


def _sides(space: SearchSpace, resolution: int) -> list[int]:
    side = -(-resolution // space.stem_stride)
    sides = []
    for stage in space.stages:
        side = -(-side // stage.stride)
        sides.append(side)
    return sides
