"""Processes that keep CUDA loaded and do recoveries, one after another: as many as GPU slots, for steps/run/warm.py.

Loading torch and CUDA, compiling kernels and tuning convolutions take seconds, and so do many fits on a GPU. A process
that uses CUDA cannot be copied (fork), so these are not copies, but still one file is one job, with its own outputs and
log. A job that dies, or whose asker is gone, takes its process with it, and the next one starts another; so does an
edit of the code.
"""

import contextlib
import fcntl
import importlib
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

from steps.base import discover
from steps.run import devices, record, sources
from steps.run.ask import send
from steps.run.warm import YOURSELF, exit_status, receive

POLL = 1  # seconds between looks whether the run is still there
START = 120  # seconds that loading CUDA may take


def hand_over(words, folder, run):
    """Return the exit status of the job `words`, done by one of the processes; None if it is none for them.

    words   python -m steps.recover MEASUREMENT METHOD PARAMS …
    folder  that of their sockets;  run  the number of the process with which they end.
    """
    slots = os.environ.get("PRIORBENCH_GPU_SLOTS", "1")
    names = list(devices.available()) if _wants_gpu(words) and slots.isdecimal() else []
    for number in range(len(names) * int(slots)):
        gpu = names[number % len(names)]
        path = Path(folder, f"gpu-{number}-{gpu.replace('/', '_')}")
        with open(f"{path}.busy", "w", encoding="utf-8") as busy:
            try:
                fcntl.flock(busy, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return _ask(words, path, gpu, run)
    return None


def _wants_gpu(words):
    """Return whether a job is a recovery for a GPU, and not to be deterministic, which is a setting of a process."""
    if words[2] != "steps.recover" or len(words) < 7 or os.environ.get("PRIORBENCH_DEVICE") == "cpu":
        return False
    method, params = words[4:6]
    with contextlib.suppress(Exception):  # who does the job says what is wrong with it
        return "deterministic=true" not in params and getattr(discover.load("methods", method), "GPU", False)
    return False


def _ask(words, path, gpu, run):
    for _ in range(2):  # it may have gone because of an edit
        connection = _connected(path) or _started(path, gpu, run)
        if connection is None:
            return None
        with connection:
            try:
                send(connection, words)
                answer = connection.recv(1)
            except ConnectionError:  # it went before it had taken all
                answer = bytes([YOURSELF])
        if answer != bytes([YOURSELF]):
            break
    else:
        return None
    if not answer:
        print("Error: the job's process ended without saying how; killed, perhaps for want of memory", file=sys.stderr)
    return answer[0] if answer else 1


def _connected(path):
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def _started(path, gpu, run):
    """Start a process for a GPU; return a connection to it, None if it does not come up."""
    path.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "steps.run.gpu_worker", str(path), str(run)],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": gpu},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        connection = _connected(path)
        if connection:
            return connection
        time.sleep(0.02)
    process.kill()
    return None


def serve(path, run):
    """Listen at the socket `path` and do each job here, until the process `run` is gone or code is edited."""
    gpu, began = os.environ["CUDA_VISIBLE_DEVICES"], time.time_ns()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}.new")
        listener.listen(1)
        os.rename(f"{path}.new", path)
        listener.settimeout(POLL)
        while _there(run):
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.setblocking(True)
                if edited(began):
                    Path(path).unlink(missing_ok=True)  # before who asked looks for another process there
                    connection.sendall(bytes([YOURSELF]))
                    return
                status, sound = _job(connection, gpu)
                if not sound:
                    Path(path).unlink(missing_ok=True)
                connection.sendall(bytes([status]))
                if not sound:
                    return
    Path(path).unlink(missing_ok=True)


def _there(process):
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def _job(connection, gpu):
    """Do what is asked; return its exit status and whether this process is fit for another job.

    It is not after an error that nobody foresaw: the GPU may do nothing more for it. It ends at once when who asked is
    gone.
    """
    words = receive(connection)
    os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    done = threading.Event()
    threading.Thread(target=_end_with, args=(connection, done), daemon=True).start()
    status, sound = 1, True
    try:
        sources.look_again()
        import torch

        record.forget_peak("cuda" if torch.cuda.is_available() else "cpu")
        importlib.import_module(words[2]).main(words[3:])
    except SystemExit as error:
        status = exit_status(error)
    except BaseException:
        traceback.print_exc()
        sound = False
    if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
        try:
            record.forget_peak("cuda")  # between its jobs this process keeps no memory of the GPU
        except RuntimeError:
            sound = False
    done.set()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    with open(os.devnull, "w", encoding="utf-8") as nothing:  # the job's log is not ours any more
        for number in (1, 2):
            os.dup2(nothing.fileno(), number)
    return min(status & 255, YOURSELF - 1), sound


def _end_with(connection, done):
    if not connection.recv(1) and not done.is_set():
        os._exit(1)


def edited(since):
    """Return whether the file of a module of ours that is loaded has been written since a time, in nanoseconds."""
    files = [module.__file__ for name, module in list(sys.modules.items()) if name.split(".")[0] == "steps"]
    with contextlib.suppress(OSError):
        return any(os.stat(file).st_mtime_ns > since for file in files if file)
    return True


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
