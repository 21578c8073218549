"""The reference trainings of a study in n parts, which several commands train at the same time in one work
folder, on one machine or on many that share it.

references/parts/3-of-8/   all that the command of part 3 writes: its settings, rows and checkpoints

A part reads the rows of the others and writes in its own folder only. The command without --part moves the
rows to `references.csv`, each once, and the checkpoints of trainings that were cut to where it goes on from
them.
"""

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hytnas_jax import console
from hytnas_jax.accuracy.reference_table import TABLE, ReferenceJob, ReferenceTable, Trained, read_beside
from hytnas_jax.accuracy.references import STEP
from hytnas_jax.files.atomic import read_json, to_plain
from hytnas_jax.numbers import counted
from hytnas_jax.workspace import folder_lock
from hytnas_jax.workspace.project import Project
from hytnas_jax.workspace.workdir import Step
from supernet.errors import UserError

PARTS = "parts"
_MAY_DIFFER = "repeated"  # it may grow, and what is trained of it already stands


@dataclasses.dataclass(frozen=True)
class Begun:
    """What reference trainings are made with: two studies of the same can share them."""

    settings: Mapping[str, Any]
    inputs: Mapping[str, str]

    def refuse_others(self, step: Step, remedy: str) -> None:
        """Raises UserError where a step was begun with others; `remedy` ends the message."""
        path = step.folder / "settings.json"
        if not path.exists():
            return
        noted, ours = read_json(path), to_plain(dataclasses.asdict(self))
        old, new = ({**both["settings"], **both["inputs"]} for both in (noted, ours))
        changed = [name for name in sorted(old | new) if old.get(name) != new.get(name)]
        lines = [
            f"  {name}: was {old.get(name)!r}, now {new.get(name)!r}"
            for name in changed
            if name != _MAY_DIFFER
        ]
        if lines:
            raise UserError("\n".join([f"{step.folder} was begun with others:", *lines, remedy]))


def begin_part(project: Project, number: int, count: int, begun: Begun) -> Step:
    """The step of a part, which this process alone works on.

    Raises UserError where another does, or the part or the whole study was begun with other settings.
    """
    part = project.workdir.step(f"{STEP}/{PARTS}/{number}-of-{count}")
    for step in (project.workdir.step(STEP), part):
        begun.refuse_others(step, "give the same to go on, or delete that folder to train all anew")
    part.folder.mkdir(parents=True, exist_ok=True)
    try:
        folder_lock.take(part.folder / ".lock")
    except UserError as error:
        raise UserError(f"--part {number}/{count}: {error}") from None
    part.begin(begun.settings, begun.inputs, may_grow=(_MAY_DIFFER,))
    return part


def trained_anywhere(project: Project, epochs: int) -> dict[ReferenceJob, Trained]:
    """All that `references.csv` and the parts have by now; of two trainings of one job the first."""
    folder = project.workdir.step(STEP).folder
    found: dict[ReferenceJob, Trained] = {}
    for path in (folder / TABLE, *(part / TABLE for part in _folders(folder))):
        found = {**read_beside(path, project.space, epochs=epochs), **found}
    return found


def refuse_other_parts(step: Step, begun: Begun) -> None:
    """Raises UserError where a part was begun with other settings than these."""
    for folder in _folders(step.folder):
        part = Step(f"{STEP}/{PARTS}/{folder.name}", folder)
        begun.refuse_others(part, "give the same to take its trainings, or delete that folder")


def merge_parts(project: Project, table: ReferenceTable, epochs: int) -> None:
    """Move what the parts have to `table` and to the step's folder; no part may be running.

    What was moved before a kill is not moved a second time.
    """
    step = project.workdir.step(STEP)
    folders, done = _folders(step.folder), table.read()
    before = len(done)
    for folder in folders:
        rows = ReferenceTable(folder / TABLE, project.space, epochs=epochs).read()
        for job, trained in rows.items():
            if job not in done:
                table.append(job, trained)
                done[job] = trained
        for checkpoints in (path for path in folder.iterdir() if path.is_dir()):
            if not (step.folder / checkpoints.name).exists():
                checkpoints.rename(step.folder / checkpoints.name)
        shutil.rmtree(folder)
    if folders:
        (step.folder / PARTS).rmdir()
        console.say(
            f"{counted(len(done) - before, 'training')} of {counted(len(folders), 'part')} "
            f"added to {step.folder / TABLE}"
        )
    if len(done) > before:
        step.go_on()


def _folders(step_folder: Path) -> list[Path]:
    """Those of all parts, in order of their names."""
    return sorted(path for path in (step_folder / PARTS).glob("*-of-*") if path.is_dir())
