"""Training metrics: a JSON line a step, and the same for TensorBoard."""

import json
from pathlib import Path
from types import TracebackType

import numpy as np
from tensorboardX import SummaryWriter

from hytnas_jax.files.atomic import write_text
from supernet.training import Metrics


class MetricsLog:
    """`folder`/metrics.jsonl and TensorBoard event files beside it; lines from `first_step` on are dropped.

    A line is {"step", "loss", "accuracy" (of the largest subnet or the network), "subnet_loss",
    "subnet_accuracy" (mean of the other subnets; absent without), "gradient_norm"}. `losses` are the first
    of these of all lines, as rounded.
    """

    def __init__(self, folder: Path, *, first_step: int):
        self._path = folder / "metrics.jsonl"
        self._folder = folder
        self.drop_from(first_step)
        self._events = SummaryWriter(str(folder), purge_step=first_step)

    def __enter__(self) -> "MetricsLog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._events.close()

    def drop_from(self, step: int) -> None:
        """Forget the lines of `step` and later, and a last line that was cut."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        kept = [line for line in lines if _step_of(line) < step]
        write_text(self._path, "".join(line + "\n" for line in kept))
        self.losses: list[float] = [json.loads(line)["loss"] for line in kept]

    def write(self, first_step: int, metrics: list[Metrics]) -> None:
        """Add a line for each of `metrics`, the first of which is step `first_step`'s."""
        with self._path.open("a") as file:
            for step, step_metrics in enumerate(metrics, first_step):
                values = _values(step_metrics)
                file.write(json.dumps({"step": step, **values}) + "\n")
                self.losses.append(values["loss"])
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
