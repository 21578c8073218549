"""The table of a device: read back, and refused by file and line where it cannot be one."""

from pathlib import Path

import pytest
from made_up_times import PLAN, latency_ms, write_table

from hytnas_jax.study_efficiency.device_table import DeviceTable, read_device
from supernet.errors import UserError

SUBJECTS = [subject for subject in PLAN.subjects() if subject.part == "space"]


def read(path: Path) -> DeviceTable:
    return read_device(path, identity=PLAN.identity, names=[subject.name for subject in SUBJECTS])


def test_what_was_written(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", SUBJECTS)
    device = read(tmp_path / "a.csv")
    assert device.name == "toaster"
    assert device.about == {"threads": "1", "runtime": "onnxruntime 1", "processor": "none"}
    assert {name: t.latency_ms for name, t in device.timings.items()} == {
        subject.name: pytest.approx(latency_ms(subject)) for subject in SUBJECTS
    }


def test_refusals(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_table(path, SUBJECTS[:2])
    header, first, second = path.read_text().splitlines()

    def refused(*lines: str, match: str) -> None:
        path.write_text("\n".join(lines) + "\n")
        with pytest.raises(UserError, match=match):
            read(path)

    refused(header, match="holds no measurement")
    refused("model,latency_ms", match="has no column 'low_ms'")
    refused(
        header, first, second[:30], match="line 3: has 3 cells and the header 10; mend or delete that line"
    )
    refused(header, first, first, match=r"line 3: model .* is there twice")
    refused(header, first.replace("drawn-", "other-"), match=r"line 2: model 'other-.* is not of this study")
    refused(header, first, second.replace(PLAN.identity, "study-0"), match=r"line 3: is of kit study-0")
    refused(header, first, second.replace("toaster", "fridge"), match=r"line 3: measured with .*fridge")
    refused(header, first.replace(",9,", ",x,"), match=r"line 2: .*; delete the line")
    name, _, rest = first.split(",", 2)
    refused(header, f"{name},-1,{rest}", match=r"line 2: low_ms .* must be positive and ascend")
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / "none.csv")
