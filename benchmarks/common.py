"""What benchmarks share: `main`, which runs one and writes what it found; tables, checks, timing in turns."""

import dataclasses
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from matplotlib.figure import Figure

from hytnas_jax import console
from hytnas_jax.files.atomic import write_json
from hytnas_jax.plots import save_figure
from hytnas_jax.runtime.command_line import run
from hytnas_jax.runtime.environment import environment
from hytnas_jax.shared_flags.settings import flags_of, settings_of
from supernet.errors import UserError

RESULTS = Path(__file__).parent / "results"


def main(
    benchmark: Callable[[Any], Mapping[str, Any] | None],
    config_type: type[Any],
    *,
    result_name: Callable[[Any], str] = lambda config: config.name,
) -> NoReturn:
    """Parse the flags, run a benchmark, and write what it found to `results/NAME.json`.

    With it go the command, the settings, the machine, versions and the commit. Exits as `run` does.

    Args:
      benchmark: gives what is to be written, None if nothing is.
      config_type: frozen dataclass of the flags, `name` among them.
      result_name: the NAME for a config.
    """

    def run_and_save(config: Any) -> None:
        found = benchmark(config)
        if found is not None:
            save_result(result_name(config), {**made_by(config), **found})

    run(run_and_save, config_type)


def made_by(config: Any) -> dict[str, Any]:
    """The command, as it is typed from the project's root, and the settings: without a user's folders."""
    spec = sys.modules["__main__"].__spec__
    module = spec.name.removesuffix(".__main__") if spec else config.__module__
    fields = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    config = dataclasses.replace(config, **{name: without_folders(value) for name, value in fields.items()})
    command = f"python -m {module} {flags_of(config)}".strip()
    return {"command": command, "settings": settings_of(config, without=("name",))}


def without_folders(value: Any) -> Any:
    """The last part of an absolute path, in a tuple too; all else as it is."""
    if isinstance(value, tuple):
        return tuple(map(without_folders, value))
    if isinstance(value, str | Path) and Path(value).is_absolute():
        return type(value)(Path(value).name)
    return value


def save_result(name: str, data: Mapping[str, Any]) -> None:
    """Write `results/<name>.json` and say so."""
    path = RESULTS / f"{name}.json"
    write_json(path, {**data, "environment": environment()})
    console.wrote([path])


def save_plot(name: str, figure: Figure) -> None:
    """Write `results/<name>.png` and say so."""
    path = RESULTS / f"{name}.png"
    save_figure(path, figure)
    console.wrote([path])


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows that have the same names as a table under these names."""
    console.table([tuple(row.values()) for row in rows], tuple(rows[0]))


def require_at_least(config: Any, least: Mapping[str, int]) -> None:
    """Raises UserError for the first field of a benchmark's config that is below its least value."""
    for name, low in least.items():
        value = getattr(config, name)
        if value < low:
            raise UserError(f"--{name.replace('_', '-')} {value}: must be at least {low}")


def least_seconds(calls: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The least seconds of each call, which ends its work; they take turns, after one that is not timed."""
    least = dict.fromkeys(calls, float("inf"))
    for number in range(rounds + 1):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if number:
                least[name] = min(least[name], time.perf_counter() - started)
    return least
