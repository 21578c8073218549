"""What a study found, for people: Markdown tables of its numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from hytnas_jax.numbers import counted
from hytnas_jax.study_search.budget import StudyBudget
from hytnas_jax.study_search.summary import THRESHOLDS, SummaryRow

HEADERS = (
    "strategy",
    "final ratio: median",
    "quartiles",
    "AUC-regret",
    "final regret",
    *(f"evaluations to {percent}%" for percent in THRESHOLDS),
    "seconds per suggestion",
    "runs",
)
EXPLANATION = """\
- ratio: hypervolume of what was evaluated / hypervolume of the table's front; objectives minimised and scaled
  to 0..1 over the whole table, reference point 1.1 in each.
- AUC-regret: 100 (1 - mean ratio after the evaluations that were not initial); final regret: 100 (1 - ratio
  at the end); both are means over the runs, 0 is perfect.
- evaluations to 90%: the initial ones included, median over the runs; `>` where the median run ended before.
- seconds per suggestion: the time of a suggestion divided by its batch, median.
- A run is one seed; all strategies of a seed begin with the same initial evaluations.
"""


def report_markdown(
    by_problem: Mapping[str, Sequence[SummaryRow]],
    everywhere: Sequence[SummaryRow],
    *,
    budget: StudyBudget,
    overview: str,
    command: str,
    environment: Mapping[str, Any],
) -> str:
    """The report; smallest AUC-regret first in each table.

    Args:
      by_problem: see `summarise`.
      everywhere: see `summarise_all`.
      budget: of every run.
      overview: file of the figure of all problems; those of one are <problem>.png.
      command: the command line that made it.
      environment: see `environment.environment`.
    """
    sections = [
        "# Search strategies compared",
        f"{counted(budget.evaluations, 'evaluation')} a run, the first {budget.initial} initial "
        f"(--initial-design {budget.initial_design}).",
        EXPLANATION,
    ]
    if len(by_problem) > 1:
        sections += [
            "## All problems",
            "The runs of all problems together, of the strategies that were run on every one.",
            _table(everywhere, budget.evaluations),
            f"![all problems]({overview})",
        ]
    for problem, rows in by_problem.items():
        sections += [f"## {problem}", _table(rows, budget.evaluations), f"![{problem}](<{problem}.png>)"]
    sections += ["## Made with", f"```\n{command}\n```", _versions(environment)]
    return "\n\n".join(section.strip("\n") for section in sections) + "\n"


def _table(rows: Sequence[SummaryRow], evaluations: int) -> str:
    lines = [HEADERS, ["---", *["---:"] * (len(HEADERS) - 1)], *(cells(row, evaluations) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cells(row: SummaryRow, evaluations: int) -> list[str]:
    """A row's cells under `HEADERS`."""
    reached = row.evaluations_to.values()
    return [
        row.strategy,
        f"{row.median:.4f}",
        f"{row.lower:.4f} .. {row.upper:.4f}",
        f"{row.auc_regret:.2f}",
        f"{row.final_regret:.2f}",
        *(f">{evaluations}" if count is None else f"{count:g}" for count in reached),
        f"{row.seconds:.2g}",
        str(row.runs),
    ]


def _versions(environment: Mapping[str, Any]) -> str:
    packages = {name: version for name, version in environment["packages"].items() if version}
    versions = ", ".join(f"{name} {version}" for name, version in packages.items())
    commit = f"; commit {environment['commit']}" if environment["commit"] else ""
    return (
        f"Python {environment['python']}, {versions}; {environment['cpu']}, "
        f"{counted(environment['cores'], 'core')}, "
        f"{environment['platform']}{commit}."
    )
