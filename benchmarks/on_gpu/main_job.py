"""The main job, shortened so that a call holds it: supernet, latencies, search, and a front retrained.

Each step is the command of that name, in this process. Latencies are those of the host's processor, on which
the networks are to run. Nothing is exported.
"""

import contextlib
import dataclasses
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.common import without_folders
from benchmarks.on_gpu.record import Run
from benchmarks.supernet.speed.device import ALONE, choose_device
from hytnas_jax import console, measure_latency, retrain, search, train_supernet
from hytnas_jax.data.readers.open_source import open_source
from hytnas_jax.data.readers.source import NoSuchSource
from hytnas_jax.files.atomic import read_json
from hytnas_jax.latency.measurements import STEP as LATENCY
from hytnas_jax.retrain.retrained import read_retrained
from hytnas_jax.shared_flags.settings import settings_of
from hytnas_jax.workspace.workdir import Workdir

DIGITS = "digits"
EVERY = 10.0  # seconds, after which the file says how far a training is
TO_RETRAIN_ONE = 90.0  # seconds that are kept for a network that is begun last


@dataclasses.dataclass(frozen=True)
class Images:
    """What the commands read, and why not what was asked for."""

    data: str
    data_dir: str | None
    why: str | None = None

    @property
    def is_asked_for(self) -> bool:
        return self.why is None


def measure(run: Run) -> None:
    """What each step took and came to; while one trains, how far it is."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", ALONE)
    choose_device(run.sizes.device)
    images = images_of(run)
    if images.why is not None:
        console.warn(f"the main job takes digits: {images.why}")
    run.report(
        data=without_folders(Path(images.data)) if "/" in images.data else images.data,
        is_what_was_asked_for=images.is_asked_for,
        why_not=images.why,
    )
    steps: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        workdir = Workdir(Path(folder) / "job")
        for name, make in commands(run, images, workdir.path):
            started, config = time.monotonic(), make()
            with _told(run, name, workdir.path), console.without_next():
                COMMANDS[name].main(config)
            done = workdir.step(STEPS[name]).done()["summary"]
            steps[name] = {
                "seconds": time.monotonic() - started,
                "settings": settings(config),
                "came to": done,
            }
            run.report(steps=steps, under_way=None)
        run.report(networks=[_became(network) for network in read_retrained(workdir.step("retrain"))])


COMMANDS: Mapping[str, Any] = {
    "train_supernet": train_supernet,
    "measure_latency": measure_latency,
    "search": search,
    "retrain": retrain,
}
STEPS = {"train_supernet": "supernet", "measure_latency": LATENCY, "search": "search", "retrain": "retrain"}


def images_of(run: Run) -> Images:
    """Those that were asked for, where they are."""
    data, folder = run.config.data, run.config.data_dir
    data_dir = str(folder) if folder is not None and data.startswith("tfds:") else None
    try:
        open_source(data, data_dir=data_dir)
    except NoSuchSource:
        place = "in --data-dir" if data.startswith("tfds:") else "here"
        return Images(DIGITS, None, f"{Path(data).name} is not {place}")
    except ModuleNotFoundError as error:
        return Images(DIGITS, None, f"{Path(data).name} cannot be read without {error.name}")
    return Images(data, data_dir)


def commands(run: Run, images: Images, workdir: Path) -> list[tuple[str, Callable[[], Any]]]:
    """The steps and their flags: those of the last one hang on the time that is left when it begins."""
    sizes = run.sizes
    usual = sizes.epochs if images.is_asked_for else sizes.epochs_on_digits
    train = train_supernet.Config(
        workdir,
        data=images.data,
        data_dir=None if images.data_dir is None else Path(images.data_dir),
        space=sizes.space,
        resolutions=(sizes.resolution,),
        max_images=sizes.max_images,
        epochs=run.config.epochs or usual,
        batch_size=sizes.batch,
    )
    searched = search.Config(
        workdir,
        evaluations=sizes.evaluations,
        initial=min(search.Config.initial, sizes.evaluations // 2),
        random_baseline=False,
    )

    def retrained() -> retrain.Config:
        return retrain.Config(
            workdir,
            count=sizes.count,
            epochs=sizes.retrain_epochs if images.is_asked_for else sizes.epochs_on_digits,
            batch_size=sizes.batch,
            max_minutes=max(0.1, (run.left() - TO_RETRAIN_ONE) / 60),
        )

    return [
        ("train_supernet", lambda: train),
        ("measure_latency", lambda: measure_latency.Config(workdir, networks=sizes.networks)),
        ("search", lambda: searched),
        ("retrain", retrained),
    ]


def settings(config: Any) -> dict[str, Any]:
    """The flags, without a user's folders."""
    return {name: without_folders(value) for name, value in settings_of(config).items()}


@contextlib.contextmanager
def _told(run: Run, step: str, workdir: Path) -> Iterator[None]:
    """While the step runs, the file says how far its newest training is: the step may be cut."""
    over, started = threading.Event(), time.monotonic()

    def tell() -> None:
        while not over.wait(EVERY):
            run.report(under_way={"step": step, "seconds": time.monotonic() - started, **under_way(workdir)})

    thread = threading.Thread(target=tell, name="under way", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def under_way(workdir: Path) -> dict[str, Any]:
    """The networks that are retrained already, the training whose metrics were written last, and the last of
    them."""
    evaluated = {
        path.parent.name: read_json(path) for path in sorted(workdir.glob("retrain/*/evaluated.json"))
    }
    logs = sorted(workdir.rglob("metrics.jsonl"), key=lambda path: path.stat().st_mtime)
    if not logs:
        return {}
    lines, last = logs[-1].read_text().splitlines(), dict[str, Any]()
    with contextlib.suppress(ValueError, IndexError):  # a line that is half written, or none
        last = json.loads(lines[-1])
    return {"retrained": evaluated, "training": logs[-1].parent.name, **last}


def _became(network: Any) -> dict[str, Any]:
    return {
        "network": network.name,
        "role": network.role,
        "estimates": network.estimates,
        "validation error": network.validation_error,
        "test error": network.test_error,
    }
