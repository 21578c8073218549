"""Every numeric flag of every command has a range, in its help and in its `main`."""

import dataclasses
import importlib
import math
import re
import typing
from pathlib import Path
from types import ModuleType, NoneType
from typing import Annotated, Any, Literal

import numpy as np
import pytest

from hytnas_jax import cli
from hytnas_jax.runtime.command_line import run
from hytnas_jax.shared_flags.ranges import Range, above, check_ranges, kinds_in, ranges_of, within
from supernet.errors import UserError

COMMANDS = sorted((*cli.COMMANDS, "main_job"))
# What a command needs beside the flag that is tried, so that it would go on to the work.
NEEDED: dict[str, dict[str, Any]] = {
    "device_kit": {"output": Path("kit")},
    "describe": {"network": "vit-tiny"},
    "fit_latency": {"device": "pi", "measurements": (Path("pi.csv"),)},
    "study_search": {
        "table": (Path("t.csv"),),
        "features": ("x",),
        "objectives": ("u:min", "v:min"),
        "output": Path("out"),
    },
}


def command(name: str) -> ModuleType:
    return importlib.import_module(f"hytnas_jax.{name}")


def numeric(config_type: type) -> list[str]:
    """The fields that take a number."""
    hints = typing.get_type_hints(config_type, include_extras=True)
    return [
        field.name
        for field in dataclasses.fields(config_type)
        if kinds_in(hints[field.name]) & {int, float, complex}
    ]


def config_with(name: str, field: str, value: object, folder: Path) -> Any:
    config_type = command(name).Config
    if isinstance(next(f.default for f in dataclasses.fields(config_type) if f.name == field), tuple):
        value = (value,)
    fields = {f.name for f in dataclasses.fields(config_type)}
    workdir = {"workdir": folder / "none"} if "workdir" in fields else {}
    return config_type(**{**workdir, **NEEDED.get(name, {}), field: value})


def test_there_are_thirteen_commands_and_the_main_job() -> None:
    assert len(COMMANDS) == 14
    assert sum(len(numeric(command(name).Config)) for name in COMMANDS) > 60


@pytest.mark.parametrize("name", COMMANDS)
def test_every_number_has_a_range(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = command(name)
    ranges = ranges_of(module.Config)
    assert sorted(ranges) == sorted(numeric(module.Config)), (
        "give the flag a range: Annotated[..., within(..)]"
    )
    with pytest.raises(SystemExit):
        run(module.main, module.Config, ["--help"])
    shown = "".join(capsys.readouterr().out.replace("│", " ").split())
    for accepted, _ in ranges.values():
        assert f";{accepted})".replace(" ", "") in shown


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name in COMMANDS for field in numeric(command(name).Config)]
)
def test_what_is_out_of_range_is_refused_before_any_work(name: str, field: str, tmp_path: Path) -> None:
    accepted, kinds = ranges_of(command(name).Config)[field]
    is_whole = float not in kinds
    step = 1 if is_whole else 1e-9
    low, high = (int(n) if is_whole else float(n) for n in (accepted.low, accepted.high))
    wrong: list[object] = [
        low - step,
        high + max(step, high * 1e-9),
        -math.inf,
        math.inf,
        math.nan,
        10**400,
        -(10**400),
        True,
        "3",
    ]
    wrong += [low + 0.5] if is_whole else []
    wrong += [] if kinds & {NoneType, tuple} else [None, (low + 1,)]
    wrong += [low] if accepted.is_open else []
    for value in wrong:
        flag = f"--{field.replace('_', '-')} "
        with pytest.raises(
            UserError, match=rf"{flag}.*: must be .*; give a .* of {re.escape(str(accepted))}"
        ) as caught:
            command(name).main(config_with(name, field, value, tmp_path))
        assert "\n" not in str(caught.value)
    for value in (low + (step if accepted.is_open else 0), high, np.asarray(high)[()]):
        check_ranges(config_with(name, field, value, tmp_path))
    assert list(tmp_path.iterdir()) == []


@dataclasses.dataclass(frozen=True)
class Config:
    """Numbers of each kind."""

    share: Annotated[float, above(0, 1)] = 0.5
    sides: Annotated[tuple[int, ...], within(1, 9)] = (3,)
    limit: Annotated[int | None, within(1, 10**15)] = None
    epochs: Annotated[int | Literal["auto"], within(1, 9)] = 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": 0}, "--share 0: must be over 0; give a number of over 0 to 1"),
        ({"share": 2.0}, "--share 2.0: must be at most 1; give a number of over 0 to 1"),
        ({"share": math.nan}, "--share nan: must be a number; give a number of over 0 to 1"),
        ({"sides": (3, 0)}, "--sides 0: must be at least 1; give a whole number of 1 to 9"),
        ({"sides": (3, 4.0)}, "--sides 4.0: must be a whole number; give a whole number of 1 to 9"),
        ({"epochs": 10}, "--epochs 10: must be at most 9; give a whole number of 1 to 9, or auto"),
        ({"epochs": "Auto"}, "--epochs Auto: must be a whole number; give a whole number of 1 to 9, or auto"),
        ({"limit": 10**15 + 1}, "must be at most 10^15; give a whole number of 1 to 10^15"),
    ],
)
def test_the_message_says_what_is_wrong_and_what_is_right(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        check_ranges(Config(**changes))
    assert message in str(caught.value)
    check_ranges(Config())
    check_ranges(Config(1, (1, 9), 1))
    check_ranges(Config(epochs="auto"))


def test_a_range_in_words() -> None:
    assert [str(Range(0, 1, is_open=True)), str(Range(2, 2**31 - 1)), str(Range(0.5, 1e9))] == [
        "over 0 to 1",
        "2 to 2147483647",
        "0.5 to 10^9",
    ]
    assert [str(Range(1e-8, 11_000_000)), str(Range(1, 100_000))] == ["1e-08 to 11000000", "1 to 100000"]
