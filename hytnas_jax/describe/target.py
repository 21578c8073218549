"""From what the user names, a published network or a JSON file, to the network."""

import dataclasses
from pathlib import Path
from typing import Any

from hytnas_jax.files.atomic import read_json
from supernet.errors import UserError
from supernet.named import NAMES, named_network
from supernet.network_spec import (
    NetworkSpec,
)
from supernet.spaces import built_in_space

NUM_CLASSES, RESOLUTION, CHANNELS = 2, 224, 3  # Visual Wake Words


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
