"""Measures a study's models on this machine, into a table such as a kit's script writes."""

from collections.abc import Collection, Sequence
from pathlib import Path

from hytnas_jax import console
from hytnas_jax.latency.kit import RUNTIMES
from hytnas_jax.latency.session import milliseconds, time_beside
from hytnas_jax.on_device.measure import Table, Timing, describe_shift, is_shifted, shift
from hytnas_jax.shared_flags.format_names import RuntimeName
from hytnas_jax.study_efficiency.parts import StudyPart
from hytnas_jax.study_efficiency.subjects import Subject
from supernet.errors import UserError


def measure_here(
    subjects: Sequence[Subject],
    path: Path,
    *,
    parts: Collection[StudyPart],
    identity: str,
    runtime: RuntimeName,
    seconds: float,
) -> None:
    """Adds a row for each subject of the parts that the table has none of; goes on where it was cut.

    Of what was measured before, of any part, some is measured again, and a shift of the machine warned of.

    Args:
      subjects: all that the runtime can run, of every part.
      path: the table, whose stem names the device.
      parts: what is to be measured.
      identity: of the study.
      runtime: what runs the models, on one thread.
      seconds: for each model.

    Raises:
      UserError: the table was begun on another processor, or with another version of the runtime, or is
        damaged.
    """
    models = [{"name": s.name, "genes": {}, "file": f"model{RUNTIMES[runtime].suffix}"} for s in subjects]
    try:
        table = Table(path, {"kit": identity, "columns": [], "models": models}, path.stem, threads=1)
        before = table.measured()
    except ValueError as error:
        raise UserError(str(error)) from None
    by_name = {subject.name: subject for subject in subjects}
    wanted = [subject.name for subject in subjects if subject.part in parts]
    missing = [name for name in wanted if name not in before]
    label, done = f"measuring under {runtime}", len(wanted) - len(missing)
    with console.progress(len(wanted), label, done=done, is_even=False) as bar:

        def add(name: str, timing: Timing) -> None:
            table.append(name, timing, None)
            bar.advance()

        now = time_beside(
            {name: before[name] for name in before if name in by_name},
            missing,
            lambda name: by_name[name].model(runtime),
            add,
            on_round=lambda number: bar.note(f"round {number}"),
            seconds=seconds,
        )
    times = shift(before, milliseconds(now))
    if is_shifted(times):
        console.warn(
            f"the machine is {describe_shift(times)} when {path} was begun: the latencies are of two scales. "
            "Delete it and measure all again while the machine does nothing else"
        )
