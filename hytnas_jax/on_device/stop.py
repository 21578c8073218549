"""What stops an exported script: a missing package at once, everything else as `Stop`."""

import importlib.util
import sys

for module, package in (("numpy", "numpy"), ("PIL", "pillow")):
    if importlib.util.find_spec(module) is None:
        print(f"the package {package} is needed: pip install {package}", file=sys.stderr)
        sys.exit(2)


class Stop(Exception):
    """The text says in one line why an image cannot be used."""
