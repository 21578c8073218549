"""Whether images may be mirrored: what names say, what images say, and both of a data set."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from arrows import arrows, save_arrows
from PIL import Image
from sklearn.datasets import load_digits

from hytnas_jax.data import Mirroring, Wish, decide_mirroring, first_look
from hytnas_jax.data.mirror_images import reason_in_images
from hytnas_jax.data.mirror_names import reason_in_names
from supernet.errors import UserError


@pytest.mark.parametrize(
    ("class_names", "reason"),
    [
        ("turn_left straight", "'turn_left' names a side"),
        ("TurnRight Other", "'TurnRight' names a side"),
        ("arrow-up arrow-down", "'arrow-up' names a side"),
        ("Links Rechts", "'Links' names a side"),
        ("gauche haut", "'gauche' names a side"),
        ("左折 直进", "'左折' names a side"),
        ("counter-clockwise other", "'counter-clockwise' names a side"),
        ("turnleft turnright", "'turnleft' and 'turnright' are each other's mirror image"),
        ("facing_east facing_west", "'facing_east' and 'facing_west' are"),
        ("hand_l hand_r", "'hand_l' and 'hand_r' are"),
        ("cw ccw", "'cw' and 'ccw' are"),
        ("0 1 2 3 4 5 6 7 8 9", "0 to 9"),
        ("zero one two three four five six seven eight nine", "0 to 9"),
        ("3_three 5_five", "single characters, such as 3, 5"),
        ("digit_2 digit_5", "single characters, such as 2, 5"),
        ("b d", "single characters, such as b, d"),
        ("p q other", "single characters, such as p, q"),
        ("upper_A lower_b", "single characters, such as A, b"),
        ("あ い", "single characters"),
        ("0 1 A", "single characters"),
        ("text no_text", "'text' is writing"),
        ("photo handwritten", "'handwritten' is writing"),
        ("stop_sign yield_sign", "'stop_sign' are signs"),
        ("Speed-limit-30 other", "'Speed-limit-30' is a sign"),
    ],
)
def test_class_names_that_mirroring_changes(class_names: str, reason: str) -> None:
    assert reason in (reason_in_names("images", class_names.split()) or "")


@pytest.mark.parametrize(
    "class_names",
    [
        "",  # a .npz without class_names
        "cat dog",
        "bright upright copyright leftover",  # words within words
        "0 1",  # no and yes
        "0 1 2 3 4",  # grades
        " ".join(map(str, range(100))),
        "c0 c1 c2 c3",
        "class_1 class_2",
        " ".join(f"type_{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),  # l and r, e and w
        "west_highland_terrier beagle",
        "猫 犬",  # words of one sign
        "stop_sign car person dog",
        "letter_opener corkscrew text_marker",
        "no_person person",
    ],
)
def test_class_names_that_say_nothing(class_names: str) -> None:
    assert reason_in_names("images", class_names.split()) is None


@pytest.mark.parametrize(
    ("data_set", "is_told"),
    [
        ("mnist", True),
        ("emnist/letters", True),
        ("MNIST-5k", True),
        ("svhn_cropped", True),
        ("visual_domain_decathlon/gtsrb", True),
        ("traffic_signs", True),
        ("my-digits", True),
        ("fashion_mnist", False),
        ("FashionMNIST", False),
        ("cifar10", False),
        ("wake_vision", False),
        ("sign_language", False),
    ],
)
def test_names_of_data_sets(data_set: str, is_told: bool) -> None:
    assert (reason_in_names(data_set, ["1", "2"]) is not None) == is_told


def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    return np.rint(images.reshape(-1, 8, 8, 1) * 255 / 16).astype(np.uint8)[:600], labels[:600]


def test_digits_and_arrows_look_like_other_classes_once_mirrored() -> None:
    names = [f"class {n}" for n in range(10)]
    assert "mirrored images look like other classes: of 600, " in (reason_in_images(*digits(), names) or "")
    assert reason_in_images(*arrows(30), names) is not None


def test_two_classes_of_many_that_mirroring_exchanges_are_found() -> None:
    """All but two of 20 classes are bars of a height and a brightness of their own."""
    rng = np.random.default_rng(0)
    images, labels = arrows(12)
    bars = np.zeros((18 * 12, 16, 16, 3), np.uint8)
    bar_labels = np.repeat(np.arange(2, 20), 12)
    for bar, label in zip(bars, bar_labels, strict=True):
        start = 3 * (label % 5)
        bar[start : start + 1 + label // 5] = 120 + rng.integers(0, 20, (16, 3))
    names = ["one side", "other side", *map(str, range(18))]
    mixed = np.concatenate([images, bars]), np.concatenate([labels, bar_labels])
    said = "mirrored images of 'one side' look like 'other side', and the other way round"
    assert reason_in_images(*mixed, names) == said
    assert reason_in_images(bars, bar_labels - 2, names) is None


@pytest.mark.parametrize("count", [2, 20, 300])
@pytest.mark.parametrize("num_classes", [2, 10])
def test_images_without_a_side_give_no_alarm(count: int, num_classes: int) -> None:
    """Noise, of which nothing can be told, and blobs, which are known and lie on either side."""
    rng = np.random.default_rng(count)
    labels = np.arange(count * num_classes) % num_classes
    noise = rng.integers(0, 256, (len(labels), 16, 16, 3), np.uint8)
    names = [str(n) for n in range(num_classes)]
    assert reason_in_images(noise, labels, names) is None
    rows, columns = np.mgrid[:16, :16]
    centre = rng.integers(2, 14, (len(labels), 1, 1))
    reach = 2 + 4 * labels[:, None, None] / num_classes + rng.normal(0, 0.1, (len(labels), 1, 1))
    blobs = (np.hypot(rows - 8, columns - centre) < reach) * np.uint8(200)
    assert reason_in_images(blobs[..., None], labels, names) is None


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_images_say_nothing(count: int) -> None:
    images, labels = arrows(1)
    assert reason_in_images(images[:count], labels[:count], ("a side", "another")) is None


def test_folders_are_decided_by_their_images_where_names_say_nothing(tmp_path: Path) -> None:
    looked = first_look(str(save_arrows(tmp_path, 30, names=("class_1", "class_2"))))
    decided = decide_mirroring(looked, Wish(), data_set="images")
    assert decided.setting == "off"
    assert decided.reason.startswith("since mirrored images look like other classes: of 60, 60 are most like")


def test_npz_files_too(save_npz: Callable[..., str]) -> None:
    """Labels 0 to 9 are no names: images alone say whether these are digits."""

    def decided(**arrays: np.ndarray) -> str:
        return decide_mirroring(first_look(save_npz(**arrays)), Wish(), data_set="data").in_words()

    images, labels = digits()
    assert "mirrored images look like other" in decided(x_train=images, y_train=labels)
    symmetric = np.repeat(np.arange(100, dtype=np.uint8), 64).reshape(100, 8, 8)
    assert decided(x_train=symmetric, y_train=np.arange(100) // 10).startswith("on")
    names = np.array([f"digit {value}" for value in range(10)])
    assert "called 0 to 9" in decided(x_train=symmetric, y_train=np.arange(100) // 10, class_names=names)


@pytest.mark.parametrize("bits", [10, 12])
def test_images_are_read_as_the_user_says(save_npz: Callable[..., str], bits: int) -> None:
    """Else floats of 12 bits would be out of range, and those of 16 warned of as dark."""
    images, labels = digits()
    for dtype in (np.float32, np.uint16):
        looked = first_look(save_npz(x_train=(images / 255 * (2**bits - 1)).astype(dtype), y_train=labels))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert decide_mirroring(looked, Wish(bit_depth=bits), data_set="data").setting == "off"


def test_nothing_that_speaks_against_it(tmp_path: Path) -> None:
    """Not an image that cannot be read, which is named when all are read, nor a class of one image."""
    rng = np.random.default_rng(0)
    for name, count in (("cat", 30), ("dog", 20), ("eel", 1)):
        (tmp_path / name).mkdir()
        for number in range(count):
            pixels = rng.integers(0, 256, (9, 12, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    (tmp_path / "dog" / "broken.png").write_bytes(b"no image")
    decided = decide_mirroring(first_look(str(tmp_path)), Wish(), data_set="images")
    assert (decided.is_on, decided.setting) == (True, "on")
    assert decided.reason == "since neither the names of the classes nor their images speak against it"


def test_what_the_user_says() -> None:
    assert Mirroring.said("off").in_words() == "off, as --mirror says"
    assert Mirroring.said("on").is_on
    with pytest.raises(UserError, match=r"--mirror maybe: must be one of auto, on, off"):
        Mirroring.said("maybe")
