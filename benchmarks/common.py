"""Results of benchmarks as JSON files, each with the machine, versions and commit that it is from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hytnas_jax.environment import environment
from hytnas_jax.files import write_json

RESULTS = Path(__file__).parent / "results"


def save_result(name: str, data: Mapping[str, Any]) -> Path:
    """Write `results/<name>.json` and say so."""
    path = RESULTS / f"{name}.json"
    write_json(path, {**data, "environment": environment()})
    print(f"wrote {path}")
    return path
