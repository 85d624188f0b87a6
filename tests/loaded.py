"""Snakemake and all libraries, loaded once: what tests call is done in copies of this process, each one of its own.

It is steps/run/warm.py, which does so for the jobs of a run, with more libraries: loading them takes longer than most
of what tests run. The jobs of those runs are done by it, too.
"""

import atexit
import importlib.util
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

LIBRARIES = ("jsonschema", "smart_open", "snakemake.cli", "yaml", "yte")
LIBRARIES += ("snakemake.report.html_reporter", "torch._dynamo")


def run_module(*arguments, **options):
    """Run a module to its end, as Python does: notes of a dry run are taken back at the exit."""
    from snakemake.workflow import Workflow

    Workflow._rundir = os.getcwd()  # which Snakemake takes when it is loaded
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    try:
        runpy.run_module(*arguments, **options)
    finally:
        atexit._run_exitfuncs()


if __name__ == "__main__":
    specification = importlib.util.spec_from_file_location("warm", Path(__file__).parents[1] / "steps/run/warm.py")
    warm = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(warm)
    warm.LIBRARIES, warm.runpy = warm.LIBRARIES + LIBRARIES, SimpleNamespace(run_module=run_module)
    sys.path[0] = ""  # the working directory, as `python -m` has it
    warm.serve(sys.argv[1], int(sys.argv[2]))
