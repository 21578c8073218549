"""The flags of `front_worth`."""

import dataclasses
from pathlib import Path
from typing import Literal

from benchmarks.common import require_at_least
from hytnas_jax.retrain.config import Config as Retraining
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare a search's front with random networks, counts, published networks and random search."""

    workdir: Path
    """The work folder; train_supernet, measure_latency, search and retrain have ended in it."""
    sets: tuple[Literal["a", "b", "c", "d", "e"], ...] = ("a", "b", "c", "d", "e")
    """What to compare; a is always needed."""
    seeds: int = 3
    """Trainings of each network, from the seeds 0, 1, ..."""
    count: int = 8
    """Networks of the front, the first that retrain has chosen, and of each set that has as many."""
    networks: int = 40
    """Random networks."""
    fresh_draws: bool = True
    """Draw random networks anew for every seed."""
    published: tuple[str, ...] = (
        "mobilenetv2-0.35",
        "mobilenetv3-small",
        "mobilenetv1-0.25",
        "mobilevit-xxs",
        "hyt-nas-bl",
        "hyt-nas-o",
        "hyt-nas-ba",
    )
    """Published networks; those that cannot have such small images are left out, and it is said why."""
    epochs: int = 20
    """How many times each training image is seen."""
    batch_size: int = 32
    """Images in a training step."""
    learning_rate: float = Retraining.learning_rate
    """Peak learning rate."""
    steps_cpu_seconds: float | None = None
    """CPU seconds of supernet, latencies and search; their wall-clock seconds if not given."""
    dry_run: bool = False
    """Say how many trainings are missing and about how long they take, and end."""
    name: str = "front_worth"
    """Of the result's files."""

    def draw_of(self, seed: int) -> int:
        """The seed of the draw of random networks that are trained from `seed`."""
        return seed if self.fresh_draws else 0


def check(config: Config) -> None:
    """Raises UserError for numbers that cannot be."""
    require_at_least(config, {"seeds": 1, "count": 2, "networks": 2, "epochs": 1, "batch_size": 2})
    if "a" not in config.sets:
        raise UserError("--sets: everything is compared with a; give it too")
    if config.learning_rate <= 0:
        raise UserError(f"--learning-rate {config.learning_rate:g}: must be above 0")
    if config.steps_cpu_seconds is not None and config.steps_cpu_seconds < 0:
        raise UserError(f"--steps-cpu-seconds {config.steps_cpu_seconds:g}: must be 0 or more")
