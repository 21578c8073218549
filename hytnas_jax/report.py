"""Write one HTML page about everything in a work folder.

    python -m hytnas_jax.report --workdir runs/digits

The page needs no other file and no network. It tells what is there: after a search alone too.
"""

import dataclasses
from pathlib import Path

from hytnas_jax import console
from hytnas_jax.command import run
from hytnas_jax.ranges import check_ranges
from hytnas_jax.workdir import Workdir, write_text


@dataclasses.dataclass(frozen=True)
class Config:
    """Write a page about the results in a work folder: report.html."""

    workdir: Path
    """The work folder; whatever steps have ended in it are told."""


def main(config: Config) -> None:
    """Reads the work folder, no pictures, and writes `report.html` into it."""
    check_ranges(config)
    from hytnas_jax.project import open_project
    from hytnas_jax.reporting.document import report_html
    from hytnas_jax.reporting.results import read_results

    project = open_project(Workdir(config.workdir))
    path = project.workdir.path / "report.html"
    write_text(path, report_html(read_results(project)))
    console.wrote([path])


if __name__ == "__main__":
    run(main, Config)
