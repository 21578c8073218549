"""The limits themselves still fit."""

import pytest

from hytnas_jax.model_files.microcontroller import verdict


@pytest.mark.parametrize(
    ("peak", "file", "expected"),
    [
        (262_144, 1_048_576, "fits 256 kB of memory and 1 MB of flash"),
        (262_145, 1_048_576, "too large for 256 kB of memory"),
        (262_144, 1_048_577, "too large for 1 MB of flash"),
        (10**9, 10**9, "too large for 256 kB of memory and 1 MB of flash"),
    ],
)
def test_fit(peak: int, file: int, expected: str) -> None:
    assert verdict(peak, file) == expected
