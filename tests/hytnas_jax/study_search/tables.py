"""Small tables, shared by the tests of the studies."""

import itertools
from pathlib import Path

from hytnas_jax.study_search.columns import Columns, parse_columns
from hytnas_jax.study_search.table import Table, read_table

# Scaled to less is better: A (0, 1), B (0.5, 0.5), C (1, 0) are the front, D (1, 1) is dominated.
FOUR_ROWS = """\
kind,size,accuracy,time_ms
a,1,100,10
b,2,50,5
c,10,0,0
a,10,0,10
"""
FOUR_COLUMNS = parse_columns(features=["kind,size"], objectives=["accuracy:max,time_ms:min"])

FEATURES = "depth,width,kind"
TWO_OBJECTIVES, THREE_OBJECTIVES = "accuracy:max,time_ms:min", "accuracy:max,time_ms:min,memory:min"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def four_rows(folder: Path) -> Table:
    return read_table(write(folder / "four.csv", FOUR_ROWS), FOUR_COLUMNS)


def grid_text() -> str:
    """36 networks: more depth and width are more accurate and slower, a kind trades memory for time."""
    lines = ["depth,width,kind,accuracy,time_ms,memory"]
    for depth, width, (k, kind) in itertools.product(
        (1, 2, 4, 8), (16, 32, 64), enumerate(("conv", "attention", "mixed"))
    ):
        accuracy = 100 - 40 / depth - 300 / width + 2 * k
        lines.append(f"{depth},{width},{kind},{accuracy:.4f},{depth * width * (1 + k)},{width * (3 - k)}")
    return "\n".join(lines) + "\n"


def grid(folder: Path, objectives: str = TWO_OBJECTIVES) -> Table:
    return read_table(write(folder / "grid.csv", grid_text()), grid_columns(objectives))


def grid_columns(objectives: str = TWO_OBJECTIVES) -> Columns:
    return parse_columns(features=[FEATURES], objectives=[objectives])
