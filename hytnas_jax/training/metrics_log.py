"""Training metrics: a JSON line a step, and the same for TensorBoard."""

import json
from pathlib import Path
from types import TracebackType

import numpy as np
from tensorboardX import SummaryWriter

from hytnas_jax.files.atomic import write_text
from hytnas_jax.runtime import process_group
from supernet.training import Metrics

KEPT = 100  # of the lines that were there: enough to tell a jump by


class MetricsLog:
    """`folder`/metrics.jsonl and TensorBoard event files beside it; lines from `first_step` on are dropped.

    A line is {"step", "loss", "accuracy" (of the largest subnet or the network), "subnet_loss",
    "subnet_accuracy" (mean of the other subnets; absent without), "gradient_norm"}. `losses` are the first
    of these, as rounded: of the newest `KEPT` lines that were there, and of all lines since. Of a job of
    several processes the lead has the files, and all have the losses.
    """

    def __init__(self, folder: Path, *, first_step: int):
        self._path = folder / "metrics.jsonl"
        self._folder = folder
        self.drop_from(first_step)
        self._events = SummaryWriter(str(folder), purge_step=first_step) if process_group.is_lead() else None

    def __enter__(self) -> "MetricsLog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._events is not None:
            self._events.close()

    def drop_from(self, step: int) -> None:
        """Forget the lines of `step` and later, and a last line that was cut."""
        self.losses: list[float] = process_group.of_lead("losses", lambda: self._drop_from(step))

    def _drop_from(self, step: int) -> list[float]:
        """Gives the losses of the newest lines that are kept."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        kept = [line for line in lines if _step_of(line) < step]
        write_text(self._path, "".join(line + "\n" for line in kept))
        return [json.loads(line)["loss"] for line in kept[-KEPT:]]

    def write(self, first_step: int, metrics: list[Metrics]) -> None:
        """Add a line for each of `metrics`, the first of which is step `first_step`'s."""
        rows = [_values(step_metrics) for step_metrics in metrics]
        self.losses += [values["loss"] for values in rows]
        if self._events is None:
            return
        with self._path.open("a") as file:
            for step, values in enumerate(rows, first_step):
                file.write(json.dumps({"step": step, **values}) + "\n")
                for name, value in values.items():
                    self._events.add_scalar(name, value, step)
        self._events.flush()


def _values(metrics: Metrics) -> dict[str, float]:
    loss, accuracy = np.asarray(metrics.loss), np.asarray(metrics.accuracy)
    values = {"loss": loss[0], "accuracy": accuracy[0], "gradient_norm": np.asarray(metrics.gradient_norm)}
    if len(loss) > 1:
        values |= {"subnet_loss": loss[1:].mean(), "subnet_accuracy": accuracy[1:].mean()}
    return {name: round(float(value), 5) for name, value in values.items()}


def _step_of(line: str) -> float:
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError):
        return float("inf")
