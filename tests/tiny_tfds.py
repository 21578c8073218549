"""A small data set of TensorFlow Datasets, prepared as ArrayRecord."""

import io
from pathlib import Path
from typing import Any
from unittest import mock

import tensorflow_datasets as tfds
from PIL import Image

SPLITS = {"train_quality": 8, "train_large": 20, "validation": 4}


def prepare(
    data_dir: Path, *, version: str = "1.0.0", label_key: str = "person", unlabelled_test: bool = False
) -> str:
    """A data set called `tiny`, with the layout of wake_vision: image i is 12x9 and of the grey 10 i."""

    class Tiny(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version(version)

        def _info(self) -> tfds.core.DatasetInfo:
            features = {
                "image": tfds.features.Image(shape=(None, None, 3)),
                label_key: tfds.features.ClassLabel(names=["No", "Yes"]),
            }
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
            splits = {name: self._generate_examples(count) for name, count in SPLITS.items()}
            if unlabelled_test:
                splits["test"] = self._generate_examples(3, label=-1)
            return splits

        def _generate_examples(self, count: int, label: int | None = None) -> Any:
            for index in range(count):
                file = io.BytesIO()
                Image.new("RGB", (12, 9), (10 * index,) * 3).save(file, "png")
                file.seek(0)
                yield index, {"image": file, label_key: index % 2 if label is None else label}

    prepare_records(Tiny, data_dir)
    return str(data_dir)


def prepare_records(builder: type[tfds.core.GeneratorBasedBuilder], data_dir: Path) -> None:
    """Without asking Google's bucket what is known of the data set, which leaves a folder in /tmp."""
    with mock.patch.object(tfds.core.DatasetInfo, "initialize_from_bucket", return_value=None):
        builder(data_dir=str(data_dir), file_format="array_record").download_and_prepare()
