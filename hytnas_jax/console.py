"""What a command says: lines, tables, progress; live on a terminal, plain lines in a log file."""

import contextlib
import dataclasses
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
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
_says_next = True
_is_hushed = False


def hush() -> None:
    """From here on this process says nothing: another one of its job talks. Errors are said all the same."""
    global _is_hushed
    _is_hushed = True


def say(text: str) -> None:
    """Print `text` on standard output."""
    if not _is_hushed:
        print(_whole(text), flush=True)


def warn(text: str) -> None:
    """Print `text` on standard error, marked as a warning."""
    if not _is_hushed:
        print(f"warning: {_whole(text)}", file=sys.stderr, flush=True)


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
    if next_command is not None and _says_next:
        say(f"next: {next_command}")


@contextlib.contextmanager
def without_next() -> Iterator[None]:
    """Inside, `wrote` names no next command: the one that runs goes on with it itself."""
    global _says_next
    _says_next = False
    try:
        yield
    finally:
        _says_next = True


@dataclasses.dataclass(frozen=True)
class RemainingTime:
    """What a time that is left can be told by; see `progress`."""

    apart: Callable[[], float]
    is_even: bool


class Progress:
    """Counts towards a total; see `progress`."""

    def __init__(
        self,
        items: Iterable[Any] | None,
        total: int | None,
        label: str,
        done: int,
        remaining: RemainingTime,
    ):
        self._items = items
        self._remaining = remaining
        self._label = label
        self._total = total
        self._first = self._count = done
        self._note = ""
        self._is_open = False
        self._printed = self._started = time.monotonic()
        self._apart_before = remaining.apart()
        self._bar: rich.progress.Progress | None = None
        self._task = rich.progress.TaskID(0)

    def __enter__(self) -> "Progress":
        self._is_open = True
        self._printed = self._started = time.monotonic()
        self._apart_before = self._remaining.apart()
        if _is_terminal():
            self._bar = rich.progress.Progress(
                rich.progress.TextColumn("{task.description}", markup=False),
                rich.progress.BarColumn(bar_width=None),
                rich.progress.MofNCompleteColumn(),
                rich.progress.TimeElapsedColumn(),
                rich.progress.TextColumn("{task.fields[left]}", markup=False),
                rich.progress.TextColumn("{task.fields[note]}", markup=False),
                console=_console,
                expand=True,
            )
            self._task = self._bar.add_task(
                self._label, total=self._total or None, completed=self._count, left="", note=self._note
            )
            self._bar.start()
        else:
            say(self._line(self._counts()))
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
        counts = self._counts()
        if kind is not None:
            counts = f"stopped at {counts}" if counts else "stopped"
        say(self._line(", ".join(filter(None, (counts, self._taken())))))

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
            self._bar.update(self._task, advance=n, left=self._left())
            return
        if self._count != self._total and time.monotonic() - self._printed >= PLAIN_INTERVAL:
            self._printed = time.monotonic()
            say(self._line(", ".join(filter(None, (self._counts(), self._taken(), self._left())))))

    def reach(self, done: int, total: int) -> None:
        """So many are done of a total that was not known before."""
        self._total = total
        if self._bar is not None:
            self._bar.update(self._task, total=total)
        self.advance(done - self._count)

    def note(self, text: str, *, now: bool = False) -> None:
        """Show `text` beside the count, e.g. "loss 0.43 · search accuracy 0.91".

        Where there is no terminal it is shown with the next line; `now` makes that line at once.
        """
        self._note = text
        if self._bar is not None:
            self._bar.update(self._task, note=text)
        elif now:
            say(f"{self._label}: {text}")

    def _counts(self) -> str:
        if not self._total:
            return str(self._count or "")
        return f"{self._count} of {self._total} ({100 * self._count // self._total}%)"

    def _taken(self) -> str:
        """ "52 s", or "52 s (41 s of it compiling)"."""
        apart = self._apart()
        of_it = f" ({duration(apart)} of it compiling)" if apart >= 1 else ""
        return duration(time.monotonic() - self._started) + of_it

    def _left(self) -> str:
        """ "about 3 min 05 s left", by the speed without compiling; "" where there is none yet."""
        made = self._count - self._first
        if not self._total or made < 1 or not self._remaining.is_even:
            return ""
        worked = time.monotonic() - self._started - self._apart()
        return f"about {duration(max(worked, 0.0) / made * (self._total - self._count))} left"

    def _apart(self) -> float:
        return self._remaining.apart() - self._apart_before

    def _line(self, text: str) -> str:
        return self._label + (f": {text}" if text else "") + (f" · {self._note}" if self._note else "")


def progress(
    work: Iterable[Any] | int,
    label: str,
    *,
    done: int = 0,
    apart: Callable[[], float] = lambda: 0.0,
    is_even: bool = True,
) -> Progress:
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
      done: how many of the total an earlier session has done; they say nothing about the speed.
      apart: gives the seconds of compiling so far (`compiling.seconds`), which is done once and says nothing
        about the speed either.
      is_even: one is done after the other. Where they take turns and are done together at the end, what is
        done says nothing of what is left.
    """
    remaining = RemainingTime(apart, is_even)
    if isinstance(work, int):
        return Progress(None, work, label, done, remaining)
    total = len(work) + done if isinstance(work, Sized) else None
    return Progress(work, total, label, done, remaining)


def _whole(text: str) -> str:
    """With "?" for what a path has that is no UTF-8, and cannot be printed."""
    return text.encode(errors="replace").decode()


def _is_terminal() -> bool:
    return not _is_hushed and sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


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
