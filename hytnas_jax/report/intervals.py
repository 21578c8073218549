"""How far what was seen on some images may be from what it would be on others."""

from scipy.stats import binomtest, norm

from hytnas_jax.retrain.retrained import Retrained
from hytnas_jax.tasks.measure import Measure


def error_interval(error: float, num_images: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of an error rate seen on so many images (Wilson, JASA 22, 1927)."""
    test = binomtest(round(error * num_images), num_images)
    interval = test.proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def interval(
    error: float, deviation: float | None, num_images: int, measure: Measure, confidence: float = 0.95
) -> tuple[float, float] | None:
    """Interval of an error seen on so many images; None where that is not known.

    An error rate's is binomial. Of AP and mIoU, which are no rates, it is taken from the standard deviation.
    """
    if measure.is_error:
        return error_interval(error, num_images, confidence)
    if deviation is None:
        return None
    reach = float(norm.ppf((1 + confidence) / 2)) * deviation
    return max(0.0, error - reach), min(1.0, error + reach)


def interval_of_test(
    retrained: Retrained, measure: Measure, confidence: float = 0.95
) -> tuple[float, float] | None:
    """`interval` of a network's test error."""
    deviation, images = retrained.test_deviation, retrained.result["test_images"]
    return interval(retrained.test_error, deviation, images, measure, confidence)
