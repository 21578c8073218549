"""Which packages that `benchmarks.on_gpu` imports are not installed here, and how they may travel.

`benchmarks/on_gpu.sh` runs this first. It needs Python alone. The status is 2 where no part can run.
"""

import importlib.util
import sys
from collections.abc import Iterable

# Module -> the package that has it. xgboost-cpu is XGBoost without its part for GPUs, which is most of it.
ALL_PARTS = {
    "jax": "jax[cuda12]",
    "flax": "flax",
    "optax": "optax",
    "numpy": "numpy",
    "scipy": "scipy",
    "matplotlib": "matplotlib",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "rich": "rich",
    "threadpoolctl": "threadpoolctl",
    "faster_coco_eval": "faster-coco-eval",
    "tyro": "tyro",
    "typeguard": "typeguard",  # tyro's, as is the next
    "docstring_parser": "docstring-parser",
}
PEER = {"torch": "torch"}
MAIN_JOB = {
    "sklearn": "scikit-learn",
    "pymoo": "pymoo",
    "moocore": "moocore",
    "cffi": "cffi",  # moocore's, as is the next
    "platformdirs": "platformdirs",
    "xgboost": "xgboost-cpu",
    "orbax": "orbax-checkpoint",
    "onnx": "onnx",
    "onnxruntime": "onnxruntime",
    "tensorboardX": "tensorboardX",
}
# To read images of TensorFlow Datasets; the last ones are imported by the first.
IMAGES = {
    "tensorflow_datasets": "tensorflow-datasets",
    "array_record": "array_record",
    "tensorflow_metadata": "tensorflow-metadata",
    "immutabledict": "immutabledict",
    "promise": "promise",
    "toml": "toml",
    "tree": "dm-tree",
}
GROUPS = {
    "any part": ALL_PARTS,
    "the PyTorch peer": PEER,
    "the main job": MAIN_JOB,
    "images of TensorFlow Datasets (else: digits)": IMAGES,
}
MADE = "promise"  # of which no wheel is there to be downloaded
MAKE = f"pip wheel --no-deps -d wheels {MADE}"
FETCH = (
    "pip download --no-deps --only-binary=:all: --python-version {version} --platform manylinux_2_28_x86_64 "
    "--platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 "
    "-d wheels {names}"
)


def missing(modules: Iterable[str]) -> list[str]:
    """Those that this Python does not have."""
    return [name for name in modules if importlib.util.find_spec(name) is None]


def told() -> list[str]:
    """A line for each group of which something is missing, and how to fetch all of that elsewhere."""
    lines, names = list[str](), list[str]()
    for what, packages in GROUPS.items():
        lacking = [packages[name] for name in missing(packages)]
        if lacking:
            lines.append(f"not installed, for {what}: {', '.join(lacking)}")
            names += [name for name in lacking if packages is not PEER and "[" not in name]
    if names:
        version = ".".join(map(str, sys.version_info[:2]))
        fetched = " ".join(name for name in names if name != MADE)
        lines.append(f"to bring them: {FETCH.format(version=version, names=fetched)}")
        lines += [f"and: {MAKE}"] * (MADE in names)
    return lines


if __name__ == "__main__":
    print("\n".join(told()), end="\n" if told() else "", flush=True)
    sys.exit(2 if missing(ALL_PARTS) else 0)
