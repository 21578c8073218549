"""Is the search worth it? Our front beside what one gets without a search, all trained by one recipe.

    python -m benchmarks.search.front_worth --workdir runs/digits --seeds 3 --name front_worth_digits

For a work folder in which train_supernet, measure_latency, search and retrain have ended. Each set of
networks is trained by `train_alone` as `retrain` does, from every seed (of the weights, and of the order of
images):

a  what `retrain` has chosen of what was searched, from the supernet's weights and from scratch;
b  --networks random ones evenly over log MACs, from scratch: all, as many as in a evenly over cost, and as
   many drawn 2,000 times;
c  what the search would find if MACs, or those of 1x1 convolutions, were the accuracy, from scratch;
d  published networks, from scratch, for images of the space's largest side;
e  random search: networks as in b, one after the other, until their training has taken the CPU time that the
   supernet, the latencies, the search and the retraining of a have taken.

With --fresh-draws the networks of b, and of e, which begins with them, are drawn anew for every seed, so that
what chance gives is in the spread between seeds; without, all seeds have the first draw. The search and its
supernet are one run: the spread between seeds has nothing of theirs. Every training is a row of
`front_worth/trainings.csv` in the work folder; the same command goes on. (The trainings of study_ranking are
not used: nobody knows their test error.)

A set's front is chosen by errors on the validation split, separately for each cost, and evaluated on the test
split. Hypervolumes lie between the cheapest and the dearest network, by the logarithm, and below the largest
error, of all fronts of a, b, c and e together, and a tenth further (`measures.Box`). Intervals
are the middle 95% of 2,000 resamples of test images and of seeds, the same for all sets; of one seed, of
images alone. CPU seconds of the steps of the work folder are not recorded: their wall-clock seconds stand for
them, unless --steps-cpu-seconds tells. Compiling is in all of them, once for a network.
"""

import dataclasses
from typing import Any

import jax

from benchmarks.common import main, save_plot
from benchmarks.search.front_worth.config import Config, check
from benchmarks.search.front_worth.measures import bought
from benchmarks.search.front_worth.report import Compared, counted, figure, markdown, result
from benchmarks.search.front_worth.sets import (
    OURS,
    SCRATCH,
    SEARCHED,
    Job,
    Members,
    counts,
    planned,
    random_jobs,
)
from benchmarks.search.front_worth.training import Trainings, latencies
from hytnas_jax import console
from hytnas_jax.training.stand_alone import Schedule
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Step, Workdir

STEPS = {"supernet": "train_supernet", "latency": "measure_latency", "search": "search"}


def benchmark(config: Config) -> dict[str, Any] | None:
    """Train what is missing, measure, and compare."""
    check(config)
    project = open_project(Workdir(config.workdir))
    for name, command in STEPS.items():
        project.workdir.step(name).require(command)
    step = project.workdir.step("front_worth")
    schedule = Schedule(config.epochs, config.batch_size, config.learning_rate, seed=0)
    recipe = {name: value for name, value in dataclasses.asdict(schedule).items() if name != "seed"}
    if not config.dry_run or (step.folder / "settings.json").exists():
        upstream = project.workdir.step("supernet").done()["id"]
        step.begin(recipe, {"data": project.done_id, "supernet": upstream})
    trainings = Trainings(project, step.folder, schedule)
    sets, left_out = planned(project, config)
    for name, reason in left_out.items():
        console.say(f"left out: {name}, {reason}")
    jobs = [job for members in sets.values() for of_seed in members for job in of_seed]
    if config.dry_run:
        estimate(project, config, trainings, jobs)
        return None
    # A program that an earlier command has kept would make one network's training cheaper than another's.
    jax.config.update("jax_enable_compilation_cache", False)
    trainings.train_all(jobs)
    before = steps_seconds(project, config)
    if "e" in config.sets:
        budget = before + sum(trainings.costs()[job.network.name] for job in sets[OURS][0])
        sets[SEARCHED] = [
            search_at_random(project, config, trainings, seed, budget) for seed in range(config.seeds)
        ]
    before_sets = {
        OURS: before,
        SCRATCH: before,
        **dict.fromkeys(counts(project), seconds_of(project, "latency")),
    }
    compared = compare(step, trainings, sets, before_sets)
    data = result(compared)
    print(markdown(data))
    title = f"{project.source}, space {project.space.name}, seed 0 of {config.seeds}"
    save_plot(config.name, figure(compared, title))
    return {
        "data": project.source,
        "space": project.space.name,
        "recipe": recipe,
        "seeds": config.seeds,
        "supernet_latency_search_seconds": before,
        "left_out": left_out,
        **data,
    }


def steps_seconds(project: Project, config: Config) -> float:
    """What the supernet, the latencies and the search have taken."""
    if config.steps_cpu_seconds is not None:
        return config.steps_cpu_seconds
    return sum(seconds_of(project, name) for name in STEPS)


def seconds_of(project: Project, name: str) -> float:
    """Wall-clock seconds of a step of the work folder."""
    return float(project.workdir.step(name).done()["seconds"])


def search_at_random(
    project: Project, config: Config, trainings: Trainings, seed: int, budget: float
) -> list[Job]:
    """Train networks, as they are drawn, until they have taken `budget` CPU seconds; gives their jobs."""
    jobs: list[Job] = []
    seconds: list[float] = []
    with console.progress(round(budget), f"random search, seed {seed}, CPU seconds") as bar:
        for job in random_jobs(project, config, seed):
            trainings.train(job)
            jobs.append(job)
            seconds.append(trainings.costs()[job.network.name])
            bar.reach(min(round(sum(seconds)), round(budget)), round(budget))
            if bought(seconds, budget) is not None:
                return jobs
    console.say(
        f"random search, seed {seed}: {len(jobs)} networks are all that were drawn, for less than that"
    )
    return jobs


def compare(step: Step, trainings: Trainings, sets: dict[str, Members], before: dict[str, float]) -> Compared:
    """The trained sets, with what their networks cost; `before`: seconds that sets took before training."""
    jobs = [job for members in sets.values() for of_seed in members for job in of_seed]
    networks = {job.network.name: job.network for job in jobs}
    return Compared(
        sets,
        trainings.done,
        trainings.costs(),
        before,
        {"latency_ms": latencies(step.folder, networks), **counted(networks)},
    )


def estimate(project: Project, config: Config, trainings: Trainings, jobs: list[Job]) -> None:
    """Say what is missing, and how long it may take at the pace of what was trained before."""
    missing = len(trainings.missing(jobs))
    console.say(f"{len({job.key for job in jobs})} trainings of sets a to d, {missing} of them missing")
    if trainings.done:
        pace = sum(t.cpu_seconds for t in trainings.done.values()) / len(trainings.done)
        source = f"the {len(trainings.done)} trainings so far"
    elif project.workdir.step("retrain").is_done:
        done = project.workdir.step("retrain").done()
        pace = done["seconds"] / len(done["summary"]["networks"])
        source = "retrain (its epochs; wall clock)"
    else:
        console.say("how long one takes is known after the first; nothing of this work folder says it before")
        return
    line = f"about {console.duration(pace * missing)} of CPU time, {pace:.1f} s each, at the pace of {source}"
    if "e" in config.sets:
        budget = steps_seconds(project, config) + pace * config.count
        line += (
            f"; random search may spend {console.duration(budget)} for each of {config.seeds} seeds, about "
            f"{budget / pace:.0f} trainings, of which the first {config.networks} are b's too"
        )
    console.say(line)


if __name__ == "__main__":
    main(benchmark, Config)
