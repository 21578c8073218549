"""Images that are decoded in each step: the same ones, to the last bit, as those that are held."""

import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_tasks import save_boxes, save_masks
from photographs import photographs, recompressed
from PIL import Image
from tiny_tfds import prepare

from hytnas_jax.data import Dataset, hold_or_stream, load_dataset, loading, opening
from hytnas_jax.data.labelled import channel_statistics
from hytnas_jax.data.readers.folder import FolderSource
from supernet.errors import UserError

Make = Callable[[Path], dict[str, Any]]


def save_folder(path: Path) -> dict[str, Any]:
    """Two classes; among them are copies, which are put into one split."""
    for seed, label in enumerate(("cat", "dog")):
        (path / label).mkdir(parents=True)
        for number, image in enumerate(photographs(30, side=24, seed=seed)):
            Image.fromarray(image).save(path / label / f"{number:02}.png")
            if number % 3 == 0:
                Image.fromarray(image[:, ::-1]).save(path / label / f"{number:02}m.png")
                Image.fromarray(recompressed(image)).save(path / label / f"{number:02}c.png")
    return {"source": str(path)}


def save_given_splits(path: Path) -> dict[str, Any]:
    for split in ("train", "val", "test"):
        save_folder(path / split)
    return {"source": str(path)}


SOURCES: dict[str, Make] = {
    "folder": save_folder,
    "given splits": save_given_splits,
    "tfds": lambda path: {"source": "tfds:tiny", "data_dir": prepare(path)},
    "boxes": lambda path: {"source": str(save_boxes(path))},
    "masks": lambda path: {"source": str(save_masks(path))},
    "digits": lambda path: {"source": "digits", "max_images": 100},
}


def both(given: dict[str, Any], **options: Any) -> tuple[Dataset, Dataset]:
    """Held and streamed."""
    options = {"side": 20, "seed": 3, **given, **options}
    return load_dataset(**options), load_dataset(**options, stream="always")


@pytest.mark.parametrize("kind", SOURCES)
def test_they_are_those_that_are_held(tmp_path: Path, kind: str) -> None:
    held, streamed = both(SOURCES[kind](tmp_path / "data"))
    assert streamed.splits_to_json() == held.splits_to_json()
    assert streamed.remarks == held.remarks
    assert streamed.kept_together == held.kept_together
    assert (kind == "folder") == bool(held.kept_together)
    assert (held.are_streamed, streamed.are_streamed) == (False, True)
    assert not streamed.validation.are_streamed
    for split in ("train", "validation", "test"):
        ours, theirs = getattr(streamed, split), getattr(held, split)
        rows = np.random.default_rng(0).integers(0, len(theirs), 3 * len(theirs))
        for part, expected in ((ours.held(), theirs), (ours.take(rows), theirs.take(rows))):
            np.testing.assert_array_equal(part.images, expected.images)
            np.testing.assert_array_equal(part.labels, expected.labels)
            assert part.targets.keys() == expected.targets.keys()
            for name, values in expected.targets.items():
                np.testing.assert_array_equal(part.targets[name], values)
                assert part.targets[name].dtype == values.dtype


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Dataset, Dataset]:
    return both(save_folder(tmp_path / "data"))


@pytest.mark.parametrize(
    "key",
    [
        *(4, -1, np.int64(2), slice(None), slice(2, 9, 3), slice(-3, None), [1, -1, 1], []),
        *(np.array([7, 0]), np.arange(40) % 3 == 0),
    ],
    ids=str,
)
def test_rows_are_taken_as_of_an_array(pair: tuple[Dataset, Dataset], key: Any) -> None:
    held, streamed = (dataset.train.images for dataset in pair)
    if isinstance(key, np.ndarray) and key.dtype == bool:
        key = np.resize(key, len(held))
    np.testing.assert_array_equal(streamed[key], held[key])


def test_what_is_no_row_is_refused(pair: tuple[Dataset, Dataset]) -> None:
    for dataset in pair:
        images = dataset.train.images
        for key in (len(images), -len(images) - 1, [0, len(images)]):
            with pytest.raises(IndexError):
                _ = images[key]
    assert len(list(pair[1].train.images)) == len(pair[0].train)


def test_they_tell_what_they_would_take_and_are_never_held_by_mistake(pair: tuple[Dataset, Dataset]) -> None:
    held, streamed = (dataset.train.images for dataset in pair)
    assert (streamed.shape, streamed.dtype, streamed.nbytes) == (held.shape, held.dtype, held.nbytes)
    with pytest.raises(TypeError, match="not held in memory: take rows"):
        np.asarray(streamed)


def test_another_process_reads_them_too(tmp_path: Path, pair: tuple[Dataset, Dataset]) -> None:
    held, streamed = pair
    sent = pickle.dumps(streamed)
    assert len(sent) < len(pickle.dumps(held)) / 2
    (tmp_path / "sent").write_bytes(sent)
    np.save(tmp_path / "held.npy", held.train.images)
    check = (
        "import numpy, pickle, sys; dataset = pickle.load(open(sys.argv[1], 'rb'));"
        "assert (dataset.train.images[:] == numpy.load(sys.argv[2])).all()"
    )
    subprocess.run(
        [sys.executable, "-c", check, str(tmp_path / "sent"), str(tmp_path / "held.npy")], check=True
    )


def test_an_image_that_has_changed_is_named(tmp_path: Path, pair: tuple[Dataset, Dataset]) -> None:
    streamed = pair[1].train
    first, second, third = (tmp_path / "data" / streamed_file for streamed_file in pair[1].files["train"][:3])
    with Image.open(second) as image:
        other = np.asarray(image) ^ 1
    Image.fromarray(other).save(second)
    third.unlink()
    streamed.take(np.array([0, 3]))
    first.touch()
    streamed.take(np.array([0]))
    with pytest.raises(UserError) as changed:
        streamed.take(np.array([0, 1]))
    assert str(changed.value) == (
        f"data: the image {pair[1].files['train'][1]} has changed since it was first read; restore it, or "
        "begin another --workdir"
    )
    with pytest.raises(UserError, match=r"can no longer be read \(.*No such file.*\); restore it, or begin"):
        streamed.take(np.array([2]))


def test_a_mask_that_has_changed_is_named(tmp_path: Path) -> None:
    _, streamed = both({"source": str(save_masks(tmp_path / "data"))})
    path = tmp_path / "data" / "masks" / Path(streamed.files["train"][0]).name
    with Image.open(path) as mask:
        turned = np.asarray(mask)[::-1]
    Image.fromarray(turned).save(path)
    with pytest.raises(UserError, match=rf"the mask of {streamed.files['train'][0]} has changed since"):
        streamed.train.take(np.array([0]))


def test_a_corrupt_file(tmp_path: Path) -> None:
    given = save_folder(tmp_path / "data")
    (tmp_path / "data" / "cat" / "07.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"the image cat/07\.png cannot be read .*--skip-corrupt"):
        load_dataset(**given, side=20, stream="always")
    with pytest.warns(UserWarning, match=r"skipped 1 image that cannot be read: cat/07\.png"):
        held, streamed = both(given, skip_corrupt=True)
    assert streamed.skipped == ("cat/07.png",)
    assert streamed.splits_to_json() == held.splits_to_json()
    np.testing.assert_array_equal(streamed.train.images[:], held.train.images)


def test_statistics_are_those_of_the_images_that_train_in_the_end(pair: tuple[Dataset, Dataset]) -> None:
    """Copies were moved out of the training split, and into it."""
    assert (pair[1].mean, pair[1].std) == channel_statistics(pair[1].train.images)


def test_the_decision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = save_folder(tmp_path / "data")  # 100 images, of 120,000 bytes at this side
    needed = 100 * 20 * 20 * 3
    for free, is_streamed in ((2 * needed, False), (2 * needed - 2, True), (None, False)):
        monkeypatch.setattr(hold_or_stream, "available_memory", lambda free=free: free)
        monkeypatch.setattr(loading, "available_memory", lambda free=free: free)
        assert load_dataset(**given, side=20, stream="auto").are_streamed == is_streamed
        said = capsys.readouterr().out
        assert said == is_streamed * (
            "100 images of 20x20x3 are 0.1 MB, of 0.2 MB that are free 0.1 MB may be used: each step decodes "
            "its own images\n"
        )
    monkeypatch.setattr(loading, "available_memory", lambda: needed - 1)
    with pytest.raises(UserError, match=r"100 images of 20x20x3 need .*--max-images.*--stream always"):
        load_dataset(**given, side=20, stream="never")
    assert load_dataset(**given, side=20, stream="always").are_streamed
    assert "(--stream always); held, 100 images of 20x20x3 would be 0.1 MB" in capsys.readouterr().out
    with pytest.raises(UserError, match="stream='often'"):
        load_dataset(**given, side=20, stream="often")  # type: ignore[arg-type]


def test_it_is_said_before_anything_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given, said = save_folder(tmp_path / "data"), list[str]()
    read_image = loading.read_image

    def read(*given: Any) -> np.ndarray:
        said.append(capsys.readouterr().out)
        return read_image(*given)

    monkeypatch.setattr(loading, "read_image", read)
    load_dataset(**given, side=8, stream="always")
    assert said[0].startswith("each step decodes its own images")


def test_an_archive_is_read_as_a_whole_anyway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "data.npz", images=photographs(20, side=8), labels=np.arange(20) % 2)
    monkeypatch.setattr(hold_or_stream, "available_memory", lambda: 5000)
    monkeypatch.setattr(loading, "available_memory", lambda: 5000)
    assert not load_dataset(str(tmp_path / "data.npz"), side=8, stream="auto").are_streamed


@pytest.mark.parametrize("save", [save_folder, save_given_splits])
def test_the_validation_split_is_capped(tmp_path: Path, save: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evenly over the classes, the same each time; a carved one leaves the others to training."""
    given = save(tmp_path / "data")
    whole, held, streamed = load_dataset(**given, side=20, seed=3), *both(given, max_validation=8)
    monkeypatch.setattr(opening, "MOST_VALIDATION", 8)
    by_default = load_dataset(**given, side=20, seed=3, stream="always")
    for dataset in (streamed, by_default):
        assert dataset.splits_to_json() == held.splits_to_json()
    assert len(whole.validation) >= 16
    if save is save_given_splits:
        assert np.bincount(held.validation.labels).tolist() == [4, 4]
        assert held.files["train"] == whole.files["train"]
        assert set(held.files["validation"]) < set(whole.files["validation"])
    else:
        np.testing.assert_allclose(np.bincount(held.validation.labels), 4, atol=2)  # copies are not parted
        assert len(held.train) > len(whole.train)
    with pytest.raises(UserError, match="max_validation=1: wanted at least 2, one for each class"):
        load_dataset(**given, side=20, max_validation=1)


# In a process of its own: the memory of all threads is traced, and other tests have left some.
READING = """
import os, sys, tracemalloc
import numpy as np
from hytnas_jax.data import load_dataset
os.cpu_count = lambda: 1  # threads would reach their peaks together or not
for folder in sys.argv[1:]:
    tracemalloc.start()
    images = load_dataset(folder, side=64, stream="always", max_validation=10).train
    for start in range(0, len(images), 32):
        images.take(np.arange(start, min(start + 32, len(images))))
    print("peak", tracemalloc.get_traced_memory()[1], images.images.nbytes)
    tracemalloc.stop()
"""


def test_memory_does_not_grow_with_the_images(tmp_path: Path) -> None:
    """Neither when they are first read nor when batches are taken; imports do not count."""
    counts = (40, 150, 600)
    for count in counts:
        for seed, label in enumerate(("cat", "dog")):
            (tmp_path / str(count) / label).mkdir(parents=True)
            for number, image in enumerate(photographs(count, side=16, seed=seed)):
                Image.fromarray(image).save(tmp_path / str(count) / label / f"{number}.png")
    command = [sys.executable, "-c", READING, *(str(tmp_path / str(count)) for count in counts)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    lines = [line.split() for line in told.splitlines() if line.startswith("peak")]
    peaks, held = ([int(line[column]) for line in lines[1:]] for column in (1, 2))
    assert peaks[1] - peaks[0] < (held[1] - held[0]) / 4


def test_every_image_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first look at their headers; the validation split once more, to be held."""
    for split in ("train", "val", "test"):
        for seed, label in enumerate(("cat", "dog")):
            (tmp_path / split / label).mkdir(parents=True)
            for number, image in enumerate(photographs(4, side=24, seed=10 * len(split) + seed)):
                Image.fromarray(image).save(tmp_path / split / label / f"{number}.png")
    opened: list[tuple[str, int]] = []
    openers = FolderSource.openers

    def counted(self: FolderSource, split: Any, positions: np.ndarray) -> Any:
        opened.extend((split, int(position)) for position in positions)
        return openers(self, split, positions)

    monkeypatch.setattr(FolderSource, "openers", counted)
    load_dataset(str(tmp_path), side=20, stream="always")
    times = {"train": 2, "validation": 2, "test": 1}
    assert Counter(opened) == {(split, row): times[split] for split in times for row in range(8)}
