"""The flags of `reduce_space`."""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.shared_flags.device_names import check_device_name
from hytnas_jax.shared_flags.limits import Limits
from hytnas_jax.shared_flags.ranges import SEED, above, check_ranges
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config(Limits):
    """Propose a smaller search space, most of whose networks are within your limits."""

    workdir: Path
    """The work folder; study_efficiency has ended in it."""
    device: str | None = None
    """The device whose latency is limited; needed where study_efficiency has measured several."""
    share: Annotated[float, above(0, 1)] = 0.5
    """Of the networks drawn at random from the reduced space, the least share that is to be within the
    limits. A larger one leaves a smaller space."""
    keep: tuple[str, ...] = ()
    """Genes, or families of them, that keep every choice, e.g. block (so that attention stays possible), or
    resolution stage1.width."""
    output: Path | None = None
    """The .yaml file to write, and a .json file beside it that says how it came about. If not given: named
    after the space, in the work folder."""
    seed: Annotated[int, SEED] = 0
    """Another seed draws other networks."""


def check(config: Config) -> None:
    """Raises UserError for numbers and names that cannot be."""
    check_ranges(config)
    if not config.given():
        raise UserError("no limit is given; give --max-latency-ms, --max-params or another one (--help)")
    if config.device is not None:
        check_device_name(config.device)
        if config.max_latency_ms is None:
            raise UserError(f"--device {config.device}: nothing asks for its latency; give --max-latency-ms")
    if config.output is not None and config.output.suffix not in (".yaml", ".yml"):
        raise UserError(f"--output {config.output}: must end in .yaml, by which --space knows it")
