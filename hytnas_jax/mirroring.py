"""Whether a work folder's training pictures are mirrored: decided once, when it is begun, and why."""

import dataclasses

from hytnas_jax import console
from hytnas_jax.data import Mirroring, Place, Wish, decide_mirroring, open_source
from hytnas_jax.workdir import Step, read_json, write_json

FILE = "mirroring.json"


def mirroring_of(step: Step, given: str, place: Place, wish: Wish | None = None) -> Mirroring:
    """What --mirror `given` comes to for the step "data": "auto" is what was decided before, where it was.

    Raises UserError for pictures that cannot be used, and for a `given` that is none of the three.
    """
    path = step.folder / FILE
    if step.is_done and given == "auto":
        return read_mirroring(step)
    decided = _decide(place, wish) if given == "auto" else Mirroring.said(given)
    if not step.is_done:
        write_json(path, dataclasses.asdict(decided))
        if given == "auto":
            other = "on" if decided.setting == "off" else "off"
            console.say(f"mirroring of training pictures: {decided.in_words()} (otherwise: --mirror {other})")
    return decided


def read_mirroring(step: Step) -> Mirroring:
    """What was decided for the step "data"."""
    return Mirroring(**read_json(step.folder / FILE))


def _decide(place: Place, wish: Wish | None) -> Mirroring:
    data, source = place.data, open_source(place.data, data_dir=place.data_dir)
    # With its configuration: "emnist/letters" of "tfds:emnist/letters:3.1.0".
    name = data.split(":")[1] if data.startswith("tfds:") else source.name
    return decide_mirroring(source, data_set=name, wish=wish)
