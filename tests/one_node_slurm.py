"""A real Slurm of one node, with a pretend GPU, for the tests: up in seconds, down again whatever happens.

By hand: python -m tests.one_node_slurm, until interrupted.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo")
ETC = Path("/etc/slurm")  # only there: the Slurm plugin takes SLURM_CONF out of its jobs' environment
MARK = "# of priorbench's tests; may be removed\n"
CONFIG = """{mark}ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
MinJobAge=3600
ReturnToService=2
KillWait=5
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000 Gres=gpu:pretend:1 State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
"""


def missing():
    """Return why there can be no such Slurm on this machine, or None."""
    absent = [name for name in COMMANDS if shutil.which(name, path=_path()) is None]
    if absent:
        return f"no {', '.join(absent)}: apt-get install slurmctld slurmd slurm-client munge"
    if os.getuid() != 0:
        return "a Slurm of one node needs root"
    for name in ("slurm.conf", "gres.conf"):
        if (ETC / name).exists() and not (ETC / name).read_text().startswith(MARK):
            return f"{ETC / name} is that of another Slurm"
    return None


@contextlib.contextmanager
def running():
    """Yield the folder of the logs of a Slurm that takes jobs; one at a time on a machine.

    Raises BlockingIOError if there is one already, and TimeoutError, with the logs, if it is not up in 30 s.
    """
    with open(Path(tempfile.gettempdir()) / "priorbench-one-node-slurm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with (
            tempfile.TemporaryDirectory(prefix="slurm-", ignore_cleanup_errors=True) as folder,
            contextlib.ExitStack() as stack,
        ):
            yield _start(Path(folder), stack)


def _start(folder, stack):
    host = socket.gethostname().split(".")[0]
    (folder / "key").write_bytes(os.urandom(128))
    (folder / "key").chmod(0o400)
    ETC.mkdir(exist_ok=True)
    for name, text in {
        "slurm.conf": CONFIG.format(mark=MARK, host=host, folder=folder, ports=_free_ports(2)),
        "gres.conf": f"{MARK}NodeName={host} Name=gpu Type=pretend File=/dev/null\n",
    }.items():
        stack.callback((ETC / name).unlink, missing_ok=True)
        (ETC / name).write_text(text)
    munge = [f"--{kind}-file={folder}/munge.{kind}" for kind in ("pid", "log", "seed")]
    munge += [f"--key-file={folder}/key", f"--socket={folder}/munge.socket"]
    _daemon(["munged", "--foreground", "--force", *munge], folder, stack)
    _wait(lambda: (folder / "munge.socket").exists(), folder)
    _daemon(["slurmctld", "-D", "-c"], folder, stack)
    _daemon(["slurmd", "-D", "-N", host], folder, stack)
    stack.callback(_end_jobs)
    _wait(lambda: "idle" in _output("sinfo", "--noheader", "--format=%T"), folder)
    return folder


def _daemon(command, folder, stack):
    with open(folder / f"{command[0]}.log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PATH": _path()}, cwd=folder)
    stack.callback(_end, process)


def _end(process):
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_jobs():
    """Cancel what is left, else it would outlive its Slurm."""
    _output("scancel", "--user", str(os.getuid()))
    with contextlib.suppress(TimeoutError):
        _wait(lambda: not _output("squeue", "--noheader"), None)


def _wait(ready, folder, seconds=300):
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            logs = [f"{path.name}:\n{path.read_text()[-2000:]}" for path in folder.glob("*.log")] if folder else []
            raise TimeoutError("\n".join(["Slurm is not ready", *logs]))
        time.sleep(0.2)


def _output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
    except subprocess.TimeoutExpired:  # of a busy machine
        return ""


def _free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _path():
    return os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running() as logs:
        print(f"Slurm is up; its logs are in {logs}; Ctrl-C or SIGTERM ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
