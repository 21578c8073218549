"""What was saved comes back bit for bit, from any folder; what does not is told apart by its cause."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from orbax.checkpoint._src.serialization import serialization

from hytnas_jax.training import checkpoints
from hytnas_jax.training.checkpoints import Checkpoints
from supernet.errors import UserError


def tree(seed: int, size: int = 3000) -> dict[str, Any]:
    noise = jnp.asarray(np.random.default_rng(seed).standard_normal(size), jnp.float32)
    return {"w": noise, "count": jnp.int32(seed), "nan": jnp.full(3, jnp.nan), "empty": ()}


def assert_same(actual: Any, expected: Any) -> None:
    jax.tree.map(np.testing.assert_array_equal, actual, expected)


def saved(folder: Path, *steps: int) -> Checkpoints:
    store = Checkpoints(folder)
    for step in steps:
        store.save(step, tree(step))
    return store


def test_the_newest_two_come_back(tmp_path: Path) -> None:
    store = saved(tmp_path, 3, 20, 100)
    assert store.steps() == [20, 100]
    assert store.newest() == 100
    for step in (20, 100):
        assert_same(store.restore(step, tree(0)), tree(step))
    assert Checkpoints(tmp_path / "nothing").newest() is None


# Patterns, separators and schemes of the store; what is no UTF-8, no text, or long.
NAMES = [
    *(
        "exp [1]",
        "a*b",
        "a?b",
        "[!a]",
        "back\\slash",
        "gs:",
        "per%20cent",
        "#",
        "~",
        "-x",
        "x.",
        "line\nbreak",
    ),
    *("tab\t", "'\"$HOME`", "日本 é", os.fsdecode(b"\xff\xfe"), "x" * 255),
]


@pytest.mark.parametrize("name", NAMES)
def test_any_path_can_be_taken(tmp_path: Path, name: str) -> None:
    # A folder beside it which its name, as a pattern, is of too.
    saved(tmp_path / name.translate(str.maketrans("*?", "xx")), 9)
    store = saved(tmp_path / name / "checkpoints", 1)
    assert_same(store.restore(1, tree(0)), tree(1))
    assert (tmp_path / name / "checkpoints" / "1" / "default" / "manifest.ocdbt").exists()


def test_links_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A work folder may be a link; one to such a path is made for a moment."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "[1]").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "[1]")
    for name in ("link", "[1]"):
        store = Checkpoints(tmp_path / name / "checkpoints")
        store.save(5, tree(5))
        assert_same(store.restore(5, tree(0)), tree(5))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_where_no_path_is_plain_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "[tmp]"))
    with pytest.raises(UserError, match=r"\[1\]: this path cannot .*--workdir or in .*TMPDIR"):
        saved(tmp_path / "[1]", 1)


FILES = ("_CHECKPOINT_METADATA", "default/_METADATA", "default/manifest.ocdbt", "default/array_metadatas/*")
DATA = "default/ocdbt.process_0/d/*"


@pytest.mark.parametrize("pattern", [*FILES, DATA])
def test_each_file_that_is_missing_or_changed_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], pattern: str
) -> None:
    """Of a byte changed amid the numbers Orbax says nothing; of most else it prints pages."""
    store = saved(tmp_path, 1)
    path = max((tmp_path / "1").glob(pattern), key=lambda path: path.stat().st_size)
    name = path.relative_to(tmp_path / "1")
    data = path.read_bytes()
    changed = bytearray(data)
    changed[len(data) // 2] ^= 0x10
    for damaged in (bytes(changed), data[: len(data) // 2], b""):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=f"1: its file {name} is damaged"):
            store.restore(1, tree(0))
    path.unlink()
    with pytest.raises(UserError, match=f"1: its file {name} is missing"):
        store.restore(1, tree(0))
    assert capfd.readouterr().err == ""
    path.write_bytes(data)
    assert_same(store.restore(1, tree(0)), tree(1))


def test_another_network_is_told_from_a_damaged_file(tmp_path: Path) -> None:
    store = saved(tmp_path / "supernet" / "checkpoints", 1)
    other = {**tree(0), "w": jnp.zeros(99)}
    message = (
        r"checkpoints: its checkpoint is that of another network or of another version of hytnas_jax "
        r"\(\['w'\]: float32\[3000\] there, float32\[99\] here\); delete .*supernet and make the step again"
    )
    with pytest.raises(UserError, match=message):
        store.restore(1, other)
    with pytest.raises(UserError, match=r"\['more'\]: nothing there, float32\[1\] here"):
        store.restore(1, {**tree(0), "more": jnp.zeros(1)})
    with pytest.raises(UserError, match=r"\['count'\]: int32\[\] there, int32\[1\] here"):
        store.restore(1, {**tree(0), "count": jnp.zeros(1, jnp.int32)})


def test_a_damaged_one_is_warned_of_and_the_one_before_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = saved(tmp_path, 1, 2)
    for damaged in ("{", "[]", '{"files": {}}', '{"files": 3, "arrays": {}}', "\xff"):
        (tmp_path / "2" / "verified.json").write_text(damaged, "latin-1")
        assert store.newest() == 1
    assert "2: its file verified.json is missing or damaged; going on from" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "1" / "default")
    with pytest.raises(UserError, match=r"no checkpoint is whole; delete .* and train anew"):
        store.newest()
    store.save(2, tree(7))
    assert store.newest() == 2


def test_one_that_a_kill_has_left_does_not_count_and_is_replaced(tmp_path: Path) -> None:
    store = saved(tmp_path, 1, 2)
    (tmp_path / "2" / "verified.json").unlink()
    assert store.newest() == 1
    store.save(2, tree(7))
    assert_same(store.restore(2, tree(0)), tree(7))


def test_what_does_not_come_back_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = saved(tmp_path, 1)

    def other_numbers(manager: Any, step: int, like: Any) -> Any:
        return jax.tree.map(lambda leaf: leaf + 1, like)

    def nothing(manager: Any, step: int, like: Any) -> Any:
        raise ValueError("NOT_FOUND: a/.zarray\nand more")

    for read, reason in ((other_numbers, "other numbers come back"), (nothing, "NOT_FOUND: a/.zarray")):
        monkeypatch.setattr(checkpoints, "_read", read)
        with pytest.raises(UserError, match=rf"2: .* as it was written \({reason}\); .*--workdir"):
            store.save(2, tree(2))
        assert store.newest() == 1


def test_a_save_that_fails_prints_nothing_of_orbax(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its threads log what fails, with their stacks; of a full disk the command tells."""
    store = saved(tmp_path, 1)

    async def full(*arguments: Any, **options: Any) -> None:
        raise ValueError("RESOURCE_EXHAUSTED: a/0: No space left on device [source locations=...]")

    monkeypatch.setattr(serialization, "async_serialize_from_host", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        store.save(2, tree(2))
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path))
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""
    assert store.newest() == 1
    monkeypatch.undo()
    store.save(2, tree(2))
    assert store.newest() == 2


ON_THE_SECOND_DEVICE = """
import sys
from pathlib import Path
import jax
jax.config.update("jax_num_cpu_devices", 2)
from hytnas_jax.training.checkpoints import Checkpoints
array = jax.device_put(jax.numpy.arange(4.0), jax.devices()[1])
Checkpoints(Path(sys.argv[1])).save(1, {"w": array})
"""


def test_the_number_of_devices_does_not_matter(tmp_path: Path) -> None:
    """As of a supernet that was trained where there are more, or others."""
    subprocess.run([sys.executable, "-c", ON_THE_SECOND_DEVICE, str(tmp_path)], check=True)
    found = Checkpoints(tmp_path).restore(1, {"w": jnp.zeros(4)})
    assert_same(found, {"w": np.arange(4.0)})
    assert found["w"].devices() == {jax.local_devices()[0]}
