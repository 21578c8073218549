"""Which process of how many this is, by what launchers set; faked here, as none of them is at hand."""

import pytest

from hytnas_jax.runtime.launch import Launch, detect, require_one, require_processes
from supernet.errors import UserError

EXPLICIT = {"JAX_COORDINATOR_ADDRESS": "node1:1234", "JAX_NUM_PROCESSES": "4", "JAX_PROCESS_ID": "3"}
TORCHRUN = {"MASTER_ADDR": "node2", "MASTER_PORT": "29500", "WORLD_SIZE": "2", "RANK": "1"}
OPEN_MPI = {
    "OMPI_MCA_orte_hnp_uri": "1531576320.0;tcp://10.96.0.1:34911",
    "OMPI_COMM_WORLD_SIZE": "3",
    "OMPI_COMM_WORLD_RANK": "2",
    "OMPI_COMM_WORLD_LOCAL_RANK": "0",
}
SLURM = {
    "SLURM_JOB_ID": "4711",
    "SLURM_STEP_NODELIST": "node[001-002]",
    "SLURM_NTASKS": "8",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
}
GKE = {"TPU_WORKER_HOSTNAMES": "a,b", "TPU_WORKER_ID": "1"}


def found(environment: dict[str, str]) -> tuple[int, int, str | None, str]:
    launch = detect(environment)
    return launch.processes, launch.process, launch.coordinator, launch.method


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (EXPLICIT, (4, 3, "node1:1234", "deactivate")),
        (TORCHRUN, (2, 1, "node2:29500", "deactivate")),
        (OPEN_MPI, (3, 2, None, "ompi")),
        (SLURM, (8, 5, None, "slurm")),
        (GKE, (2, 1, None, "gketpu")),
        ({**GKE, "MEGASCALE_NUM_SLICES": "2", "MEGASCALE_SLICE_ID": "1"}, (4, 3, None, "gketpu")),
    ],
)
def test_each_launcher_is_known(environment: dict[str, str], expected: tuple) -> None:
    assert found(environment) == expected


def test_the_first_of_several_counts() -> None:
    everything = {**EXPLICIT, **TORCHRUN, **OPEN_MPI, **SLURM, **GKE}
    for first, last in ((EXPLICIT, 4), (TORCHRUN, 2), (OPEN_MPI, 3), (SLURM, 8), (GKE, 2)):
        assert detect(everything).processes == last
        everything = {name: value for name, value in everything.items() if name not in first}
    assert detect(everything) == Launch()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SLURM_JOB_ID": "4711"},
        {name: value for name, value in SLURM.items() if name != "SLURM_STEP_NODELIST"},  # a batch script
        {**SLURM, "SLURM_NTASKS": "1", "SLURM_PROCID": "0"},
        {**TORCHRUN, "WORLD_SIZE": "1", "RANK": "0"},
        {"RANK": "1", "WORLD_SIZE": "2"},
        {"JAX_COORDINATOR_ADDRESS": "node1:1234"},
        {"TPU_WORKER_HOSTNAMES": "localhost", "TPU_WORKER_ID": "0"},
    ],
)
def test_otherwise_there_is_one_process(environment: dict[str, str]) -> None:
    assert detect(environment) == Launch()


def test_torchrun_listens_itself_and_gives_each_process_a_device() -> None:
    several = {"LOCAL_WORLD_SIZE": "2", "LOCAL_RANK": "1", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    launch = detect({**TORCHRUN, **several})
    assert (launch.coordinator, launch.device) == ("node2:29501", 1)
    assert detect({**TORCHRUN, "LOCAL_WORLD_SIZE": "1", "LOCAL_RANK": "0"}).device is None


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"JAX_NUM_PROCESSES": "2"}, "JAX_COORDINATOR_ADDRESS and JAX_PROCESS_ID must be set"),
        ({**EXPLICIT, "JAX_PROCESS_ID": "x"}, "JAX_PROCESS_ID is 'x': it must be a whole number"),
        ({**EXPLICIT, "JAX_PROCESS_ID": "4"}, "there is no process 4 among 4"),
        ({**TORCHRUN, "LOCAL_WORLD_SIZE": "2"}, "LOCAL_RANK is None"),
    ],
)
def test_what_cannot_be_is_refused(environment: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        detect(environment)


def test_another_number_than_wanted_is_refused() -> None:
    require_processes(None, detect(SLURM))
    require_processes(8, detect(SLURM))
    require_processes(1, Launch())
    require_one(Launch())
    with pytest.raises(UserError, match=r"--hosts 2: one process was found \(no launcher's variables"):
        require_processes(2, Launch())
    with pytest.raises(UserError, match=r"--hosts 2: 8 processes were found \(by SLURM's SLURM_JOB_ID"):
        require_processes(2, detect(SLURM))
    with pytest.raises(UserError, match=r"2 processes of one job were found .* this command is made for one"):
        require_one(detect(TORCHRUN))
