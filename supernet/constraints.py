"""Whether a space's constraints leave a network at all."""

from supernet.declaration import SpaceDeclaration
from supernet.errors import UserError
from supernet.space_memory import reachable_widths
from supernet.stage_space import ATTENTION_FAMILIES, HEAD_FAMILIES, RELATIONS, parse_constraint

Domains = dict[str, set[float]]


def check_constraints(space: SpaceDeclaration) -> None:
    """Raises UserError for the constraint with which nothing is left, by the values that each field can have.

    What a constraint leaves of two fields is taken away from both until nothing changes (arc consistency).
    For fields that do not depend on each other that finds every contradiction; some others come to light
    when codes are drawn.
    """
    domains = _domains(space)
    constraints = [(text, *parse_constraint(text)) for text in space.constraints]
    changed = True
    while changed:
        changed = False
        for text, left, relation, right in constraints:
            bounds = domains[right] if right in domains else {float(right)}
            meets = RELATIONS[relation]
            if left == right:
                kept_left = kept_right = {a for a in bounds if meets(a, a)}
            else:
                kept_left = {a for a in domains[left] if any(meets(a, b) for b in _ends(bounds))}
                kept_right = {b for b in bounds if any(meets(a, b) for a in _ends(kept_left))}
            if not kept_left or not kept_right:
                beside = " beside the other constraints" if len(constraints) > 1 else ""
                other = f" and {right} is {_range(bounds)}" if right in domains else ""
                raise UserError(
                    f"constraint {text!r}: nothing meets it{beside}: {left} is {_range(domains[left])}"
                    f"{other}; loosen it or take it out"
                )
            changed |= len(kept_left) < len(domains[left]) or len(kept_right) < len(bounds)
            domains[left] = kept_left
            if right in domains:
                domains[right] = kept_right


def _domains(space: SpaceDeclaration) -> Domains:
    """All values, and perhaps a few more, that a field of `SearchSpace.columns` can have."""
    domains: Domains = {"resolution": set(space.resolution)}
    if space.dense_head is not None:
        domains |= {f"head.{field}": set(getattr(space.dense_head, field)) for field in HEAD_FAMILIES}
    for number, (stage, widths) in enumerate(zip(space.stages, reachable_widths(space), strict=True), 1):
        name = f"stage{number}."
        domains |= {name + field: set(getattr(stage, field)) for field in ("depth", "expansion", "kernel")}
        domains[name + "width"] = set(widths)
        for field in ATTENTION_FAMILIES:
            values: set[float] = {0} if "conv" in stage.block else set()
            if "attention" in stage.block:
                values |= set(getattr(stage, field))
                if field == "embed" and not stage.embed:
                    values |= {2 ** (width.bit_length() - 1) for width in widths}
                if field in ("heads", "patch"):  # as much of them as the map leaves
                    values |= set(range(1, int(max(values)) + 1))
            domains[name + field] = values
    return domains


def _ends(values: set[float]) -> set[float]:
    """What decides whether a number is below, or above, any of the values."""
    return {min(values), max(values)} if values else set()


def _range(values: set[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
