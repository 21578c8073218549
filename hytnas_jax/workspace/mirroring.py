"""Whether a work folder's training images are mirrored: decided once, when it is begun, and why."""

import dataclasses

from hytnas_jax import console
from hytnas_jax.data import Looked, Mirroring, Place, Wish, decide_mirroring
from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.workspace.workdir import Step

FILE = "mirroring.json"


def mirroring_of(step: Step, given: str, place: Place, looked: Looked | None, wish: Wish) -> Mirroring:
    """What --mirror `given` comes to for the step "data"; "auto", once it is done, is what was decided then.

    looked: at the images in `place`, read as in `wish`; None where the step is done.

    Raises UserError for images that cannot be used, and for a `given` that is none of the three.
    """
    if given != "auto":
        decided = Mirroring.said(given)
    elif looked is None:
        return read_mirroring(step)
    else:
        # With its configuration: "emnist/letters" of "tfds:emnist/letters:3.1.0".
        name = place.data.split(":")[1] if place.data.startswith("tfds:") else looked.source.name
        decided = decide_mirroring(looked, wish, data_set=name)
    if looked is not None:
        write_json(step.folder / FILE, dataclasses.asdict(decided))
        if given == "auto":
            other = "on" if decided.setting == "off" else "off"
            console.say(f"mirroring of training images: {decided.in_words()} (otherwise: --mirror {other})")
    return decided


def read_mirroring(step: Step) -> Mirroring:
    """What was decided for the step "data"."""
    return Mirroring(**read_json(step.folder / FILE))
