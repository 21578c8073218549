"""From what a study of efficiency has measured to a smaller space, as a file, and what is said of it."""

import dataclasses
import shlex
from pathlib import Path

import numpy as np

from hytnas_jax import console
from hytnas_jax.files.atomic import write_json, write_text
from hytnas_jax.reduce_space.config import Config
from hytnas_jax.reduce_space.needs import Needs
from hytnas_jax.reduce_space.peeling import Reduction
from hytnas_jax.reduce_space.proposal import HEADERS, MADE_BY, Proposal, flag, limits_text, three_digits
from hytnas_jax.reduce_space.relaxation import reduce_by_limits
from hytnas_jax.reduce_space.sample import NothingWithin
from hytnas_jax.shared_flags.settings import flags_of
from hytnas_jax.study_efficiency.folder import read_studied
from hytnas_jax.workspace.space_file import space_text
from hytnas_jax.workspace.workdir import Workdir, command_line
from supernet.errors import UserError
from supernet.search_space import SearchSpace

EXTRAPOLATED = 0.1  # of the networks: above that it is warned of
EVALUATED = 2000  # networks by which that is known


def propose(config: Config) -> None:
    """Reduce the space, say what has been taken away, and write it."""
    workdir = Workdir(config.workdir)
    studied = read_studied(workdir)
    plan, maxima = studied.plan, config.given()
    space = plan.space
    path = config.output or workdir.path / f"{space.name.replace('/', '-')}-reduced.yaml"
    _check_output(path)
    _check_kept(space, config.keep)
    device = studied.device(config.device) if config.max_latency_ms is not None else None
    predictor = studied.predictor(device) if device is not None else None
    reduction = _reduce(space, Needs(space, plan.to_spec, maxima, predictor), config)
    reduced = dataclasses.replace(plan, space=reduction.space)
    drawn = reduced.space.sample(np.random.default_rng(config.seed), EVALUATED)
    outside = Needs(reduced.space, reduced.to_spec, maxima, predictor).outside(drawn)
    proposal = Proposal(space, reduction, maxima, device, float(outside.mean()))
    write_text(path, space_text(reduced.space, comment=proposal.comment(flags_of(config))))
    write_json(path.with_suffix(".json"), proposal.to_json())
    _show(proposal)
    console.wrote([path, path.with_suffix(".json")], _next(workdir, path, reduced.space))


def _reduce(space: SearchSpace, needs: Needs, config: Config) -> Reduction:
    """The reduction, with its progress. Raises UserError where no network is within the limits."""
    with console.progress(0, "looking at networks") as bar:

        def watch(looked_at: int, how_far: str) -> None:
            bar.note(how_far)
            bar.advance(looked_at)

        rng = np.random.default_rng(config.seed)
        try:
            return reduce_by_limits(
                space, needs.times, share=config.share, keep=config.keep, rng=rng, watch=watch
            )
        except NothingWithin as nothing:
            raise UserError(_explain(space, needs, nothing.drawn)) from None


def _explain(space: SearchSpace, needs: Needs, drawn: int) -> str:
    """Why none of the networks is within the limits."""
    alone = "each limit is met by some, all of them by none; " if needs.are_met_alone() else ""
    least = ", ".join(f"{least:.4g} ({flag(name)})" for name, least in needs.least.items())
    return (
        f"{limits_text(needs.maxima)}: none of {drawn} networks drawn from space {space.name!r} is within; "
        f"{alone}the least found is {least}; loosen the limits, or study a space of smaller networks"
    )


def _check_output(path: Path) -> None:
    """Raises UserError where a file is in the way that is not of this command."""
    numbers = path.with_suffix(".json")  # written after the other
    for file in (path, numbers):
        if file.is_dir():
            raise UserError(f"--output {path}: the folder {file} is in the way; give another path")
    is_ours = path.exists() and path.read_text(errors="replace").startswith(f"# {MADE_BY}")
    for file in (path, numbers):
        if file.exists() and not is_ours:
            raise UserError(
                f"--output {path}: the file {file} is in the way, which this command has not written; give "
                "another path, or move it away"
            )


def _check_kept(space: SearchSpace, keep: tuple[str, ...]) -> None:
    """Raises UserError for what is neither a gene nor a family of genes of the space."""
    families = list(dict.fromkeys(gene.family for gene in space.genes))
    names = [gene.name for gene in space.genes]
    for name in keep:
        if name not in (*families, *names):
            raise UserError(
                f"--keep {name}: space {space.name!r} has no such genes; give families of them "
                f"({', '.join(families)}) or single ones ({', '.join(names)})"
            )


def _show(proposal: Proposal) -> None:
    removals = proposal.reduction.removals
    was_relaxed = any(step.relaxed > 1 for step in removals)
    rows = [
        (
            step.gene,
            step.choice,
            *([f"{step.relaxed:.3g}"] if was_relaxed else []),
            three_digits(step.share),
            three_digits(step.recall),
        )
        for step in removals
    ]
    if rows:
        relaxed = ["limits times"] if was_relaxed else []
        console.table(rows, ("gene", "taken away", *relaxed, *HEADERS[-2:]))
    else:
        console.say("so many are within the limits that nothing has to be taken away")
    console.say("")
    console.table(proposal.rows(), HEADERS)
    console.say(f"genes left whole: {', '.join(proposal.left_whole()) or 'none'}")
    if proposal.outside > EXTRAPOLATED:
        console.warn(
            f"{three_digits(proposal.outside)} of the reduced space's networks are unlike those that the "
            f"latency predictor of {proposal.device} was fitted on: their predicted latency is an "
            "extrapolation. Measure more networks, or measure some of these before relying on it"
        )


def _next(workdir: Workdir, path: Path, space: SearchSpace) -> str:
    """Training, in a work folder that has no data yet; more than two resolutions have to be asked for."""
    begun = workdir.step("data").folder.exists()
    folder = workdir.path.with_name(f"{workdir.path.name}-reduced") if begun else workdir.path
    words = ["--data", "DIR", "--space", shlex.quote(str(path))]
    if len(space.resolution) > 2:
        words += ["--resolutions", *map(str, space.resolution)]
    return " ".join((command_line("train_supernet", folder), *words))
