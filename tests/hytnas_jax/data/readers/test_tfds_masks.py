"""Masks of TensorFlow Datasets prepared as ArrayRecord."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image
from tiny_tfds import prepare_records

from hytnas_jax.data import load_dataset
from hytnas_jax.data.readers.open_source import open_source
from hytnas_jax.data.readers.tfds_masks import TfdsMasks

COUNTS = {"train": 9, "test": 3}


def prepare(data_dir: Path, *, key: str = "segmentation_mask", value: int = 3, width: int = 12) -> str:
    """A data set called `tiny`, laid out as Oxford-IIIT Pet: a mask has 1 on the left, 2 on the right, and
    the mask of image 0 of the test split `value` in its first pixel; the first row of all is ignored."""

    class Tiny(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self) -> tfds.core.DatasetInfo:
            features = {
                "image": tfds.features.Image(shape=(None, None, 3)),
                key: tfds.features.Image(shape=(None, None, 1), use_colormap=True),
            }
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
            return {name: self._generate_examples(name, count) for name, count in COUNTS.items()}

        def _generate_examples(self, split: str, count: int) -> Any:
            for index in range(count):
                file = io.BytesIO()
                Image.new("RGB", (12, 9), (20 * index + 100 * (split == "test"),) * 3).save(file, "png")
                file.seek(0)
                mask = np.repeat(np.where(np.arange(width) < 5, 1, 2)[None, :, None], 9, 0).astype(np.uint8)
                mask[0] = 255
                if split == "test" and index == 0:
                    mask[1, 0] = value
                yield index, {"image": file, key: _png(mask[..., 0])}

    prepare_records(Tiny, data_dir)
    return str(data_dir)


def _png(mask: np.ndarray) -> io.BytesIO:
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "png")
    file.seek(0)
    return file


def test_masks(tmp_path: Path) -> None:
    """The classes are the values that occur, by which they are called."""
    source = open_source("tfds:tiny", data_dir=prepare(tmp_path, value=2), task="segmentation")
    assert isinstance(source, TfdsMasks)
    assert (source.class_names, source.are_named, source.sizes) == (("1", "2"), False, COUNTS)
    mask = source.mask("train", 4)
    assert mask.shape == (9, 12)
    assert (mask[0] == 255).all()
    assert (mask[1:, :5] == 0).all()
    assert (mask[1:, 5:] == 1).all()
    assert source.labels("train", np.arange(9)).tolist() == [0] * 9
    data = load_dataset("tfds:tiny", side=None, data_dir=str(tmp_path), task="segmentation")
    assert data.train.targets["mask"].shape == (len(data.train), 9, 9)


def test_some_classes_of_it(tmp_path: Path) -> None:
    data_dir = prepare(tmp_path, value=2)
    source = open_source("tfds:tiny", data_dir=data_dir, task="segmentation", classes=("2", "1"))
    assert source.class_names == ("2", "1")


def test_a_value_that_no_training_mask_has(tmp_path: Path, refusal: Callable[..., str]) -> None:
    source = TfdsMasks("tiny", version=None, data_dir=prepare(tmp_path))
    texts = [refusal(lambda place=place: source.mask("test", place)) for place in _refused(source)]
    assert texts == [
        f"DIR/tiny/1.0.0: test[{place}]: its mask has the value 3, which no training mask looked at has; "
        "prepare the data set again without it"
        for place in _refused(source)
    ]


def _refused(source: TfdsMasks) -> list[int]:
    """Where the one mask with a 3 is; TFDS shuffles."""
    places = []
    for place in range(COUNTS["test"]):
        try:
            source.mask("test", place)
        except Exception:
            places.append(place)
    assert len(places) == 1
    return places


@pytest.mark.parametrize(("key", "width"), [("depth", 12), ("segmentation_mask", 11)])
def test_what_is_no_mask_of_the_images(
    tmp_path: Path, key: str, width: int, refusal: Callable[..., str]
) -> None:
    data_dir = prepare(tmp_path, key=key, width=width)
    if key == "depth":
        said = refusal(lambda: TfdsMasks("tiny", version=None, data_dir=data_dir))
        assert said == (
            "DIR/tiny/1.0.0: has no mask of one channel under segmentation_mask, segmentation_label, "
            "annotation or mask (its keys: depth, image); choose a data set for segmentation, or another task"
        )
        return
    source = TfdsMasks("tiny", version=None, data_dir=data_dir)
    assert refusal(lambda: source.mask("train", 0)) == (
        "DIR/tiny/1.0.0: train[0]: its mask is of 11x9 pixels, the image of 12x9; prepare the data set again "
        "without it"
    )
