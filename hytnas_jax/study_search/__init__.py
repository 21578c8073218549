"""Compare search strategies over finite tables, where everything there is has been evaluated.

    python -m hytnas_jax.study_search --table nmt.csv --features layers,width,rate \\
        --objectives bleu:max,seconds:min --surrogate gp xgboost --acquisition ucb ei --output runs/study

A row of a table is a configuration with its objectives' values. Every combination of surrogate, acquisition,
selection and batch searches every table from every seed, beside random search and NSGA-II; without
--surrogate it is the search's default settings. The same command again goes on where it was cut; more seeds,
strategies or tables may be added in the same --output, and what it has of earlier commands is reported too.

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import study_search
  >>> config = study_search.Config(
  ...     table=(Path("nmt.csv"),),
  ...     features=("layers", "width", "rate"),
  ...     objectives=("bleu:max", "seconds:min"),
  ...     output=Path("runs/study"),
  ... )
  >>> len(config.features)
  3
"""

from hytnas_jax.study_search.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Make the runs that are missing and report all."""
    check(config)
    from hytnas_jax.study_search.command import compare

    compare(config)
