"""One declaration makes a search space: stages, the choices of each gene, constraints.

A gene exists where a field has more than one choice. Genes are ordered by family (resolution, block,
depth, expansion, kernel, width, embed, heads, ffn_ratio, patch) and within a family by stage; an integer
gene is an index into its choices. Letters: N codes, G genes, S stages.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from supernet.architecture import Architecture, DenseHeadChoice, StageChoice
from supernet.code_columns import CodeColumns
from supernet.declaration import SpaceDeclaration
from supernet.errors import UserError
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    DenseHeadSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
)
from supernet.space_validation import validate
from supernet.stage_space import (
    ATTENTION_FAMILIES,
    FAMILIES,
    HEAD_FAMILIES,
    RELATIONS,
    Gene,
    parse_constraint,
)

MAX_SAMPLING_ROUNDS = 1000


@dataclasses.dataclass(frozen=True)
class SearchSpace(SpaceDeclaration):
    """A family of networks: a 3x3 stem, stages, a 1x1 convolution of max(head_ratio * width, head_min).

    `constraints` are texts such as "stage2.width <= stage3.width" or "stage4.embed < 96", over gene
    values (for `growth` stages, `width` is the width that comes out).

    Raises:
      UserError: an impossible declaration; the message names gene and value.

    Examples:
      >>> import numpy as np
      >>> from supernet import SearchSpace, StageSpace
      >>> stages = (StageSpace(width=(4, 8)), StageSpace(depth=(1, 2), width=(8, 16)))
      >>> space = SearchSpace("mine", stages, resolution=(16, 32))
      >>> [gene.name for gene in space.genes]
      ['resolution', 'stage2.depth', 'stage1.width', 'stage2.width']
      >>> genes = space.sample(np.random.default_rng(0), 3)
      >>> [architecture.resolution for architecture in space.decode_all(genes)]
      [32, 16, 16]
    """

    def __post_init__(self) -> None:
        validate(self)

    @functools.cached_property
    def genes(self) -> tuple[Gene, ...]:
        """The genes, in the order of every integer code."""
        found = [Gene("resolution", self.resolution)] if len(self.resolution) > 1 else []
        # A growth gene stands in the place of the width gene: one family, ordered by stage.
        for family in FAMILIES:
            if family == "growth":
                continue
            for number, stage in enumerate(self.stages, 1):
                field = "growth" if family == "width" and stage.growth else family
                choices = getattr(stage, field)
                if field in ATTENTION_FAMILIES and "attention" not in stage.block:
                    continue
                if len(choices) > 1:
                    found.append(Gene(f"stage{number}.{field}", choices))
        head = [Gene(f"head.{field}", choices) for field, choices in self._head_choices().items()]
        return (*found, *(gene for gene in head if len(gene.choices) > 1))

    @functools.cached_property
    def cardinalities(self) -> np.ndarray:
        """Number of choices of each gene, int64 [G]."""
        return np.array([len(gene.choices) for gene in self.genes], np.int64)

    @functools.cached_property
    def _code_columns(self) -> CodeColumns:
        return CodeColumns(self, self.genes)

    @property
    def num_codes(self) -> int:
        """Number of integer codes: the product of the numbers of choices."""
        return math.prod(len(gene.choices) for gene in self.genes)

    def columns(self, genes: np.ndarray) -> dict[str, np.ndarray]:
        """The value of every field, fixed ones too, for codes [N, G] (out of range: UserError).

        Keys "resolution", "stage<i>.<field>" and, of a dense head, "head.<field>"; values [N]. `width` and
        `embed` are the channels that come out, `patch` what the feature map leaves of it, `side` the side of
        the stage's feature map.
        """
        return self._code_columns.of(genes)

    def canonical(self, genes: np.ndarray) -> np.ndarray:
        """Codes [N, G] with every gene that changes nothing set to its first equivalent choice."""
        return self._code_columns.canonical(genes)

    def satisfied(self, genes: np.ndarray) -> np.ndarray:
        """Whether each code [N, G] meets the constraints: bool [N]."""
        columns = self.columns(genes)
        met = np.ones(len(genes), bool)
        for text in self.constraints:
            left, relation, right = parse_constraint(text)
            bound = columns[right] if right in columns else float(right)
            met &= RELATIONS[relation](columns[left], bound)
        return met

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """`count` codes drawn uniformly from those that meet the constraints, canonical: int64 [count, G].

        Raises:
          UserError: the constraints leave so little that a bounded number of draws found too few.
        """

        def draw(size: int) -> np.ndarray:
            return rng.integers(0, self.cardinalities, (size, len(self.genes)))

        return self.canonical(self.meeting(draw, count))

    def meeting(self, draw: Callable[[int], np.ndarray], count: int) -> np.ndarray:
        """The first `count` codes that meet the constraints, of those that `draw` makes: int64 [count, G].

        Args:
          draw: makes codes [N, G] of N.

        Raises:
          UserError: a bounded number of draws found too few.
        """
        size = max(count, 16)
        found = np.zeros((0, len(self.genes)), np.int64)
        for _ in range(MAX_SAMPLING_ROUNDS):
            drawn = draw(size)
            found = np.concatenate([found, drawn[self.satisfied(drawn)]])
            if len(found) >= count:
                return found[:count]
        raise UserError(
            f"constraints={self.constraints}: of {MAX_SAMPLING_ROUNDS * size} codes drawn from space "
            f"{self.name!r}, {len(found)} meet them and {count} are needed; loosen them"
        )

    def extreme(self, kinds: Sequence[int] | np.ndarray, *, largest: bool) -> np.ndarray:
        """The code [G] of the largest or the smallest network whose kinds of blocks are those of `kinds` [G].

        Every gene at its largest or smallest number, but a patch the other way round: a patch as large as
        the map leaves each pixel on its own, which is no attention at all. Constraints are not looked at.
        """
        code = []
        for gene, kind in zip(self.genes, kinds, strict=True):
            take_largest = largest != gene.name.endswith(".patch")
            extreme = np.argmax if take_largest else np.argmin
            code.append(int(kind) if gene.name.endswith(".block") else int(extreme(gene.choices)))
        return np.array(code, np.int64)

    def corners(self) -> np.ndarray:
        """Codes of the smallest and the largest network of each kind of block: int64 [C, G], different ones.

        "conv" or "attention" wherever a stage has both. Corners that break a constraint are left out.
        """
        codes = []
        for kind in ("conv", "attention"):
            kinds = [gene.choices.index(kind) if kind in gene.choices else 0 for gene in self.genes]
            codes += [self.extreme(kinds, largest=largest) for largest in (False, True)]
        canonical = np.unique(self.canonical(np.array(codes)), axis=0)
        return canonical[self.satisfied(canonical)]

    def decode(self, genes: Sequence[int] | np.ndarray) -> Architecture:
        """The architecture of one code [G]."""
        return self.decode_all(np.asarray(genes)[None])[0]

    def decode_all(self, genes: np.ndarray) -> list[Architecture]:
        """The architectures of codes [N, G]."""
        genes = self.canonical(genes)
        columns = {name: column.tolist() for name, column in self.columns(genes).items()}
        stages = [_stage_choices(columns, f"stage{s + 1}.") for s in range(len(self.stages))]
        heads: list[DenseHeadChoice | None] = [None] * len(genes)
        if self.dense_head is not None:
            heads = list(map(DenseHeadChoice, columns["head.width"], columns["head.depth"]))
        rows = zip(genes.tolist(), columns["resolution"], heads, *stages, strict=True)
        return [
            Architecture(self.name, tuple(code), resolution, tuple(choices), head)
            for code, resolution, head, *choices in rows
        ]

    def to_json(self, architecture: Architecture) -> dict[str, Any]:
        """{"space": name, "genes": {gene name: value}}; `from_json` gives back an equal architecture."""
        values = {g.name: g.choices[i] for g, i in zip(self.genes, architecture.genes, strict=True)}
        return {"space": self.name, "genes": values}

    def from_json(self, data: Mapping[str, Any]) -> Architecture:
        """The inverse of `to_json`. Raises UserError naming the gene and the value that do not fit."""
        if data.get("space") != self.name:
            raise UserError(f"space={data.get('space')!r}: this architecture is not of {self.name!r}")
        given = dict(data.get("genes", {}))
        code = []
        for gene in self.genes:
            value = given.pop(gene.name, None)
            if value not in gene.choices:
                raise UserError(f"{gene.name}={value!r}: must be one of {list(gene.choices)}")
            code.append(gene.choices.index(value))
        if given:
            raise UserError(f"gene {next(iter(given))!r}: space {self.name!r} has no such gene")
        return self.decode(code)

    def network_spec(self, architecture: Architecture, *, num_classes: int, channels: int = 3) -> NetworkSpec:
        """The stand-alone network of an architecture, block by block."""
        blocks: list[BlockSpec] = [ConvSpec(self.stem_width, stride=self.stem_stride)]
        width, ends = self.stem_width, []
        for choice, stage in zip(architecture.stages, self.stages, strict=True):
            blocks += _stage_blocks(choice, width, stage.stride)
            ends.append(len(blocks) - 1)
            width = choice.width
        head: HeadSpec | DenseHeadSpec = HeadSpec(self.head_width(width))
        if self.dense_head is not None and architecture.dense_head is not None:
            own, taps = architecture.dense_head, tuple(ends[number] for number in self.taps)
            fixed = self.dense_head
            head = DenseHeadSpec(own.width, own.depth, taps, fixed.kernel, fixed.box_channels)
        return NetworkSpec(
            architecture.name, architecture.resolution, channels, num_classes, tuple(blocks), head
        )

    def with_resolutions(self, resolution: Sequence[int]) -> "SearchSpace":
        """The same space for other input resolutions, in pixels."""
        return dataclasses.replace(self, resolution=tuple(sorted(resolution)))

    def _head_choices(self) -> dict[str, tuple[int, ...]]:
        """The choices of each field of a dense head; nothing without one."""
        if self.dense_head is None:
            return {}
        return {field: getattr(self.dense_head, field) for field in HEAD_FAMILIES}


def _stage_choices(columns: Mapping[str, list[Any]], stage: str) -> list[StageChoice]:
    """One stage of each architecture."""
    names = ("block", "depth", "width", "expansion", "kernel", "embed", "heads", "ffn_ratio", "patch")
    choices = []
    for block, *sizes, embed, heads, ratio, patch in zip(*(columns[stage + n] for n in names), strict=True):
        attention = () if block == "conv" else (embed, heads, int(embed * ratio), patch)
        choices.append(_stage_choice(block, *sizes, *attention))
    return choices


# Networks share stages, and one that is known is found sooner than made.
_stage_choice = functools.lru_cache(maxsize=2**16)(StageChoice)


@functools.lru_cache(maxsize=2**16)
def _stage_blocks(choice: StageChoice, width: int, stride: int) -> tuple[BlockSpec, ...]:
    """The blocks of one stage over an input of `width` channels."""

    def inverted_residual(in_width: int, stride: int) -> InvertedResidualSpec:
        return InvertedResidualSpec(
            choice.width,
            in_width * choice.expansion,
            choice.kernel,
            stride,
            expand=choice.expansion > 1,
        )

    first = inverted_residual(width, stride)
    if choice.block == "conv":
        return (first, *[inverted_residual(choice.width, 1)] * (choice.depth - 1))
    return (
        first,
        MobileViTSpec(choice.width, choice.embed, choice.heads, choice.ffn, choice.depth, choice.patch),
    )
