"""The references: how good networks are that were trained on their own, from one seed or two, at one length.

Jobs are planned at one length and can be planned anew at twice that: each length is a training of its own,
because the learning rate falls to nothing over its epochs.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.accuracy.agreement import training_noise
from hytnas_jax.accuracy.reference_table import TABLE, ReferenceJob, ReferenceTable, Trained
from hytnas_jax.accuracy.sample import draw_over_cost, spread
from hytnas_jax.files.atomic import read_json
from hytnas_jax.numbers import counted
from hytnas_jax.workspace.project import Project
from hytnas_jax.workspace.workdir import command_line
from proxies.complexity import num_macs
from supernet.architecture import Architecture
from supernet.errors import UserError

STEP = "references"


@dataclasses.dataclass(frozen=True, eq=False)
class References:
    """N networks trained on their own for `epochs` epochs.

    trainings: accuracies [N, 2], NaN where a network was trained once. losses: their mean cross-entropies in
    nats [N, 2]. half_as_long: accuracies [N] after half as many epochs, from the first seed; NaN where that
    is not known.
    """

    architectures: list[Architecture]
    trainings: NDArray[np.float64]
    epochs: int
    half_as_long: NDArray[np.float64]
    losses: NDArray[np.float64]

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Mean of a network's trainings, [N], without what the second seed adds to all alike."""
        return _without_shift(self.trainings)

    @property
    def loss(self) -> NDArray[np.float64]:
        """Mean cross-entropy of a network's trainings in nats, [N], in the same way.

        With few validation images it tells networks apart that have as many images wrong.
        """
        return _without_shift(self.losses)

    @property
    def shift(self) -> float:
        """By how much second trainings are better than first ones, in the mean; 0 where there are not two."""
        return _shift(self.trainings)

    @property
    def twice(self) -> NDArray[np.float64]:
        """The accuracies of those that were trained twice, [M, 2]."""
        return self.trainings[np.isfinite(self.trainings).all(axis=1)]

    @property
    def noise(self) -> float | None:
        """Standard deviation of a training; None where fewer than two were trained twice."""
        return training_noise(*self.twice.T) if len(self.twice) > 1 else None

    @property
    def unsure(self) -> NDArray[np.float64] | None:
        """Standard deviation of `accuracy`, [N]; None where `noise` is."""
        counts = np.isfinite(self.trainings).sum(axis=1)
        return None if self.noise is None else self.noise / np.sqrt(counts)


def references_of(jobs: Sequence[ReferenceJob], trained: Mapping[ReferenceJob, Trained]) -> References:
    """The trainings of `jobs`, all of one length, by network; the first job is of the first seed."""
    first, epochs = jobs[0].seed, jobs[0].epochs
    networks = [job.architecture for job in jobs if job.seed == first]

    def results(seed: int, length: int) -> NDArray[np.float64]:
        """Accuracies and losses [2, N]."""
        found = [trained.get(ReferenceJob(seed, network, length)) for network in networks]
        pairs = [(math.nan, math.nan) if r is None else (1 - r.error, r.loss) for r in found]
        return np.array(pairs).T

    accuracies, losses = np.stack([results(seed, epochs) for seed in (first, first + 1)], -1)
    half = results(first, epochs // 2)[0] if epochs % 2 == 0 else np.full(len(networks), math.nan)
    return References(networks, accuracies, epochs, half, losses)


def _without_shift(trainings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means [N] of [N, 2], without what the second seed adds to all alike."""
    return np.nanmean(trainings - [0.0, _shift(trainings)], axis=1)


def _shift(trainings: NDArray[np.float64]) -> float:
    """What the second column of [N, 2] has more, in the mean; 0 where there are not two of both."""
    differences = trainings[:, 1] - trainings[:, 0]
    known = np.isfinite(differences)
    return float(np.mean(differences[known])) if known.sum() > 1 else 0.0


def planned(project: Project, *, networks: int, repeated: int, seed: int, epochs: int) -> list[ReferenceJob]:
    """The trainings of a study: `networks` over the whole range of MACs from `seed`, then some from the
    next."""
    drawn = draw_over_cost(project.space, num_macs(project.to_spec), count=networks, seed=seed)
    first = [ReferenceJob(seed, network, epochs) for network in drawn]
    return first + [ReferenceJob(seed + 1, network, epochs) for network in spread(drawn, repeated)]


def longer(jobs: Sequence[ReferenceJob], times: int = 2) -> list[ReferenceJob]:
    """The same trainings, each with that many times the epochs."""
    return [dataclasses.replace(job, epochs=times * job.epochs) for job in jobs]


def longest(jobs: Sequence[ReferenceJob], trained: Iterable[ReferenceJob]) -> list[ReferenceJob]:
    """The same jobs at the greatest length (theirs, twice that, four times...) at which every network has
    been trained from the first seed; as they are where there is none."""
    done = set(trained)
    first = [job for job in jobs if job.seed == jobs[0].seed]
    most = max((job.epochs for job in done), default=0)
    times = [1]
    while 2 * times[-1] * jobs[0].epochs <= most:
        times.append(2 * times[-1])
    return longer(jobs, max((n for n in times if done.issuperset(longer(first, n))), default=1))


def read_references(project: Project) -> References:
    """What the study of a work folder has found, at its `longest`.

    Raises UserError where it has not ended, or rows were deleted since.
    """
    step = project.workdir.step(STEP)
    step.require("study_ranking")
    settings = read_json(step.folder / "settings.json")["settings"]
    plan = {name: settings[name] for name in ("networks", "repeated", "seed", "epochs")}
    trained = ReferenceTable(step.folder / TABLE, project.space, epochs=plan["epochs"]).read()
    references = references_of(longest(planned(project, **plan), trained), trained)
    missing = int(np.isnan(references.trainings[:, 0]).sum())
    if missing:
        among = f"of {counted(len(references.architectures), 'network')}"
        raise UserError(
            f"{step.folder / TABLE}: {counted(missing, f'{among} is', f'{among} are')} not in it "
            f"(any more); run {command_line('study_ranking', project.workdir.path)} with the flags of "
            "before, which trains them"
        )
    return references
