"""The images of a work folder: where they lie, and that they are still those that the work began with."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hytnas_jax import console
from hytnas_jax.data import (
    Dataset,
    Looked,
    NoSuchSource,
    Place,
    Task,
    Wish,
    are_mostly_other_pixels,
    changes,
    first_look,
    load_dataset,
)
from hytnas_jax.data.opening import opening
from hytnas_jax.data.reopening import Noted, OtherImages, reopen
from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.numbers import counted
from hytnas_jax.runtime import process_group
from hytnas_jax.runtime.environment import package_version
from hytnas_jax.shared_flags.data import Stream
from hytnas_jax.workspace.image_notes import SPLITS, read_notes, write_notes
from hytnas_jax.workspace.workdir import Step
from supernet.errors import UserError
from supernet.search_space import SearchSpace

_WORTH_SAYING = 0.01  # of an image's area


@dataclasses.dataclass(frozen=True)
class KnownImages:
    """The step "data" of a work folder: settings.json says where the images lie, `image_notes` what they are.

    The place may change, the content may not.
    """

    step: Step

    def look(self, place: Place, task: Task | None, classes: Sequence[str]) -> Looked | None:
        """A first look at the images in `place`; None where the work folder's are known.

        Raises UserError as `first_look` does.
        """
        if self.step.is_done:
            return None
        try:
            return first_look(place.data, data_dir=place.data_dir, task=task, classes=classes)
        except UserError as error:
            folder, images = self.step.folder.parent.resolve(), Path(place.data).resolve()
            if images not in folder.parents:
                raise
            inside = images / folder.relative_to(images).parts[0]
            raise UserError(
                f"{error}\n--workdir {self.step.folder.parent} lies inside of the images, where {inside} "
                "may be taken for a class: give a folder elsewhere, and delete that one"
            ) from None

    def native_side(self, looked: Looked | None, *, fit: str) -> int:
        """That of the images looked at, or of the known ones, for the same default space."""
        return self._facts()["native_side"] if looked is None else looked.native_side(fit)

    def task(self, looked: Looked | None) -> Task:
        """That of the images looked at, or of the known ones."""
        return self._facts().get("task", "classification") if looked is None else looked.source.task

    def resolutions(self, space: SearchSpace) -> tuple[int, ...]:
        """Those that the work folder was begun with, by its boxes; none for another space, or before."""
        if not self.step.is_done or space.dense_head is None:
            return ()
        begun = read_json(self.step.folder / "settings.json")["settings"]["space"]
        return tuple(begun["resolution"]) if begun["name"] == space.name else ()

    def begin(self, settings: Mapping[str, Any], looked: Looked | None, stream: Stream = "auto") -> Dataset:
        """The images by these settings, noted now or the same as are noted, wherever they lie now.

        looked: what `look` has given. stream: as `load_dataset` takes it; once they are noted, images stay
        held or streamed.

        Raises UserError for other settings than before, images that cannot be used, or other images.
        """
        if not self.step.is_done:
            return self._first(settings, looked, stream)
        self._refuse_other_than(stream)
        return self._again(settings)

    def load(self) -> Dataset:
        """The images again. Raises UserError where they have gone or have changed."""
        settings = read_json(self.step.folder / "settings.json")["settings"]
        return self._check(settings, _place_in(settings), read_notes(self.step.folder))

    def _refuse_other_than(self, stream: Stream) -> None:
        """Raises UserError where images are to be held that are streamed, or the other way round."""
        are_streamed = "stored" in self._facts()
        if stream != "auto" and are_streamed != (stream == "always"):
            ways = ("holds", "streams") if are_streamed else ("streams", "holds")
            raise UserError(
                f"--stream {stream}: {self.step.folder.parent} {ways[1]} its images, as it was begun; leave "
                f"--stream out, or give another --workdir, which {ways[0]} them"
            )

    def _first(self, settings: Mapping[str, Any], looked: Looked | None, stream: Stream) -> Dataset:
        # What an attempt that has failed, or was cut, was begun with binds nobody: nothing came of it.
        if process_group.is_lead():
            (self.step.folder / "settings.json").unlink(missing_ok=True)
        self.step.begin(settings)
        dataset = _load(settings, looked, stream=stream, remark=True)
        _say_fit(dataset)
        if dataset.left_out:
            console.warn(f"{settings['data']}: {dataset.left_out}")
        _say_what_is_shared(dataset)
        write_notes(self.step.folder, dataset)
        self.step.finish(_counts(dataset))
        return dataset

    def _again(self, settings: Mapping[str, Any]) -> Dataset:
        path, place = self.step.folder / "settings.json", _place_in(settings)
        noted = _place_in(read_json(path)["settings"])
        self.step.begin({**settings, **dataclasses.asdict(noted)})
        notes = read_notes(self.step.folder)
        dataset = self._check(settings, noted, notes)
        if dict(dataset.files) != dict(notes.files):  # they may have other names
            write_notes(self.step.folder, dataset)
        if noted != place:
            console.say(f"the same images as in {noted.flags}; read from {place.flags} from now on")
            begun = read_json(path)
            write_json(path, {**begun, "settings": {**begun["settings"], **dataclasses.asdict(place)}})
        return dataset

    def _facts(self) -> dict[str, Any]:
        return read_json(self.step.folder / SPLITS)

    def _check(self, settings: Mapping[str, Any], noted_place: Place, notes: Noted) -> Dataset:
        place, workdir = _place_in(settings), self.step.folder.parent
        try:
            dataset, lines = self._read(settings, notes)
        except NoSuchSource:
            if place != noted_place:
                raise
            raise UserError(
                f"the images of {workdir} are not there any more ({place.flags}); if they were moved, run "
                "the train_supernet command that it was begun with again, with "
                f"{'--data' if place.data_dir is None else '--data-dir'} and their new place"
            ) from None
        if dataset is not None:
            return dataset
        if place == noted_place:
            what, remedy = f"the images have changed since {workdir} was begun", "restore them"
        else:
            what = f"these are not the images of {workdir}, which was begun with {noted_place.flags}"
            remedy = "give the place of those"
        listed = "".join(f"  {line}\n" for line in lines)
        raise UserError(f"{place.flags}: {what}:\n{listed}{remedy}, or give another --workdir")

    def _read(self, settings: Mapping[str, Any], notes: Noted) -> tuple[Dataset | None, list[str]]:
        """The images, or in what they differ from those that were noted."""
        if notes.are_streamed:
            try:
                return reopen(notes, opening(**_source(settings)), hint=self._other_pillow()), []
            except OtherImages as other:
                return None, other.lines
        dataset = _load(settings, None, stream="never", remark=False)
        noted = {**notes.facts, "splits": notes.files, "content": notes.content}
        lines = changes(noted, dataset)
        if not lines:
            return dataset, []
        hint = self._other_pillow()
        return None, [*lines, hint] if hint and are_mostly_other_pixels(noted, dataset) else lines

    def _other_pillow(self) -> str:
        """What else may be the cause where pixels have changed; "" where it cannot be."""
        before, now = self.step.done()["environment"]["packages"]["pillow"], package_version("pillow")
        if now == before:
            return ""
        return (
            f"Pillow was {before} and is {now}: it may decode the same files into other grey levels; "
            f"pip install pillow=={before} rules that out"
        )


def _place_in(settings: Mapping[str, Any]) -> Place:
    return Place(settings["data"], settings["data_dir"])


def _source(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What says which source it is, as `opening` takes it."""
    return {
        "source": settings["data"],
        "data_dir": settings["data_dir"],
        "task": settings.get("task", "classification"),
        "classes": settings.get("classes", ()),
    }


def _load(settings: Mapping[str, Any], looked: Looked | None, *, stream: Stream, remark: bool) -> Dataset:
    with console.progress(0, "reading images") as bar:
        return load_dataset(
            **{**_source(settings), **({} if looked is None else {"source": looked})},
            side=settings["side"],
            frames_together=settings.get("frames", "auto") == "auto",
            seed=settings["seed"],
            max_images=settings["max_images"],
            max_validation=settings.get("max_validation"),
            skip_corrupt=settings["skip_corrupt"],
            wish=Wish(settings["fit"], settings["bit_depth"]),
            stream=stream,
            remark=remark,
            progress=bar.reach,
        )


def _say_fit(dataset: Dataset) -> None:
    """One line where images are not square, and the network does not see them as they are."""
    share = f"{100 * dataset.cut:.0f}%"
    if dataset.cut < _WORTH_SAYING or dataset.rule.fit == "pad":
        return
    if dataset.rule.fit == "crop":
        told = f"their middle is used, {share} of the area (median) is cut off; or: --fit stretch, pad"
    elif dataset.task == "classification":
        told = f"stretched to squares, as their middle lacks {share} of the area; or: --fit crop, pad"
    else:
        told = f"stretched to squares, and what lies in them with them, for {dataset.task}"
    console.say(f"images are not square: {told}")


def _say_what_is_shared(dataset: Dataset) -> None:
    if dataset.kept_together:
        console.say(
            f"{counted(dataset.kept_together, 'image is a copy', 'images are copies')} of others, "
            f"exact, nearly or mirrored: copies of "
            "one image were put into the same split"
        )
    for remark in dataset.remarks:
        console.warn(remark)


def _counts(dataset: Dataset) -> dict[str, Any]:
    sizes = {name: len(getattr(dataset, name)) for name in ("train", "validation", "test")}
    return {
        **sizes,
        "task": dataset.task,
        "classes": list(dataset.class_names),
        "skipped": len(dataset.skipped),
        "left_out": dataset.left_out,
        "remarks": list(dataset.remarks),
    }
