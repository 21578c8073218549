"""A plan: what makes two studies the same, and how a work folder keeps it."""

import dataclasses
from pathlib import Path

import pytest
from made_up_times import PLAN

from hytnas_jax.study_efficiency.plan import STEP, open_plan
from hytnas_jax.workspace.workdir import Workdir
from supernet.errors import UserError


def test_identity_is_of_all_settings() -> None:
    assert dataclasses.replace(PLAN).identity == PLAN.identity
    others = [{"resolution": 48}, {"num_classes": 3}, {"channels": 1}, {"networks": 13}, {"seed": 1}]
    others.append({"space": PLAN.space.with_resolutions([8])})
    assert len({dataclasses.replace(PLAN, **other).identity for other in others} | {PLAN.identity}) == 7


def test_a_work_folder_keeps_it(tmp_path: Path) -> None:
    workdir = Workdir(tmp_path)
    with pytest.raises(UserError, match=r"'efficiency' is needed first .*hytnas_jax.study_efficiency"):
        open_plan(workdir)
    workdir.step(STEP).begin(PLAN.to_json())
    assert open_plan(workdir)[0] == PLAN
