"""What a study of the ranking writes: ranking.json, ranking.md and ranking.png."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.environment import environment
from hytnas_jax.files import write_json, write_text
from hytnas_jax.plots import save_figure
from hytnas_jax.ranking.agreement import (
    ALL,
    BANDS,
    Agreement,
    Interval,
    agreements,
    bands,
    ceiling,
    training_noise,
)
from hytnas_jax.ranking.combined import COMBINED, FEWEST, out_of_sample
from hytnas_jax.ranking.estimates import MACS, Values
from hytnas_jax.ranking.figures import scatter_figure
from hytnas_jax.ranking.truth import Job, Trained
from proxies.ranking import kendall_tau
from supernet.architecture import Architecture

HEADERS = ("estimate", "tau", *(f"tau, {band}" for band in BANDS), "rho", "top 10 %", "tau beyond MACs")
LOW_CEILING = 0.5  # a tau; below it the truth itself is not to be trusted
Row = tuple[object, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Truth:
    """Accuracies of N networks trained on their own, and of those that were trained twice [M, 2]."""

    architectures: list[Architecture]
    accuracy: NDArray[np.float64]
    twice: NDArray[np.float64]


def truth_of(jobs: Sequence[Job], trained: Mapping[Job, Trained], first_seed: int) -> Truth:
    """The accuracies of the first trainings are the truth; the second ones tell its noise."""
    accuracies = {job: 1 - trained[job].error for job in jobs}
    first = [job for job in jobs if job.seed == first_seed]
    twice = [
        (accuracies[Job(first_seed, job.architecture)], accuracies[job])
        for job in jobs
        if job.seed != first_seed
    ]
    return Truth(
        [job.architecture for job in first],
        np.array([accuracies[job] for job in first]),
        np.array(twice).reshape(-1, 2),
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Study:
    """How every estimate agrees with the truth, by band, and what could be reached at most.

    noise: of a training's accuracy between seeds; None (and no ceiling) where nothing was trained twice.
    """

    truth: Truth
    estimates: Values
    members: dict[str, NDArray[np.bool_]]
    found: dict[str, dict[str, Agreement]]
    noise: float | None
    ceiling: dict[str, Interval | None]

    @classmethod
    def of(cls, truth: Truth, estimates: Values) -> "Study":
        """Compare the estimates [N], of which `MACS` is one, and their combination with the truth."""
        members = bands(estimates[MACS])
        if len(truth.accuracy) >= FEWEST:
            estimates = {**estimates, COMBINED: out_of_sample(estimates, truth.accuracy)}
        found = agreements(estimates, truth.accuracy, estimates[MACS], members)
        if len(truth.twice) < 2:
            return cls(truth, estimates, members, found, None, {})
        noise = training_noise(*truth.twice.T)
        return cls(truth, estimates, members, found, noise, ceiling(truth.accuracy, noise, members))

    def rows(self) -> list[Row]:
        """The table, the best tau first, under `HEADERS`."""
        order = sorted(self.found, key=lambda name: -_value(self.found[name][ALL].tau))
        rows = [_row(name, self.found[name]) for name in order]
        if self.ceiling:
            taus = [_text(self.ceiling[band]) for band in (ALL, *BANDS)]
            rows.append(("perfect knowledge, at most", *taus, "", "", ""))
        return rows

    def remarks(self) -> list[str]:
        """What the table does not say."""
        spread = self.truth.accuracy
        lines = [
            f"{len(spread)} networks, accuracy {spread.min():.3f} to {spread.max():.3f} on the search split; "
            + ", ".join(f"{band} {int(self.members[band].sum())}" for band in BANDS)
            + " (thirds of the range of log MACs)"
        ]
        if self.noise is None:
            return [*lines, "no network was trained twice: how far the truth can be trusted is not known"]
        again = kendall_tau(*self.truth.twice.T)
        lines.append(
            f"the accuracy of a training has a standard deviation of {self.noise:.4f} between seeds; tau of "
            f"the second trainings with the first: {again}"
        )
        if _value(self.ceiling[ALL]) < LOW_CEILING:
            lines.append(
                "this truth is mostly noise and says little about any estimate: the networks hardly differ "
                "more than the trainings of one. Delete its folder and give more --epochs, or more pictures"
            )
        return lines


def write_results(folder: Path, study: Study, *, command: str) -> list[Path]:
    """Write everything; gives the paths."""
    made_with = environment()
    paths = [folder / name for name in ("ranking.json", "ranking.md", "ranking.png")]
    write_json(
        paths[0],
        {
            "command": command,
            "environment": made_with,
            "noise": study.noise,
            "ceiling": study.ceiling,
            "agreement": study.found,
            "remarks": study.remarks(),
            "networks": _networks(study),
        },
    )
    write_text(paths[1], _markdown(study, command))
    figure = scatter_figure(study.estimates, study.truth.accuracy, study.members, study.found)
    save_figure(paths[2], figure)
    return paths


def _networks(study: Study) -> list[dict[str, Any]]:
    """What is known of each network."""
    columns = {"accuracy": study.truth.accuracy, **study.estimates}
    return [
        {"name": network.name, "genes": network.genes} | {name: column[n] for name, column in columns.items()}
        for n, network in enumerate(study.truth.architectures)
    ]


def _row(name: str, found: Mapping[str, Agreement]) -> Row:
    total = found[ALL]
    taus = [_text(found[band].tau) for band in (ALL, *BANDS)]
    beyond = "-" if total.beyond_macs is None else f"{total.beyond_macs:.2f}"
    return (name, *taus, _text(total.rho), _text(total.recall), beyond)


def _text(interval: Interval | None) -> str:
    return "-" if interval is None else str(interval)


def _value(interval: Interval | None) -> float:
    return -1.0 if interval is None else interval.value


def _markdown(study: Study, command: str) -> str:
    lines = [HEADERS, ["---"] * len(HEADERS), *study.rows()]
    table = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
    remarks = "\n".join(f"- {line}" for line in study.remarks())
    return f"""# How well estimates rank networks

    {command}

Kendall's tau with the accuracy after training on its own, over all networks and within thirds of cost, and
[the middle 95 % of resampled networks].

{table}

{remarks}

![accuracy over each estimate](ranking.png)
"""
