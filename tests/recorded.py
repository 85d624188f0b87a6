"""Records of recoveries that nobody has made, for tests of what is made of a record."""

from steps.tools import cells, recorded

VERSIONS = {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6", "scipy": None, "scikit-image": None, "bm3d": None}
CURVE = "iteration,loss,penalty,psnr\n1,0.5,0.0,10.123456789\n10,0.25,0.0,20.0\n100,0.125,0.0,19.5\n"


def files(config, recovery, **facts):
    """Return what a finished recovery has beside its pictures; facts are other values of score.json."""
    run = {"seconds": 3.5, "peak_memory_mb": 100.0, "device": "cpu", "threads": 1, "noise_sigma": 0.1, "residual": 0.1}
    run |= {"iterations": 100, "seed": None, "settings": {}, "versions": VERSIONS}
    run |= {"origin": {"measurement": "0" * 64, "code": recorded.codes(config, recovery)["recovery"]}}
    run |= {name: value for name, value in facts.items() if name in run}
    numbers = {"psnr": 25.0, "input_psnr": 15.0, "ssim": 0.75, "input_ssim": 0.5, "pixels": "40×40", "channels": 1}
    numbers |= {"loss": 0.125, "oracle_psnr": 20.0, "oracle_iteration": 10, "convention": "c"}
    score = {name: getattr(recovery, name) for name in recorded.PLACE} | numbers | run | facts
    return {"score.json": score, "run.json": run, "curve.csv": CURVE}


def record(config, day="2026-11-01", psnr=lambda recovery: 25.0, made=lambda recovery: True):
    """Return {folder: cell} of the recoveries of a config that are made, each of a PSNR."""
    found = {}
    for r in filter(made, cells.distinct(config)):
        code = recorded.codes(config, r)
        found[r.folder] = recorded.cell(r, files(config, r, psnr=psnr(r)), code, day, "Some processor, 2 CPUs")
    return found
