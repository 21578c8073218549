"""Weights that come back as they were, or an error that names the file."""

from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest

from hytnas_jax.training import weights
from hytnas_jax.training.weights import load_weights, save_weights
from supernet.errors import UserError
from supernet.network import stand_alone
from supernet.network_spec import ConvSpec, HeadSpec, InvertedResidualSpec, MobileViTSpec, NetworkSpec

SPEC = NetworkSpec(
    "all blocks",
    8,
    1,
    3,
    (ConvSpec(4), InvertedResidualSpec(6, 8), MobileViTSpec(6, 4, 2, 8, depth=2, patch=2)),
    HeadSpec(width=4),
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "network" / "weights.npz"
    save_weights(path, *stand_alone(SPEC).init(jax.random.key(0)))
    return path


def test_what_does_not_come_back_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_half(path: Path, data: bytes) -> None:
        path.write_bytes(data[: len(data) // 2])

    monkeypatch.setattr(weights, "write_bytes", write_half)
    with pytest.raises(UserError, match=r"what is read back is not what was written.*--workdir on another"):
        save_weights(tmp_path / "weights.npz", *stand_alone(SPEC).init(jax.random.key(0)))
    assert list(tmp_path.iterdir()) == []


def test_round_trip(saved: Path) -> None:
    model = stand_alone(SPEC)
    params, stats = load_weights(saved)
    expected = model.init(jax.random.key(0))
    # The same trees, list positions as integers: `apply` takes them as they are.
    jax.tree.map(np.testing.assert_array_equal, (params, stats), jax.device_get(expected))
    assert jax.tree.structure((params, stats)) == jax.tree.structure(expected)
    assert {leaf.dtype for leaf in jax.tree.leaves((params, stats))} == {np.dtype(np.float32)}


def test_names_are_paths_and_there_are_no_pickles(saved: Path) -> None:
    with np.load(saved, allow_pickle=False) as file:
        assert "params/blocks/0/conv/kernel" in file.files
        assert "stats/blocks/0/norm/mean" in file.files


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "text": lambda data: b"these are no weights",
    "cut": lambda data: data[: len(data) // 2],
    "cut at the end": lambda data: data[:-30],
    "overwritten": lambda data: data[:2000] + b"\xff" * 300 + data[2300:],
    "overwritten at its start": lambda data: b"\0" * 100 + data[100:],
    "one byte": lambda data: data[:200] + bytes([data[200] ^ 0xFF]) + data[201:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named(saved: Path, damage: str) -> None:
    saved.write_bytes(DAMAGES[damage](saved.read_bytes()))
    with pytest.raises(UserError, match=r"weights\.npz: not readable as weights .*run retrain again"):
        load_weights(saved)


def test_no_changed_byte_is_a_traceback(saved: Path) -> None:
    """The file is refused, or the arrays that are found in it are what they were."""
    data, expected = saved.read_bytes(), arrays_of(saved)
    for place in range(0, len(data), 97):
        saved.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            found = arrays_of(saved)
        except UserError:
            continue
        for path, array in found.items():
            np.testing.assert_array_equal(array, expected[path])


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """The arrays of both trees, by their place."""
    return {
        jax.tree_util.keystr(place): array for place, array in jax.tree.leaves_with_path(load_weights(path))
    }


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"weights\.npz: not readable as weights"):
        load_weights(tmp_path / "weights.npz")


def test_an_array_alone_is_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(UserError, match="not readable as weights"):
        load_weights(path)


def test_other_arrays_are_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    np.savez(path, images=np.zeros(3), labels=np.zeros(3))
    with pytest.raises(UserError, match="not readable as weights"):
        load_weights(path)
