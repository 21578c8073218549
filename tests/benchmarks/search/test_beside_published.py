"""Ours beside random and published networks: which are trained, and the table of what became of them."""

import json
import types
from typing import Any

import numpy as np

from benchmarks.search.beside_published import COLUMNS, Job, jobs_of, random_like, summarise
from hytnas_jax.tasks import vision_task
from proxies.complexity import num_macs
from supernet import built_in_space

SPACE = built_in_space("hybrid-small")


def to_spec(architecture: Any) -> Any:
    return SPACE.network_spec(architecture, num_classes=2, channels=3)


PROJECT: Any = types.SimpleNamespace(space=SPACE, to_spec=to_spec, task=vision_task("detection", 2))


def test_random_networks_cost_what_ours_do() -> None:
    """Each has another network within 5% of its MACs, and none has the same one."""
    ours = SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 5))
    others = random_like(PROJECT, ours)
    assert len({other.name for other in others}) == 5
    assert not set(others) & set(ours)
    macs_of = num_macs(to_spec)
    np.testing.assert_allclose(macs_of(others), macs_of(ours), rtol=0.05)


def test_the_table_has_means_over_seeds() -> None:
    spec = to_spec(SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 1))[0])
    jobs = [Job("random", spec, None, "scratch", seed) for seed in (0, 1)]
    rows = [
        dict(zip(COLUMNS, (*job.key, error, 0.02, json.dumps({"AP50": ap50}), 1.0), strict=True))
        for job, error, ap50 in zip(jobs, (0.5, 0.7), (0.8, 0.6), strict=True)
    ]
    (row,) = summarise(PROJECT, jobs, rows)
    assert (row["AP"], row["AP50"], row["seeds"]) == (0.4, 0.7, 2)
    np.testing.assert_allclose(row["between_seeds"], 0.2 / np.sqrt(2))  # of 0.5 and 0.3


def test_starts_say_how_often_each_is_trained(monkeypatch: Any) -> None:
    member = SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 1))[0]
    kept = [types.SimpleNamespace(architecture={"genes": list(member.genes)})]
    monkeypatch.setattr("benchmarks.search.beside_published.read_retrained", lambda step: kept)
    project = types.SimpleNamespace(
        **vars(PROJECT),
        workdir=types.SimpleNamespace(step=lambda name: name),
        published=lambda name, side: types.SimpleNamespace(name=name),
    )
    project.space = types.SimpleNamespace(
        resolution=SPACE.resolution,
        from_json=lambda record: member,
        sample=SPACE.sample,
        decode_all=SPACE.decode_all,
    )
    kinds = [(job.kind, job.start) for job in jobs_of(project, ("scratch",), 0)]
    assert kinds == [("ours", "scratch"), ("random", "scratch"), *[("published", "scratch")] * 3]
    assert len(jobs_of(project, ("supernet", "scratch"), 0)) == 7
