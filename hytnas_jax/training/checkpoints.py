"""The checkpoints of a training: written by Orbax, read back before they count, and never half read.

Beside the files of a checkpoint lies `verified.json`, written last, once they have been read back: the
arrays, and each file's size and checksum. So a damaged or a missing file is found by us, before Orbax reads
it: Orbax does not notice every changed byte, and cannot tell a missing file from another network.

All processes of a job save and restore together. What any number of devices has written, any other reads.
"""

import contextlib
import dataclasses
import errno
import logging
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
import orbax.checkpoint as ocp

from hytnas_jax import console
from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.runtime import mesh, process_group, stopping
from supernet.errors import UserError, first_line

KEPT = 2
VERIFIED = "verified.json"
# Orbax takes some characters for a pattern ([1], *), a separator (\\) or a scheme (gs:), and text for UTF-8.
PLAIN_PATH = re.compile(r"[A-Za-z0-9_/.,=+@ -]+")
TreeT = TypeVar("TreeT")


@dataclasses.dataclass(frozen=True)
class Checkpoints:
    """Those in `folder`, one folder each, named by its step; the newest `KEPT` are kept."""

    folder: Path

    def steps(self) -> list[int]:
        """The steps that have been saved, ascending; what a kill has left half written is not among them."""
        return process_group.of_lead("checkpoints", self._steps)

    def _steps(self) -> list[int]:
        found = self.folder.glob(f"*/{VERIFIED}")
        return sorted(int(path.parent.name) for path in found if path.parent.name.isdigit())

    def save(self, step: int, tree: Any) -> None:
        """Write a tree of arrays, read it back, and let older ones go. Not cut by a Ctrl-C.

        Raises:
          UserError: it does not come back as it was, or the path cannot be taken.
          OSError: the disk is full; the checkpoints of before are as they were.
        """
        with stopping.uninterrupted(), self._manager(without=step) as manager:
            with self._naming_a_full_disk():
                manager.save(step, args=ocp.args.StandardSave(tree), force=True)
                manager.wait_until_finished()
            try:
                back = _read(manager, step, tree)
            except Exception as error:
                raise self._not_written(step, first_line(error)) from error
            if not _is_equal(tree, back):
                raise self._not_written(step, "other numbers come back")
            if process_group.is_lead():
                files = {name: list(_fingerprint(path)) for name, path in self._files(step).items()}
                write_json(self._verified(step), {"arrays": _arrays(tree), "files": files})
            process_group.together("checkpoint written")

    def newest(self) -> int | None:
        """The newest step that is whole; warns of those that are not. None where nothing has been saved.

        Raises:
          UserError: none of those that there are is whole.
        """
        return process_group.of_lead("newest checkpoint", self._newest)

    def _newest(self) -> int | None:
        steps, problem = self._steps(), None
        for step in reversed(steps):
            problem = self.problem(step)
            if problem is None:
                return step
            console.warn(f"{self.folder / str(step)}: {problem}; going on from the checkpoint before it")
        if problem is not None:
            raise UserError(f"{self.folder}: no checkpoint is whole; delete {self.folder} and train anew")
        return None

    def restore(self, step: int, like: TreeT) -> TreeT:
        """The tree of a step, on every device; `like` has its structure, shapes and dtypes.

        Raises:
          UserError: it is of another network, or `problem` says what is wrong with its files.
        """
        problem = self.problem(step)
        if problem is not None:
            raise UserError(
                f"{self.folder / str(step)}: {problem}; restore it from a copy, or delete "
                f"{self.folder.parent / 'done.json'} and make the step again: it goes on from the checkpoint "
                "before this one"
            )
        self.refuse_other_network(step, like)
        with stopping.uninterrupted(), self._manager() as manager:
            return _read(manager, step, like)

    def problem(self, step: int) -> str | None:
        """What is wrong with a checkpoint's files: None, or "its file ... is missing", "... is damaged"."""
        try:
            noted = read_json(self._verified(step))
            fingerprints = dict(noted["files"])
            dict(noted["arrays"])
        except (UserError, KeyError, TypeError, ValueError):
            return f"its file {VERIFIED} is missing or damaged"
        files = self._files(step)
        for name, fingerprint in fingerprints.items():
            if name not in files:
                return f"its file {name} is missing"
            if list(_fingerprint(files[name])) != fingerprint:
                return f"its file {name} is damaged"
        return None

    def refuse_other_network(self, step: int, like: Any) -> None:
        """Raises UserError where the arrays of a checkpoint without a `problem` are not those of `like`."""
        noted, wanted = read_json(self._verified(step))["arrays"], _arrays(like)
        if noted == wanted:
            return
        names = sorted(name for name in noted | wanted if noted.get(name) != wanted.get(name))
        raise UserError(
            f"{self.folder}: its checkpoint is that of another network or of another version of hytnas_jax "
            f"({names[0]}: {noted.get(names[0], 'nothing')} there, {wanted.get(names[0], 'nothing')} here); "
            f"delete {self.folder.parent} and make the step again"
        )

    @contextlib.contextmanager
    def _manager(self, *, without: int | None = None) -> Iterator[ocp.CheckpointManager]:
        """Orbax's, of all steps but one, of which what a kill has left half written is removed."""
        logging.getLogger("absl").setLevel(logging.CRITICAL)  # it prints each save, and pages of what fails
        assert not process_group.acts_alone(), "Orbax waits for all processes"
        if process_group.is_lead():
            if without is not None and (self.folder / str(without)).exists():
                shutil.rmtree(self.folder / str(without))
            self.folder.mkdir(parents=True, exist_ok=True)
        process_group.together("checkpoints opened")
        options = ocp.CheckpointManagerOptions(max_to_keep=KEPT, enable_async_checkpointing=False)
        with _plain(self.folder) as path, ocp.CheckpointManager(path, options=options) as manager:
            yield manager

    @contextlib.contextmanager
    def _naming_a_full_disk(self) -> Iterator[None]:
        """Orbax has it in the text only, amid pages."""
        try:
            yield
        except Exception as error:
            if os.strerror(errno.ENOSPC) not in str(error):
                raise
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder)) from error

    def _files(self, step: int) -> dict[str, Path]:
        folder = self.folder / str(step)
        paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != VERIFIED)
        return {path.relative_to(folder).as_posix(): path for path in paths}

    def _verified(self, step: int) -> Path:
        return self.folder / str(step) / VERIFIED

    def _not_written(self, step: int, reason: str) -> UserError:
        return UserError(
            f"{self.folder / str(step)}: this checkpoint does not come back as it was written ({reason}); "
            "neither this disk nor this path can be trusted: give a --workdir on another disk, or of a "
            "plainer name"
        )


def _read(manager: ocp.CheckpointManager, step: int, like: Any) -> Any:
    """Onto every device, whatever the devices that it was saved from."""
    where = mesh.everywhere()
    abstract = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=where), like)
    return manager.restore(step, args=ocp.args.StandardRestore(abstract))


def _arrays(tree: Any) -> Mapping[str, str]:
    """ "float32[10, 4]" by the path of each array."""
    leaves = jax.tree.leaves_with_path(tree)
    return {jax.tree_util.keystr(path): f"{leaf.dtype}{list(leaf.shape)}" for path, leaf in leaves}


def _is_equal(tree: Any, other: Any) -> bool:
    """Bit for bit: a NaN is equal to itself."""
    pairs = zip(jax.tree.leaves(tree), jax.tree.leaves(other), strict=True)
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs)


def _fingerprint(path: Path) -> tuple[int, int]:
    """Size in bytes and CRC-32, read in pieces: a checkpoint may be larger than the memory that is left."""
    size = checksum = 0
    with path.open("rb") as file:
        while piece := file.read(1 << 24):
            size, checksum = size + len(piece), zlib.crc32(piece, checksum)
    return size, checksum


@contextlib.contextmanager
def _plain(folder: Path) -> Iterator[Path]:
    """`folder` by a path that Orbax takes as it stands: its own, or else a link to it for the moment."""
    path = folder.absolute()
    if PLAIN_PATH.fullmatch(str(path)):
        yield path
        return
    if not PLAIN_PATH.fullmatch(tempfile.gettempdir()):
        raise UserError(
            f"{folder}: this path cannot be written to directly, and the folder for temporary files, "
            f"{tempfile.gettempdir()}, cannot either; give letters, digits, dots, dashes and underscores in "
            "--workdir or in the environment variable TMPDIR"
        )
    with tempfile.TemporaryDirectory(prefix="hytnas_jax-") as temporary:
        link = Path(temporary) / "checkpoints"
        link.symlink_to(path, target_is_directory=True)
        yield link
