"""What of a folder is not used, in one line: how many files, where, why, and what to do about it."""

import dataclasses
from collections import Counter
from collections.abc import Iterable

from hytnas_jax.data.readers.listing import BARE, BROKEN, HIDDEN
from hytnas_jax.numbers import counted

NESTED, BESIDE = "in subfolders", "beside the class folders"
_NAMED = 3  # folders, and reasons of one folder; the rest is counted


@dataclasses.dataclass
class LeftOut:
    """files: the folder's name -> reason -> how many. unused: folders beside the splits -> how many files.
    elsewhere: splits beside the folder itself."""

    files: dict[str, Counter[str]] = dataclasses.field(default_factory=dict)
    unused: dict[str, int] = dataclasses.field(default_factory=dict)
    elsewhere: list[str] = dataclasses.field(default_factory=list)

    def add(self, folder: str, counts: Counter[str]) -> None:
        """Note what is left out in one folder; nothing, where that is nothing."""
        if counts.total():
            self.files[folder] = counts

    def in_words(self) -> str:
        """One line, "" where all files are used."""
        files, unused = list(self.files.items()), list(self.unused.items())
        parts = [f"{folder}: {_list(counts)} left out" for folder, counts in files[:_NAMED]]
        if files[_NAMED:]:
            rest = sum(counts.total() for _, counts in files[_NAMED:])
            parts.append(f"{counted(rest, 'file')} in {counted(len(files) - _NAMED, 'more folder')}")
        parts += [f"{name}/ ({counted(count, 'file')}) is not used" for name, count in unused[:_NAMED]]
        if unused[_NAMED:]:
            rest = sum(count for _, count in unused[_NAMED:])
            parts.append(f"nor {counted(len(unused) - _NAMED, 'more folder')} ({counted(rest, 'file')})")
        parts += [f"{name}/ lies beside it and is not used" for name in self.elsewhere]
        return "; ".join([*parts, *self._advice()]).replace("\n", " ")

    def _advice(self) -> Iterable[str]:
        reasons = {reason for counts in self.files.values() for reason in counts}
        if reasons & {NESTED, BESIDE}:
            yield "images have to lie directly in the folder of their class"
        if any(reason.startswith(".") for reason in reasons):
            yield "convert images of other kinds to PNG or JPEG"
        if self.unused:
            yield "the folders of splits are called train, val and test"
        if self.elsewhere:
            yield "give the folder that holds all splits as --data to use it"


def _list(counts: Counter[str]) -> str:
    """ "20 files in subfolders and 20 .HEIC"."""
    parts = [_count(reason, count) for reason, count in counts.most_common(_NAMED)]
    if len(counts) > _NAMED:
        parts.append(counted(counts.total() - sum(n for _, n in counts.most_common(_NAMED)), "other"))
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _count(reason: str, count: int) -> str:
    if reason in (NESTED, BARE):
        return f"{counted(count, 'file')} {reason}"
    if reason == BESIDE:
        return f"{counted(count, 'image')} {reason}"
    if reason == HIDDEN:
        return f"{count} hidden"
    return counted(count, "broken link") if reason == BROKEN else f"{count} {reason}"
