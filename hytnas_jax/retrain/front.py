"""Retrains networks of the search: as many at once as the executor runs, until no other is worth it."""

from hytnas_jax.numbers import counted, percent
from hytnas_jax.retrain.archive import Archive
from hytnas_jax.retrain.config import Config
from hytnas_jax.retrain.forecast import as_sure_as
from hytnas_jax.retrain.networks import Retraining, TrainedNetwork
from hytnas_jax.retrain.next_network import Next, Succession
from hytnas_jax.retrain.results import off_the_front
from hytnas_jax.runtime import process_group
from hytnas_jax.workspace.workdir import Step


def retrain_front(
    retraining: Retraining, archive: Archive, step: Step, config: Config, count: int
) -> tuple[list[TrainedNetwork], str]:
    """Retrain at most `count` networks of the search, first those that were begun; gives them, and why there
    are no more."""
    with process_group.lead_first("networks that were begun"):
        begun = retraining.begun(archive)
    choice = _Choice(Succession(archive), len(retraining.trainer.dataset.validation), step, config)
    most, trained = min(count, len(archive)), list[TrainedNetwork]()
    at_once = process_group.of_lead("networks at once", lambda: retraining.executor.at_once)
    while len(trained) < count:
        chosen = begun[len(trained) :][:at_once]
        is_new = not chosen
        if is_new:
            chosen, ended = choice.next(trained, min(at_once, count - len(trained)))
            if not chosen:
                return trained, ended
        num_before = len(trained)
        trained += retraining.train(archive, chosen, first=num_before + 1, most=most)
        if is_new:
            off_the_front(archive, trained, num_before, retraining.project.task.measure)
    return trained, f"{_retrained(trained)}: no more than --count"


class _Choice:
    """Which networks follow."""

    def __init__(self, succession: Succession, images: int, step: Step, config: Config) -> None:
        """`images` of the validation split."""
        self._succession, self._images, self._step, self._config = succession, images, step, config

    def next(self, trained: list[TrainedNetwork], most: int) -> tuple[list[Next], str]:
        """At most so many to retrain at once, or none and why."""
        config, minutes = self._config, self._config.max_minutes
        if (
            trained
            and minutes is not None
            and process_group.of_lead("seconds", self._step.seconds) >= 60 * minutes
        ):
            spent = counted(minutes, "minute is", "minutes are", form="g")
            return [], f"no further network is begun: {spent} spent (--max-minutes)"
        errors = {network.chosen.row: network.error for network in trained if network.chosen is not None}
        deviations = {n.chosen.row: n.deviation for n in trained if n.chosen is not None}
        images, chosen = as_sure_as(errors, deviations, self._images), list[Next]()
        while len(chosen) < most:
            following = self._succession.next(errors, images, pending=[each.row for each in chosen])
            if following is None:
                return chosen, f"{_retrained(trained)}: all that the search has"
            if following.gain is not None and following.gain < config.least_gain:
                return chosen, (
                    f"no further network is begun: the best is expected to add {percent(following.gain)} to "
                    f"the front (--least-gain {config.least_gain:g})"
                )
            chosen.append(following)
        return chosen, ""


def _retrained(trained: list[TrainedNetwork]) -> str:
    return f"{counted(len(trained), 'network is', 'networks are')} retrained"
