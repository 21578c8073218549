"""What a study of the ranking writes: ranking.json, ranking.md and ranking.png."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hytnas_jax.files.atomic import write_json, write_text
from hytnas_jax.plots import save_figure
from hytnas_jax.runtime.environment import environment
from hytnas_jax.study_ranking.bias import GeneBias
from hytnas_jax.study_ranking.bias_table import ABOUT, bias_rows, headers
from hytnas_jax.study_ranking.figures import scatter_figure
from hytnas_jax.study_ranking.results import HEADERS, RankingRow, RankingStudy


def write_results(folder: Path, study: RankingStudy, *, command: str, supernet: str) -> list[Path]:
    """Write everything; gives the paths. `supernet` is the id of the one that was studied."""
    made_with = environment()
    paths = [folder / name for name in ("ranking.json", "ranking.md", "ranking.png")]
    write_json(
        paths[0],
        {
            "command": command,
            "supernet": supernet,
            "environment": made_with,
            "noise": study.references.noise,
            "ceiling": study.ceiling,
            "agreement": study.found,
            "tau with the loss": study.with_loss,
            "epochs": study.references.epochs,
            "stand": study.standing.stand,
            "bias": {"genes": study.biases, "sentences": study.where()},
            "remarks": study.remarks(),
            "warnings": study.warnings(),
            "networks": _networks(study),
        },
    )
    write_text(paths[1], _markdown(study, command))
    figure = scatter_figure(
        study.estimates, study.references.accuracy, study.members, study.found, study.quality
    )
    save_figure(paths[2], figure)
    return paths


def _networks(study: RankingStudy) -> list[dict[str, Any]]:
    """What is known of each network."""
    columns = {"accuracy": study.references.accuracy, "loss": study.references.loss, **study.estimates}
    return [
        {"name": network.name, "genes": network.genes} | {name: column[n] for name, column in columns.items()}
        for n, network in enumerate(study.references.architectures)
    ]


def _markdown(study: RankingStudy, command: str) -> str:
    where = "\n".join(f"- {line}" for line in study.where())
    remarks = "\n".join(f"- {line}" for line in (*study.remarks(), *study.warnings()))
    return f"""# How well estimates rank networks

    {command}

Kendall's tau with the {study.quality} after training on its own, over all networks and within thirds of
cost, and with the loss after training; in brackets the middle 95% of resampled networks.

{_table(HEADERS, study.rows())}

{remarks}

![{study.quality} over each estimate](ranking.png)

## Where they err

{where}

{_markdown_of_bias(study.biases)}"""


def _markdown_of_bias(found: list[GeneBias]) -> str:
    if not found:
        return ""
    raw, beyond = (_table(headers(found), bias_rows(found, beyond_macs=beyond)) for beyond in (False, True))
    return f"{ABOUT}\n\n{raw}\n\nThe same with the networks' log MACs partialled out:\n\n{beyond}\n"


def _table(titles: Sequence[str], rows: Sequence[RankingRow]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
