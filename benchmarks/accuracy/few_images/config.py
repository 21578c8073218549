"""The flags of `accuracy.few_images`."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Config:
    """Train the same networks on few images in several ways."""

    workdir: Path
    """A work folder for this; it is begun with --data."""
    data: str
    """The images: as --data of train_supernet."""
    init_from: Path | None = None
    """A work folder whose supernet others begin with; without one, augmentations alone are compared."""
    space: str = "hybrid-small"
    """The search space."""
    resolution: int = 24
    """Of all networks, in pixels."""
    sizes: tuple[int, ...] = (50, 200, 1000)
    """Numbers of training images."""
    networks: int = 2
    """How many networks."""
    seeds: int = 3
    """Draws of images, each with trainings of its own."""
    supernet_seeds: int = 2
    """As many of them have supernets,"""
    supernet_sizes: tuple[int, ...] = (50, 200)
    """for these numbers of images."""
    steps: int = 200
    """Steps of a training."""
    supernet_steps: int = 150
    """Steps of a supernet, nearly: whole epochs are taken."""
    batch_size: int = 32
    """Images in a step."""
    learning_rate: float = 1e-2
    """Peak learning rate of networks and supernets; the networks' weight decay is 0.1."""
    name: str = "few_images"
    """Of the result file."""
