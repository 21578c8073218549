"""The flags of `retrain`."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

from hytnas_jax.runtime import launch
from hytnas_jax.runtime.executor import Executor, InProcess
from hytnas_jax.runtime.stalling import USUAL_MINUTES
from hytnas_jax.shared_flags.jobs import JobFlags
from hytnas_jax.shared_flags.ranges import (
    MOST_BATCH,
    MOST_EPOCHS,
    MOST_MINUTES,
    MOST_NETWORKS,
    MOST_PROCESSES,
    SEED,
    above,
    check_ranges,
    within,
)
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config(JobFlags):
    """Train chosen networks of the search's front on their own, and test them.

    First the most accurate, the knee and the best of every other objective. What becomes of them corrects
    what is expected of all others; the next is always the one that is expected to add most to the front.
    """

    workdir: Path
    """The work folder of the search."""
    count: Annotated[int | None, within(1, MOST_NETWORKS)] = None
    """The most networks that are retrained; a larger number later goes on. If not given: 8, and 3 with boxes
    or masks. Exactly so many (where the search has them): --least-gain 0."""
    least_gain: Annotated[float, within(0, 1)] = 0.01
    """None is begun that is expected to add less than this part to what the retrained ones dominate (their
    hypervolume over error and logarithms of costs)."""
    max_minutes: Annotated[float | None, above(0, MOST_MINUTES)] = None
    """None is begun after so many minutes, but for the first, and for those of --named."""
    named: tuple[str, ...] = ()
    """Published networks to train beside them, from random weights, at the search's largest resolution:
    hyt-nas-ba, mobilevit-xxs, mobilenetv2-0.35 and others (`describe --help` lists them)."""
    start: Literal["supernet", "scratch"] = "supernet"
    """Begin with the supernet's weights, or with random ones."""
    epochs: Annotated[int | None, within(1, MOST_EPOCHS)] = None
    """How many times each training image is seen. If not given: 20, and more of few images
    with boxes or masks."""
    batch_size: Annotated[int | None, within(2, MOST_BATCH)] = None
    """Images in a training step. If not given: 32, and 8 with boxes or masks."""
    learning_rate: Annotated[float, within(1e-8, 10)] = 1e-2
    """Peak learning rate of AdamW."""
    hosts: Annotated[int | None, within(1, MOST_PROCESSES)] = None
    """How many processes this job has, most often one on each host; another number is refused. If not given:
    as many as the environment tells of (docs/scale.md)."""
    stall_minutes: Annotated[float, above(0, MOST_MINUTES)] = USUAL_MINUTES
    """Of a job of several processes: it ends where a training goes no further for so many minutes."""
    seed: Annotated[int, SEED] = 0
    """Of the weights and of the order of the images."""
    processes: Annotated[int | None, within(1, MOST_PROCESSES)] = dataclasses.field(
        default=None, kw_only=True
    )
    """Networks that are trained at the same time on this machine. If not given: one after the other, each on
    all cores or GPUs."""

    def make_retraining_executor(self) -> Executor:
        """What trains the networks. Raises UserError as `make_executor` does."""
        if self.is_in_turn:
            return InProcess()
        return self.make_executor(share_cores=True, on_gpus=True)

    @property
    def is_in_turn(self) -> bool:
        """Whether this process trains one network after the other."""
        return self.executor == "local" and self.processes is None and self.gpus_per_job is None


def check(config: Config) -> None:
    """Raises UserError for values that cannot be."""
    check_ranges(config)
    config.check_jobs()
    if not config.is_in_turn and launch.detect().processes > 1:
        raise UserError(
            "--executor, --processes, --gpus-per-job: a job of several processes trains one network after "
            "the other, each on all its devices; leave them out, or run retrain in one process"
        )
