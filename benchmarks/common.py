"""What benchmarks share: JSON results with the machine, versions and commit; checks; timing in turns."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hytnas_jax.files.atomic import write_json
from hytnas_jax.runtime.environment import environment
from supernet.errors import UserError

RESULTS = Path(__file__).parent / "results"


def save_result(name: str, data: Mapping[str, Any]) -> Path:
    """Write `results/<name>.json` and say so."""
    path = RESULTS / f"{name}.json"
    write_json(path, {**data, "environment": environment()})
    print(f"wrote {path}")
    return path


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
