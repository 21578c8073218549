"""What a study of the ranking has found, in numbers, rows and words."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.accuracy.agreement import (
    ALL,
    BANDS,
    Agreement,
    Interval,
    agreements,
    bands,
    ceiling,
    tau_with,
)
from hytnas_jax.accuracy.combined import COMBINED, can_combine, out_of_sample
from hytnas_jax.accuracy.estimates import ACCURACY, BLENDED, LOSS, MACS, Values
from hytnas_jax.accuracy.references import References
from hytnas_jax.accuracy.standing import Standing
from hytnas_jax.study_ranking.bias import GeneBias, biases, sentences
from hytnas_jax.study_ranking.gene_values import gene_values
from proxies.ranking import kendall_tau
from supernet.search_space import SearchSpace

HEADERS = (
    *("estimate", "tau", *(f"tau, {band}" for band in BANDS)),
    *("tau with the loss", "rho", "top 10%", "tau beyond MACs"),
)
LOW = 0.5  # a tau; below it neither an estimate nor the reference itself is to be trusted
# What to do where an estimate that a search can use ranks badly.
ADVICE = {
    BLENDED: "Train the supernet for longer, take a smaller space, or search for trained_error, which needs "
    "ten trained networks and learns from them what its parts are worth here",
    COMBINED: "Train more networks (--networks), and trust only what has been retrained",
}
SEARCHED = (ACCURACY, LOSS, BLENDED, COMBINED)  # what a search goes by, and what that is made of
OBJECTIVES = {"blended_error": BLENDED, "error": ACCURACY, "trained_error": COMBINED}
RankingRow = tuple[object, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class RankingStudy:
    """How every estimate agrees with the references, by band, what could be reached at most (unknown where
    nothing was trained twice), which genes those that a search goes by rate otherwise than the references
    do, how far the references stand, and every estimate's tau with the loss after training. `quality` is what
    the references' accuracy is called in the task."""

    references: References
    estimates: Values
    members: dict[str, NDArray[np.bool_]]
    found: dict[str, dict[str, Agreement]]
    ceiling: dict[str, Interval | None]
    biases: list[GeneBias]
    standing: Standing
    with_loss: dict[str, Interval | None]
    quality: str

    @classmethod
    def of(
        cls, references: References, estimates: Values, space: SearchSpace, quality: str
    ) -> "RankingStudy":
        """Compare the estimates [N], of which `MACS` is one, and their combination with the references."""
        members = bands(estimates[MACS])
        if can_combine(estimates):
            estimates = {**estimates, COMBINED: out_of_sample(estimates, references.accuracy)}
        found = agreements(estimates, references.accuracy, estimates[MACS], members)
        highest = (
            {} if references.unsure is None else ceiling(references.accuracy, references.unsure, members)
        )
        searched = {name: estimates[name] for name in SEARCHED if name in estimates}
        genes = gene_values(space, references.architectures)
        wrong = biases(genes, searched, references.accuracy, estimates[MACS])
        with_loss = {name: tau_with(-references.loss, values) for name, values in estimates.items()}
        standing = Standing.of(references)
        return cls(
            references, estimates, members, found, highest, wrong, standing, with_loss, quality=quality
        )

    def rows(self) -> list[RankingRow]:
        """The table, the best tau first, under `HEADERS`."""
        order = sorted(self.found, key=lambda name: -_value(self.found[name][ALL].tau))
        rows = [_row(name, self.found[name], self.with_loss[name]) for name in order]
        if self.ceiling:
            taus = [_text(self.ceiling[band]) for band in (ALL, *BANDS)]
            rows.append(("perfect knowledge, at most", *taus, "", "", "", ""))
        return rows

    def remarks(self) -> list[str]:
        """What the table does not say."""
        spread = self.references.accuracy
        lines = [
            f"{len(spread)} networks, {self.quality} {spread.min():.3f} to {spread.max():.3f} on the "
            "validation split; "
            + ", ".join(f"{band} {int(self.members[band].sum())}" for band in BANDS)
            + " (thirds of the range of log MACs)"
        ]
        if self.references.noise is None:
            lines.append("no network was trained twice: how far the references can be trusted is not known")
        else:
            lines.append(
                f"the {self.quality} of a training has a standard deviation of {self.references.noise:.4f} "
                f"between seeds, beyond the {self.references.shift:+.4f} that the second seed adds to all"
            )
        again = kendall_tau(*self.references.losses.T)
        if not math.isnan(again.tau):
            lines.append(
                f"by their loss, which is finer than the {self.quality}, tau between two seeds is {again}"
            )
        return [*lines, str(self.standing)]

    def where(self) -> list[str]:
        """Where the estimates err, in sentences."""
        if not self.biases:
            return ["too few networks differ in any gene to say where an estimate errs"]
        return sentences(self.biases, SEARCHED) or [
            f"no estimate clearly rates one of {len(self.biases)} genes otherwise than training does"
        ]

    def objective(self) -> str:
        """What a search should minimise: that of the estimates it can go by which ranks best here."""
        taus = {
            objective: _value(self.found[name][ALL].tau)
            for objective, name in OBJECTIVES.items()
            if name in self.found
        }
        return max(taus, key=lambda objective: taus[objective])

    def warnings(self) -> list[str]:
        """What not to trust, and what to do about it."""
        if self.ceiling and _value(self.ceiling[ALL]) < LOW:
            return [
                f"the references' {self.quality} is mostly noise and says little about any estimate: the "
                "networks hardly differ more than the trainings of one. Train for longer (--epochs auto), or "
                "with more images"
            ]
        taus = {name: self.found[name][ALL].tau for name in ADVICE if name in self.found}
        return [
            f"{name} is not to be trusted (tau {_text(tau)}){_wrong(tau)}. {ADVICE[name]}"
            for name, tau in taus.items()
            if _value(tau) < LOW
        ]


def _row(name: str, found: Mapping[str, Agreement], with_loss: Interval | None) -> RankingRow:
    total = found[ALL]
    taus = [_text(found[band].tau) for band in (ALL, *BANDS)]
    beyond = "-" if total.beyond_macs is None else f"{total.beyond_macs:.2f}"
    return (name, *taus, _text(with_loss), _text(total.rho), _text(total.recall), beyond)


def _text(interval: Interval | None) -> str:
    return "-" if interval is None else str(interval)


def _wrong(tau: Interval | None) -> str:
    """Tau in words."""
    return "" if tau is None else f": of 100 pairs it has {50 * (1 - tau.value):.0f} the wrong way round"


def _value(interval: Interval | None) -> float:
    return -math.inf if interval is None else interval.value
