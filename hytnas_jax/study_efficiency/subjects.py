"""What the efficiency study measures: published networks, single operations, attention blocks, and networks
drawn from a search space."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import onnx

from hytnas_jax.latency.kit import RUNTIMES
from hytnas_jax.shared_flags.format_names import RuntimeName
from hytnas_jax.study_efficiency.parts import StudyPart
from proxies.complexity import Complexity, complexity, graph_complexity
from supernet.errors import UserError
from supernet.graph import block_graph
from supernet.named import NAMES, named_network
from supernet.network_spec import MobileViTSpec, NetworkSpec
from supernet.operations import Graph
from supernet.single_operations import SINGLE_OPERATIONS

BATCH = 8  # images at once, for a network's throughput
SIDES, CHANNELS = (8, 14, 28, 56), (16, 32, 64, 128, 256)  # of single operations
# Attention blocks, over a map that every patch divides. Each hyperparameter takes three values over a factor
# of four, in all combinations: once with the embedding as one of them, once with the size of a head.
BLOCK_SIDE, BLOCK_WIDTH = 32, 64
HEADS = (1, 2, 4)
EMBEDS, HEAD_SIZES = (32, 64, 128), (16, 32, 64)
OTHERS = {"ffn_ratio": (1, 2, 4), "patch": (2, 4, 8), "depth": (1, 2, 4)}


@dataclasses.dataclass(frozen=True)
class Subject:
    """One model. `labels` say what it is among those of its part: an operation's side and channels, a block's
    hyperparameters, a network's genes. `batch`: images at once."""

    name: str
    part: StudyPart
    what: NetworkSpec | Graph
    labels: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    batch: int = 1

    def runs_in(self, runtime: RuntimeName) -> bool:
        """Whether the runtime can run it: TFLite models take one image."""
        return self.batch == 1 or runtime == "onnxruntime"

    def model(self, runtime: RuntimeName) -> bytes:
        """The serialised model, with random weights."""
        make = RUNTIMES[runtime]
        if isinstance(self.what, Graph):
            return make.build_part(self.what)
        model = make.build(self.what)
        return model if self.batch == 1 else _with_batch(model, self.batch)

    def counts(self) -> Complexity:
        """Parameters, MACs, memory and sizes, for one image."""
        return graph_complexity(self.what) if isinstance(self.what, Graph) else complexity(self.what)


def published(*, resolution: int, num_classes: int, channels: int) -> Iterator[Subject]:
    """Every published network that can have images of that side, for one image and for `BATCH`."""
    for name in NAMES:
        try:
            spec = named_network(name, num_classes=num_classes, resolution=resolution, channels=channels)
        except UserError:  # vit-tiny, where its patches do not divide the image
            continue
        yield Subject(name, "networks", spec, {"network": name})
        yield Subject(f"{name}-batch{BATCH}", "networks", spec, {"network": name}, BATCH)


def operations() -> Iterator[Subject]:
    """Every single operation over sides and channels."""
    for (name, make), side, channels in itertools.product(SINGLE_OPERATIONS.items(), SIDES, CHANNELS):
        labels = {"operation": name, "side": side, "channels": channels}
        yield Subject(f"{name}-{side}-{channels}", "operations", make(side, channels), labels)


def attention_blocks() -> Iterator[Subject]:
    """MobileViT blocks of all combinations of hyperparameters."""
    by_embed = set(itertools.product(EMBEDS, HEADS))
    by_head = {(size * heads, heads) for size, heads in itertools.product(HEAD_SIZES, HEADS)}
    for embed, heads in sorted(by_embed | by_head):
        for ratio, patch, depth in itertools.product(*OTHERS.values()):
            spec = MobileViTSpec(BLOCK_WIDTH, embed, heads, embed * ratio, depth, patch)
            labels = {"embed": embed, "heads": heads, "ffn_ratio": ratio, "patch": patch, "depth": depth}
            name = "attention-" + "-".join(map(str, labels.values()))
            yield Subject(name, "attention", block_graph(spec, BLOCK_SIDE, BLOCK_WIDTH), labels)


def _with_batch(model: bytes, batch: int) -> bytes:
    """An ONNX model for that many images, and no other number."""
    loaded = onnx.load_from_string(model)
    loaded.graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
    return loaded.SerializeToString()
