"""Reads a work folder, no images, and writes `report.html` into it."""

from hytnas_jax import console
from hytnas_jax.files.atomic import write_text
from hytnas_jax.report.config import Config
from hytnas_jax.report.document import report_html
from hytnas_jax.report.results import read_results
from hytnas_jax.workspace.project import open_project
from hytnas_jax.workspace.workdir import Workdir


def write_report(config: Config) -> None:
    """Write the page about whatever steps have ended."""
    project = open_project(Workdir(config.workdir))
    path = project.workdir.path / "report.html"
    write_text(path, report_html(read_results(project)))
    console.wrote([path])
