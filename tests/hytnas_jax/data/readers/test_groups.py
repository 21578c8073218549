"""Frames of one video, by their names."""

import pytest

from hytnas_jax.data.readers.groups import group_of, look_like_videos, source_of


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("0016E5_01290.jpg", "0016E5"),
        ("0006R0_f01290.png", "0006R0"),
        ("train/images/0001TP_006690.jpg", "train/images/0001TP"),
        ("cam1/0001.png", "cam1/"),
        ("cam1/frame_0001.png", "cam1/"),
        ("video-3_frame12.jpg", "video-3"),
        ("BloodImage_00379.jpg", "BloodImage"),
        ("000000000009.jpg", None),
        ("frame12.png", None),
        ("cat.png", None),
        ("cat_jpg.rf.4dabab2d922d2e80.jpg", None),
        ("train/vid0_mp4-0001_jpg.rf.4dabab2d922d2e80.jpg", "train/vid0_mp4"),
        ("vid0_mp4-0001_jpg.jpg", "vid0_mp4"),
        ("vid0_12_PNG.png", "vid0"),
    ],
)
def test_the_name_without_its_running_number(name: str, group: str | None) -> None:
    assert group_of(name) == group


def test_the_image_that_roboflow_copied() -> None:
    assert source_of("train/a1_jpg.rf.4dab.jpg") == source_of("train/a1_jpg.rf.BB9F.jpg") == "train/a1_jpg"
    assert source_of("a1_png.rf.4dab.jpg") == "a1_png"
    assert source_of("a1_jpg.jpg") is source_of("surf.4dab.jpg") is None


def test_a_few_groups_of_many_frames_are_videos() -> None:
    assert look_like_videos(f"{video}_{frame:05}.jpg" for video in "ab" for frame in range(10))
    assert not look_like_videos(f"a_{frame:05}.jpg" for frame in range(10))  # one group
    assert not look_like_videos(f"{n}_{frame}.jpg" for n in range(9) for frame in range(2))  # short ones
    assert not look_like_videos(["a_1.jpg", "b_1.jpg", *(f"{name}.jpg" for name in "cdefg")])
    assert not look_like_videos([])
    copies = [f"{n}_{frame}_jpg.rf.{copy}.jpg" for n in range(3) for frame in range(2) for copy in "abc"]
    assert not look_like_videos(copies)  # two images each
