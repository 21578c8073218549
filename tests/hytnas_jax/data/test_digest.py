"""Digests: equal for equal pixels alone, and the same when they come back from a file."""

import json

import numpy as np

from hytnas_jax.data.digest import Content, digest_images


def test_a_digest_is_of_all_pixels_and_of_one_image() -> None:
    images = np.zeros((1300, 5, 5, 3), np.uint8)  # more than one chunk
    images[np.arange(1300), 0, 0, 0] = np.arange(1300) % 256
    images[np.arange(1300), 4, 4, 2] = np.arange(1300) // 256
    digests = digest_images(images)
    assert len(np.unique(digests)) == 1300
    np.testing.assert_array_equal(digest_images(images[700:701]), digests[700:701])
    np.testing.assert_array_equal(digest_images(images[:, :, ::-1]), digest_images(images, mirrored=True))
    assert not set(digest_images(images, mirrored=True)[1:]) & set(digests[1:])


def test_digests_are_the_same_everywhere() -> None:
    """Work folders hold them: another machine and another version must give these."""
    images = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
    assert digest_images(images).tolist() == [6765881130712925518, 4749148701768967544]


def test_content_comes_back_from_json() -> None:
    content = Content(np.array([2**64 - 1, 0, 7], np.uint64), np.array([2, 0, 1], np.int32))
    back = Content.from_json(json.loads(json.dumps(content.to_json())))
    assert back.is_same(content)
    assert (len(back), back.digests.tolist(), back.labels.tolist()) == (3, [2**64 - 1, 0, 7], [2, 0, 1])
    assert not back.is_same(Content(content.digests, content.labels[::-1]))
    assert not back.is_same(Content(content.digests[:2], content.labels[:2]))
