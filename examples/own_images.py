"""Your own images, from Python: every step of the main job on a space small enough for about a minute.

    python examples/own_images.py
    python examples/own_images.py --images DIR --workdir runs/mine

DIR holds a folder of images for each class. Without it a few images are drawn: bars that stand, lie or lean.
This is to show the way: for networks worth having, leave the small numbers out.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from hytnas_jax import (
    Workdir,
    export,
    load_pareto,
    measure_latency,
    open_project,
    read_retrained,
    report,
    retrain,
    search,
    train_supernet,
)

SPACE = Path(__file__).with_name("own_space.yaml")
SIDE, IMAGES_A_CLASS = 16, 40
DIRECTIONS = {"standing": (1, 0), "lying": (0, 1), "leaning": (1, 1)}


def main() -> None:
    """Read the two folders from the command line, and go through all steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=Path, help="a folder of images for each class; drawn if not given")
    parser.add_argument("--workdir", type=Path, help="what comes out; thrown away if not given")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        images = flags.images
        if images is None:
            images = draw_images(Path(temporary) / "images", np.random.default_rng(0))
        run(images, flags.workdir or Path(temporary) / "work")


def run(images: Path, workdir: Path) -> None:
    """All steps, and what they have found. The same call again goes on where it was stopped."""
    train_supernet.main(
        train_supernet.Config(workdir, data=str(images), space=str(SPACE), mirror="off", epochs=4)
    )
    measure_latency.main(measure_latency.Config(workdir, networks=10))
    search.main(search.Config(workdir, evaluations=12, initial=8, random_baseline=False))
    retrain.main(retrain.Config(workdir, count=1, epochs=4))
    export.main(export.Config(workdir, formats=("onnx",)))
    report.main(report.Config(workdir))

    project = open_project(Workdir(workdir))
    print(f"\nthe front over {', '.join(project.class_names)}:")
    for point in load_pareto(project):
        values = ", ".join(f"{name} {value:.4g}" for name, value in point.values.items())
        print(f"  {point.architecture.name}: {values}, {point.network['num_parameters']} parameters")
    for network in read_retrained(project.workdir.step("retrain")):
        print(f"retrained {network.name}: test error {network.test_error:.3f}")


def draw_images(folder: Path, rng: np.random.Generator) -> Path:
    """Noisy images of one bar each, in a folder for each direction."""
    for name, (down, right) in DIRECTIONS.items():
        (folder / name).mkdir(parents=True)
        for number in range(IMAGES_A_CLASS):
            pixels = rng.integers(0, 80, (SIDE, SIDE, 3))
            top, left = rng.integers(0, SIDE // 2, 2)
            for step in range(SIDE // 2):
                pixels[top + down * step, left + right * step] = rng.integers(160, 256, 3)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number}.png")
    return folder


if __name__ == "__main__":
    main()
