"""Threads of this process: what each prints goes to a file of its own."""

import contextlib
import threading
import traceback
from concurrent.futures import Future


class ByThread:
    """A standard output that is another file in each thread that asks for one."""

    def __init__(self, usual):
        self.usual, self.own = usual, threading.local()

    def write(self, text):
        """Write text to this thread's file."""
        return getattr(self.own, "file", self.usual).write(text)

    def flush(self):
        """Flush this thread's file."""
        getattr(self.own, "file", self.usual).flush()

    @contextlib.contextmanager
    def to(self, path):
        """Inside, what this thread prints goes to a file at path, anew."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", encoding="utf-8") as self.own.file:
            try:
                yield self.own.file
            finally:
                del self.own.file


def in_thread(function, *arguments):
    """Return the Future of a call in a thread that does not keep the process from ending.

    If it fails, what the functions had that its error has ended is freed: it may be a network and its graph on a GPU.
    """
    future = Future()

    def call():
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            _let_go(error)
            future.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return future


def _let_go(error):
    while error:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
