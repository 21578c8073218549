"""The flags that say what a work folder is about, shared by the commands that can begin one."""

import dataclasses
from pathlib import Path
from typing import Any, Literal

Mirror = Literal["auto", "on", "off"]


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Work folder, pictures and search space."""

    workdir: Path
    """Folder for everything that is made; the same command again goes on in it."""
    data: str = "digits"
    """Your pictures: a folder (DIR/train/<class>/*, or DIR/<class>/*), a .npz file, tfds:NAME, or digits."""
    data_dir: Path | None = None
    """Where TensorFlow Datasets lie prepared; for --data tfds:NAME only."""
    space: str | None = None
    """Search space: hytnas, hytnas-initial, hybrid, hybrid-small, or your own .py or .yaml file. If not
    given: hybrid-small for pictures of up to 32 pixels, else hybrid."""
    resolutions: tuple[int, ...] = ()
    """Input sides in pixels that the search may choose from. If not given: the two largest of the space's
    that your pictures reach."""
    max_pictures: int | None = None
    """Use at most so many training pictures, for a quick trial."""
    skip_corrupt: bool = False
    """Leave out pictures that cannot be read instead of stopping."""
    mirror: Mirror = "auto"
    """Whether training pictures are mirrored left to right at random. auto: they are, unless the names of the
    classes or of the data set are those of digits, letters, sides (turn_left), arrows or signs, or mirrored
    pictures look like other classes. It says what it chose."""

    def data_flags(self) -> dict[str, Any]:
        """These flags without the work folder, by name."""
        names = [field.name for field in dataclasses.fields(DataConfig) if field.name != "workdir"]
        return {name: getattr(self, name) for name in names}
