"""Frames of one video stay in one split: by hand, and in folders that are loaded."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.data import Dataset, load_dataset
from hytnas_jax.data.videos import is_divided, joined, sources_of, videos_of


def test_groups_by_hand() -> None:
    names = [f"cam{n // 6}_{n:04d}.jpg" for n in range(12)] + ["cam0_9999.jpg"]
    looked_at = np.array([True] * 12 + [False])
    videos = videos_of(names.__getitem__, looked_at)
    assert videos is not None
    assert len(set(videos[:6])) == len(set(videos[6:12])) == 1
    assert len(set(videos)) == 3  # the last one is not looked at, and alone
    assert videos_of([f"{n}.jpg" for n in range(12)].__getitem__, looked_at[:12]) is None
    assert is_divided(np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1])).tolist() == [True, True, False, False]
    both = joined(np.array([0, 0, 1, 2, 3]), np.array([0, 1, 1, 2, 2]))
    assert (len(set(both[:3])), len(set(both[3:])), len(set(both))) == (1, 1, 2)


def test_copies_of_one_image_by_hand() -> None:
    names = ["a_jpg.rf.1.jpg", "b_jpg.rf.2.jpg", "a_jpg.rf.3.jpg", "c.jpg", "a_jpg.rf.4.jpg"]
    groups = sources_of(names.__getitem__, np.array([True] * 4 + [False]))
    assert groups[0] == groups[2]
    assert len(set(groups)) == 4  # the last one is not looked at, and alone


def save_videos(folder: Path, videos: int, frames: int, *, end: str = "") -> Path:
    """Boxes of two classes; a class has things in the first video alone."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(videos * frames):
        name = f"{'abcdefgh'[number // frames]}_{number:04d}{end}.png"
        Image.fromarray(rng.integers(0, 256, (20, 24, 3)).astype(np.uint8)).save(folder / "images" / name)
        images.append({"id": number, "file_name": name, "width": 24, "height": 20})
        category = 1 if number < frames // 2 else 2
        annotations.append(
            {"id": number, "image_id": number, "category_id": category, "bbox": [2, 3, 8, 9], "area": 72}
        )
    categories = [{"id": 1, "name": "rare"}, {"id": 2, "name": "usual"}]
    data = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(data))
    return folder


def splits_of(dataset: Dataset) -> list[set[str]]:
    """For each split the videos that it has frames of."""
    return [{Path(file).name[0] for file in files} for files in dataset.files.values()]


def test_a_video_is_in_one_split(tmp_path: Path) -> None:
    dataset = load_dataset(str(save_videos(tmp_path / "v", 8, 6)), side=16)
    found = splits_of(dataset)
    assert sum(map(len, found)) == len(set().union(*found)) == 8
    assert min(map(len, found)) >= 1
    assert len(dataset.train) > len(dataset.test)
    (told,) = [remark for remark in dataset.remarks if "videos" in remark]
    assert told.startswith("by their names up to the last number, 48 images are frames of 8 videos, e.g. ")
    assert told.endswith("(otherwise: --frames apart)")
    again = load_dataset(str(tmp_path / "v"), side=16, remark=False)
    assert again.files == dataset.files
    assert again.remarks == ()


def test_a_video_as_roboflow_names_it_is_in_one_split(tmp_path: Path) -> None:
    dataset = load_dataset(str(save_videos(tmp_path / "v", 8, 6, end="_jpg.rf.0f1e2d")), side=16)
    found = splits_of(dataset)
    assert sum(map(len, found)) == len(set().union(*found)) == 8


def test_copies_of_an_image_are_in_one_split(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(36):
            pixels = rng.integers(0, 256, (20, 20, 3)).astype(np.uint8)
            name = f"photo{number // 3}_jpg.rf.{number:04x}.png"
            Image.fromarray(pixels).save(tmp_path / label / name)
    dataset = load_dataset(str(tmp_path), side=16)
    sources = [{file.split(".rf.")[0] for file in files} for files in dataset.files.values()]
    assert sum(map(len, sources)) == len(set().union(*sources)) == 24
    assert min(map(len, sources)) >= 2
    assert dataset.kept_together > 0


def test_frames_may_be_told_apart(tmp_path: Path) -> None:
    dataset = load_dataset(str(save_videos(tmp_path / "v", 8, 6)), side=16, frames_together=False)
    assert sum(map(len, splits_of(dataset))) > 8
    assert not [remark for remark in dataset.remarks if "videos" in remark]


def test_two_videos_are_too_few_for_three_splits(tmp_path: Path) -> None:
    dataset = load_dataset(str(save_videos(tmp_path / "v", 2, 10)), side=16)
    assert all(len(split) for split in (dataset.train, dataset.validation, dataset.test))
    (told,) = [remark for remark in dataset.remarks if "videos" in remark]
    assert "in several, since there are too few: errors may be too good there" in told


@pytest.mark.parametrize("frames_together", [True, False])
def test_a_rare_class_does_not_stop_the_splits(tmp_path: Path, frames_together: bool) -> None:
    folder = save_videos(tmp_path / "v", 8, 4)  # two images of the rare class
    dataset = load_dataset(str(folder), side=16, frames_together=frames_together)
    sizes = [len(getattr(dataset, name)) for name in ("train", "validation", "test")]
    assert sum(sizes) == 32
    assert min(sizes) >= 4
