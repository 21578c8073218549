"""Which of the Pareto set to retrain: the ends, the knee, and others far from one another."""

import numpy as np

SPREAD = "spread"


def choose_roles(values: np.ndarray, names: list[str], count: int) -> list[tuple[int, str]]:
    """Rows of a Pareto set `values` [N, M], all minimised, with the role of each; at most `count`.

    In this order: the best of the first objective, the knee (nearest to the best of everything, objectives
    scaled to 0..1 over the set), the best of the other objectives, then always the row farthest from all
    chosen ones (`SPREAD`).
    """
    low, high = values.min(0), values.max(0)
    scaled = (values - low) / np.where(high > low, high - low, 1.0)
    wanted = [(int(np.argmin(scaled[:, 0])), f"smallest {names[0]}")]
    wanted.append((int(np.argmin(np.linalg.norm(scaled, axis=1))), "knee"))
    wanted += [(int(np.argmin(scaled[:, m])), f"smallest {names[m]}") for m in range(1, len(names))]
    chosen: dict[int, str] = {}
    for row, role in wanted:
        chosen.setdefault(row, role)
    while len(chosen) < min(count, len(values)):
        distances = np.linalg.norm(scaled[:, None] - scaled[list(chosen)], axis=2).min(axis=1)
        distances[list(chosen)] = -1
        chosen[int(np.argmax(distances))] = SPREAD
    return list(chosen.items())[:count]
