"""The work folder: one lock, and for each step its settings and its done mark.

Every command reads and writes one work folder. A step (`supernet`, `search`, ...) is a folder in
it: `settings.json` is written when the step starts, `done.json` when it has ended. So the same
command again goes on where it was cut, and another setting or another upstream result is refused
instead of being mixed in.
"""

import contextlib
import dataclasses
import errno
import shlex
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hytnas_jax.files.atomic import read_json, to_plain, write_json
from hytnas_jax.runtime import process_group
from hytnas_jax.runtime.environment import environment, package_version
from hytnas_jax.workspace.folder_lock import mark, shared, take
from supernet.errors import UserError

# Raised by one whenever a work folder of the version before could be misread.
FORMAT = 4
VERSION, LOCK = "workdir.json", ".lock"
# What the format has, for those who have a work folder of an earlier one.
_SINCE = " (in which files and columns have other names: validation split, evaluated.json, references/)"


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of the work: the folder that holds its settings, its results and its done mark."""

    name: str
    folder: Path

    def begin(
        self,
        settings: Mapping[str, Any],
        inputs: Mapping[str, str] | None = None,
        *,
        may_grow: Sequence[str] = (),
    ) -> None:
        """Note what the step is made with, or check that it is what the step was begun with.

        Args:
          settings: everything that changes the result (no paths of the work folder: it may move).
          inputs: upstream step -> the `id` in its done mark; a retrained supernet has a new one.
          may_grow: settings that may be larger than they were (False < True); the step, done or not,
            then goes on and loses its done mark.

        Raises:
          UserError: a setting or an input is not the one that the step was begun with.
        """
        wanted = to_plain({"settings": settings, "inputs": inputs or {}})
        path = self.folder / "settings.json"
        before = self._seconds_until_cut()
        if path.exists():
            noted = read_json(path)
            old, new = noted["settings"], wanted["settings"]
            grown = {k: new[k] for k in may_grow if k in old and k in new and new[k] > old[k]}
            self._refuse_other_settings({**old, **grown}, new)
            self._refuse_other_inputs(noted["inputs"], wanted["inputs"])
            if grown:
                self.go_on()
                write_json(path, wanted)
        else:
            write_json(path, wanted)
        write_json(self.folder / "session.json", {"before": before, "started": time.time()})

    @property
    def workdir(self) -> Path:
        """The work folder; a step's name may be of several folders, "devices/pi"."""
        return self.folder.parents[self.name.count("/")]

    def go_on(self) -> None:
        """The step, done or not, has not ended: it loses its done mark, and its next one has another id."""
        if process_group.is_lead():
            (self.folder / "done.json").unlink(missing_ok=True)

    def was_made_with(self, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> bool:
        """Whether the step was begun with exactly these, as `begin` takes them."""
        path = self.folder / "settings.json"
        return path.exists() and read_json(path) == to_plain({"settings": settings, "inputs": inputs})

    @property
    def is_done(self) -> bool:
        """Whether the step has ended."""
        return (self.folder / "done.json").exists()

    def done(self) -> dict[str, Any]:
        """The done mark: `id`, `summary`, `seconds`, `environment`."""
        return read_json(self.folder / "done.json")

    def seconds(self) -> float:
        """What the step has taken so far, over all its sessions; `begin` must have been called.

        Of a killed session it counts up to the last file that it wrote.
        """
        session = read_json(self.folder / "session.json")
        return session["before"] + max(0.0, time.time() - session["started"])

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Mark the step as done, after all its results are written; `begin` must have been called."""
        if not process_group.is_lead():
            return
        done = {
            "id": uuid.uuid4().hex,
            "summary": summary,
            "seconds": round(self.seconds(), 1),
            "environment": environment(),
        }
        write_json(self.folder / "done.json", done)

    def require(self, command: str, flags: str = "") -> dict[str, Any]:
        """The done mark of a step that the running command builds on.

        Args:
          command: the module that makes the step, e.g. "train_supernet".
          flags: what it needs beside the work folder, with a space before.

        Raises:
          UserError: the step has not ended; the message says which command makes it.
        """
        if self.is_done:
            return self.done()
        state = "was started and has not ended" if self.folder.exists() else "has not been made"
        raise UserError(
            f"step {self.name!r} is needed first and {state} in {self.workdir}; "
            f"run: {command_line(command, self.workdir)}{flags}"
        )

    def _refuse_other_settings(self, noted: dict[str, Any], wanted: dict[str, Any]) -> None:
        changes = _changes(noted, wanted)
        if changes:
            raise UserError(
                f"step {self.name!r} in {self.workdir} was begun with other settings:\n"
                + "\n".join(f"  {line}" for line in changes)
                + "\ngive the same settings to go on, or another --workdir, "
                f"or delete {self.folder} to begin the step anew"
            )

    def _refuse_other_inputs(self, noted: dict[str, Any], wanted: dict[str, Any]) -> None:
        changed = sorted(k for k in noted | wanted if noted.get(k) != wanted.get(k))
        if changed:
            raise UserError(
                f"step {self.name!r} in {self.workdir} was made from {changed_since(changed)}; "
                f"its results do not fit. Delete {self.folder} to make it anew, or give another --workdir"
            )

    def _seconds_until_cut(self) -> float:
        """Seconds of all sessions before this one; each ended with the last file that it wrote."""
        path = self.folder / "session.json"
        if not path.exists():
            return 0.0
        session = read_json(path)
        last = max(file.lstat().st_mtime for file in self.folder.rglob("*"))
        return session["before"] + max(0.0, last - session["started"])


def changed_since(steps: Sequence[str]) -> str:
    """What a step was made from and no longer fits: "'data' and 'supernet', which have changed since"."""
    have = "has" if len(steps) == 1 else "have"
    return f"{' and '.join(map(repr, steps))}, which {have} changed since"


def command_line(command: str, workdir: Path) -> str:
    """What the user types to run a command, e.g. "search", on a work folder."""
    path = str(workdir)
    return f"python -m hytnas_jax.{command} --workdir {shlex.quote(f'./{path}' if path[0] == '-' else path)}"


def _expanded(path: Path) -> Path:
    """`~/runs` as a shell has it, which leaves it as it is in `--workdir=~/runs` and in quotes."""
    try:
        return path.expanduser()
    except RuntimeError:  # no such user
        return path


def _changes(old: Any, new: Any, name: str = "") -> list[str]:
    """One line "name: was X, now Y" for each leaf in which two trees of JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        lines = []
        for key in sorted(old | new):
            inner = f"{name}.{key}" if name else key
            lines += _changes(old.get(key, _UNSET), new.get(key, _UNSET), inner)
        return lines
    return [] if old == new else [f"{name}: was {_show(old)}, now {_show(new)}"]


_UNSET = object()


def _show(value: Any) -> str:
    return "not set" if value is _UNSET else repr(value)


class Workdir:
    """A work folder, locked for this process until it ends; of a job of several processes the lead locks it.

    Examples:
      >>> from pathlib import Path
      >>> from hytnas_jax import Workdir
      >>> workdir = Workdir(Path("runs/mine"))
      >>> workdir.step("search").is_done
      True
    """

    def __init__(self, path: Path) -> None:
        """Open the folder, or make it; `~` is the user's home.

        Raises UserError where a file is in the way, the folder may not be written, the system does not take
        its path, another process is using it, or an incompatible version wrote it; or where the processes
        of a job do not see the same folder.
        """
        self.path = _expanded(Path(path))
        try:
            if process_group.is_lead():
                self._open()
            marked = process_group.of_lead("work folder", mark)
            if not process_group.is_lead():
                self._refuse_other_than(marked)
            _check_format(self.path, "--workdir")
        except UserError as error:
            raise UserError(f"--workdir {path}: {error}") from None

    def _refuse_other_than(self, marked: str) -> None:
        """Raises UserError where this is not the folder that the lead has marked."""
        lock = self.path / LOCK
        if not lock.is_file() or lock.read_text(errors="replace") != marked:
            raise UserError(
                f"{process_group.in_words()} does not see there what process 0 writes; give a folder that "
                "all hosts share"
            )

    def _open(self) -> None:
        """Make the folder, or find it, and lock it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            take(self.path / LOCK)
        except (FileExistsError, NotADirectoryError):
            raise UserError("a file is in the way; give the path of a folder") from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            is_forbidden = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
            raise UserError(
                f"{error.filename or self.path} "
                f"{'may not be written' if is_forbidden else 'cannot be used'} ({error.strerror}); "
                f"give {'a folder that you may write' if is_forbidden else 'another folder'}"
            ) from None
        if not (self.path / VERSION).exists():
            write_json(self.path / VERSION, _ours())

    def step(self, name: str) -> Step:
        """The step `name`; its folder is made by `Step.begin`."""
        return Step(name, self.path / name)


class _Other(Workdir):
    """A work folder that this process does not work in."""

    def __init__(self, path: Path) -> None:
        self.path = path


@contextlib.contextmanager
def reading(path: Path, *, flag: str) -> Iterator[Workdir]:
    """Another work folder, for the moment, and only to read in; several processes may at a time.

    Raises UserError with `flag`, which has named it, and its path, whatever is wrong in it: also where it is
    no work folder, a process is working in it, or an incompatible version wrote it.
    """
    folder = _expanded(path)
    try:
        if not (folder / VERSION).is_file():
            what = "this is no work folder" if folder.is_dir() else "there is no such folder"
            raise UserError(f"{what}; give a work folder in which train_supernet has ended")
        with shared(folder / LOCK):
            _check_format(folder, flag)
            yield _Other(folder)
    except UserError as error:
        raise UserError(f"{flag} {path}: {error}") from None


def _ours() -> dict[str, Any]:
    return {"format": FORMAT, "hytnas_jax": package_version("hytnas_jax")}


def _check_format(folder: Path, flag: str) -> None:
    ours, theirs = _ours(), read_json(folder / VERSION)
    if theirs.get("format") != FORMAT:
        raise UserError(
            f"hytnas_jax {theirs.get('hytnas_jax')} wrote it in format {theirs.get('format')}; this is "
            f"hytnas_jax {ours['hytnas_jax']}, which reads format {FORMAT}{_SINCE}; give another {flag}, "
            "or use the version that wrote it (done.json of each step has its commit)"
        )
