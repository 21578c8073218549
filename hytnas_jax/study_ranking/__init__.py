"""How far can the estimates be trusted? Networks are trained on their own, and every estimate is compared.

python -m hytnas_jax.study_ranking --workdir runs/digits

The reference training takes long (a training for each network) and needs no supernet; the same command again
goes on where it was cut.

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import study_ranking
  >>> config = study_ranking.Config(Path("runs/mine"))
  >>> config.networks
  40
"""

from hytnas_jax.study_ranking.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Train what is missing, estimate, and report."""
    check(config)
    from hytnas_jax.study_ranking.command import study_ranking

    study_ranking(config)
