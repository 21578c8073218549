"""What `study_ranking` has left in a work folder, read for the report."""

import dataclasses
from typing import Any

from hytnas_jax.files.atomic import read_json
from hytnas_jax.study_ranking.bias import GeneBias
from hytnas_jax.study_ranking.bias_table import from_json
from hytnas_jax.workspace.project import Project


@dataclasses.dataclass(frozen=True, eq=False)
class StudyResult:
    """What `study_ranking` has found. agreement: estimate -> band -> what `ranking.json` says of it. ceiling:
    band -> tau. names, accuracy, estimates: of its networks. biases, where: the genes that estimates rate
    otherwise than training, and what is clear of them (an earlier version's study has none). is_current: the
    supernet is still the same."""

    agreement: dict[str, dict[str, dict[str, Any]]]
    ceiling: dict[str, dict[str, float] | None]
    remarks: list[str]
    warnings: list[str]
    names: list[str]
    accuracy: list[float]
    estimates: dict[str, list[float]]
    biases: list[GeneBias]
    where: list[str]
    is_current: bool


def read_study(project: Project) -> StudyResult | None:
    """None where there is none. Raises UserError for a damaged file."""
    path = project.workdir.path / "ranking" / "ranking.json"
    if not path.exists():
        return None
    found = read_json(path)
    networks, bias = found["networks"], found.get("bias", {"genes": [], "sentences": []})
    return StudyResult(
        found["agreement"],
        found["ceiling"],
        found["remarks"],
        found["warnings"],
        [network["name"] for network in networks],
        [network["accuracy"] for network in networks],
        {name: [network[name] for network in networks] for name in found["agreement"]},
        from_json(bias["genes"]),
        bias["sentences"],
        found["supernet"] == project.workdir.step("supernet").done()["id"],
    )
