"""The console script `hytnas-jax`: every command by its name, and the main job without one.

hytnas-jax --workdir runs/digits           the main job, as `python -m hytnas_jax`
hytnas-jax search --workdir runs/digits    one of its steps, as `python -m hytnas_jax.search`
"""

import difflib
import importlib
import inspect
import re
import sys
from collections.abc import Sequence
from typing import Any

from hytnas_jax.runtime import stopping, streams
from hytnas_jax.runtime.command_line import run

COMMANDS = (
    "train_supernet",
    "measure_latency",
    "search",
    "retrain",
    "export",
    "report",
    "describe",
    "device_kit",
    "fit_latency",
    "study_ranking",
    "study_efficiency",
    "study_search",
    "reduce_space",
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command that the first word names; the main job where the first word is a flag.

    Args:
      argv: the words behind the program; those of the command line if None.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    streams.open_closed()
    stopping.start()
    if words and not words[0].startswith("-"):
        name = _command(words.pop(0))
        module, program = f"hytnas_jax.{name}", f"hytnas-jax {name}"
        description = None
    else:
        module, program = "hytnas_jax.main_job", None
        description = _overview() if {"-h", "--help"} & {*words} else None
    command = importlib.import_module(module)
    run(command.main, command.Config, words, program=program, description=description)


def _overview() -> str:
    """What the main job's help begins with: what it does, and the other commands, a line each."""
    does = inspect.cleandoc(_config("main_job").__doc__ or "")
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {_first_sentence(_config(name))}" for name in COMMANDS]
    title = "Its steps and the other commands, each as the first word and with its own --help:"
    return "\n".join([does, "", title, *lines])


def _config(name: str) -> Any:
    return importlib.import_module(f"hytnas_jax.{name}").Config


def _first_sentence(config: Any) -> str:
    """Without its end, where it goes on about details."""
    paragraph = " ".join(inspect.cleandoc(config.__doc__ or "").partition("\n\n")[0].split())
    return re.split(r"[:;.]", paragraph)[0]


def _command(word: str) -> str:
    """The name of a command: `study-ranking` is `study_ranking`. Another word ends the program."""
    name = word.replace("-", "_")
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        print(
            f"error: {word!r} is no command{meant}; give one of {', '.join(COMMANDS)}, "
            "or flags alone for the main job",
            file=sys.stderr,
        )
        sys.exit(2)
    return name


if __name__ == "__main__":
    main()
