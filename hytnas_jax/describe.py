"""Prints a network block by block: output shapes, parameters, multiply-accumulates, peak memory; file sizes.

    python -m hytnas_jax.describe mobilevit-xs --num-classes 1000 --resolution 256
    python -m hytnas_jax.describe runs/digits/retrain/3f2a9c1e/architecture.json --json

Needs no JAX and answers in well under a second.
"""

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Annotated, Any

import tyro

from hytnas_jax import console
from hytnas_jax.command import run
from hytnas_jax.files import read_json
from hytnas_jax.microcontroller import fit
from hytnas_jax.ranges import MOST_CHANNELS, MOST_CLASSES, MOST_PIXELS, check_ranges, within
from proxies.complexity import complexity, live_bytes
from supernet.errors import UserError
from supernet.graph import build_graph
from supernet.named import NAMES, named_network
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
    PatchEmbedSpec,
    SeparableSpec,
    TransformerSpec,
)
from supernet.spaces import built_in_space

NUM_CLASSES, RESOLUTION, CHANNELS = 2, 224, 3  # Visual Wake Words


@dataclasses.dataclass(frozen=True)
class Config:
    """Print a network block by block: shapes, parameters, MACs, peak memory; and whether its TFLite files
    fit a microcontroller with 256 kB of memory and 1 MB of flash."""

    network: tyro.conf.Positional[str]
    """A published network's name, or a JSON file: a network (or {"network": network}), or
    {"space": name, "genes": {gene: value}}.

    The names: hyt-nas-bl, hyt-nas-o, hyt-nas-ba, mobilevit-xxs, mobilevit-xs, mobilevit-s, mobilenetv1-0.25,
    mobilenetv2-0.35, mobilenetv2, mobilenetv3-small, mobilenetv3-large, vit-tiny (of multiples of 16 pixels).
    """
    num_classes: Annotated[int | None, within(1, MOST_CLASSES)] = None
    """Classes; if not given, what the file says, or 2."""
    resolution: Annotated[int | None, within(1, MOST_PIXELS)] = None
    """Side of the pictures in pixels; if not given, what the file or the space says, or 224."""
    channels: Annotated[int | None, within(1, MOST_CHANNELS)] = None
    """Channels of the pictures; if not given, what the file says, or 3."""
    as_json: Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff] = False
    """Print JSON instead of a table."""


@dataclasses.dataclass(frozen=True)
class BlockRow:
    """One line of the description; memory is the most alive at once during the block, in bytes of float32."""

    block: str
    layers: str
    shape: tuple[int, ...]
    num_parameters: int
    num_macs: int
    peak_activation_bytes: int


def main(config: Config) -> None:
    """Prints the description on standard output."""
    check_ranges(config)
    spec = resolve_network(
        config.network,
        num_classes=config.num_classes,
        resolution=config.resolution,
        channels=config.channels,
    )
    rows, total = describe(spec), complexity(spec)
    floats = total.peak_activation_bytes, total.model_bytes
    eight_bits = total.peak_activation_bytes_int8, total.model_bytes_int8
    if config.as_json:
        blocks = [dataclasses.asdict(row) for row in rows]
        fits = {"fit": fit(*floats), "fit_int8": fit(*eight_bits)}
        values = {"name": spec.name, **dataclasses.asdict(total), **fits, "blocks": blocks}
        console.say(json.dumps(values, indent=1))
        return
    picture = f"{spec.resolution}x{spec.resolution}x{spec.channels}"
    console.say(f"{spec.name}: {picture} pictures, {spec.num_classes} classes")
    cells = [
        (
            row.block,
            row.layers,
            "x".join(map(str, row.shape)),
            row.num_parameters,
            row.num_macs,
            row.peak_activation_bytes,
        )
        for row in rows
    ]
    console.table(cells, ("block", "layers", "output", "parameters", "MACs", "peak bytes"))
    console.say(f"{total.num_parameters:,} parameters, {total.num_macs:,} MACs")
    for kind, (peak, size) in {"float32": floats, "int8": eight_bits}.items():
        console.say(f"{kind}: peak memory {peak:,} bytes, TFLite file {size:,} bytes: {fit(peak, size)}")


def describe(spec: NetworkSpec) -> list[BlockRow]:
    """One row for each block and the head. Raises UserError for an impossible specification."""
    graph = build_graph(spec)
    layers = {f"blocks/{i}": _layers(block) for i, block in enumerate(spec.blocks)}
    layers["head"] = _head_layers(spec.head)
    pairs = zip(graph.ops, live_bytes(graph), strict=True)
    rows = []
    for block, group in itertools.groupby(pairs, key=lambda pair: pair[0].block):
        ops, live = zip(*group, strict=True)
        rows.append(
            BlockRow(
                block,
                layers[block],
                ops[-1].shape,
                num_parameters=sum(op.num_parameters for op in ops),
                num_macs=sum(op.num_macs for op in ops),
                peak_activation_bytes=max(live),
            )
        )
    return rows


def resolve_network(
    target: str,
    *,
    num_classes: int | None = None,
    resolution: int | None = None,
    channels: int | None = None,
) -> NetworkSpec:
    """The network that `target` (a name or a JSON file, see `Config`) stands for.

    Raises:
        UserError: for an unknown name, a file that cannot be read, or one that holds no network.
    """
    if target not in NAMES and (Path(target).exists() or target.endswith(".json")):
        data = read_json(Path(target))
        if isinstance(data, dict) and "network" not in data and "genes" in data:
            return _from_genes(data, target, num_classes, resolution, channels)
        spec = _from_network(data, target)
        return dataclasses.replace(
            spec,
            num_classes=spec.num_classes if num_classes is None else num_classes,
            resolution=spec.resolution if resolution is None else resolution,
            channels=spec.channels if channels is None else channels,
        )
    try:
        return named_network(
            target,
            num_classes=NUM_CLASSES if num_classes is None else num_classes,
            resolution=RESOLUTION if resolution is None else resolution,
            channels=CHANNELS if channels is None else channels,
        )
    except UserError as error:
        if target in NAMES:
            raise
        raise UserError(f"{error}, or the path of a JSON file") from None


def _from_network(data: Any, path: str) -> NetworkSpec:
    """The network in a file's JSON. Raises UserError that says what is missing or unknown."""
    try:
        return NetworkSpec.from_json(data.get("network", data))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        reason = f"{error} is missing or unknown" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"{path}: this JSON holds no network ({reason}); give what NetworkSpec.to_json() makes, "
            'or {"space": name, "genes": {gene: value}}'
        ) from None


def _from_genes(
    data: dict[str, Any],
    path: str,
    num_classes: int | None,
    resolution: int | None,
    channels: int | None,
) -> NetworkSpec:
    """The network of an architecture given by its genes in a built-in space."""
    genes = data["genes"]
    if not isinstance(genes, dict):
        raise UserError(f"{path}: genes is {genes!r}; give an object {{gene: value}}")
    try:
        space = built_in_space(data.get("space", ""))
        if resolution is not None:
            if genes.get("resolution", resolution) != resolution:
                raise UserError(
                    f"--resolution {resolution} differs from the gene resolution "
                    f"{genes['resolution']}; leave one of them out"
                )
            space = space.with_resolutions([resolution])
            genes = {gene: value for gene, value in genes.items() if gene != "resolution"}
        architecture = space.from_json({"space": space.name, "genes": genes})
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return space.network_spec(
        architecture,
        num_classes=NUM_CLASSES if num_classes is None else num_classes,
        channels=CHANNELS if channels is None else channels,
    )


def _layers(spec: BlockSpec) -> str:
    """A block in words."""
    match spec:
        case ConvSpec():
            return f"conv {_window(spec)}, {spec.activation}"
        case SeparableSpec():
            return f"separable conv {_window(spec)}, {spec.activation}"
        case InvertedResidualSpec():
            hidden = f" over {spec.hidden}" if spec.expand else ""
            squeeze = f", squeeze {spec.squeeze}" if spec.squeeze else ""
            return f"inverted residual {_window(spec)}{hidden}{squeeze}, {spec.activation}"
        case MobileViTSpec():
            return (
                f"MobileViT embed {spec.embed}, heads {spec.heads}, ffn {spec.ffn}, "
                f"depth {spec.depth}, patch {spec.patch}"
            )
        case PatchEmbedSpec():
            return f"patches {spec.patch}x{spec.patch}, sine-cosine positions"
        case TransformerSpec():
            return f"transformer heads {spec.heads}, ffn {spec.ffn}, depth {spec.depth}"


def _window(spec: ConvSpec | SeparableSpec | InvertedResidualSpec) -> str:
    stride = f" stride {spec.stride}" if spec.stride > 1 else ""
    return f"{spec.kernel}x{spec.kernel}{stride}"


def _head_layers(spec: HeadSpec) -> str:
    conv = f"conv 1x1 of {spec.width}, " if spec.width else ""
    hidden = f"linear {spec.hidden}, " if spec.hidden else ""
    return f"{conv}pool, {hidden}classifier"


if __name__ == "__main__":
    run(main, Config)  # type: ignore[type-var]  # it keeps no work folder
