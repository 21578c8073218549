"""Runs the commands of the main job one after the other."""

import shlex
import time

from hytnas_jax import (
    console,
    export,
    measure_latency,
    report,
    retrain,
    search,
    study_ranking,
    train_supernet,
)
from hytnas_jax.main_job.config import Config, search_config
from hytnas_jax.runtime import launch


def run_all(config: Config) -> None:
    """Run every step that is not done yet.

    Raises UserError in one of several processes: most steps are made for one.
    """
    launch.require_one(launch.detect())
    workdir, seed = config.workdir, config.seed
    study = (study_ranking, study_ranking.Config(workdir, seed=seed))
    steps = (
        (
            train_supernet,
            train_supernet.Config(
                workdir,
                **config.data_flags(),
                epochs=config.epochs,
                init_from=config.init_from,
                seed=seed,
            ),
        ),
        (measure_latency, measure_latency.Config(workdir, networks=config.networks, seed=seed)),
        *([study] if "trained_error" in config.objectives else []),
        (search, search_config(config)),
        (retrain, retrain.Config(workdir, count=config.count, epochs=config.retrain_epochs, seed=seed)),
        (export, export.Config(workdir, formats=config.formats)),
        (report, report.Config(workdir)),
    )
    started = time.monotonic()
    for number, (module, step_config) in enumerate(steps, 1):
        name = module.__name__.rpartition(".")[2]
        console.say(f"\n[{number}/{len(steps)}] {name}")
        with console.without_next():
            module.main(step_config)
    minutes = (time.monotonic() - started) / 60
    report_path = shlex.quote(str(workdir / "report.html"))
    console.say(f"\nall done in {minutes:.1f} min; open {report_path} in a browser")
