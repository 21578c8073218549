"""Descriptions of named networks, of files, and what is said where there is none."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from hytnas_jax.describe import main
from hytnas_jax.describe.blocks import describe
from hytnas_jax.describe.config import Config
from hytnas_jax.describe.target import resolve_network
from proxies.complexity import complexity
from supernet.errors import UserError
from supernet.named import NAMES, named_network
from supernet.spaces import built_in_space


def write(folder: Path, value: object) -> str:
    path = folder / "network.json"
    path.write_text(json.dumps(value))
    return str(path)


def test_rows_add_up_to_the_network() -> None:
    spec = named_network("hyt-nas-o", num_classes=2, resolution=96)
    rows, total = describe(spec), complexity(spec)
    assert [row.block for row in rows] == [*(f"blocks/{i}" for i in range(9)), "head"]
    assert sum(row.num_parameters for row in rows) == total.num_parameters == 187_858
    assert sum(row.num_macs for row in rows) == total.num_macs
    assert max(row.peak_activation_bytes for row in rows) == total.peak_activation_bytes
    assert (rows[0].shape, rows[0].layers) == ((48, 48, 16), "conv 3x3 stride 2, silu")
    assert rows[-1].shape == (2,)


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(Config("mobilenetv1-0.25", num_classes=2, resolution=96))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "mobilenetv1-0.25: 96x96x3 images, 2 classes"
    assert " ".join(lines[2].split()) == ("blocks/0 conv 3x3 stride 2, relu 48x48x8 256 497664 223500")
    assert lines[-3:-1] == [
        "221,794 parameters, 7,489,664 MACs",
        "float32: peak memory 301,120 bytes, TFLite file 854,095 bytes: too large for 256 kB of memory",
    ]
    assert lines[-1].startswith("int8: peak memory 75,280 bytes")
    assert lines[-1].endswith("fits 256 kB of memory and 1 MB of flash")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(Config("hyt-nas-bl", as_json=True))
    printed = json.loads(capsys.readouterr().out)
    assert printed["name"] == "hyt-nas-bl"
    assert printed["num_parameters"] == 15_050
    assert printed["num_macs"] == sum(block["num_macs"] for block in printed["blocks"])
    assert printed["peak_activation_bytes"] == 112 * 112 * 3 * 16 * 4
    assert printed["fit"] == "too large for 256 kB of memory"
    assert printed["fit_int8"] == "too large for 256 kB of memory"


def test_network_files(tmp_path: Path) -> None:
    spec = named_network("hyt-nas-bl", num_classes=5, resolution=64, channels=1)
    assert resolve_network(write(tmp_path, spec.to_json())) == spec
    path = write(tmp_path, {"network": spec.to_json(), "accuracy": 0.9})
    assert resolve_network(path) == spec
    changed = resolve_network(path, num_classes=2, resolution=32, channels=3)
    assert (changed.num_classes, changed.resolution, changed.channels) == (2, 32, 3)


def test_genes_file(tmp_path: Path) -> None:
    space = built_in_space("hytnas")
    architecture = space.decode([0] * len(space.genes))
    path = write(tmp_path, space.to_json(architecture))
    expected = space.network_spec(architecture, num_classes=2, channels=3)
    assert resolve_network(path) == expected
    assert resolve_network(path, resolution=32, num_classes=10).resolution == 32


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"blocks": []}, "'head' is missing or unknown"),
        ({"network": {"blocks": [{"block": "dense"}]}}, "'dense' is missing or unknown"),
        ([1, 2], "this JSON holds no network"),
        ({"space": "hytnas", "genes": {"stage1.width": 7}}, "network.json: "),
        ({"space": "hytnas", "genes": [1]}, "give an object"),
        ({"space": "hitnas", "genes": {}}, "did you mean 'hytnas'"),
    ],
)
def test_files_without_a_network(tmp_path: Path, value: object, message: str) -> None:
    with pytest.raises(UserError) as error:
        resolve_network(write(tmp_path, value))
    assert message in str(error.value)


def test_vit() -> None:
    rows = describe(named_network("vit-tiny", num_classes=1000, resolution=224))
    assert [row.layers for row in rows] == [
        "patches 16x16, sine-cosine positions",
        "transformer heads 3, ffn 768, depth 12",
        "pool, classifier",
    ]
    assert [row.shape for row in rows] == [(14, 14, 192), (14, 14, 192), (1000,)]


def test_a_resolution_that_a_named_network_cannot_take() -> None:
    with pytest.raises(UserError, match=r"patch is 16, .* multiple of 16, such as 112$"):
        resolve_network("vit-tiny", resolution=100)


def test_help_lists_the_published_networks() -> None:
    said = inspect.getsource(Config)
    assert [name for name in NAMES if f" {name}" not in said] == []


def test_unknown_name_exits_with_2_and_no_traceback() -> None:
    command = [sys.executable, "-m", "hytnas_jax.describe", "mobilevit-xxl"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2
    assert "did you mean 'mobilevit-xxs'?" in result.stderr
    assert "Traceback" not in result.stderr
