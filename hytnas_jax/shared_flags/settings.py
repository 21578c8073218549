"""A config as settings of a work folder, and as the flags that the user typed."""

import dataclasses
import shlex
from collections.abc import Sequence
from typing import Any

from hytnas_jax.runtime.command_line import Config


def settings_of(config: Config, *, without: Sequence[str] = ()) -> dict[str, Any]:
    """The fields of a config for `Step.begin`: all that change the result.

    Args:
      config: a command's dataclass.
      without: fields that do not change the result, beside `workdir`, which never does.
    """
    fields = dataclasses.asdict(config)
    return {name: value for name, value in fields.items() if name not in ("workdir", *without)}


def flags_of(config: Any) -> str:
    """What the user types behind a command for this config; flags at their defaults are left out."""
    words = []
    for field in dataclasses.fields(config):
        value, flag = getattr(config, field.name), field.name.replace("_", "-")
        if value == field.default:
            continue
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", *map(str, value if isinstance(value, tuple) else (value,))]
    return shlex.join(words)
