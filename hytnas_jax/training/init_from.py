"""The supernet that another one begins with (--init-from): found, checked, noted; its folder is only read."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Step, Workdir, reading
from supernet.errors import UserError
from supernet.inheritance import differences
from supernet.search_space import SearchSpace
from supernet.spaces import SPACE_NAMES, built_in_space

FLAG = "--init-from"
FILE = "begun_with.json"  # in the step "supernet": its origins, the nearest first


@dataclasses.dataclass(frozen=True)
class Origin:
    """A supernet that weights come from, as cards and reports tell it.

    workdir: its work folder, as the user has typed it. supernet: the id of its done mark. data, images:
    what it was trained on, and on how many. commit: of hytnas_jax, where that ran from a checkout.
    """

    workdir: str
    supernet: str
    data: str
    images: int
    commit: str | None

    def in_words(self) -> str:
        commit = f", commit {self.commit[:12]}" if self.commit else ""
        return f"{self.workdir} ({self.data}, {self.images:,} training images{commit})"


@dataclasses.dataclass(frozen=True)
class InitialSupernet:
    """The supernet of the work folder that --init-from names, and what follows for the new one.

    origins: that supernet, then the one that it began with, and so on.
    """

    path: Path
    origins: tuple[Origin, ...]
    space: SearchSpace

    @property
    def settings(self) -> dict[str, str]:
        """What the step "supernet" notes of it."""
        return {"init_from": f"supernet {self.origins[0].supernet}"}

    def space_for(self, named: SearchSpace | None) -> SearchSpace:
        """The space that a user has named, or that supernet's own where none.

        Raises UserError where it has other genes or other arrays than that supernet's.
        """
        if named is None:
            return self._own_space()
        lines = differences(self.space, named)
        if lines:
            raise _refused(
                self.path,
                f"its supernet is one over another search space than {named.name!r}:\n"
                + "".join(f"  {line}\n" for line in lines)
                + f"leave --space out to take that one ({self.space.name!r}), or name a work folder of yours",
            )
        return named

    def _own_space(self) -> SearchSpace:
        """With all resolutions that a built-in one has, not only those that this supernet was trained at."""
        name = self.space.name
        if name in SPACE_NAMES and not differences(self.space, built_in_space(name)):
            return built_in_space(name)
        return self.space

    def note(self, step: Step) -> None:
        """Keep the origins beside the settings of the step "supernet"."""
        write_json(step.folder / FILE, self.origins)

    @contextlib.contextmanager
    def opened(self, step: Step) -> Iterator[Project]:
        """The work folder, to read weights for our `step`. Raises UserError where they are others by now."""
        with reading(self.path, flag=FLAG) as workdir:
            if workdir.step("supernet").require("train_supernet")["id"] != self.origins[0].supernet:
                raise UserError(
                    f"its supernet was made anew meanwhile; delete {step.folder} and run the command again"
                )
            yield open_project(workdir)


def find_initial_supernet(path: Path | None, workdir: Workdir) -> InitialSupernet | None:
    """What a work folder's supernet begins with; None where that is random weights.

    A folder that is gone is what it was when the training began with it.

    Raises:
      UserError: it is no work folder with a trained supernet, it is `workdir` itself or in use, or the
        supernet of `workdir` was begun with another one.
    """
    step = workdir.step("supernet")
    noted = read_origins(step)
    if path is None:
        if noted:
            raise UserError(
                f"step 'supernet' in {workdir.path} was begun with {FLAG} {noted[0].workdir}: give it again "
                f"to go on, or another --workdir, or delete {step.folder} to begin the step anew"
            )
        return None
    if noted and str(path) == noted[0].workdir and not os.path.exists(os.path.expanduser(path)):
        return InitialSupernet(path, noted, open_project(workdir).space)
    initial = _read(path, workdir)
    if noted and noted[0].supernet != initial.origins[0].supernet:
        raise _refused(
            path,
            f"its supernet is not the one that step 'supernet' in {workdir.path} was begun with, that of "
            f"{noted[0].in_words()}; give that, or another --workdir, or delete {step.folder} to begin the "
            "step anew",
        )
    return initial


def read_origins(step: Step) -> tuple[Origin, ...]:
    """What the step "supernet" was begun with, the nearest first; empty where from random weights."""
    path = step.folder / FILE
    return tuple(Origin(**origin) for origin in read_json(path)) if path.exists() else ()


def _read(path: Path, workdir: Workdir) -> InitialSupernet:
    with reading(path, flag=FLAG) as other:
        if other.path.samefile(workdir.path):
            raise UserError("this is --workdir itself; name the work folder of another supernet")
        step = other.step("supernet")
        done = step.require("train_supernet")
        project = open_project(other)
        images = other.step("data").done()["summary"]["train"]
        commit = done["environment"]["commit"]
        nearest = Origin(str(path), done["id"], project.source, images, commit)
        return InitialSupernet(path, (nearest, *read_origins(step)), project.space)


def _refused(path: Path, reason: str) -> UserError:
    return UserError(f"{FLAG} {path}: {reason}")
