"""Images of the test split with what is there and what a network finds there, side by side.

They are chosen by a rule, so that failures show: `example_rows`. N images.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from hytnas_jax.data import Dataset
from hytnas_jax.files.atomic import write_bytes
from hytnas_jax.training.outputs import Outputs
from hytnas_jax.workspace.project import Project
from supernet.errors import UserError

QUARTERS = 4
GAP = 8  # pixels between the two sides


class Example(NamedTuple):
    """png: the truth on the left, what was found on the right. quarter: 1 for the worst one. quality: of this
    image. image: its file, or where it lies in the data set; "" where that is not known."""

    png: bytes
    quarter: int
    quality: float
    image: str


def example_rows(quality: np.ndarray) -> list[tuple[int, int]]:
    """Of each quarter of the images, ordered by their quality [N], the middle one: (quarter, row).

    The worst quarter is the first. Images of NaN are left out; equal ones stay in their order. Of fewer than
    four images each is taken once.
    """
    known = int(np.isfinite(quality).sum())
    order = np.argsort(quality, kind="stable")[:known].tolist()  # NaN is sorted to the end
    rows: dict[int, int] = {}
    for quarter in range(QUARTERS):
        if known:
            rows.setdefault(order[(2 * quarter + 1) * known // (2 * QUARTERS)], quarter + 1)
    return [(quarter, row) for row, quarter in rows.items()]


def write_examples(
    folder: Path, project: Project, dataset: Dataset, outputs: Outputs, quality: np.ndarray | None
) -> list[dict[str, Any]]:
    """Write examples/1.png and so on into a network's folder; gives what result.json says of them.

    outputs: of the network, for the test split. quality: of each of these images, [N]; None: no examples.
    """
    images, files, draw = dataset.test, dataset.files.get("test", ()), project.task.draw
    if quality is None or draw is None:
        return []
    written: list[dict[str, Any]] = []
    for quarter, row in example_rows(quality):
        targets = {name: array[row] for name, array in images.targets.items()}
        both, image = (None, outputs.of_row(row)), images.images[row]
        sides = [draw(image, output, targets, project.class_names) for output in both]
        name = f"examples/{len(written) + 1}.png"
        write_bytes(folder / name, _png(side_by_side(sides)))
        file = files[row] if files else ""
        written.append({"file": name, "quarter": quarter, "quality": float(quality[row]), "image": file})
    return written


def read_examples(folder: Path, written: Sequence[dict[str, Any]]) -> tuple[Example, ...]:
    """The examples of a network's folder, as its result.json has them.

    Raises UserError for a file that is missing or is no image, naming it.
    """
    return tuple(
        Example(_read(folder / entry["file"]), entry["quarter"], entry["quality"], entry["image"])
        for entry in written
    )


def side_by_side(images: Sequence[Image.Image]) -> Image.Image:
    """In a row on white, aligned at the top."""
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    canvas = Image.new("RGB", (width, max(image.height for image in images)), "white")
    left = 0
    for image in images:
        canvas.paste(image, (left, 0))
        left += image.width + GAP
    return canvas


def _png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return content.getvalue()


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            image.verify()
    except (OSError, SyntaxError) as error:
        raise UserError(
            f"{path}: this is no whole PNG file ({error}); restore it from a copy, or delete "
            f"{path.parents[1] / 'result.json'} and {path.parents[2] / 'done.json'}, and run retrain again"
        ) from None
    return content
