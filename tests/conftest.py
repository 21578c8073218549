"""For all tests: XLA leaves out its slowest optimisations, which halves the time of compiling."""

import os

os.environ.setdefault("XLA_FLAGS", "--xla_llvm_disable_expensive_passes=true")
