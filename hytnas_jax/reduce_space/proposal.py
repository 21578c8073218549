"""A reduced space with how it came about: what its file and the numbers beside it say."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from hytnas_jax.reduce_space.peeling import Reduction
from supernet.search_space import SearchSpace
from supernet.space_size import num_networks

MADE_BY = "python -m hytnas_jax.reduce_space"


@dataclasses.dataclass(frozen=True)
class Proposal:
    """`space` reduced by `limits` (flag -> the most allowed), the latency on `device` among them or None;
    `outside`: of the reduced space's networks, those whose predicted latency extrapolates."""

    space: SearchSpace
    reduction: Reduction
    limits: Mapping[str, float]
    device: str | None
    outside: float

    def left_whole(self) -> list[str]:
        """The genes from which nothing has been taken away."""
        touched = {removal.gene for removal in self.reduction.removals}
        return [gene.name for gene in self.reduction.space.genes if gene.name not in touched]

    def comment(self, flags: str) -> str:
        """What stands at the top of the file; `flags` are the command's."""
        on = f" on the device {self.device}" if self.device else ""
        before, now = three_digits(self.reduction.share_before), three_digits(self.reduction.share)
        return "\n".join(
            (
                f"{MADE_BY} {flags}",
                f"From the space {self.space.name}, for networks within {limits_text(self.limits)}{on}.",
                f"Of all networks there, {before} are within; of those here, {now}.",
                f"Of the networks within, about {three_digits(self.reduction.recall)} are here.",
            )
        )

    def to_json(self) -> dict[str, Any]:
        """Every number; "before" and "after" are of the whole and of the reduced space."""
        made = self.reduction
        return {
            "space": self.space.name,
            "reduced": made.space.name,
            "limits": self.limits,
            "device": self.device,
            "before": {**_size(self.space), "share_within": made.share_before, "drawn": made.drawn_before},
            "after": {**_size(made.space), "share_within": made.share, "drawn": made.drawn},
            "recall": _known(made.recall),
            "extrapolated": self.outside,
            "removals": [
                {**dataclasses.asdict(removal), "recall": _known(removal.recall)} for removal in made.removals
            ],
            "left_whole": self.left_whole(),
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Both spaces, under `HEADERS`."""
        made = self.reduction
        both = ((self.space, made.share_before, 1.0), (made.space, made.share, made.recall))
        return [
            (
                space.name,
                *(f"{size:.3g}" for size in _size(space).values()),
                three_digits(share),
                three_digits(recall),
            )
            for space, share, recall in both
        ]


HEADERS = ("space", "codes", "networks", "within the limits", "of all within, kept")


def limits_text(limits: Mapping[str, float]) -> str:
    """ "--max-latency-ms 30, --max-params 20000"."""
    return ", ".join(f"{flag(name)} {maximum:.12g}" for name, maximum in limits.items())


def flag(name: str) -> str:
    """A config's field as the user types it."""
    return f"--{name.replace('_', '-')}"


def three_digits(share: float) -> str:
    """Three digits of it; "not known" for a NaN."""
    return "not known" if math.isnan(share) else f"{100 * share:.3g}%"


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number


def _size(space: SearchSpace) -> dict[str, int]:
    """Codes, and different networks; the constraints are not looked at."""
    return {"codes": space.num_codes, "networks": num_networks(space)}
