"""How `pytest -n 2` shares tests out: each process takes the next file, and makes its fixtures once."""

from xdist.scheduler import LoadScopeScheduling

# Files for one process: they share a work folder in which an example has made every step.
TOGETHER = dict.fromkeys(
    ("tests/test_examples.py", "tests/test_main_job_programs.py", "tests/test_public_names.py"), "the example"
)


class ByFile(LoadScopeScheduling):
    """Files in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return TOGETHER.get(file, file)
