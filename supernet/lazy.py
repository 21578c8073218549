"""Public names of a package, each imported when it is first used.

So `import hytnas_jax` is quick, and a command that refuses a flag has not waited for JAX. Type checkers read
the same names from the imports under `TYPE_CHECKING` beside the call.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def lazy_names(
    package: str, names: Mapping[str, Sequence[str]], submodules: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package.

    A name must not be that of another module in the package: once that module is imported, Python gives it
    instead.

    Args:
      package: its `__name__`.
      names: module -> the names that come from it.
      submodules: modules of the package that are public as a whole.

    Examples:
      >>> find, _, public = lazy_names("fractions", {"decimal": ["Decimal"]})
      >>> public
      ['Decimal']
      >>> find("Decimal")("0.5")
      Decimal('0.5')
    """
    origins = {name: module for module, found in names.items() for name in found}
    public = sorted([*origins, *submodules])

    def find(name: str) -> Any:
        if name in submodules:
            return importlib.import_module(f"{package}.{name}")
        if name not in origins:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(origins[name]), name)

    return find, lambda: list(public), public
