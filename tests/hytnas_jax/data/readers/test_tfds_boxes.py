"""Boxes of TensorFlow Datasets prepared as ArrayRecord."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image
from tiny_tfds import prepare_records

from hytnas_jax.data.readers.chosen_classes import only_classes
from hytnas_jax.data.readers.tfds_boxes import TfdsBoxes

COUNTS = {"train": 6, "validation": 3, "test": 2}


def prepare(data_dir: Path, *, key: str = "objects") -> str:
    """A data set called `tiny`: image i has i % 3 boxes, the first of a cat and the second of a dog crowd."""

    class Tiny(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self) -> tfds.core.DatasetInfo:
            thing = {
                "bbox": tfds.features.BBoxFeature(),
                "label": tfds.features.ClassLabel(names=["cat", "dog"]),
                "is_crowd": np.bool_,
            }
            features = {
                "image": tfds.features.Image(shape=(None, None, 3)),
                key: tfds.features.Sequence(thing),
            }
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
            return {name: self._generate_examples(name, count) for name, count in COUNTS.items()}

        def _generate_examples(self, split: str, count: int) -> Any:
            for index in range(count):
                file = io.BytesIO()
                Image.new("RGB", (12, 9), "grey").save(file, "png")
                file.seek(0)
                box = tfds.features.BBox(ymin=0.1, xmin=0.2, ymax=0.5, xmax=0.8)
                things = [
                    {"bbox": box, "label": number, "is_crowd": number == 1}
                    for number in range(index % 3 if split != "test" else 0)
                ]
                yield index, {"image": file, key: things}

    prepare_records(Tiny, data_dir)
    return str(data_dir)


def test_boxes(tmp_path: Path) -> None:
    source = TfdsBoxes("tiny", version=None, data_dir=prepare(tmp_path))
    assert source.class_names == ("cat", "dog")
    assert source.sizes == {"train": 6, "validation": 3}
    counts = [len(source.boxes("train", n)) for n in range(6)]
    assert sorted(counts) == [0, 0, 1, 1, 2, 2]
    boxes = source.boxes("train", counts.index(2))
    np.testing.assert_allclose(boxes.corners, [[0.2, 0.1, 0.8, 0.5]] * 2)
    assert boxes.classes.tolist() == [0, 1]
    assert boxes.ignored.tolist() == [False, True]
    wanted = [0 if count else 2 for count in counts]
    np.testing.assert_array_equal(source.labels("train", np.arange(6)), wanted)
    rows, every = source.all_boxes("train")
    np.testing.assert_array_equal(rows, np.repeat(np.arange(6), counts))
    assert len(every) == 6
    assert only_classes(source, ("cat",)).labels("train", np.arange(6)).tolist() == [n // 2 for n in wanted]
    with source.openers("train", np.array([0]))[0]() as image:
        assert image.size == (12, 9)


def test_a_data_set_without_objects(tmp_path: Path, refusal: Callable[..., str]) -> None:
    data_dir = prepare(tmp_path, key="faces")
    assert refusal(lambda: TfdsBoxes("tiny", version=None, data_dir=data_dir)) == (
        "DIR/tiny/1.0.0: has no objects, with bbox and label in it (its keys: faces, image); choose a "
        "data set for "
        "detection, or another task"
    )
