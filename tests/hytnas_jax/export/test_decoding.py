"""The time of decoding: a median, of several outputs."""

import numpy as np
import pytest

from hytnas_jax.export import decoding
from hytnas_jax.export.decoding import OUTPUTS, ROUNDS, decoding_ms


def test_the_median_without_the_first_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that only decoding moves: the first round is slow, then most outputs take 2 ms."""
    clock, decoded = [0.0], []

    def decode(output: np.ndarray, side: int) -> None:
        decoded.append((float(output[0]), side))
        clock[0] += 1.0 if len(decoded) <= OUTPUTS else 0.05 if output[0] == 3 else 0.002

    monkeypatch.setattr(decoding.time, "perf_counter", lambda: clock[0])
    found = decoding_ms(decode, np.arange(20.0)[:, None], 32)
    assert found == pytest.approx(2)
    assert decoded == [(float(n), 32) for n in range(OUTPUTS)] * (ROUNDS + 1)
