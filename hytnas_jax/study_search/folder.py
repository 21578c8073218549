"""The folder of a study: its settings, one file for each finished search, and all of them in one table.

settings.json                          what every search in it was made with
runs/<problem>__<strategy>__<seed>.csv one search, written when it has ended
trajectories.csv                       all of them
"""

import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hytnas_jax.files.atomic import read_json, to_plain, write_json, write_text
from hytnas_jax.files.tables import number_in, read_user_table
from hytnas_jax.study_search.jobs import SearchJob
from hytnas_jax.study_search.trajectories import Trajectory
from supernet.errors import UserError

COLUMNS = ("problem", "strategy", "seed", "evaluation", "hypervolume_ratio", "seconds")
RUN_COLUMNS = (*COLUMNS, "row")  # which of the table's rows, the first is 0


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A finished search as its file has it; arrays are [N], one number for each evaluation."""

    job: SearchJob
    hypervolume_ratios: np.ndarray
    seconds: np.ndarray


@dataclasses.dataclass(frozen=True)
class StudyFolder:
    """Where a study is kept; the same command again goes on in it, with more seeds, strategies or tables."""

    path: Path

    def begin(self, settings: Mapping[str, Any], digests: Mapping[str, str]) -> None:
        """Note what the searches are made with, or check that it is what those in the folder were made with.

        Args:
          settings: everything that changes a search of given table, strategy and seed.
          digests: problem -> digest of its table; there may be more than before.

        Raises:
          UserError: a setting or a table is another one, or the folder is a file.
        """
        path = self.path / "settings.json"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise UserError(f"--output {self.path}: a file is in the way; give a folder's path") from None
        wanted = {"settings": to_plain(settings), "tables": dict(digests)}
        if path.exists():
            noted = read_json(path)
            self._refuse_changes(noted, wanted)
            wanted["tables"] = noted["tables"] | wanted["tables"]
        write_json(path, wanted)

    def has(self, job: SearchJob) -> bool:
        """Whether the search has ended."""
        return self._run_file(job).exists()

    def add(self, job: SearchJob, trajectory: Trajectory) -> None:
        """Keep a finished search, whole or not at all."""
        columns = (trajectory.hypervolume_ratios, trajectory.seconds, trajectory.rows)
        rows = [
            (*dataclasses.astuple(job), number, *row)
            for number, row in enumerate(zip(*(column.tolist() for column in columns), strict=True), 1)
        ]
        write_text(self._run_file(job), _csv_text(RUN_COLUMNS, rows))

    def runs(self) -> list[Run]:
        """Every finished search, also of earlier commands, sorted. Raises UserError for a damaged file."""
        return sorted(map(_read_run, (self.path / "runs").glob("*.csv")), key=lambda run: run.job)

    def write_trajectories(self, runs: Sequence[Run]) -> Path:
        """Write `trajectories.csv`, a row for each evaluation of each run."""
        path = self.path / "trajectories.csv"
        rows = (
            (*dataclasses.astuple(run.job), number, ratio, seconds)
            for run in runs
            for number, (ratio, seconds) in enumerate(
                zip(run.hypervolume_ratios.tolist(), run.seconds.tolist(), strict=True), 1
            )
        )
        write_text(path, _csv_text(COLUMNS, rows))
        return path

    def _run_file(self, job: SearchJob) -> Path:
        strategy = job.strategy.replace("/", "-batch")
        return self.path / "runs" / f"{job.problem}__{strategy}__{job.seed}.csv"

    def _refuse_changes(self, noted: dict[str, Any], wanted: dict[str, Any]) -> None:
        old, new = noted["settings"], wanted["settings"]
        changes = [
            f"{name}: was {old.get(name)!r}, now {new.get(name)!r}"
            for name in sorted(old | new)
            if old.get(name) != new.get(name)
        ]
        changes += [
            f"table {problem}: its content has changed (SHA-256 was {noted['tables'][problem][:12]}..., "
            f"now {digest[:12]}...)"
            for problem, digest in wanted["tables"].items()
            if noted["tables"].get(problem, digest) != digest
        ]
        if changes:
            raise UserError(
                f"--output {self.path} holds searches that were made with other settings:\n"
                + "\n".join(f"  {line}" for line in changes)
                + "\ngive the same settings to go on, or another --output, or delete the folder to begin anew"
            )


def _read_run(path: Path) -> Run:
    try:
        rows = [row.cells for row in read_user_table(path.read_bytes(), str(path)).rows]
        first = rows[0]
        return Run(
            SearchJob(first["problem"], first["strategy"], int(first["seed"])),
            np.array([number_in(row, "hypervolume_ratio") for row in rows]),
            np.array([number_in(row, "seconds") for row in rows]),
        )
    except (ValueError, LookupError):
        raise UserError(
            f"{path}: this is not what was written there; delete it, and the same command makes it again"
        ) from None


def _csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue()
