"""A command whose standard streams are closed: what is printed goes nowhere, not into its files."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_command_runs_with_closed_streams(tmp_path: Path, closed: str) -> None:
    command = f'"{sys.executable}" -m hytnas_jax.describe nonsense {closed}'
    run = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 2
    if "2>&-" not in closed:
        assert run.stderr.startswith("error: ")


def test_what_is_printed_to_a_closed_stream_is_in_no_file(tmp_path: Path) -> None:
    code = (
        "import os, sys; from hytnas_jax.runtime import streams; streams.open_closed(); "
        "file = open('file', 'w'); os.write(1, b'x'); os.write(2, b'x'); "
        "print('x'); print('x', file=sys.stderr)"
    )
    subprocess.run(["sh", "-c", '"$0" -c "$1" >&- 2>&-', sys.executable, code], cwd=tmp_path, check=True)
    assert (tmp_path / "file").read_text() == ""


def test_quiet_works_and_leaves_it_closed() -> None:
    code = (
        "import os\nfrom hytnas_jax.data.decode import quiet\nwith quiet(): os.write(2, b'x')\n"
        "print('quiet', flush=True)\nos.fstat(2)"
    )
    command = ["sh", "-c", '"$0" -c "$1" 2>&- || echo closed', sys.executable, code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == "quiet\nclosed\n"
