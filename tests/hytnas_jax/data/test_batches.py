"""Batches: a function of seed and step alone, every image once an epoch."""

import numpy as np
import pytest

from hytnas_jax.data import batches
from supernet.errors import UserError


def test_every_image_once_an_epoch_over_its_end() -> None:
    sequence = np.concatenate([batches(0, 10, 4, step=step) for step in range(5)])  # 20 = 2 epochs
    assert sorted(sequence[:10]) == list(range(10))
    assert sorted(sequence[10:]) == list(range(10))
    assert sequence[:10].tolist() != sequence[10:].tolist()


def test_a_resumed_run_sees_the_same() -> None:
    onwards = [batches(3, 100, 16, step=step).tolist() for step in range(20)]
    assert batches(3, 100, 16, step=13).tolist() == onwards[13]
    assert batches(4, 100, 16, step=13).tolist() != onwards[13]


def test_a_batch_may_be_larger_than_the_data() -> None:
    batch = batches(0, 3, 8, step=0)
    assert batch.shape == (8,)
    assert sorted(batch[:3]) == sorted(batch[3:6]) == [0, 1, 2]


@pytest.mark.parametrize("bad", [{"num": 0}, {"batch_size": 0}, {"step": -1}, {"seed": -1}])
def test_out_of_range(bad: dict[str, int]) -> None:
    arguments = {"seed": 0, "num": 3, "batch_size": 2, "step": 0, **bad}
    with pytest.raises(UserError, match="wanted num and batch_size at least 1"):
        batches(**arguments)
