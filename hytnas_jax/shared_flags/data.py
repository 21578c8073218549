"""The flags that say what a work folder is about, shared by the commands that can begin one."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Literal

from hytnas_jax.shared_flags.ranges import MOST_BITS, MOST_IMAGES, MOST_PIXELS, within
from hytnas_jax.shared_flags.task_names import Task

Mirror = Literal["auto", "on", "off"]
Fit = Literal["auto", "crop", "stretch", "pad"]
Stream = Literal["auto", "always", "never"]


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Work folder, images and search space."""

    workdir: Path
    """Folder for everything that is made; the same command again goes on in it."""
    data: str = "digits"
    """Your images: a folder (DIR/train/<class>/*, or DIR/<class>/*; with boxes as COCO, YOLO or Pascal VOC
    have them; or with masks), a .npz file, tfds:NAME, or digits."""
    task: Task | None = None
    """What the networks are for: classification names the class of an image, detection finds objects,
    segmentation names the class of every pixel. If not given: what your folder is recognised as."""
    classes: tuple[str, ...] = ()
    """Of boxes, the classes to find; with --task classification, the question whether an image has one of
    them that covers at least 0.5% of it. Of masks, the classes to tell apart; pixels of others are ignored.
    If not given: all."""
    data_dir: Path | None = None
    """Where TensorFlow Datasets lie prepared; for --data tfds:NAME only."""
    space: str | None = None
    """Search space: hytnas, hytnas-initial, hybrid, hybrid-small, or your own .py or .yaml file. If not
    given: hybrid-small for images of up to 32 pixels, else hybrid."""
    resolutions: Annotated[tuple[int, ...], within(1, MOST_PIXELS)] = ()
    """Input sides in pixels that the search may choose from. If not given: the two largest of the space's
    that your images reach; with boxes or masks up to 128, and more where boxes are small."""
    frames: Literal["auto", "apart"] = "auto"
    """Of detection and segmentation, whether images called as frames of one video (cam1_0001.jpg,
    cam1_0002.jpg, ...) stay in one split. auto: they do where several such groups are found; apart: no."""
    max_images: Annotated[int | None, within(1, MOST_IMAGES)] = None
    """Use at most so many training images, for a quick trial."""
    max_validation: Annotated[int | None, within(1, MOST_IMAGES)] = None
    """Use at most so many validation images, evenly of all classes; they are held in memory. If not given:
    all, and of streamed images 10,000."""
    stream: Stream = "auto"
    """Whether all images are held in memory (never), or each step decodes its own (always). auto: they are
    held where they take no more than half of the memory that is free."""
    skip_corrupt: bool = False
    """Leave out images that cannot be read instead of stopping."""
    fit: Fit = "auto"
    """How images that are not square become so: crop (the middle), stretch, or pad (with black). auto:
    stretch where nearly all have one shape that is clearly not square, else crop."""
    bit_depth: Annotated[int | None, within(1, MOST_BITS)] = None
    """N where integers of more than 8 bits, or floats, are 0 to 2^N-1. If not given: 0 to 65535 or 255, and
    for floats 0 to 1 or 255, as most of your images have it."""
    mirror: Mirror = "auto"
    """Whether training images are mirrored left to right at random. auto: they are, unless the names of the
    classes or of the data set are those of digits, letters, sides (turn_left), arrows or signs, or mirrored
    images look like other classes. It says what it chose."""

    def data_flags(self) -> dict[str, Any]:
        """These flags without the work folder, by name."""
        names = [field.name for field in dataclasses.fields(DataConfig) if field.name != "workdir"]
        return {name: getattr(self, name) for name in names}
