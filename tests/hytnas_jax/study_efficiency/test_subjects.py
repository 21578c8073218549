"""What is measured: names, models that run, and what their labels say."""

from collections import Counter

import pytest
from made_up_times import PLAN

from hytnas_jax.on_device.measure import OnnxModel, load
from hytnas_jax.study_efficiency.subjects import BATCH, attention_blocks, operations, published
from supernet.named import NAMES
from supernet.operations import Graph


def test_every_subject_has_its_own_name() -> None:
    subjects = PLAN.subjects()
    assert len({subject.name for subject in subjects}) == len(subjects)
    # 11 pairs of embedding and heads, of which 9 are combinations of either naming, times 3 * 3 * 3.
    expected = {"networks": 2 * len(NAMES), "operations": 7 * 4 * 5, "attention": 11 * 27, "space": 12}
    assert Counter(subject.part for subject in subjects) == expected


def test_a_network_that_cannot_have_such_images_is_left_out() -> None:
    names = {s.name for s in published(resolution=40, num_classes=2, channels=3) if s.batch == 1}
    assert set(NAMES) - names == {"vit-tiny"}


def test_labels_say_what_a_block_is() -> None:
    block = next(s for s in attention_blocks() if s.name == "attention-64-2-4-8-1")
    assert block.labels == {"embed": 64, "heads": 2, "ffn_ratio": 4, "patch": 8, "depth": 1}
    assert isinstance(block.what, Graph)
    shapes = {op.name.removeprefix("blocks/0/"): op.shape for op in block.what.ops}
    assert shapes["layers/0/ffn_in"] == (64, 16, 256)  # 8x8 pixels of 4x4 patches; FFN 4 * 64
    assert shapes["layers/0/scores"] == (64, 2, 16, 16)
    assert "layers/1/scores" not in shapes


def test_operations_have_the_side_and_channels_of_their_labels() -> None:
    for subject in operations():
        assert isinstance(subject.what, Graph)
        *pixels, channels = subject.what.input_shape
        assert pixels[0] * pixels[1] == subject.labels["side"] ** 2
        assert channels == subject.labels["channels"]


@pytest.mark.parametrize("name", ["hyt-nas-bl", "attention-32-1-1-2-1", "conv3x3-8-16", "attention-8-16"])
def test_models_run(name: str) -> None:
    subject = next(s for s in PLAN.subjects() if s.name == name)
    load(subject.model("onnxruntime")).run_once()


def test_several_images_at_once_are_for_onnx_runtime_alone() -> None:
    subject = next(s for s in PLAN.subjects() if s.name == f"hyt-nas-bl-batch{BATCH}")
    model = load(subject.model("onnxruntime"))
    assert isinstance(model, OnnxModel)
    assert model.session.get_inputs()[0].shape == [BATCH, 32, 32, 3]
    model.run_once()
    assert not subject.runs_in("tflite")
