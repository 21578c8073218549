"""What is told of a detector, and drawn, of outputs made by hand: two classes, 4 x 4 cells."""

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.on_device.drawing import class_colour
from hytnas_jax.tasks.detection import detection

TASK = detection(2)
FIRST, SECOND = [0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]


def output_of(*boxes: tuple[tuple[int, int], int, float]) -> np.ndarray:
    """Raw [4, 4, 6] with a box that reaches a cell and a half from the middle of each of these cells, of a
    class and a logit. Elsewhere nothing is found."""
    output = np.full((4, 4, 6), -9.0, np.float32)
    for (row, column), label, logit in boxes:
        output[row, column, label] = logit
        output[row, column, 2:] = np.log(1.5)
    return output


def targets_of(*images: list[tuple[list[float], int, bool]]) -> dict[str, np.ndarray]:
    boxes, classes = np.zeros((len(images), 3, 4), np.float32), np.full((len(images), 3), -1, np.int32)
    ignored = np.zeros((len(images), 3), bool)
    for row, image in enumerate(images):
        for place, (box, label, is_ignored) in enumerate(image):
            boxes[row, place], classes[row, place], ignored[row, place] = box, label, is_ignored
    return {"boxes": boxes, "classes": classes, "ignored": ignored}


MIDDLE = [0.0, 0.0, 0.75, 0.75]  # around the cell (1, 1)
TARGETS = targets_of(
    [(MIDDLE, 0, False)],
    [(MIDDLE, 0, False), (SECOND, 0, False), (FIRST, 0, True)],
    [],
)
OUTPUTS = np.stack([
    output_of(((1, 1), 0, 3.0)),
    output_of(((1, 1), 0, -2.0)),  # a score of 0.12: counted as found, but not shown
    output_of(),
])  # fmt: skip


def test_what_is_told() -> None:
    told = TASK.examine([(OUTPUTS, TARGETS)])
    assert told.by_image is not None
    np.testing.assert_allclose(told.by_image, [1, 0, np.nan])
    assert told.details["boxes_by_class"] == [3, 0]
    assert told.details["AP_by_class"][1] is None
    # Two of three objects are found, without a mistake.
    assert told.details["AP50"] == pytest.approx(67 / 101)
    recall = told.details["recall"]
    assert recall["by_size"][2] == {"group": "above 1/4", "objects": 3, "found": 2}
    assert recall["by_number_in_image"][0] == {"group": "1 to 2", "objects": 3, "found": 2}


def test_of_one_image_no_deviation_is_known() -> None:
    """JSON has no NaN."""
    told = TASK.examine([(OUTPUTS[:1], {name: array[:1] for name, array in TARGETS.items()})])
    assert np.isnan(told.deviation)
    assert told.details["AP50_deviation"] is None


def drawn(output: np.ndarray | None, row: int, *, side: int = 100) -> np.ndarray:
    """Where the image drawn has the first class's colour."""
    assert TASK.draw is not None
    targets = {name: array[row] for name, array in TARGETS.items()}
    image = TASK.draw(np.full((side, side, 1), 90, np.uint8), output, targets, ["bright", "dark"])
    assert image.size == (300, 300)
    return (np.asarray(image) == class_colour(0)).all(-1)


def test_truth_and_what_is_found_are_drawn() -> None:
    """At three times the side. Truth without its ignored box; what is found from the score of infer.py on."""
    truth = drawn(None, 1)
    assert truth[224, 50:200].all()
    assert truth[298, 160:290].all()
    assert not truth[149, 60:140].any()
    found = drawn(OUTPUTS[0], 0)
    assert found[224, 50:200].all()
    assert not found[230:].any()
    assert not drawn(OUTPUTS[1], 1).any()


def test_decoding_is_that_of_the_script() -> None:
    assert TASK.decode is not None
    boxes, scores, classes = TASK.decode(OUTPUTS[0], 100)  # type: ignore[misc]
    np.testing.assert_allclose(boxes[0], MIDDLE)
    assert (scores[0] > 0.9, classes[0]) == (True, 0)


def test_large_images_are_drawn_as_they_are() -> None:
    assert TASK.draw is not None
    targets = {name: array[2] for name, array in TARGETS.items()}
    image = np.random.default_rng(0).integers(0, 255, (260, 260, 3), dtype=np.uint8)
    found = TASK.draw(image, None, targets, ["bright", "dark"])
    assert isinstance(found, Image.Image)
    np.testing.assert_array_equal(np.asarray(found), image)
