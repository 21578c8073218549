"""The report's sections about detectors and segmenters: examples, classes, and what they miss.

Classification has none of them, nor have networks that an earlier version has retrained.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from hytnas_jax.numbers import DASH, fraction, percent
from hytnas_jax.on_device.find_boxes import LEAST
from hytnas_jax.report.page import details, image, paragraph, section, table
from hytnas_jax.report.results import NetworkResult, Results

QUARTERS = ("worst quarter", "second quarter", "third quarter", "best quarter")
MANY_CLASSES = 20  # above, the table is folded
# What an image's quality is, by which its example is chosen.
QUALITIES = {
    "detection": "panoptic quality of the boxes shown",
    "segmentation": "mIoU over the classes in it",
}


def examples_section(results: Results) -> str:
    """Images of the test split with truth and prediction, of the best network and of the smallest one."""
    with_examples = [network for network in results.networks or () if network.examples]
    if not with_examples:
        return ""
    task = results.project.task
    shown = [(with_examples[0], "the best in the test")]
    smallest = min(with_examples, key=lambda network: network.complexity.num_parameters)
    if smallest is not with_examples[0]:
        shown.append((smallest, "the smallest"))
    text = (
        "Images of the test split: on the left what is there, on the right what the network finds. They are "
        "chosen by a rule, so that failures show: of the images with something to find, ordered by their "
        f"quality ({QUALITIES[task.name]}), the middle one of each quarter."
    )
    if task.name == "detection":
        text += f" Boxes are shown from a score of {LEAST} on."
    return section("What is found", paragraph(text), *(_examples(*each) for each in shown))


def classes_section(results: Results) -> str:
    """A row for each class, with its quality in every network."""
    number: Callable[[Any], str]
    if results.project.task.name == "detection":
        what, count, number = "boxes", "boxes_by_class", str
        columns = {"AP_by_class": "AP", "AP50_by_class": "AP50"}
    else:
        what, count, number = "pixels", "share_of_pixels_by_class", percent
        columns = {"IoU_by_class": "IoU"}
    networks = _that_tell(results, count)
    if not networks:
        return ""
    told = [network.retrained.test_details for network in networks]
    rows = [
        [label, number(told[0][count][row]), *(_or_dash(of[key][row]) for of in told for key in columns)]
        for row, label in enumerate(results.project.class_names)
    ]
    headers = ["class", f"test {what}"]
    headers += [f"{network.letter}: {name}" for network in networks for name in columns.values()]
    text = f"On the test split. A dash stands where a class has no {what} there."
    shown = table(headers, rows, num_text=1)
    if len(rows) > MANY_CLASSES:
        shown = details(f"All {len(rows)} classes", shown)
    return section("Class by class", paragraph(text), shown)


def failures_section(results: Results) -> str:
    """Where detectors find least, and which classes segmenters confuse."""
    if results.project.task.name == "detection":
        return _recall_section(results)
    networks = _that_tell(results, "confusions")
    if not networks:
        return ""
    text = "The classes that most pixels of the test split are confused by, with the share of the class."
    names = results.project.class_names
    lines = [paragraph(f"{n.letter}: {_confusions(n, names)}.") for n in networks]
    return section("Where it fails", paragraph(text), *lines)


def _recall_section(results: Results) -> str:
    networks = _that_tell(results, "recall")
    if not networks:
        return ""
    told = networks[0].retrained.test_details["recall"]
    text = (
        "Recall: the part of the test split's objects that are found, by a box of their class with an IoU "
        f"of at least {told['iou']:g} and a score of at least {told['least_score']:g}. The size of an object "
        "is the square root of its area, as a part of the image's side."
    )
    parts = [paragraph(text)]
    for key, what in (("by_size", "size of the object"), ("by_number_in_image", "objects in the image")):
        groups = [network.retrained.test_details["recall"][key] for network in networks]
        rows = [
            [same[0]["group"], str(same[0]["objects"]), *map(_recall, same)]
            for same in zip(*groups, strict=True)
        ]
        headers = [what, "test objects", *(network.letter for network in networks)]
        parts.append(table(headers, rows, num_text=1))
    return section("Where it fails", *parts)


def _examples(network: NetworkResult, why: str) -> str:
    images = []
    for example in network.examples:
        caption = f"{QUARTERS[example.quarter - 1]}: quality {example.quality:.2f}, {example.image}"
        images.append(image(example.png, caption.rstrip(", ")))
    heading = paragraph(f"{network.letter} ({network.retrained.name}), {why}:")
    return f'{heading}<div class="pair">{"".join(images)}</div>'


def _confusions(network: NetworkResult, names: Sequence[str]) -> str:
    found = network.retrained.test_details["confusions"]
    said = [
        f"{names[pair['class']]} taken for {names[pair['taken_for']]}: {percent(pair['share'])} of its pixels"
        for pair in found
    ]
    return "; ".join(said) or "none"


def _recall(group: dict[str, Any]) -> str:
    return percent(group["found"] / group["objects"] if group["objects"] else math.nan)


def _or_dash(value: float | None) -> str:
    return DASH if value is None else fraction(value)


def _that_tell(results: Results, key: str) -> list[NetworkResult]:
    """The networks whose details have that key."""
    return [network for network in results.networks or () if key in network.retrained.test_details]
