"""Write one HTML page about everything in a work folder.

    python -m hytnas_jax.report --workdir runs/digits

The page needs no other file and no network. It tells what is there: after a search alone too.

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import report
  >>> report.main(report.Config(Path("runs/mine")))
  wrote runs/mine/report.html
"""

from hytnas_jax.report.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Reads the work folder, no images, and writes `report.html` into it."""
    check(config)
    from hytnas_jax.report.command import write_report

    write_report(config)
