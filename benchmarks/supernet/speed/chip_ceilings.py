"""What accelerators can do at most, by their vendor's data sheets, under the names that JAX gives them.

NVIDIA's data sheets of the A100 (40 and 80 GB), H100 (SXM, PCIe, NVL) and H200 (SXM, NVL); the H100's and
H200's name bfloat16 with sparsity, of which half is dense.
"""

import dataclasses

import jax


@dataclasses.dataclass(frozen=True)
class Ceilings:
    """Dense bfloat16 products with float32 sums, in FLOP/s, and the memory's bandwidth, in bytes/s."""

    flops_per_s: float
    bytes_per_s: float


BY_KIND = {
    "NVIDIA A100-PCIE-40GB": Ceilings(312e12, 1.555e12),
    "NVIDIA A100-SXM4-40GB": Ceilings(312e12, 1.555e12),
    "NVIDIA A100 80GB PCIe": Ceilings(312e12, 1.935e12),
    "NVIDIA A100-SXM4-80GB": Ceilings(312e12, 2.039e12),
    "NVIDIA H100 PCIe": Ceilings(756e12, 2.0e12),
    "NVIDIA H100 NVL": Ceilings(835e12, 3.9e12),
    "NVIDIA H100 80GB HBM3": Ceilings(989e12, 3.35e12),
    "NVIDIA H200": Ceilings(989e12, 4.8e12),
    "NVIDIA H200 NVL": Ceilings(835e12, 4.8e12),
}


def ceilings() -> Ceilings | None:
    """Those of JAX's first device; None where it is not in the table, a processor for one."""
    return BY_KIND.get(jax.local_devices()[0].device_kind)
