"""What processes of a job tell one another; here they are made up, one after the other."""

from pathlib import Path

import pytest

from hytnas_jax import console
from hytnas_jax.files.atomic import write_text
from hytnas_jax.runtime import process_group
from hytnas_jax.workspace.workdir import Workdir
from supernet.errors import UserError

from ..made_up_job import Recorded


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    monkeypatch.setattr(process_group, "_state", process_group._State())
    return Recorded()


def test_one_process_waits_for_nobody(channel: Recorded) -> None:
    process_group.together("here")
    assert process_group.of_lead("number", lambda: 3) == 3
    with process_group.lead_first("folder"):
        assert not process_group.acts_alone()
    assert process_group.signal_of_any(15) is None
    assert (process_group.is_lead(), process_group.size(), process_group.in_words()) == (True, 1, "")


def test_what_the_lead_finds_all_know(channel: Recorded) -> None:
    """Also where the lead passes further such places while it finds it, which are no common ones."""

    def find() -> dict[str, float]:
        assert process_group.acts_alone()
        process_group.together("nested")
        return {"error": process_group.of_lead("nested", lambda: 0.1)}

    process_group.become(0, 2, channel)
    of_lead = [process_group.of_lead("found", find), process_group.of_lead("then", lambda: [1])]
    process_group.become(1, 2, channel)
    others = [
        process_group.of_lead("found", lambda: pytest.fail("only the lead does")),
        process_group.of_lead("then", list),
    ]
    assert others == of_lead == [{"error": 0.1}, [1]]
    assert channel.waits == []


def test_the_lead_goes_first(channel: Recorded) -> None:
    before = {}
    for process in (0, 1):
        process_group.become(process, 2, channel)
        channel.waits.clear()
        with process_group.lead_first("folder"):
            before[process] = len(channel.waits)
        assert len(channel.waits) == 2
    assert before == {0: 0, 1: 1}


def test_a_signal_of_one_is_told_to_all(channel: Recorded) -> None:
    """The lead hears of it, and all take its word."""
    process_group.become(1, 2, channel)
    channel.said["1 signal"] = "null"  # the lead has said so before this one was asked
    assert process_group.signal_of_any(15) is None
    process_group.become(0, 2, channel)
    channel.said.pop("1 signal")
    assert process_group.signal_of_any(None) == 15
    process_group.become(0, 2, Recorded())
    assert process_group.signal_of_any(None) is None
    assert process_group.signal_of_any(2) == 2


def test_only_the_lead_writes(channel: Recorded, tmp_path: Path) -> None:
    process_group.become(1, 2, channel)
    write_text(tmp_path / "a", "of process 1")
    assert not (tmp_path / "a").exists()
    process_group.become(0, 2, channel)
    write_text(tmp_path / "a", "of process 0")
    assert (tmp_path / "a").read_text() == "of process 0"


def test_all_processes_see_one_work_folder(channel: Recorded, tmp_path: Path) -> None:
    process_group.become(0, 2, channel)
    Workdir(tmp_path / "shared").step("supernet").begin({"seed": 0})
    process_group.become(1, 2, channel)
    other = Workdir(tmp_path / "shared").step("supernet")
    other.begin({"seed": 0})
    other.finish({})
    assert not other.is_done
    process_group.become(1, 2, channel)
    (tmp_path / "own").mkdir()
    with pytest.raises(UserError, match="own: process 1 of 2 does not see there what process 0 writes"):
        Workdir(tmp_path / "own")


def test_who_is_hushed_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "_is_hushed", False)
    console.say("first")
    console.hush()
    console.say("second")
    console.warn("third")
    console.table([(1, 2)], ("a", "b"))
    with console.progress(2, "training") as bar:
        bar.advance()
    assert capsys.readouterr() == ("first\n", "")
