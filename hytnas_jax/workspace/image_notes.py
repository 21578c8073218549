"""What a work folder notes of its images: splits.json, and images.npz beside it where they are many.

JSON of a million names takes half a minute and 50 MB; arrays of them take seconds and a few.
"""

import io
import zipfile
from pathlib import Path
from typing import Any, cast

import numpy as np

from hytnas_jax.data import Dataset
from hytnas_jax.data.digest import Content
from hytnas_jax.data.readers.source import Split
from hytnas_jax.data.reopening import Noted
from hytnas_jax.data.splits import Selection
from hytnas_jax.files.atomic import read_json, write_bytes, write_json
from supernet.errors import UserError

SPLITS, IMAGES = "splits.json", "images.npz"
MANY = 100_000  # images that are noted in arrays; streamed ones always are
_END = "\0"  # of a name: no file's has it


def write_notes(folder: Path, dataset: Dataset) -> None:
    """Note what the images of a data set are, instead of what was noted before."""
    count = sum(map(len, dataset.files.values()))
    if not dataset.are_streamed and count <= MANY:
        write_json(folder / SPLITS, dataset.splits_to_json())
        return
    arrays: dict[str, np.ndarray] = {}
    for split, files in dataset.files.items():
        columns = dataset.content[split].columns()
        if dataset.are_streamed:
            columns["positions"] = dataset.selections[split].positions
        text = "".join(name + _END for name in files).encode(errors="surrogateescape")
        columns["names"] = np.frombuffer(text, np.uint8)
        arrays |= {f"{split}.{name}": column for name, column in columns.items()}
    content = io.BytesIO()
    np.savez_compressed(content, **cast(dict[str, Any], arrays))
    write_bytes(folder / IMAGES, content.getvalue())
    facts = dataset.facts()
    if dataset.are_streamed:
        origin = {split: selection.stored for split, selection in dataset.selections.items()}
        facts |= {"cut": dataset.cut, "origin": origin, "stored": dict(dataset.stored_sizes)}
    write_json(folder / SPLITS, facts)


def read_notes(folder: Path) -> Noted:
    """What was noted. Raises UserError for a file that is missing or damaged."""
    facts = read_json(folder / SPLITS)
    if "content" in facts:
        content = {split: Content.from_json(values) for split, values in facts.pop("content").items()}
        files = {split: tuple(names) for split, names in facts.pop("splits").items()}
        return Noted(facts, files, content)
    path = folder / IMAGES
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return _noted(facts, arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path}: this is not what was noted of the images ({error}); restore it from a copy, or delete "
            f"{folder} and run train_supernet again"
        ) from None


def _noted(facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> Noted:
    columns: dict[Split, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        split, _, column = name.partition(".")
        columns.setdefault(cast(Split, split), {})[column] = array
    files, selections = dict[Split, tuple[str, ...]](), dict[Split, Selection]()
    content = dict[Split, Content]()
    for split, own in columns.items():
        text = own.pop("names").tobytes().decode(errors="surrogateescape")
        files[split] = tuple(text.split(_END)[:-1])
        positions = own.pop("positions", None)
        content[split] = Content(**own)
        if positions is not None:
            selections[split] = Selection(facts["origin"][split], positions, content[split].labels)
    return Noted(facts, files, content, selections)
