"""What images say about mirroring: whether a class, mirrored, looks like others. Pixels alone, no training.

Each image is compared with all others, as it is and mirrored: of which class is the one most like it? Where
mirroring harms no class, both are right about equally often, however often that is.
"""

from collections.abc import Sequence

import numpy as np

# Of the right ones, those that stay right, of 600: 0.33 to 0.52 of digits; 0.69 to 0.78 of Fashion-MNIST,
# whose shoes all face the same way; at least 0.75 of photographs (benchmarks/accuracy/mirrored_likeness.py).
_KEPT = 0.62
_SURE = 4.0  # standard deviations
# Two classes that mirroring exchanges, while all the others stay: shares of the one that look like the other.
_EXCHANGED = 0.4
_ENOUGH = 10  # images of a class


def reason_in_images(images: np.ndarray, labels: np.ndarray, class_names: Sequence[str]) -> str | None:
    """Why mirrored images would be of another class, going by how they look; None where they do not.

    images: uint8 [N, S, S, C], small ones, of each class about as many; labels: int [N].
    """
    if len(labels) < 2:  # the others cannot be read, which is told when all are
        return None
    found, mirrored = nearest_classes(images, labels)
    was, stays = found == labels, mirrored == labels
    lost, won = np.sum(was & ~stays), np.sum(~was & stays)
    if was.any() and stays.sum() <= _KEPT * was.sum() and lost - won >= _SURE * np.sqrt(lost + won):
        return (
            f"mirrored images look like other classes: of {len(labels)}, {was.sum()} are most like one of "
            f"their own class, and {stays.sum()} once they are mirrored"
        )
    pair = _exchanged(found, mirrored, labels, len(class_names))
    if pair is not None:
        first, second = (class_names[index] for index in pair)
        return f"mirrored images of '{first}' look like '{second}', and the other way round"
    return None


def nearest_classes(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each image the class of the other one most like it, as it is and mirrored: int [N] each."""
    grey = images.mean(axis=3)
    return _nearest(grey, grey, labels), _nearest(grey[:, :, ::-1], grey, labels)


def _nearest(queries: np.ndarray, grey: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The class of the image most like each query, which is not the one that the query was made of."""
    likeness = _unit(queries) @ _unit(grey).T
    np.fill_diagonal(likeness, -np.inf)
    return labels[likeness.argmax(axis=1)]


def _unit(grey: np.ndarray) -> np.ndarray:
    """Images as vectors of length 1 whose brightness and contrast are gone, [N, S * S]."""
    flat = grey.reshape(len(grey), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _exchanged(
    found: np.ndarray, mirrored: np.ndarray, labels: np.ndarray, num_classes: int
) -> tuple[int, int] | None:
    """The two classes that mirroring exchanges most clearly, if it does."""
    counts = np.bincount(labels, minlength=num_classes)

    def shares(classes: np.ndarray) -> np.ndarray:
        """How much of each class (row) looks like each other (column)."""
        table = np.zeros((num_classes, num_classes))
        np.add.at(table, (labels, classes), 1)
        return table / np.maximum(counts[:, None], 1)

    before, after = shares(found), shares(mirrored)
    gain = np.minimum(after, after.T) - np.maximum(before, before.T)
    gain[counts < _ENOUGH] = gain[:, counts < _ENOUGH] = -1
    np.fill_diagonal(gain, -1)
    first, second = np.unravel_index(gain.argmax(), gain.shape)
    return (int(first), int(second)) if gain[first, second] >= _EXCHANGED else None
