"""What a search has measured, written and read back."""

from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.on_device.measure import Timing
from hytnas_jax.search.measured_log import MeasuredLog, Session
from supernet.errors import UserError
from supernet.spaces import built_in_space

SPACE = built_in_space("hybrid-small").with_resolutions((12, 16))
NETWORKS = SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 6))


def timing(ms: float) -> Timing:
    return Timing(ms, 0.9 * ms, 1.1 * ms, 9)


FIRST = Session({NETWORKS[2]: timing(3.0)}, {NETWORKS[0]: timing(1.1), NETWORKS[1]: timing(2.6)})
SECOND = Session({NETWORKS[3]: timing(4.0), NETWORKS[4]: timing(5.0)}, {NETWORKS[0]: timing(1.0)})


def test_sessions_round_trip(tmp_path: Path) -> None:
    log = MeasuredLog(tmp_path / "measured.csv", SPACE)
    assert log.sessions == {}
    log.append(8, FIRST)
    log.append(12, SECOND)
    assert log.sessions == MeasuredLog(tmp_path / "measured.csv", SPACE).sessions == {8: FIRST, 12: SECOND}


def test_the_machines_shift_is_that_of_what_is_timed_again() -> None:
    before = {NETWORKS[0]: timing(1.0), NETWORKS[1]: timing(2.0), NETWORKS[5]: timing(9.0)}
    assert FIRST.shift(before) == pytest.approx(1.2)  # between 1.1 and 1.3
    assert SECOND.shift(before) == pytest.approx(1.0)
    assert Session({}, {}).shift(before) == 1.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",new,", ",twice,", "measured is 'twice', not one of again, new"),
        ("8,new,", "x,new,", "invalid literal for int"),
        (",3.0,", ",nan,", "must be positive and ascend"),
    ],
)
def test_a_damaged_row_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "measured.csv"
    MeasuredLog(path, SPACE).append(8, FIRST)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UserError, match=rf"measured\.csv, line 4: .*{message}.*; delete the lines"):
        MeasuredLog(path, SPACE)
