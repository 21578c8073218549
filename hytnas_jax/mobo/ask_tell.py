"""The search as an object that is asked and told, as the algorithms of pymoo are.

Letters: N architectures, G genes, M objectives.
"""

import numpy as np

from hytnas_jax.mobo.design import draw_unseen
from hytnas_jax.mobo.loop import Settings, suggest
from hytnas_jax.mobo.pareto import pareto_mask
from hytnas_jax.mobo.problem import Observations, Problem, unseen, usable
from supernet.errors import UserError
from supernet.row_keys import row_keys

INITIAL = 16


class Optimizer:
    """Bayesian search over the genes of a problem: ask for a batch, evaluate it, tell its values.

    Its whole state is `observations`: an optimizer made with the same arguments and those of another one goes
    on as that one would have. `ask` gives the same batch until something new is told. While fewer than
    `initial` are told, a whole batch is drawn at random; after that `suggest` gives it. (`search/loop` adds a
    log, seeds for each batch, and exact resumption.)

    Several workers may evaluate at the same time, and tell late and in any order. For that, give `ask` what
    other workers are still evaluating as `pending`: it suggests no architecture twice. What it suggests is a
    function of what was told, in its order, and of what is pending.

    Args:
      problem: genes, objectives and limits.
      seed: of everything random.
      initial: how many evaluations there have to be before the models decide.
      settings: of `suggest`.
      observations: what has been evaluated before; nothing if None.

    Raises:
      UserError: observations of another number of genes or objectives.

    Examples:
      >>> import numpy as np
      >>> from hytnas_jax import Objective, Optimizer, Problem
      >>> cardinalities = np.array([4, 4, 4])
      >>> problem = Problem(
      ...     cardinalities=cardinalities,
      ...     objectives=(Objective("quality", "max"), Objective("cost", "min")),
      ...     limits=(),
      ...     canonical=lambda genes: genes,
      ...     features=lambda genes: genes.astype(float),
      ...     sample=lambda rng, n: rng.integers(0, cardinalities, (n, 3)),
      ... )
      >>> search = Optimizer(problem, seed=0, initial=8)
      >>> for _ in range(3):
      ...     genes = search.ask(4)
      ...     search.tell(genes, np.stack([np.sqrt(genes).sum(axis=1), genes.sum(axis=1)], axis=1))
      >>> search.front().values[-1]  # no cost, no quality
      array([1., 1.])

      Two workers, of which the first is slow:

      >>> slow = search.ask(4)
      >>> quick = search.ask(4, pending=slow)
      >>> search.tell(quick, np.stack([np.sqrt(quick).sum(axis=1), quick.sum(axis=1)], axis=1))
      >>> quick = search.ask(4, pending=slow)
      >>> search.tell(slow, np.stack([np.sqrt(slow).sum(axis=1), slow.sum(axis=1)], axis=1))
      >>> slow = search.ask(4, pending=quick)
    """

    def __init__(
        self,
        problem: Problem,
        *,
        seed: int,
        initial: int = INITIAL,
        settings: Settings | None = None,
        observations: Observations | None = None,
    ):
        if initial < 1:
            raise UserError(f"initial={initial}: must be at least 1, for the models to learn from")
        num_genes, num_objectives = len(problem.cardinalities), len(problem.objectives)
        self.problem, self.seed, self.initial = problem, seed, initial
        self.settings = Settings() if settings is None else settings
        self.observations = Observations(
            np.zeros((0, num_genes), np.int64), np.zeros((0, num_objectives)), None
        )
        if observations is not None:
            self.tell(observations.genes, observations.values, observations.std)

    def ask(self, n: int = 1, *, pending: np.ndarray | None = None) -> np.ndarray:
        """The next architectures to evaluate: canonical, within the limits, none of them told or pending.

        Args:
          n: how many.
          pending: int [P, G], architectures that were asked for and may not have been told yet.

        Returns:
          int [n, G]; fewer where fewer are left, none where the space is exhausted.

        Raises:
          UserError: n is not positive, nothing meets the limits, or `pending` are no genes of the problem.
        """
        if n < 1:
            raise UserError(f"n={n}: ask for at least 1 architecture")
        told = self.observations.genes
        waiting = told[:0] if pending is None else self._checked_genes(pending, "pending")
        waiting = waiting[unseen(waiting, row_keys(told))]
        rng = np.random.default_rng([self.seed, len(told) + len(waiting)])
        if len(told) < self.initial:
            return draw_unseen(self.problem, np.concatenate([told, waiting]), n, rng)
        settings = self.settings
        return suggest(self.problem, self.observations, batch=n, settings=settings, rng=rng, pending=waiting)[
            0
        ]

    def tell(self, genes: np.ndarray, values: np.ndarray, std: np.ndarray | None = None) -> None:
        """Add evaluated architectures: any, not only those that were asked for.

        Args:
          genes: int [N, G].
          values: float [N, M] in the objectives' own units; NaN in a row whose evaluation has failed.
          std: float [N, M], how unsure the values are: with every call, or with none.

        Raises:
          UserError: arrays of another shape, or a gene that does not exist.
        """
        genes, values = self._checked(genes, values)
        seen = self.observations
        if std is not None:
            std = np.asarray(std, np.float64)
            if std.shape != values.shape:
                raise UserError(f"std of shape {std.shape}: must be that of the values, {values.shape}")
            if (std < 0).any():
                raise UserError("std: must be 0 or more; give NaN only where the value is NaN")
        if len(seen.genes):
            if (std is None) != (seen.std is None):
                raise UserError("std: give it with every tell or with none")
            genes, values = np.concatenate([seen.genes, genes]), np.concatenate([seen.values, values])
            std = None if std is None or seen.std is None else np.concatenate([seen.std, std])
        self.observations = Observations(genes, values, std)

    def front(self) -> Observations:
        """What no other architecture told so far dominates, within limits and bounds.

        The best in the first objective comes first.
        """
        seen = self.observations
        minimised = self.problem.minimised(seen.values)
        within = self.problem.within_bounds(minimised)
        if len(seen.genes):
            within &= self.problem.feasible(seen.genes)
        rows = np.flatnonzero(pareto_mask(np.where(within[:, None], minimised, np.nan)))
        rows = rows[np.argsort(minimised[rows, 0], kind="stable")]
        return Observations(seen.genes[rows], seen.values[rows], None if seen.std is None else seen.std[rows])

    def _checked(self, genes: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Canonical genes and usable values."""
        genes, values = self._checked_genes(genes, "genes"), np.asarray(values, np.float64)
        num_objectives = len(self.problem.objectives)
        if values.shape != (len(genes), num_objectives):
            raise UserError(
                f"values of shape {values.shape}: expected [{len(genes)}, {num_objectives}], "
                "a row for each of the genes and a column for each objective"
            )
        return genes, usable(values)

    def _checked_genes(self, genes: np.ndarray, name: str) -> np.ndarray:
        """Canonical genes; `name` is the argument's."""
        genes, cardinalities = np.asarray(genes), self.problem.cardinalities
        if genes.ndim != 2 or genes.shape[1] != len(cardinalities):
            raise UserError(f"{name} of shape {genes.shape}: expected [N, {len(cardinalities)}]")
        if not np.issubdtype(genes.dtype, np.integer):
            raise UserError(f"{name} of {genes.dtype}: must be integers, the indices of choices")
        bad = np.argwhere((genes < 0) | (genes >= cardinalities))
        if len(bad):
            n, g = bad[0].tolist()
            raise UserError(f"{name}[{n}, {g}]={genes[n, g]}: must be from 0 to {cardinalities[g] - 1}")
        return self.problem.canonical(genes.astype(np.int64))
