"""The GPUs of this machine, shared out: one job to a slot, so many slots to a GPU."""

import contextlib
import fcntl
import itertools
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

# A scheduler gives each of its jobs GPUs of its own, so that locks are among the processes of one such job.
SCHEDULERS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
WAIT = 1  # seconds between two looks at the slots


def available():
    """Return {name for CUDA_VISIBLE_DEVICES: the GPU's UUID} of the GPUs that this process may use.

    They are those of CUDA_VISIBLE_DEVICES where it is set ("" and "-1" are none), else those that nvidia-smi lists.
    Without nvidia-smi the UUID is the name.
    """
    listed = _listed()
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        return {uuid: uuid for uuids in listed for uuid in uuids}
    names = itertools.takewhile(lambda name: name not in ("", "-1"), map(str.strip, given.split(",")))
    uuids = {str(index): uuids[0] for index, uuids in enumerate(listed)}
    return {name: uuids.get(name, name) for name in names}


@contextlib.contextmanager
def slot(slots=1):
    """Hold one of the `slots` of a GPU, waiting until one is free; yield the GPU's name, None where there is no GPU.

    An empty GPU comes first. A slot is a locked file in the system's temporary folder, so that the kernel frees it
    when the process ends, however it ends.
    """
    gpus = available()
    if not gpus:
        yield None
        return
    folder = _folder()
    waiting = False
    while True:
        for number, (name, uuid) in itertools.product(range(slots), gpus.items()):
            file = os.open(folder / f"{uuid.replace('/', '_')}.{number}", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                continue
            try:
                yield name
            finally:
                os.close(file)
            return
        if not waiting:
            print(f"all {slots * len(gpus)} GPU slots are taken: waiting for one", flush=True)
            waiting = True
        time.sleep(WAIT)


def _listed():
    """Return, for each GPU of nvidia-smi, the UUIDs to use it by: its own, or those of the parts it is split into."""
    try:
        lines = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return []
    gpus = []
    for line in lines:
        if match := re.match(r"\s*(GPU|MIG) .*\(UUID: ([^)]+)\)", line):
            if match[1] == "GPU":
                gpus.append([match[2]])
            elif gpus:
                gpus[-1] = [uuid for uuid in gpus[-1] if uuid.startswith("MIG")] + [match[2]]
    return gpus


def _folder():
    job = next((f"-job-{os.environ[name]}" for name in SCHEDULERS if os.environ.get(name)), "")
    folder = Path(tempfile.gettempdir(), f"priorbench-gpus-{os.getuid()}{job.replace('/', '_')}")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
