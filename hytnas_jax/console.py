"""What a command says: lines, tables, progress; live on a terminal, plain lines in a log file."""

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence, Sized
from pathlib import Path
from types import TracebackType
from typing import Any

import rich.box
import rich.console
import rich.markup
import rich.progress
import rich.table

# Seconds between two lines of progress where there is no terminal.
PLAIN_INTERVAL = 10.0

_console = rich.console.Console(highlight=False)


def say(text: str) -> None:
    """Print `text` on standard output."""
    print(text, flush=True)


def warn(text: str) -> None:
    """Print `text` on standard error, marked as a warning."""
    print(f"warning: {text}", file=sys.stderr, flush=True)


def table(rows: Sequence[Sequence[object]], headers: Sequence[str]) -> None:
    """Print rows under their headers; columns of numbers are right-aligned, None is a dash."""
    texts = [[_cell(value) for value in row] for row in rows]
    numeric = [all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(headers))]
    if _is_terminal():
        view = rich.table.Table(box=rich.box.SIMPLE_HEAD)
        for header, right in zip(headers, numeric, strict=True):
            view.add_column(header, justify="right" if right else "left")
        for row in texts:
            view.add_row(*(rich.markup.escape(cell) for cell in row))
        _console.print(view)
        return
    lines = [list(headers), *texts]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headers))]
    for line in lines:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        say("  ".join(cells).rstrip())


def wrote(paths: Sequence[Path], next_command: str | None = None) -> None:
    """End a command: which files it wrote and which command comes next."""
    for path in paths:
        say(f"wrote {path}")
    if next_command is not None:
        say(f"next: {next_command}")


class Progress:
    """Counts towards a total; see `progress`."""

    def __init__(self, items: Iterable[Any] | None, total: int | None, label: str, done: int):
        self._items = items
        self._label = label
        self._total = total
        self._first = self._count = done
        self._note = ""
        self._is_open = False
        self._started = self._printed = time.monotonic()
        self._bar: rich.progress.Progress | None = None
        self._task = rich.progress.TaskID(0)

    def __enter__(self) -> "Progress":
        self._is_open = True
        self._started = self._printed = time.monotonic()
        if _is_terminal():
            self._bar = rich.progress.Progress(
                rich.progress.TextColumn("{task.description}", markup=False),
                rich.progress.BarColumn(bar_width=None),
                rich.progress.MofNCompleteColumn(),
                rich.progress.TimeRemainingColumn(elapsed_when_finished=True),
                rich.progress.TextColumn("{task.fields[note]}", markup=False),
                console=_console,
                expand=True,
                speed_estimate_period=600,  # 30 s, rich's own, forgets the last item before the next one
            )
            self._task = self._bar.add_task(self._label, total=self._total, completed=self._count, note="")
            self._bar.start()
        else:
            say(f"{self._label}: {self._counts()}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            return
        elapsed = time.monotonic() - self._started
        end = "stopped at " if kind is not None else ""
        say(self._line(f"{end}{self._counts()}, {duration(elapsed)}"))

    def __iter__(self) -> Iterator[Any]:
        """The items, each counted once the loop has gone round with it."""
        with contextlib.nullcontext() if self._is_open else self:
            for item in self._items or ():
                yield item
                self.advance()

    def advance(self, n: int = 1) -> None:
        """Count `n` more as done."""
        self._count += n
        if self._bar is not None:
            self._bar.advance(self._task, n)
            return
        now = time.monotonic()
        if now - self._printed >= PLAIN_INTERVAL:
            self._printed = now
            elapsed = now - self._started
            say(self._line(f"{self._counts()}, {duration(elapsed)}{self._remaining(elapsed)}"))

    def note(self, text: str) -> None:
        """Show `text` beside the count, e.g. "loss 0.43 · search accuracy 0.91"."""
        self._note = text
        if self._bar is not None:
            self._bar.update(self._task, note=text)

    def _counts(self) -> str:
        if not self._total:
            return str(self._count)
        return f"{self._count} of {self._total} ({100 * self._count // self._total} %)"

    def _remaining(self, elapsed: float) -> str:
        made = self._count - self._first
        if not self._total or not made:
            return ""
        return f", about {duration(elapsed / made * (self._total - self._count))} left"

    def _line(self, text: str) -> str:
        return f"{self._label}: {text}" + (f" · {self._note}" if self._note else "")


def progress(work: Iterable[Any] | int, label: str, *, done: int = 0) -> Progress:
    """Show how far a loop is.

        with progress(epochs, "training", done=first_epoch) as bar:
            ...
            bar.note("loss 0.43")
            bar.advance()

        with progress(batches, "evaluating") as bar:
            for batch in bar: ...

    Args:
      work: the total, or the items to go through.
      label: what is being done.
      done: how many of the total an earlier session has done; they say nothing about the pace.
    """
    if isinstance(work, int):
        return Progress(None, work, label, done)
    total = len(work) + done if isinstance(work, Sized) else None
    return Progress(work, total, label, done)


def _is_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def duration(seconds: float) -> str:
    """Seconds as "42 s", "3 min 05 s" or "2 h 07 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
