"""What measure.py has written, edited and saved by a spreadsheet: the same measurements."""

import codecs
import csv
import dataclasses
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.latency.kit_table import Measured, read_tables
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.spaces import built_in_space

SPACE = built_in_space("hybrid-small").with_resolutions((12, 16))
DRAWN = SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 6000))


def text_of(architectures: list[Architecture], delimiter: str = ",", energy: str = "7.75") -> str:
    rows = [
        {
            "model": architecture.name,
            **{"latency_ms": 0.257195 + n, "low_ms": 0.254568, "high_ms": 9.5 + n, "num_rounds": 9},
            **{
                "energy_mj": energy if n else "",
                "device": "pi",
                "threads": 1,
                "runtime": "onnxruntime 1.32.0",
            },
            **{"processor": "Intel(R) Xeon(R), 2.50GHz", "kit": "sample-df525e310f1c"},
            **SPACE.to_json(architecture)["genes"],
        }
        for n, architecture in enumerate(architectures)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def with_decimal_commas(text: str) -> str:
    return re.sub(r"(?<=;)([0-9]+)\.([0-9]+)(?=;)", r"\1,\2", text)


SAVED: dict[str, Callable[[], bytes]] = {
    "CSV UTF-8": lambda: codecs.BOM_UTF8 + text_of(DRAWN[:12]).encode(),
    "semicolons": lambda: text_of(DRAWN[:12], ";").encode(),
    "German Excel": lambda: codecs.BOM_UTF8 + with_decimal_commas(text_of(DRAWN[:12], ";")).encode(),
    "Unicode text": lambda: codecs.BOM_UTF16_LE + text_of(DRAWN[:12], "\t").encode("utf-16-le"),
    "padded": lambda: text_of(DRAWN[:12]).replace("\r\n", ",,\r\n").encode() + b",,,,\r\n" * 3,
}


def read(path: Path, data: bytes) -> list[Measured]:
    path.write_bytes(data)
    return [dataclasses.replace(row, place="") for row in read_tables([path], SPACE)]


@pytest.mark.parametrize("saved", SAVED.values(), ids=SAVED)
def test_a_spreadsheet_changes_nothing(tmp_path: Path, saved: Callable[[], bytes]) -> None:
    expected = read(tmp_path / "pi.csv", text_of(DRAWN[:12]).encode())
    assert len(expected) == 12
    assert expected[1].energy_mj == 7.75
    assert read(tmp_path / "saved.csv", saved()) == expected


def test_a_name_that_a_spreadsheet_takes_for_a_number_is_known_by_its_genes(tmp_path: Path) -> None:
    (power,) = [a for a in DRAWN if re.fullmatch(r"[1-9][0-9]*e[0-9]{1,2}", a.name)][:1]
    (zeros,) = [a for a in DRAWN if re.fullmatch(r"0[0-9]{7}", a.name)][:1]
    plain = text_of([power, zeros])
    shown = plain.replace(power.name, f"{float(power.name):.2E}").replace(zeros.name, zeros.name.lstrip("0"))
    assert shown != plain
    assert read(tmp_path / "shown.csv", shown.encode()) == read(tmp_path / "plain.csv", plain.encode())
    other = plain.replace(power.name, f"{2 * float(power.name):.2E}")
    with pytest.raises(UserError, match=f"line 2: name is .*, but these genes .* are {power.name}"):
        read(tmp_path / "other.csv", other.encode())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("0.257195", '"0,257195"', "line 2: latency_ms is '0,257195', which is no number"),
        ("7.75", "1e12", "line 3: energy_mj 1e.12 must be positive, and of one image"),
        ("7.75", "1e-300", "line 3: energy_mj 1e-300 must be"),
        ("7.75", "1e-400", "line 3: energy_mj: '1e-400' is too near to 0"),
        ("7.75", "1_0", "line 3: energy_mj: '1_0' is no number"),
        ("0.254568", "1e-310", None),
        ("9.5,9", "9.5,0", "line 2: num_rounds 0 must be at least 1"),
        ("9.5,9", "inf,9", "line 2: .* must be positive and ascend"),
    ],
)
def test_what_no_image_takes_is_refused_by_line(tmp_path: Path, old: str, new: str, says: str | None) -> None:
    data = text_of(DRAWN[:2]).replace(old, new, 1).encode()
    if says is None:
        assert len(read(tmp_path / "pi.csv", data)) == 2
        return
    with pytest.raises(UserError, match=says):
        read(tmp_path / "pi.csv", data)


def test_a_time_too_short_for_a_clock_is_in_another_unit(tmp_path: Path) -> None:
    data = text_of(DRAWN[:1]).replace("0.257195,0.254568", "1e-300,1e-300").encode()
    with pytest.raises(UserError, match="line 2: latency_ms 1e-300 is less than a nanosecond"):
        read(tmp_path / "pi.csv", data)
