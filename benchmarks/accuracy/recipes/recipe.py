"""The recipes that are compared."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How networks are trained; the defaults are those of the product before this was measured.

    batch: as a part of the usual number of images in a step. decay: of kernels, times the learning rate.
    """

    optimizer: str = "adam"
    rate: float = 3e-3
    decay: float = 1e-2
    smoothing: float = 0.1
    clip: float = 1.0
    batch: float = 1.0
    crop: bool = True
    schedule: str = "cosine"
    warmup: int = 50
    ema: float = 0.99

    def rates(self, steps: int) -> np.ndarray:
        """Learning rates [steps]: a linear warm-up from a tenth, then down to zero."""
        number = np.arange(steps)
        warmup = min(self.warmup, max(1, steps // 5))
        done = np.clip((number - warmup) / max(1, steps - warmup), 0, 1)
        fall = {"cosine": (1 + np.cos(np.pi * done)) / 2, "linear": 1 - done}
        return self.rate * np.where(number < warmup, 0.1 + 0.9 * number / warmup, fall[self.schedule])


RECIPES = {
    "as it was": Recipe(),
    "rate 1e-2": Recipe(rate=1e-2),
    "rate 2e-2": Recipe(rate=2e-2),
    "rate 4e-2": Recipe(rate=4e-2),
    "rate 1e-2, decay 0.1": Recipe(rate=1e-2, decay=0.1),
    "rate 2e-2, decay 0.1": Recipe(rate=2e-2, decay=0.1),
    "rate 4e-2, decay 0.1": Recipe(rate=4e-2, decay=0.1),
    "rate 2e-2, decay 0.5": Recipe(rate=2e-2, decay=0.5),
    "rate 2e-2, decay 0.1, no crop": Recipe(rate=2e-2, decay=0.1, crop=False),
    "rate 2e-2, decay 0.1, labels not smoothed": Recipe(rate=2e-2, decay=0.1, smoothing=0.0),
    "rate 2e-2, decay 0.1, linear": Recipe(rate=2e-2, decay=0.1, schedule="linear"),
    "rate 2e-2, decay 0.1, half the batch": Recipe(rate=2e-2, decay=0.1, batch=0.5),
    "rate 2e-2, decay 0.1, clipped at 10": Recipe(rate=2e-2, decay=0.1, clip=10.0),
    "Nesterov AdamW, rate 2e-2, decay 0.1": Recipe("nadam", rate=2e-2, decay=0.1),
    "SGD with momentum, rate 0.3": Recipe("momentum", rate=0.3, decay=5e-4, clip=100.0),
    "Muon, rate 3e-2": Recipe("muon", rate=3e-2),
    "Prodigy": Recipe("prodigy", rate=1.0),
}
