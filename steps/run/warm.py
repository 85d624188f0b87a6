"""A process that has the libraries loaded and does each job in a copy of itself (fork), for steps/run/ask.py.

Loading torch takes a second, most cheap jobs a tenth of that. A job is still a process of its own with its own output
files and log. Only libraries are loaded ahead, none of priorbench's code: that is read anew for every job, so an edit
in the middle of a run is seen as ever. No thread is started before the copy is made.
"""

import importlib
import os
import runpy
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

LIBRARIES = ("click", "numpy", "torch", "skimage.metrics._structural_similarity", "skimage.metrics.simple_metrics")
LIBRARIES += ("pandas", "matplotlib.pyplot", "matplotlib.backends.backend_pdf", "scipy.stats")
YOURSELF = 255  # the answer that means: do it yourself
HERE = Path(__file__).parent
POLL = 1  # seconds between looks whether the run is still there


def end_with_parent():
    """Return the words before a command that the kernel ends with its parent (util-linux's setpriv; elsewhere none)."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def job_prefix(conda=False):
    """Return what a job's command begins with: instead of the shell the process below does it; it ends with its run.

    With `conda` that environment's Python does it, to which Snakemake hands no PYTHONPATH.
    """
    if conda:
        return f"set -euo pipefail; export PYTHONPATH={shlex.quote(str(HERE.parents[1]))}; "
    return shlex.join(["exec", *end_with_parent(), "python", "-I", "-S", str(HERE / "ask.py")]) + " "


def start():
    """Start such a process, unless there is one; it ends with this one. Jobs find it by $PRIORBENCH_WARM."""
    if "PRIORBENCH_WARM" in os.environ:  # that of the first pass, or of who starts many runs
        return
    path = str(Path(tempfile.mkdtemp(prefix="priorbench-"), "jobs"))
    subprocess.Popen(
        [sys.executable, "-m", "steps.run.warm", path, str(os.getpid())],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.environ["PRIORBENCH_WARM"] = path


def serve(path, run):
    """Listen at the socket `path` until the process `run`, which started this one, is gone."""
    for library in LIBRARIES:
        importlib.import_module(library)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}.new")
        listener.listen(64)
        os.rename(f"{path}.new", path)  # so that it is there when it listens
        listener.settimeout(POLL)
        while os.getppid() == run:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                try:
                    job = os.fork()
                except OSError:  # for want of memory or processes
                    connection.sendall(bytes([YOURSELF]))
                    continue
                if job == 0:
                    listener.close()
                    _job(connection, Path(path).parent, run)
    shutil.rmtree(Path(path).parent, ignore_errors=True)


def _job(connection, folder, run):
    """Do what is asked, as `python -m module …` would in a process of its own, and end this process.

    What needs a GPU is handed over to a process of steps/run/gpu_worker.py, which has its socket in the folder.
    """
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        connection.setblocking(True)
        words = receive(connection)
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        status = _by_gpu(words, folder, run)
        if status is None:
            sys.argv = words[2:]
            runpy.run_module(words[2], run_name="__main__", alter_sys=True)
            status = 0
    except SystemExit as error:
        status = exit_status(error)
    except BaseException:
        status = 1
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
            connection.sendall(bytes([min(status & 255, YOURSELF - 1)]))
        finally:
            os._exit(1)


def exit_status(error):
    """Return the status that Python ends with for a SystemExit; one that is words is printed."""
    status = error.code if isinstance(error.code, int) else int(error.code is not None)
    if status and error.code is not status:
        print(error.code, file=sys.stderr)
    return status


def _by_gpu(words, folder, run):
    """Return the exit status of a recovery done by a process that keeps CUDA loaded, None where there is no GPU."""
    if words[2] != "steps.recover" or not (shutil.which("nvidia-smi") or os.environ.get("CUDA_VISIBLE_DEVICES")):
        return None
    return importlib.import_module("steps.run.gpu_worker").hand_over(words, folder, run)


def receive(connection):
    """Take over the outputs, folder and environment of who asks; return its words, python -m module …"""
    header, outputs, _, _ = socket.recv_fds(connection, 8, 2)
    for number, descriptor in zip((1, 2), outputs):
        os.dup2(descriptor, number)
        os.close(descriptor)
    size, request = int.from_bytes(header, "big"), b""
    while len(request) < size:
        request += connection.recv(1 << 20) or os._exit(1)  # who asked is gone
    folder, count, *rest = request.decode(errors="surrogateescape").split("\0")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(line.split("=", 1) for line in rest[int(count) :])
    return rest[: int(count)]


def _end_with(connection):
    """End this process at once when who asked is gone."""
    if not connection.recv(1):
        os._exit(1)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
