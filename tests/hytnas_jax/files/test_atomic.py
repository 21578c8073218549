import dataclasses
import errno
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.files.atomic import CsvLog, read_json, to_plain, write_bytes, write_json, write_text
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Choice:
    width: int
    kernels: tuple[int, ...]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "made" / "on the way" / "a.json"
    write_json(path, {"choice": Choice(8, (3, 5)), "at": Path("x/y"), "mean": np.float32(0.5)})
    assert read_json(path) == {
        "choice": {"width": 8, "kernels": [3, 5]},
        "at": "x/y",
        "mean": 0.5,
    }
    write_text(path, "µ")
    assert path.read_bytes() == "µ".encode()
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_json_has_no_nan(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": value})
    assert not (tmp_path / "a.json").exists()


def test_to_plain_refuses_other_types() -> None:
    assert to_plain(np.arange(3)) == [0, 1, 2]
    with pytest.raises(TypeError, match="set cannot be written"):
        to_plain({1, 2})


@pytest.mark.parametrize(
    "content",
    [None, b"", b'{"a": [1, 2', b"\xff\xfe\x00", b'[{"a": 1, "a": 2}]', b'{"a": NaN}', b"-Infinity"],
)
def test_read_json_names_the_file_and_the_remedy(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.json: .*run the command that writes it"):
        read_json(path)


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_full_disk_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, broken, full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_text(path, "new")
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def run_until_killed(code: str, folder: Path, ready: Path) -> None:
    """Start Python on `code`, and kill -9 it once `ready` is there and a little later."""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder)
    deadline = time.monotonic() + 20
    while not ready.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    process.kill()
    assert process.wait() == -signal.SIGKILL


def test_kill_in_the_middle_of_writes_leaves_a_whole_file(tmp_path: Path) -> None:
    code = """
from hytnas_jax.files.atomic import write_json
n = 0
while True:
    n += 1
    write_json("a.json", {"n": n, "all": [n] * 20000})
"""
    path = tmp_path / "a.json"
    for _ in range(3):
        run_until_killed(code, tmp_path, path)
        value = read_json(path)
        assert value["all"] == [value["n"]] * 20000
    assert list(tmp_path.glob("*.json")) == [path]


def test_kill_in_the_middle_of_appends_loses_no_row(tmp_path: Path) -> None:
    code = """
from hytnas_jax.files.atomic import CsvLog
log = CsvLog("a.csv", ["n", "text"])
n = len(log.rows())
while True:
    log.append({"n": n, "text": "x" * 20000})
    n += 1
"""
    path = tmp_path / "a.csv"
    for _ in range(3):
        run_until_killed(code, tmp_path, path)
    rows = CsvLog(path, ["n", "text"]).rows()
    assert [int(row["n"]) for row in rows] == list(range(len(rows)))
    assert {row["text"] for row in rows} == {"x" * 20000}


def test_csv_log_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    log = CsvLog(path, ["name", "error_rate"])
    log.append({"name": 'a,"b"', "error_rate": np.float64(0.1)})
    log.append({"error_rate": None, "name": "c"})
    with path.open("a") as file:
        file.write("d,0.")
    log = CsvLog(path, ["name", "error_rate"])
    log.append({"name": "e", "error_rate": 1 / 3})
    assert log.rows() == [
        {"name": 'a,"b"', "error_rate": "0.1"},
        {"name": "c", "error_rate": ""},
        {"name": "e", "error_rate": repr(1 / 3)},
    ]


def test_csv_log_is_written_anew_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = CsvLog(tmp_path / "a.csv", ["a", "b"])
    log.append({"a": 1, "b": 2})
    log.replace([{"b": 4, "a": 3}, {"a": 5, "b": None}])
    log.append({"a": 6, "b": 7})
    expected = [{"a": "3", "b": "4"}, {"a": "5", "b": ""}, {"a": "6", "b": "7"}]
    assert log.rows() == expected
    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            log.replace([])
    assert log.rows() == expected


def test_csv_log_begins_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.touch()
    assert CsvLog(path, ["a"]).rows() == []
    assert path.read_text() == "a\n"


def test_csv_log_refuses_other_columns(tmp_path: Path) -> None:
    CsvLog(tmp_path / "a.csv", ["a", "b"])
    with pytest.raises(UserError, match=r"a\.csv: its columns are 'a,b', not 'a,c'.*delete it"):
        CsvLog(tmp_path / "a.csv", ["a", "c"])


def test_csv_log_fills_in_the_columns_of_a_later_version(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for saved in (b"name,error\na,0.25\n", b"name,error\na,0.25\nb,0.", b"error;name\n0,25;a\n"):
        path.write_bytes(saved)
        with pytest.raises(UserError, match="its columns are"):
            CsvLog(path, ["name", "epochs", "error"], added={"other": 1})
        assert path.read_bytes() == saved
        log = CsvLog(path, ["name", "epochs", "error"], added={"epochs": 5})
        assert path.read_bytes() == b"name,epochs,error\na,5,0.25\n"
        log.append({"name": "b", "epochs": 6, "error": 1})
        assert CsvLog(path, log.columns, added={"epochs": 7}).rows() == log.rows()
    path.unlink()
    assert CsvLog(path, ["name", "epochs"], added={"epochs": 5}).rows() == []


def test_csv_log_names_a_damaged_line(tmp_path: Path) -> None:
    log = CsvLog(tmp_path / "a.csv", ["a", "b"])
    log.path.write_text("a,b\n1,2\n3\n4,5\n")
    with pytest.raises(
        UserError, match=r"a\.csv, line 3: has 1 cells and the header 2; mend or delete that line"
    ):
        log.rows()


@pytest.mark.parametrize("row", [{"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": "two\nlines", "b": 1}])
def test_csv_log_refuses_a_row_it_could_not_read_back(tmp_path: Path, row: dict[str, object]) -> None:
    log = CsvLog(tmp_path / "a.csv", ["a", "b"])
    with pytest.raises(ValueError, match=r"columns are|line break"):
        log.append(row)
    assert log.rows() == []


def test_full_disk_leaves_the_log_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = CsvLog(tmp_path / "a.csv", ["a"])
    log.append({"a": 1})

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left") as caught:
            log.append({"a": 2})
    assert caught.value.filename == str(log.path)
    log.append({"a": 3})
    assert [row["a"] for row in log.rows()] == ["1", "3"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_error_names_the_file_where_the_system_does_not(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    (tmp_path / f".a.txt.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        write_bytes(path, b"new")
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "saved",
    [
        b"\xef\xbb\xbfname;error\r\na;0,25\r\nb;1,5\r\n;\r\n",
        "\ufeffname\terror\r\na\t0,25\r\nb\t1,5".encode("utf-16"),
        b"error , name\n0.25,a\n\n1.5, b\n",
        b'name,error\n"a","0.25"\nb,1.5\n',
    ],
)
def test_a_log_that_a_spreadsheet_has_saved_goes_on(
    tmp_path: Path, saved: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_bytes(saved)
    log = CsvLog(tmp_path / "a.csv", ["name", "error"])
    log.append({"name": "c", "error": 2.0})
    assert log.path.read_bytes() == b"name,error\na,0.25\nb,1.5\nc,2.0\n"
    assert capsys.readouterr().err.startswith(
        f"warning: {log.path}: another program has saved it; its 2 rows"
    )
    assert CsvLog(log.path, ["name", "error"]).rows() == log.rows()
    assert capsys.readouterr().err == ""


def test_a_log_that_cannot_be_kept_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for saved, message in {
        b"name;error\na;0,25\nb;1.5\n": "line 2: '0,25' has a decimal comma",
        b'name,error\n"a\nb",1\n': "line 2: a cell holds a line break",
        b"name,name,error\n": "line 1: there are 2 columns 'name'",
        "name,error\né,1\n".encode("latin-1"): "line 2: byte 0xe9",
    }.items():
        path.write_bytes(saved)
        with pytest.raises(UserError, match=rf"a\.csv, {message}"):
            CsvLog(path, ["name", "error"])
        assert path.read_bytes() == saved


def test_json_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes("\ufeff{}".encode())
    assert read_json(tmp_path / "a.json") == {}
