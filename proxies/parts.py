"""What many architectures consist of: parts that several of them share are found, to be counted once.

A network of a space is a stem, stages and a head. A stage opens with an inverted residual; more of them
follow, all equal, or a MobileViT block. That one falls into its layers, all equal, and what is around them:
neither depends on the numbers of the other, but for the block's input, which stays alive through the layers.
So 100,000 networks of `hybrid` are 4,600 parts. Parts are operations of a `Graph`: what they cost comes
from it alone. Letters: A architectures, N of them that have a part, P distinct parts.
"""

import collections
import dataclasses
import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.graph import build_graph, part_graphs
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    DenseHeadSpec,
    HeadSpec,
    MobileViTSpec,
    NetworkSpec,
)
from supernet.operations import Graph, Op
from supernet.row_keys import row_keys

ToSpec = Callable[[Architecture], NetworkSpec]

_FIELDS = ("depth", "width", "expansion", "kernel", "embed", "heads", "ffn", "patch")


class Part(NamedTuple):
    """Some operations of a graph whose tensor 0 is the map that the block reads."""

    graph: Graph
    indices: tuple[int, ...]

    @staticmethod
    def whole(graph: Graph) -> "Part":
        """All operations of a graph."""
        return Part(graph, tuple(range(len(graph.ops))))

    @property
    def ops(self) -> list[Op]:
        """The operations, in order."""
        return [self.graph.ops[index] for index in self.indices]


class KnownParts:
    """The parts of one space's networks that have been met, [P] in that order. A search asks for a hundred
    networks at a time, and almost all of their parts are known from earlier ones."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._indices: dict[int, dict[bytes, int]] = collections.defaultdict(dict)
        self._tables: dict[Callable[[Part], Any], np.ndarray] = {}

    def index(self, place: int, keys: np.ndarray, make: Callable[[int], Part]) -> NDArray[np.int64]:
        """Which part stands in one place where `keys` [N, K] are so: [N].

        The part of a row that is new is what `make` makes, given the row's number.
        """
        names, known = row_keys(keys), self._indices[place]
        for row, name in enumerate(names):
            if name not in known:
                self.parts.append(make(row))
                known[name] = len(self.parts) - 1
        return np.array([known[name] for name in names], np.int64)

    def counted(self, count: Callable[[Part], Any]) -> np.ndarray:
        """What `count` says of each part, [P, ...]; it is asked once for each."""
        table = self._tables.get(count)
        known = 0 if table is None else len(table)
        if table is None or known < len(self.parts):
            new = np.array([count(part) for part in self.parts[known:]])
            table = self._tables[count] = new if table is None else np.concatenate([table, new])
        return table


@dataclasses.dataclass(frozen=True)
class PartUses:
    """Which part stands in one place of the networks.

    `who` [N] are the architectures that have one, `index` [N] which of the known parts, `times` [N] how often
    one after the other, `input_size` [N] the elements of the map that its block reads, `held` [N] those of
    maps before it that a dense head reads later. With `input_stays` it reads the block's input later, too.
    """

    known: KnownParts
    who: NDArray[np.int64]
    index: NDArray[np.int64]
    times: NDArray[np.int64]
    input_size: NDArray[np.int64]
    held: NDArray[np.int64] | int = 0
    input_stays: bool = False

    def counted(self, count: Callable[[Part], Any]) -> np.ndarray:
        """What `count` says of the part that each has, [N, ...]."""
        return self.known.counted(count)[self.index]


def part_uses(architectures: Sequence[Architecture], to_spec: ToSpec) -> Iterator[PartUses]:
    """All parts of architectures of one space, place by place.

    Args:
        to_spec: `SearchSpace.network_spec` for some classes and channels.

    Raises:
        UserError: architectures of several spaces.
    """
    spaces = sorted({architecture.space for architecture in architectures})
    if len(spaces) > 1:
        raise UserError(
            f"architectures of {len(spaces)} spaces ({', '.join(spaces)}): give one space's at once"
        )
    if not spaces:
        return
    places = _Places(architectures, to_spec, _known_parts(spaces[0], to_spec))
    resolution = np.array([architecture.resolution for architecture in architectures])
    once, place = np.ones_like(resolution), np.ones_like(resolution)  # `place`: of the stage's first block
    yield places.uses((resolution,), once, 0 * place, _block)
    width = 0 * resolution  # the stem's is the same for all
    taps = _Taps(places.network(0), resolution)
    for number in range(len(architectures[0].stages)):
        c = _columns([architecture.stages[number] for architecture in architectures])
        convolution = (resolution, c["width"], c["expansion"], c["kernel"])
        yield taps.beside_first(places.uses((*convolution, width), once, place, _block))
        width, is_attention = c["width"], c["embed"] > 0
        more = places.uses(convolution, np.where(is_attention, 0, c["depth"] - 1), place + 1, _block)
        yield taps.beside(more)
        tokens = (resolution, c["embed"], c["patch"])
        around = places.uses((*tokens, width), 1 * is_attention, place + 1, _around_layers)
        yield taps.beside(around)
        times = np.where(is_attention, c["depth"], 0)
        layers = places.uses((*tokens, c["heads"], c["ffn"]), times, place + 1, _layer)
        yield taps.beside(dataclasses.replace(layers, input_size=around.input_size))
        place = place + np.where(is_attention, 2, c["depth"])
        taps.stage_ends(int(place[0]) - 1, width)
    if not taps.widths:
        yield places.uses((resolution, width), once, place, _head)
        return
    heads = [dataclasses.astuple(a.dense_head) for a in architectures if a.dense_head is not None]
    yield places.uses((resolution, *taps.widths, *np.array(heads).T), once, place, _dense_head)


class _Taps:
    """The maps that a dense head reads, as the stages go by: beside later blocks they are held in memory."""

    def __init__(self, first: "_Network", resolution: np.ndarray) -> None:
        """`first` is the first architecture's network; `resolution` [A] is that of all."""
        head = first.spec.head
        self._taps = head.taps if isinstance(head, DenseHeadSpec) else ()
        self._strides = [getattr(block, "stride", 1) for block in first.spec.blocks]
        self._resolution = resolution
        self._before = self._held = 0 * resolution  # without and with the map that the next stage reads
        self._next_reads_tap = False
        self.widths: list[np.ndarray] = []

    def stage_ends(self, place: int, width: np.ndarray) -> None:
        """A stage of `width` [A] channels ends; `place` is its last block in the first network."""
        self._before, self._next_reads_tap = self._held, place in self._taps
        if self._next_reads_tap:
            stride = math.prod(self._strides[: place + 1])
            self._held = self._held + (-(-self._resolution // stride)) ** 2 * width
            self.widths.append(width)

    def beside_first(self, uses: PartUses) -> PartUses:
        """Uses as a stage's first block, whose input is the latest tap, where that is one."""
        return dataclasses.replace(uses, held=self._before[uses.who], input_stays=self._next_reads_tap)

    def beside(self, uses: PartUses) -> PartUses:
        """Uses in a stage, beside what is held."""
        return dataclasses.replace(uses, held=self._held[uses.who])


class _Network:
    """A network, and the side and channels of the map that each block reads; the head's are the last."""

    def __init__(self, spec: NetworkSpec) -> None:
        self.spec = spec
        self.inputs = [(spec.resolution, spec.channels)]
        for block in spec.blocks:
            side, _ = self.inputs[-1]
            self.inputs.append((-(-side // getattr(block, "stride", 1)), block.width))

    def mobilevit(self, place: int) -> MobileViTSpec:
        """The block in that place."""
        block = self.spec.blocks[place]
        if not isinstance(block, MobileViTSpec):
            where = f"blocks/{place} of {self.spec.name!r}"
            raise ValueError(f"{where} is no MobileViT block: to_spec is not the space's")
        return block


@functools.lru_cache(maxsize=8)
def _known_parts(space: str, to_spec: ToSpec) -> KnownParts:
    del space, to_spec
    return KnownParts()


class _Places:
    """Finds the distinct parts in one place after the other, and makes those that are not known yet from an
    architecture that has them."""

    def __init__(self, architectures: Sequence[Architecture], to_spec: ToSpec, known: KnownParts) -> None:
        self.network = functools.cache(lambda number: _Network(to_spec(architectures[number])))
        self._known = known
        self._number = itertools.count()

    def uses(
        self,
        keys: Sequence[np.ndarray],
        times: np.ndarray,
        place: np.ndarray,
        make: Callable[[_Network, int], Part],
    ) -> PartUses:
        """Parts are equal where all `keys` [A] are; `place` [A] is their block's number in the network."""
        who = np.flatnonzero(times)

        def make_of(row: int) -> Part:
            return make(self.network(int(who[row])), int(place[who[row]]))

        index = self._known.index(next(self._number), np.stack(keys, axis=1)[who], make_of)
        return PartUses(self._known, who, index, times[who], self._known.counted(_input_size)[index])


def _input_size(part: Part) -> int:
    return math.prod(part.graph.input_shape)


def _columns(choices: Sequence[object]) -> dict[str, np.ndarray]:
    rows = map(operator.attrgetter(*_FIELDS), choices)
    table = np.fromiter(itertools.chain.from_iterable(rows), np.int64, len(_FIELDS) * len(choices))
    return dict(zip(_FIELDS, table.reshape(-1, len(_FIELDS)).T, strict=True))


def _block(network: _Network, place: int) -> Part:
    spec = network.spec
    return _part(spec.blocks[place], *network.inputs[place], spec.counts_statistics)


def _head(network: _Network, place: int) -> Part:
    spec = network.spec
    return _head_part(spec.head, *network.inputs[place], spec.num_classes, spec.counts_statistics)


def _dense_head(network: _Network, _: int) -> Part:
    head = network.spec.head
    assert isinstance(head, DenseHeadSpec), "to_spec is not the space's"
    inputs = tuple(network.inputs[tap + 1] for tap in head.taps)
    return _dense_head_part(head, inputs, network.spec.num_classes, network.spec.counts_statistics)


def _around_layers(network: _Network, place: int) -> Part:
    block = dataclasses.replace(network.mobilevit(place), heads=1, ffn=1, depth=1)
    return _part(block, *network.inputs[place], network.spec.counts_statistics, in_layer=False)


def _layer(network: _Network, place: int) -> Part:
    block = dataclasses.replace(network.mobilevit(place), width=1, depth=1)
    side, _ = network.inputs[place]
    return _part(block, side, 1, network.spec.counts_statistics, in_layer=True)


@functools.lru_cache(maxsize=2**16)
def _part(
    block: BlockSpec, side: int, channels: int, counts_statistics: bool, *, in_layer: bool | None = None
) -> Part:
    """A block alone; of a MobileViT block only what is in its first layer, or only what is in none."""
    alone = NetworkSpec("part", side, channels, 1, (block,), HeadSpec(0), counts_statistics)
    graph = part_graphs(alone)[0]
    if in_layer is None:
        return Part.whole(graph)
    is_in_layer = ["/layers/0/" in op.name for op in graph.ops]
    return Part(graph, tuple(index for index, is_in in enumerate(is_in_layer) if is_in == in_layer))


@functools.lru_cache(maxsize=2**16)
def _head_part(head: HeadSpec, side: int, channels: int, num_classes: int, counts_statistics: bool) -> Part:
    before = ConvSpec(channels, kernel=1)  # a network has a block; what it is does not matter
    alone = NetworkSpec("part", side, channels, num_classes, (before,), head, counts_statistics)
    return Part.whole(part_graphs(alone)[-1])


def _dense_head_part(
    head: DenseHeadSpec, inputs: tuple[tuple[int, int], ...], num_classes: int, counts_statistics: bool
) -> Part:
    """The head's operations, behind a stand-in for the trunk that makes maps of the taps' shapes."""
    blocks = tuple(ConvSpec(width, stride=min(number + 1, 2)) for number, (_, width) in enumerate(inputs))
    own = dataclasses.replace(head, taps=tuple(range(len(blocks))))
    graph = build_graph(NetworkSpec("part", inputs[0][0], 1, num_classes, blocks, own, counts_statistics))
    return Part(graph, tuple(index for index, op in enumerate(graph.ops) if op.block == "head"))
