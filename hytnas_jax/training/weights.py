"""A stand-alone network's weights in one .npz file: flat names, float32, no pickles."""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from hytnas_jax.files.atomic import write_bytes
from hytnas_jax.runtime import process_group
from supernet.errors import UserError
from supernet.model import Tree

# What NumPy and zipfile raise for files that are no .npz, cut, or changed in some byte.
UNREADABLE = (OSError, ValueError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


def save_weights(path: Path, params: Tree, stats: Tree) -> None:
    """Write both trees, atomically, as arrays named "params/blocks/0/conv/kernel", "stats/...".

    Of a job of several processes, the lead alone does.
    Raises UserError where what is read back is not what was written.
    """
    if not process_group.is_lead():
        return
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {**_flat(params, "params"), **_flat(stats, "stats")}
    np.savez_compressed(buffer, **arrays)
    write_bytes(path, buffer.getvalue())
    if path.read_bytes() != buffer.getvalue():
        path.unlink()
        raise UserError(
            f"{path}: what is read back is not what was written; the disk cannot be trusted: "
            "give a --workdir on another one"
        )


def load_weights(path: Path) -> tuple[Tree, Tree]:
    """The trees of `save_weights`; list positions are int keys. Raises UserError for a damaged file."""
    trees: dict[Any, Any] = {"params": {}, "stats": {}}
    try:
        with np.load(path, allow_pickle=False) as file:
            for name in file.files:
                *folders, leaf = (int(part) if part.isdigit() else part for part in name.split("/"))
                place = trees
                for folder in folders:
                    place = place.setdefault(folder, {})
                place[leaf] = file[name]
        if not trees["params"] or len(trees) > 2:
            raise ValueError("it holds other arrays")
    except UNREADABLE as error:
        raise UserError(
            f"{path}: not readable as weights ({error}); delete its folder and run retrain again"
        ) from None
    return trees["params"], trees["stats"]


def _flat(tree: Tree, prefix: str) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for key, value in tree.items():
        name = f"{prefix}/{key}"
        arrays |= _flat(value, name) if isinstance(value, dict) else {name: np.asarray(value, np.float32)}
    return arrays
