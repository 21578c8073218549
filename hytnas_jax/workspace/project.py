"""What a work folder is about: one data set and one search space, fixed by the first command."""

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from hytnas_jax import console
from hytnas_jax.data import Dataset, LabelledImages, Looked, Place, Task, Wish, prepare
from hytnas_jax.files.atomic import read_json
from hytnas_jax.numbers import counted
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.tasks import VisionTask, vision_task, with_head
from hytnas_jax.workspace.known_images import KnownImages
from hytnas_jax.workspace.mirroring import mirroring_of
from hytnas_jax.workspace.resolutions import resolutions_for
from hytnas_jax.workspace.space_file import load_space
from hytnas_jax.workspace.workdir import Step, Workdir
from supernet.architecture import Architecture
from supernet.named import named_network, with_dense_head
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.spaces import built_in_space, space_from_mapping, space_to_mapping
from supernet.tasks.segmentation import class_weights_of

SMALL_IMAGES = 32  # pixels; up to here the default space is hybrid-small


@dataclasses.dataclass(frozen=True)
class Project:
    """A work folder's space and data; the images themselves are loaded by `dataset`."""

    workdir: Workdir
    space: SearchSpace
    class_names: tuple[str, ...]
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mirror: bool
    source: str
    task_name: Task = "classification"
    class_weights: tuple[float, ...] = ()  # for segmentation

    @property
    def task(self) -> VisionTask:
        """What networks are for; the same each time. It cannot be sent to other processes, a project can."""
        return vision_task(self.task_name, self.num_classes, self.class_weights)

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def done_id(self) -> str:
        """What the next steps note as their input: another data set has another one."""
        return self.workdir.step("data").done()["id"]

    @property
    def num_training_images(self) -> int:
        return self.workdir.step("data").done()["summary"]["train"]

    def to_spec(self, architecture: Architecture) -> NetworkSpec:
        """The stand-alone network of an architecture for this data."""
        return self.space.network_spec(architecture, num_classes=self.num_classes, channels=self.channels)

    def published(self, name: str, resolution: int) -> NetworkSpec:
        """A published network for this data, with the head of the space where that is a dense one.

        Raises UserError for an unknown name, and images that the network cannot take.
        """
        spec = named_network(
            name, num_classes=self.num_classes, resolution=resolution, channels=self.channels
        )
        head = self.space.dense_head
        if head is None:
            return spec
        return with_dense_head(spec, stride=head.stride, box_channels=head.box_channels)

    def dataset(self) -> Dataset:
        """The images, read again. Raises UserError where they are not those the work began with."""
        return KnownImages(self.workdir.step("data")).load()

    def prepared(self, images: LabelledImages, resolution: int, *, multiple_of: int = 1) -> np.ndarray:
        """All images as a network of that resolution takes them: float32 [N, R, R, C], of which the last ones
        are 0 where N is a multiple of more."""
        count = -(-len(images) // multiple_of) * multiple_of
        prepared = np.zeros((count, resolution, resolution, self.channels), np.float32)
        for rows in np.array_split(np.arange(len(images)), -(-len(images) // 512)):
            own = slice(rows[0], rows[-1] + 1)
            part = jnp.asarray(images.images[own])
            prepared[own] = prepare(part, resolution=resolution, mean=self.mean, std=self.std)
        return prepared


def create_project(
    workdir: Workdir,
    flags: DataConfig,
    *,
    seed: int,
    space_for: Callable[[SearchSpace | None], SearchSpace] | None = None,
) -> tuple[Project, Dataset]:
    """Fix the work folder's data and space, or check that they are the ones it has.

    The images may lie elsewhere than before: their content is what is checked.

    Args:
      workdir: the work folder.
      flags: the data and the space.
      seed: of the splits.
      space_for: gives the space for the one that the flags name, or for None.

    Raises:
      UserError: for unusable data or space, and for values other than those of an earlier call.
    """
    step, place = workdir.step("data"), Place.of(flags.data, flags.data_dir)
    known = KnownImages(step)
    looked = known.look(place, flags.task, flags.classes)
    native, task = known.native_side(looked, fit=flags.fit), flags.task or known.task(looked)
    _say_task(flags, looked)
    named = None if flags.space is None else load_space(flags.space)
    if space_for is not None:
        named = space_for(named)
    chosen = named or built_in_space("hybrid-small" if native <= SMALL_IMAGES else "hybrid")
    chosen = with_head(chosen, task, is_declared=flags.space is not None)
    chosen = chosen.with_resolutions(
        flags.resolutions or known.resolutions(chosen) or resolutions_for(chosen, looked, native)
    )
    # What has been there before there were other tasks goes without saying.
    of_task = {} if task == "classification" else {"task": task}
    settings = {
        **of_task,
        **({"classes": list(flags.classes)} if flags.classes else {}),
        **({"frames": flags.frames} if flags.frames != "auto" else {}),
        **({} if flags.max_validation is None else {"max_validation": flags.max_validation}),
        **dataclasses.asdict(place),
        "max_images": flags.max_images,
        "skip_corrupt": flags.skip_corrupt,
        "fit": flags.fit,
        "bit_depth": flags.bit_depth,
        "mirror": mirroring_of(step, flags.mirror, place, looked, Wish(flags.fit, flags.bit_depth)).setting,
        "seed": seed,
        "side": min(max(chosen.resolution), native),
        "space": space_to_mapping(chosen),
    }
    dataset = known.begin(settings, looked, flags.stream)
    return open_project(workdir), dataset


def open_project(workdir: Workdir) -> Project:
    """The project of a work folder. Raises UserError where `train_supernet` has not begun it.

    Examples:
      >>> from pathlib import Path
      >>> from hytnas_jax import Workdir, open_project
      >>> project = open_project(Workdir(Path("runs/mine")))
      >>> project.class_names, project.space.name
      (('leaning', 'lying', 'standing'), 'own')
    """
    step: Step = workdir.step("data")
    step.require("train_supernet")
    settings = read_json(step.folder / "settings.json")["settings"]
    splits = read_json(step.folder / "splits.json")
    pixels = splits.get("class_pixels")
    return Project(
        workdir,
        space_from_mapping(settings["space"]),
        tuple(splits["class_names"]),
        len(splits["mean"]),
        tuple(splits["mean"]),
        tuple(splits["std"]),
        settings["mirror"] == "on",
        Place(settings["data"], None).title,
        splits.get("task", "classification"),
        class_weights_of(pixels) if pixels else (),
    )


def _say_task(flags: DataConfig, looked: Looked | None) -> None:
    """What a folder was recognised as, where nobody has said it."""
    if looked is not None and flags.task is None and looked.source.task != "classification":
        names = looked.source.class_names
        console.say(
            f"recognised as {looked.source.task} of {counted(len(names), 'class', 'classes')} (otherwise: "
            "--task; some classes only: --classes)"
        )
