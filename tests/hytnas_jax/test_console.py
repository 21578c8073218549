import contextlib
import io
import itertools
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hytnas_jax import console


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_warnings_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("done")
    console.warn("slow")
    assert capsys.readouterr() == ("done\n", "warning: slow\n")


def test_progress_is_a_line_every_ten_seconds(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    with console.progress(200, "training", done=100) as bar:
        for step in range(100):
            clock.seconds += 0.3
            bar.note(f"loss {step}")
            bar.advance()
    assert lines(capsys) == [
        "training: 100 of 200 (50%)",
        "training: 134 of 200 (67%), 10 s, about 20 s left · loss 33",
        "training: 168 of 200 (84%), 20 s, about 10 s left · loss 67",
        "training: 200 of 200 (100%), 30 s · loss 99",
    ]


def test_progress_counts_the_items_of_a_loop(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    assert list(console.progress(["a", "b"], "reading")) == ["a", "b"]
    with console.progress(itertools.islice("abc", 3), "streaming") as bar:
        for _ in bar:
            clock.seconds += 3700
    assert lines(capsys) == [
        "reading: 0 of 2 (0%)",
        "reading: 2 of 2 (100%), 0 s",
        "streaming",
        "streaming: 1, 1 h 01 min",
        "streaming: 2, 2 h 03 min",
        "streaming: 3, 3 h 05 min",
        "streaming: 3, 3 h 05 min",
    ]


def test_compiling_tells_nothing_of_the_speed(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    """The first of 100 steps takes 40 s more, the 60th, the first of another resolution, 20 s."""
    compiled = 7.0  # of what was before

    with console.progress(100, "training", apart=lambda: compiled) as bar:
        bar.note("compiling", now=True)
        for step in range(100):
            stall = {0: 40.0, 59: 20.0}.get(step, 0.0)
            compiled += stall
            clock.seconds += stall + 0.5
            bar.advance()
            bar.note(f"loss {step}")
    assert lines(capsys) == [
        "training: 0 of 100 (0%)",
        "training: compiling",
        "training: 1 of 100 (1%), 40 s (40 s of it compiling), about 50 s left · compiling",
        "training: 21 of 100 (21%), 50 s (40 s of it compiling), about 40 s left · loss 19",
        "training: 41 of 100 (41%), 1 min 00 s (40 s of it compiling), about 30 s left · loss 39",
        "training: 60 of 100 (60%), 1 min 30 s (1 min 00 s of it compiling), about 20 s left · loss 58",
        "training: 80 of 100 (80%), 1 min 40 s (1 min 00 s of it compiling), about 10 s left · loss 78",
        "training: 100 of 100 (100%), 1 min 50 s (1 min 00 s of it compiling) · loss 99",
    ]


def test_nothing_but_compiling_is_no_estimate_of_hours(
    capsys: pytest.CaptureFixture[str], clock: Clock
) -> None:
    """An overlap that is measured a little too long leaves no time below none."""
    with console.progress(1000, "training", apart=lambda: 1.01 * (clock.seconds - 1000)) as bar:
        clock.seconds += 50
        bar.advance()
    assert "about 0 s left" in lines(capsys)[1]


def test_where_all_are_done_together_at_the_end_no_time_is_told(
    capsys: pytest.CaptureFixture[str], clock: Clock
) -> None:
    """1 of 64 after 12 s is no 12 minutes where they take turns."""
    with console.progress(64, "measuring", is_even=False) as bar:
        clock.seconds += 12
        bar.advance()
    assert lines(capsys)[1] == "measuring: 1 of 64 (1%), 12 s"


def test_a_total_that_comes_later(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    with console.progress(0, "reading images") as bar:
        for done in (60, 120):
            clock.seconds += 15
            bar.reach(done, 120)
    with console.progress(0, "thinking"):
        clock.seconds += 3
    with contextlib.suppress(KeyboardInterrupt), console.progress(0, "thinking"):
        raise KeyboardInterrupt
    assert lines(capsys) == [
        "reading images",
        "reading images: 60 of 120 (50%), 15 s, about 15 s left",
        "reading images: 120 of 120 (100%), 30 s",
        "thinking",
        "thinking: 3 s",
        "thinking",
        "thinking: stopped, 0 s",
    ]


def test_progress_says_where_it_was_stopped(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    bar = console.progress(4, "training")
    with contextlib.suppress(KeyboardInterrupt), bar:
        bar.advance(3)
        clock.seconds += 65
        raise KeyboardInterrupt
    assert lines(capsys)[-1] == "training: stopped at 3 of 4 (75%), 1 min 05 s"


def test_a_plain_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [["small", 1.23456, "x"], ["the larger", 12, None], ["unmeasured", None, "y"]]
    console.table(rows, ["network", "latency_ms", "note"])
    assert lines(capsys) == [
        "network     latency_ms  note",
        "small            1.235  x",
        "the larger          12  -",
        "unmeasured           -  y",
    ]


def test_an_empty_table_has_its_headers(capsys: pytest.CaptureFixture[str]) -> None:
    console.table([], ["network", "note"])
    assert lines(capsys) == ["network  note"]


def test_a_command_ends_with_its_files_and_the_next_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console.wrote([Path("a/b.json"), Path("a/c.png")], "python -m hytnas_jax.retrain")
    console.wrote([Path("d")])
    assert lines(capsys) == [
        "wrote a/b.json",
        "wrote a/c.png",
        "next: python -m hytnas_jax.retrain",
        "wrote d",
    ]
    with console.without_next():
        console.wrote([Path("e")], "python -m hytnas_jax.retrain")
    assert lines(capsys) == ["wrote e"]


def on_terminal(code: str) -> str:
    """What `code` shows on a terminal of 80 columns."""
    reader, writer = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from hytnas_jax.console import *\n" + code],
        stdout=writer,
        stderr=writer,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(writer)
    shown = io.BytesIO()
    while True:
        try:
            data = os.read(reader, 4096)
        except OSError:  # the other end has closed
            break
        if not data:
            break
        shown.write(data)
    os.close(reader)
    assert process.wait() == 0, shown.getvalue()
    return shown.getvalue().decode()


def test_on_a_terminal_progress_is_a_live_bar() -> None:
    shown = on_terminal(
        "with progress(4, 'training [a]', done=1) as bar:\n"
        "    for _ in range(3): bar.advance(); bar.note('loss 3 [b]'); say('a line [c]')\n"
        "    for _ in progress(range(2), 'validating'): pass\n"
        "with progress(0, 'reading') as bar: bar.reach(5, 9)\n"
    )
    numbers = ("4/4", "2/2", "5/9", "s left")
    for expected in ("training [a]", "━", "loss 3 [b]", "a line [c]", "validating", *numbers):
        assert expected in shown
    assert "(100%)" not in shown


def test_on_a_terminal_a_table_is_drawn() -> None:
    shown = on_terminal("table([['[bold]x', 1.5], ['y', 2]], ['network', 'latency_ms'])")
    assert "[bold]x" in shown
    assert "────" in shown
