"""Networks that are retrained at the same time: which they are, and that all of them are noted in order."""

import contextlib
from collections.abc import Generator, Iterable
from typing import Any

import pytest

from hytnas_jax.retrain import main
from hytnas_jax.retrain import trainer as training
from hytnas_jax.retrain.config import Config, check
from hytnas_jax.runtime.executor import InProcess, LocalPool
from hytnas_jax.workspace.project import Project
from supernet.errors import UserError

from .test_command import Cut
from .test_in_turn import Trainer, config, done, project, records, trainer

__all__ = ["project", "trainer"]  # fixtures


class Pairs:
    """Runs two jobs at once, of which the second ends first; in this process."""

    at_once = 2

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def run(self, work: Any, jobs: Iterable[Any]) -> Generator[tuple[Any, Any], None, None]:
        batch = list(jobs)
        self.batches.append([job.spec.name for job in batch])
        for job in reversed(batch):
            yield job, work.run(job)


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> Pairs:
    pairs = Pairs()
    monkeypatch.setattr(Config, "make_retraining_executor", lambda config: pairs)
    monkeypatch.setattr(training, "prepare_worker", lambda *folders: None)  # for processes of their own
    return pairs


def without_expectations(project: Project) -> list[tuple[int, str]]:
    return [(record["number"], record["network"]["name"]) for record in records(project)]


def test_two_at_once_in_the_order_of_their_choice(
    project: Project, trainer: Trainer, pairs: Pairs, capsys: pytest.CaptureFixture[str]
) -> None:
    """The third has a role; the fourth is chosen by what became of two, and not of the third."""
    main(config(project, count=5))
    assert [len(batch) for batch in pairs.batches] == [2, 2]  # the fifth is trained alone, here
    assert trainer.trained[:2] == [4, 16]  # by their latencies
    found = records(project)
    assert [record["number"] for record in found] == [1, 2, 3, 4, 5]
    assert [record["network"]["name"] for record in found[:4]] == pairs.batches[0] + pairs.batches[1]
    assert [record["role"] for record in found[:3]] == ["smallest error", "knee", "smallest latency_ms"]
    assert found[3]["expected"]["networks"] == 2
    assert found[4]["expected"]["networks"] == 4
    said = capsys.readouterr().out
    assert "retraining networks side by side: 2 of 2 (100%)" in said
    assert "retraining " + found[0]["network"]["name"] + " (" not in said  # no bars of their own
    assert done(project)["networks"] == [record["network"]["name"] for record in found]


def test_one_that_another_of_its_batch_puts_off_the_front_is_named(
    project: Project, trainer: Trainer, pairs: Pairs, capsys: pytest.CaptureFixture[str]
) -> None:
    """4 ms and 16 ms are trained together; the second batch makes 4 ms worse than what costs less."""
    trainer.became[4.0] = 0.3
    main(config(project, count=6))
    name = next(name for name, latency in trainer.latency.items() if latency == 4.0)
    said = capsys.readouterr().out
    assert f"{name} has left the front" in said
    assert name not in done(project)["front"]


def test_what_was_cut_goes_on_with_the_same_networks(
    project: Project, trainer: Trainer, pairs: Pairs
) -> None:
    trainer.cut_at = 3
    with contextlib.suppress(Cut):
        main(config(project, count=4))
    begun = without_expectations(project)
    assert len(begun) == 4
    trainer.cut_at = None
    main(config(project, count=4))
    assert without_expectations(project) == begun
    assert len(trainer.trained) == 4  # each once


def test_more_networks_may_be_asked_for_later(project: Project, trainer: Trainer) -> None:
    main(config(project, count=2))
    first = without_expectations(project)
    main(config(project, count=4))
    assert without_expectations(project)[:2] == first
    assert len(trainer.trained) == len(done(project)["networks"]) == 4
    with pytest.raises(UserError, match="count: was 4, now 3"):
        main(config(project, count=3))


def test_one_after_the_other_unless_a_flag_says_otherwise(project: Project) -> None:
    assert isinstance(config(project).make_retraining_executor(), InProcess)
    pool = config(project, processes=3).make_retraining_executor()
    assert isinstance(pool, LocalPool)
    assert (pool.processes, pool.share_cores) == (3, True)


def test_a_job_of_several_processes_trains_in_turn(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"JAX_COORDINATOR_ADDRESS": "a:1", "JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "1"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    check(config(project))
    with pytest.raises(UserError, match="trains one network after the other, each on all its devices"):
        check(config(project, processes=2))
