"""What networks are for, and all that depends on it: classification, detection, segmentation."""

from hytnas_jax.tasks.base import Examined, VisionTask
from hytnas_jax.tasks.choose import vision_task, with_head

__all__ = ["Examined", "VisionTask", "vision_task", "with_head"]
