"""A user's own space, right and wrong: every mistake is a message."""

from pathlib import Path

import pytest

from hytnas_jax.workspace.space_file import load_space, space_text
from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.spaces import SPACE_NAMES, built_in_space
from supernet.stage_space import StageSpace

SPACE = SearchSpace(
    "mine",
    (StageSpace(stride=1, width=(4, 8)), StageSpace(width=(8, 12), depth=(1, 2), expansion=(1, 2))),
    resolution=(8, 12),
    stem_width=4,
    stem_stride=1,
    constraints=("stage1.width < stage2.width",),
)
YAML = """\
name: mine
stages:
  - stride: 1
    width: [4, 8]
  - {width: [8, 12], depth: [1, 2], expansion: [1, 2]}
resolution: [8, 12]
stem_width: 4
stem_stride: 1
constraints: [stage1.width < stage2.width]
"""
PYTHON = """\
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace

stages = (StageSpace(stride=1, width=(4, 8)), StageSpace(width=(8, 12), depth=(1, 2), expansion=(1, 2)))
constraints = ("stage1.width < stage2.width",)
space = SearchSpace("mine", stages, resolution=(8, 12), stem_width=4, stem_stride=1, constraints=constraints)
"""


@pytest.mark.parametrize(("name", "text"), [("a.yaml", YAML), ("a.yml", YAML), ("a.py", PYTHON)])
def test_a_file_declares_a_space(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert load_space(str(tmp_path / name)) == SPACE


def test_a_name_is_a_built_in_space() -> None:
    assert load_space("hybrid") == built_in_space("hybrid")


def test_a_python_file_may_start_from_a_built_in_space(tmp_path: Path) -> None:
    path = tmp_path / "space.py"
    path.write_text(
        "from supernet.spaces import built_in_space\n"
        "space = built_in_space('hybrid').with_resolutions((64,))\n"
    )
    assert load_space(str(path)).resolution == (64,)


STAGES = "name: s\nstages: [{stride: 1, width: [4]}]\n"
BROKEN_YAML = {
    "": "s.yaml': is empty; it must hold the fields of a space",
    "just words": "expected a mapping of fields, got str",
    "a: [1, 2": "line 1: not readable as YAML: expected ',' or ']'",
    "name: s": "stages: expected a list with a mapping for each stage",
    "name: s\nstages: [3]": "stage1: expected a mapping of fields, got 3",
    "stages: [{width: [4]}]": "space.name: missing",
    STAGES + "colour: red": "space.colour: no such field; there are",
    "name: s\nstages: [{widht: [4]}]": "stage1.widht: no such field; there are .*'width'",
    "name: s\nstages: [{width: 4}]": "stage1.width=4: must be a tuple of one choice at least",
    "name: s\nstages: [{width: [0]}]": "stage1.width=0: must be a positive integer",
    "name: s\nstages: [{width: [4, four]}]": "stage1.width='four': must be a positive integer",
    "name: s\nstages: [{width: [4, 4]}]": "stage1.width=.* must be without doubles",
    "name: s\nstages: [{width: [4], kernel: [4]}]": "stage1.kernel=4: must be an odd positive integer",
    "name: s\nstages: [{width: [4], block: [convolution]}]": "stage1.block='convolution': must be 'conv' or",
    STAGES + "resolution: 8": "resolution=8: must be a tuple",
    STAGES + "constraints: [stage1.width = 3]": "constraint 'stage1.width = 3': write",
    STAGES + "constraints: stage1.width < 3": "constraints=.*must be a tuple of texts",
    STAGES
    + "stem_stride: 2\nresolution: [1]": "resolution=1: must be at least the product of all strides, 2",
    STAGES + "head_ratio: .inf": "line 3: .inf is no finite number",
    "name: s\nstages: [{width: [4]}, {growth: [.nan]}]": "line 2: .nan is no finite number",
    "name: s\nstages: [{width: [4]}, {growth: [1e999]}]": "stage2.growth=inf: must be a positive number",
}


@pytest.mark.parametrize("text", BROKEN_YAML)
def test_a_broken_yaml_file_is_explained(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(UserError, match=f"(?s){BROKEN_YAML[text]}"):
        load_space(str(tmp_path / "s.yaml"))


BROKEN_PYTHON = {
    "": "must set `space = SearchSpace\\(...\\)`, has None",
    "space = 3": "must set `space = SearchSpace\\(...\\)`, has 3",
    "space = (": "the file fails with SyntaxError: .*line 1",
    "import no_such_module": "the file fails with ModuleNotFoundError: No module named 'no_such_module'",
    "1 / 0": "the file fails with ZeroDivisionError: division by zero",
    "raise SystemExit(3)": "the file fails with SystemExit: 3",
    "from supernet.stage_space import StageSpace\nStageSpace(widht=(4,))": "fails with TypeError: .*widht",
    "from supernet.search_space import SearchSpace\nspace = SearchSpace('s', ())": "stages is empty",
}


@pytest.mark.parametrize("text", BROKEN_PYTHON)
def test_a_broken_python_file_is_explained(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.py").write_text(text)
    with pytest.raises(UserError, match=BROKEN_PYTHON[text]):
        load_space(str(tmp_path / "s.py"))


def test_bytes_that_are_no_text_are_explained(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(UserError, match="line 1: byte 0x65 is no UTF-16-LE text; save"):
        load_space(str(tmp_path / "s.yaml"))


@pytest.mark.parametrize("name", ["none.yaml", "none.py"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"{name}'?: there is no such file"):
        load_space(str(tmp_path / name))
    (tmp_path / name).mkdir()
    with pytest.raises(UserError, match=f"{name}'?: there is no such file"):
        load_space(str(tmp_path / name))


def test_an_unknown_name_is_told_the_names_there_are() -> None:
    with pytest.raises(UserError, match=r"'hybird': must be one of .* \(did you mean 'hybrid'\?\)"):
        load_space("hybird")


@pytest.mark.parametrize("space", [SPACE, *map(built_in_space, SPACE_NAMES)], ids=lambda space: space.name)
def test_a_written_space_is_read_back(tmp_path: Path, space: SearchSpace) -> None:
    (tmp_path / "a.yaml").write_text(space_text(space, comment="from: nothing\n- two lines"))
    assert load_space(str(tmp_path / "a.yaml")) == space


def test_a_written_space_is_as_short_as_one_by_hand() -> None:
    assert space_text(SPACE).splitlines() == [
        "name: mine",
        "resolution: [8, 12]",
        "stem_width: 4",
        "stem_stride: 1",
        "constraints: [stage1.width < stage2.width]",
        "stages:",
        "- stride: 1",
        "  width: [4, 8]",
        "- depth: [1, 2]",
        "  expansion: [1, 2]",
        "  width: [8, 12]",
    ]


def test_a_field_that_stands_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text(YAML + "stem_width: 64\n")
    with pytest.raises(
        UserError, match=r"twice\.yaml', line 10: 'stem_width' stands in line 7 already; delete one"
    ):
        load_space(str(tmp_path / "twice.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("stem_width: 4", "stem_width: 1000000000000", "stem_width=1000000000000: must be .* at most 16384"),
        ("depth: [1, 2]", "depth: [1, 1000000]", "stage2.depth=1000000: must be .* at most 100: no machine"),
        ("[8, 12]\nstem", "[100000]\nstem", "resolution=100000: must be .* at most 4096"),
        ("stage1.width < stage2.width", "stage1.width > 100", "nothing meets it: stage1.width is 4 to 8"),
        ("name: mine", "name: 7", "name=7: must be a text"),
    ],
)
def test_what_no_machine_can_hold_is_refused_with_file_and_field(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    """In a Python file it is the same refusal."""
    assert old in YAML
    (tmp_path / "s.yaml").write_text(YAML.replace(old, new))
    with pytest.raises(UserError, match=f"s.yaml': {message}|s.yaml': constraint .*{message}"):
        load_space(str(tmp_path / "s.yaml"))
    (tmp_path / "s.py").write_text(PYTHON.replace("stem_width=4", "stem_width=10**12"))
    with pytest.raises(
        UserError, match=r"s\.py', line 6: stem_width=1000000000000: must be .* at most 16384"
    ):
        load_space(str(tmp_path / "s.py"))
