"""What a bundle of cells holds, written by `cells` and read by `run-cells` (docs/elsewhere.md)."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np

from steps.base import discover
from steps.base.errors import BadInput, quoted
from steps.base.files import read_array, read_arrays, read_json, reading, sha256
from steps.base.parameters import check_parameters, defaults, keywords, parse_parameters
from steps.base.recoveries import Recovery
from steps.inverse.measurement import shape
from steps.run.sources import listing_digest

LIST, FACTS = "cells.txt", "bundle.json"
KEYS = {"metrics", "traces", "truths", "measurements"}
HEAD = "# The cells in the order in which they are made; lines may be moved and removed.\n"


def parse(folder):
    """Return the Recovery of a folder results/TASK/IMAGE/CORRUPTION/METHOD/PARAMS. Raises BadInput for another."""
    parts = folder.split("/")
    if len(parts) != 6 or parts[0] != "results" or {"", ".", ".."} & set(parts):
        raise BadInput(f"{quoted(folder)} is no cell; must be results/TASK/IMAGE/CORRUPTION/METHOD/PARAMS")
    return Recovery(*parts[1:], label="")


def settings(recovery):
    """Return all of the method's settings in a Recovery, {name: value}. Raises BadInput for what is not allowed."""
    parameters = keywords(discover.load("methods", recovery.method).recover)
    said = check_parameters(parse_parameters(recovery.params), parameters, recovery.method)
    return defaults(discover.load("methods", recovery.method).recover) | said


def rank(recovery):
    """Return the larger of the two seeds, the corruption's and the method's: cells of the least are of most value."""
    said = parse_parameters(recovery.corruption).get("seed", 0)
    return max(said, settings(recovery).get("seed") or 0)


def remade(recovery, truths):
    """Return whether a measurement is made where it is needed, of a known truth: if A = I there is nothing to round."""
    return recovery.image in truths and discover.load("tasks", recovery.task).Operator.identity


def checksum(measurement):
    """Return the SHA-256 of the names, types, shapes and numbers in a file of arrays (npz), however it is packed."""
    digest = hashlib.sha256()
    for name, array in sorted(read_arrays(measurement).items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())
    return digest.hexdigest()


def pack_truth(image):
    """Return an image (C, H, W), float32, as uint8 if that says the same to the last bit, else as it is."""
    pixels = np.rint(image.clip(0, 1) * 255).astype(np.uint8)
    return pixels if np.array_equal(unpack_truth(pixels), image) else image


def unpack_truth(pixels):
    """Return the image, float32, that `pack_truth` has packed."""
    return pixels if pixels.dtype == np.float32 else (pixels / 255).astype(np.float32)


class Bundle:
    """A bundle's unpacked folder.

    cells         the Recoveries of cells.txt in its order, each once.
    metrics       the names of the metrics to score by.
    traces        the folders of those whose kept iterates are drawn.
    truths        the names of the images whose truth is known.
    measurements  {folder of a measurement: {"sha256": of its file, "contents": see `checksum`, "shape": the image's}}.

    Raises BadInput, naming the file, for a folder that is no bundle and for a list with a cell that is not in it.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        if not self.path(FACTS).is_file():
            raise BadInput(f"{folder}: no {FACTS}; must be a folder in which a bundle was unpacked")
        facts = read_json(self.path(FACTS))
        if not isinstance(facts, dict) or set(facts) != KEYS:
            raise BadInput(f"{self.path(FACTS)} must have the keys {', '.join(sorted(KEYS))}")
        vars(self).update(facts)
        with reading(self.path(LIST)) as path:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        self.cells = [self._cell(line) for line in dict.fromkeys(lines) if line and not line.startswith("#")]

    def _cell(self, line):
        try:
            recovery = parse(line)
            if recovery.case not in self.measurements:
                raise BadInput(f"{recovery.case} is no measurement of this bundle")
            settings(recovery)
        except BadInput as error:
            raise BadInput(f"{self.path(LIST)}: {error}") from error
        return recovery

    def path(self, *pieces):
        """Return the path of a file of the bundle."""
        return self.folder.joinpath(*pieces)

    def truth(self, image):
        """Return an image's truth, (C, H, W) float32, None if there is none."""
        return unpack_truth(read_arrays(self.path("truths", f"{image}.npz"))["x"]) if image in self.truths else None

    def measurement(self, recovery):
        """Make the measurement and the picture of a Recovery, if they are not there.

        Raises BadInput if its content is not what it was where the bundle was made.
        """
        path, known = self.path(recovery.case, "measurement.npz"), self.measurements[recovery.case]
        if not path.is_file() and remade(recovery, self.truths):
            from steps.corrupt import simulate

            simulate(self.truth(recovery.image), recovery.task, recovery.corruption, path.parent)
        if not path.is_file():
            raise BadInput(f"{path}: no such file")
        if checksum(path) != known["contents"]:
            raise BadInput(f"{path} comes out otherwise here than where the bundle was made")

    def picture(self, recovery):
        """Return what is seen before recovery, (C, H, W): picture.npy, else the measurement itself."""
        path = self.path(recovery.case, "picture.npy")
        return np.load(path) if path.is_file() else read_arrays(path.with_name("measurement.npz"))["y"]


def contents(recoveries, metrics, traces, measured):
    """Return {path: bytes} of all that a bundle of Recoveries holds beside code; their measurements are here.

    metrics, traces  as in `Bundle`;  measured  the names of the images that are measurements, and have no truth.
    Raises OSError for an image that is missing.
    """
    found, measurements, truths = {}, {}, []
    for recovery in recoveries:
        case, image = Path(recovery.case), recovery.image
        if recovery.case in measurements:
            continue
        path = case / "measurement.npz"
        measurements[recovery.case] = {"sha256": sha256(path), "contents": checksum(path), "shape": shape(path)}
        if image not in measured and image not in truths:
            truths.append(image)
            packed = io.BytesIO()
            np.savez_compressed(packed, x=pack_truth(np.load(f"results/images/{image}.npy")))
            found[f"truths/{image}.npz"] = packed.getvalue()
        if not remade(recovery, truths):
            found[str(path)] = path.read_bytes()
            if not np.array_equal(read_array(case / "picture.npy"), read_arrays(path)["y"]):
                found[str(case / "picture.npy")] = (case / "picture.npy").read_bytes()
    facts = {"metrics": metrics, "traces": traces, "truths": truths, "measurements": measurements}
    found[FACTS] = json.dumps(facts, indent=1).encode()
    found[LIST] = "".join([HEAD, *(f"{recovery.folder}\n" for recovery in recoveries)]).encode()
    return found


def score_code(metrics):
    """Return the SHA-256 of the code that makes scores by these metrics."""
    return listing_digest("steps.score", *(f"steps.metrics.{name}" for name in metrics))
