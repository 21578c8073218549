"""Measures a study's models on this machine, into a table such as a kit's script writes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hytnas_jax import console
from hytnas_jax.device.kit import RUNTIMES
from hytnas_jax.device.measure import NUM_CHECKED, SHIFTED, Table, time_models
from hytnas_jax.efficiency.subjects import Subject
from hytnas_jax.format_names import RuntimeName
from supernet.errors import UserError


def measure_here(
    subjects: Sequence[Subject], path: Path, *, identity: str, runtime: RuntimeName, seconds: float
) -> None:
    """Adds a row for each subject that the table has none of; goes on where it was cut.

    Args:
      subjects: all that the runtime can run.
      path: the table, whose stem names the device.
      identity: of the study.
      runtime: what runs the models, on one thread.
      seconds: for each model.

    Raises:
      UserError: the table was begun on another processor, or with another version of the runtime.
    """
    models = [{"name": s.name, "genes": {}, "file": f"model{RUNTIMES[runtime].suffix}"} for s in subjects]
    try:
        table = Table(path, {"kit": identity, "columns": [], "models": models}, path.stem, threads=1)
    except ValueError as error:
        raise UserError(str(error)) from None
    before = table.measured()
    missing = [subject for subject in subjects if subject.name not in before]
    again = [subject for subject in subjects if subject.name in before][:NUM_CHECKED] if missing else []
    queue, ratios = [*again, *missing], []
    done = len(subjects) - len(missing)
    with console.progress(len(subjects), f"measuring under {runtime}", done=done) as bar:
        contents = (subject.model(runtime) for subject in queue)
        for index, timing in time_models(contents, seconds=seconds):
            name = queue[index].name
            if name in before:
                ratios.append(timing.latency_ms / before[name])
                continue
            table.append(name, timing, None)
            bar.advance()
    ratio = float(np.median(ratios)) if ratios else 1.0
    if abs(ratio - 1) > SHIFTED:
        console.warn(
            f"the machine takes {ratio:.2f} times as long as when {path} was begun; the latencies are not of "
            "one scale: delete it and measure all again on an idle machine"
        )
