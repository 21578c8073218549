"""Where the images of a work folder lie, so that a command finds them from any folder that it runs in."""

import dataclasses
import os
import shlex
from pathlib import Path

_NOT_PATHS = ("digits",)


@dataclasses.dataclass(frozen=True)
class Place:
    """A source as `load_dataset` takes it, by an absolute path; `data_dir` likewise, where there is one."""

    data: str
    data_dir: str | None

    @staticmethod
    def of(data: str, data_dir: Path | None) -> "Place":
        """What a user has given, and of $TFDS_DATA_DIR what TensorFlow Datasets would make of it."""
        if data.startswith("tfds:"):
            directory = data_dir or os.environ.get("TFDS_DATA_DIR")
            return Place(data, None if directory is None else _absolute(directory))
        given = None if data_dir is None else str(data_dir)
        return Place(data if data in _NOT_PATHS else _absolute(data), given)

    @property
    def title(self) -> str:
        """What to call the source where its folder does not matter."""
        return (os.path.isabs(self.data) and Path(self.data).name) or self.data

    @property
    def flags(self) -> str:
        """The place as the user types it."""
        flags = ["--data", self.data] + ([] if self.data_dir is None else ["--data-dir", self.data_dir])
        return shlex.join(flags)


def _absolute(path: str | Path) -> str:
    path = Path(os.path.expanduser(path))
    return str(path.resolve() if ".." in path.parts else path.absolute())
