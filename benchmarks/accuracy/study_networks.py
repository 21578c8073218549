"""The networks that several benchmarks train: those of `study_ranking`."""

from hytnas_jax.accuracy.sample import draw_over_cost
from hytnas_jax.workspace.project import Project
from proxies.complexity import num_macs
from supernet.architecture import Architecture

DRAWN = 40  # as many as `study_ranking` draws


def study_networks(project: Project) -> list[Architecture]:
    """The networks that `study_ranking` draws, cheapest first."""
    return draw_over_cost(project.space, num_macs(project.to_spec), count=DRAWN, seed=0)
