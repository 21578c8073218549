"""All devices of all processes as one axis, `batch`: a batch is split over them, all else is on every one.

With one device nothing is split, and arrays lie where they would without a mesh.
"""

import functools
from typing import Any

import jax
import numpy as np
from jax._src import distributed
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec, Sharding, SingleDeviceSharding

from hytnas_jax import console
from hytnas_jax.runtime import launch, process_group
from hytnas_jax.runtime.channel import JaxChannel
from supernet.errors import UserError, first_line

HEARTBEAT = 30  # seconds after which a host that says nothing is lost, and the others end


def join() -> None:
    """Become one of the processes of a job, where the environment says so; before anything is computed.

    Raises UserError where the others cannot be reached.
    """
    found = launch.detect()
    if found.processes == 1 or process_group.size() > 1:
        return
    # Its service would take SIGTERM from us, and be heard in training steps alone (`signal_of_any`).
    jax.config.update("jax_enable_preemption_service", False)
    of_method = {} if found.method == "deactivate" else {"cluster_detection_method": found.method}
    own = {"coordinator_address": found.coordinator, "cluster_detection_method": "deactivate"}
    try:
        jax.distributed.initialize(
            **(of_method or own),
            num_processes=found.processes,
            process_id=found.process,
            local_device_ids=None if found.device is None else [found.device],
            heartbeat_timeout_seconds=HEARTBEAT,
        )
    except Exception as error:  # of any library that a launcher's variables lead to
        raise UserError(
            f"process {found.process} of {found.processes} ({found.by}) does not reach the others: "
            f"{first_line(error)}; see that process 0 runs, and that its host and port are reached"
        ) from error
    channel = JaxChannel(distributed.global_state.client, found.process, found.processes)
    process_group.become(found.process, found.processes, channel)
    if not process_group.is_lead():
        console.hush()


def is_split() -> bool:
    """Whether there are several devices."""
    return jax.device_count() > 1


def everywhere() -> Sharding:
    """The same on every device."""
    if is_split():
        return NamedSharding(_mesh(), PartitionSpec())
    return SingleDeviceSharding(jax.local_devices()[0])


def split() -> NamedSharding:
    """The first axis split over the devices."""
    return NamedSharding(_mesh(), PartitionSpec("batch"))


def replicated(tree: Any) -> Any:
    """A tree that all processes hold alike, on every device. Random keys are arrays here, too."""
    return jax.tree.map(_replicated, tree)


def own_rows(batch: np.ndarray) -> np.ndarray:
    """The rows [B] of a batch that lie on this process's devices."""
    share = len(batch) // jax.device_count()
    places = [place for place, device in enumerate(_mesh().devices) if device in jax.local_devices()]
    return batch[places[0] * share : (places[-1] + 1) * share]


def joined(own: Any) -> Any:
    """A batch [B, ...] split over the devices, from the rows that each process has cut (`own_rows`)."""
    return jax.tree.map(lambda rows: jax.make_array_from_process_local_data(split(), rows), own)


def require_divisible(batch_size: int) -> None:
    """Raises UserError where a batch cannot be split evenly over the devices."""
    count = jax.device_count()
    below = batch_size // count * count
    if below == batch_size:
        return
    nearest = " or ".join(str(size) for size in (below, below + count) if size >= 2)
    raise UserError(
        f"--batch-size {batch_size}: cannot be split evenly over {count} devices; give {nearest}, or let "
        "fewer devices be seen (CUDA_VISIBLE_DEVICES)"
    )


@functools.cache
def _mesh() -> Mesh:
    """In the order of the processes: each has its rows of a batch in one piece."""
    devices = sorted(jax.devices(), key=lambda device: (device.process_index, device.id))
    return Mesh(np.array(devices), ("batch",), axis_types=(AxisType.Auto,))


def _replicated(leaf: Any) -> jax.Array:
    where = everywhere()
    if not is_split():
        return jax.device_put(leaf, where)
    if isinstance(leaf, jax.Array) and leaf.sharding == where:
        return leaf
    if isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        data = _replicated(jax.random.key_data(leaf))
        return jax.random.wrap_key_data(data, impl=jax.random.key_impl(leaf))
    host = np.asarray(leaf)
    return jax.make_array_from_callback(host.shape, where, lambda index: host[index])
