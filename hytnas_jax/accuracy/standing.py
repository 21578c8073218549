"""Whether references stand: whether another seed, or a training of twice the length, ranks networks alike.

Letters: N networks, M of them trained twice.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from hytnas_jax.accuracy.reference_table import ReferenceJob, Trained
from hytnas_jax.accuracy.references import References, longer
from hytnas_jax.numbers import counted
from proxies.ranking import RankAgreement, kendall_tau

ENOUGH = 0.8  # a tau
HOUR = 3600.0


@dataclasses.dataclass(frozen=True)
class Standing:
    """Kendall's tau of the references after `epochs` epochs with second trainings, over M networks, and with
    first trainings of half as many epochs, over N; NaN where there are none."""

    epochs: int
    between_seeds: RankAgreement
    between_lengths: RankAgreement

    @classmethod
    def of(cls, references: References) -> "Standing":
        """How far the references of a study stand."""
        first, second = references.trainings.T
        return cls(references.epochs, kendall_tau(first, second), kendall_tau(references.half_as_long, first))

    @property
    def stand(self) -> bool | None:
        """Whether the references stand: both taus are `ENOUGH`. None where that is not known."""
        taus = [round(agreement.tau, 9) for agreement in (self.between_seeds, self.between_lengths)]
        if any(tau < ENOUGH for tau in taus):
            return False
        return None if any(map(math.isnan, taus)) else True

    def __str__(self) -> str:
        verdict = {
            True: "the order of these references is stable",
            False: "the order of these references is not stable yet",
            None: "whether the order of these references is stable is not known",
        }[self.stand]
        half = "half as many" if self.epochs % 2 else f"{self.epochs // 2}"
        epochs = counted(self.epochs, "epoch")
        taus = {
            f"between two seeds of {epochs}": self.between_seeds,
            f"between {half} and {epochs}": self.between_lengths,
        }
        texts = [f"tau {how} {'not known' if math.isnan(t.tau) else t}" for how, t in taus.items()]
        return f"{verdict} ({ENOUGH} is needed of both): {', '.join(texts)}"


@dataclasses.dataclass(frozen=True)
class TrainingBudget:
    """How far `--epochs auto` may go: the longest training, and hours for all trainings together."""

    max_epochs: int
    max_hours: float

    def forbids(
        self, jobs: Sequence[ReferenceJob], trained: Mapping[ReferenceJob, Trained], *, processes: int
    ) -> str | None:
        """Why the jobs, which have been trained, are not trained at twice the length; None where they are.

        Time is as those that have been trained tell it: twice the epochs take twice as long, and of N jobs
        `processes` run at once.
        """
        epochs = 2 * jobs[0].epochs
        if epochs > self.max_epochs:
            return f"{epochs} epochs would be more than --max-epochs {self.max_epochs}"
        spent = sum(result.seconds for result in trained.values())
        coming = zip(longer(jobs), jobs, strict=True)
        left = sum(2 * trained[job].seconds for twice, job in coming if twice not in trained)
        hours = (spent + left) / HOUR / min(processes, len(jobs))
        if hours <= self.max_hours:
            return None
        return f"with {epochs} epochs it would be about {hours:.2g} hours, --max-hours {self.max_hours:g}"
