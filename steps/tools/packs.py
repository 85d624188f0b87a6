"""Packs: the files, few and small, in which cells that were made elsewhere come back (docs/elsewhere.md)."""

import io
import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from steps.base.errors import BadInput
from steps.base.files import whole
from steps.images.arrays import BYTES, understanding
from steps.tools import bundles

FILE, FILES, ALL = 15.5e6, 8, 60e6  # bytes of a pack, packs, bytes of all of them
LOG = "recover.log"  # of a cell that failed, too
TEXTS = ("run.json", "score.json", "curve.csv", LOG)
LOSSES, PICTURE, ITERATES = "losses.npz", "picture.npz", "iterates.npz"
FACTS, LEFT_OUT = "pack.json", "left_out.txt"
DATE = (2000, 1, 1, 0, 0, 0)


def pieces(estimate, trace, iterates):
    """Return {name: bytes} of what of a recovery's arrays is packed; the iterates of its trace only if asked for.

    Losses and penalties are kept to the last bit; pictures are rounded to 16 bits, of their range if it is wider than
    [0, 1].
    """
    low, high = min(0.0, float(estimate.min())), max(1.0, float(estimate.max()))
    rounded = np.rint((estimate.astype(np.float64) - low) * (65535 / (high - low))).astype(np.uint16)
    found = {
        LOSSES: _saved(np.savez_compressed, losses=_narrow(trace["losses"]), penalties=_narrow(trace["penalties"])),
        PICTURE: _saved(np.savez_compressed, planes=planes(rounded), range=np.array([low, high])),
    }
    if iterates and len(trace["iterations"]):
        found[ITERATES] = _saved(np.savez_compressed, iterations=trace["iterations"], planes=planes(trace["estimates"]))
    return found


def arrays(files):
    """Return (estimate, trace) of {name: bytes} as `pieces` returns them; a trace without its iterates has none."""
    picture, trace = _read(files[PICTURE]), _read(files[LOSSES])
    low, high = picture["range"]
    estimate = low + unplaned(picture["planes"], np.uint16) * ((high - low) / 65535)
    trace = {name: array.astype(np.float64) for name, array in trace.items()}
    trace |= {"iterations": np.zeros(0, np.int64), "estimates": np.zeros(0, np.float16)}
    if ITERATES in files:
        kept = _read(files[ITERATES])
        trace |= {"iterations": kept["iterations"], "estimates": unplaned(kept["planes"], np.float16)}
    return estimate.astype(np.float32), trace


def unpacked(files):
    """Return {name: bytes} of a recovery's files, score.json and curve.csv among them, from those of packs.

    None if its picture did not come back. Raises BadInput for what is missing or damaged.
    """
    if PICTURE not in files:
        return None
    for name in ("run.json", "score.json", "curve.csv", LOSSES):
        if name not in files:
            raise BadInput(f"{name} is missing")
    with understanding(f"{PICTURE}, {LOSSES} or {ITERATES}", "as they were packed"):
        estimate, trace = arrays(files)
    found = {name: content for name, content in files.items() if name in TEXTS}
    return found | {"trace.npz": _saved(np.savez, **trace), "recovered.npy": _saved(np.save, estimate)}


def planes(array):
    """Return an array of 16 bits as bytes (2, …), which pack better: high and low ones of steps along rows."""
    steps = np.diff(array.view(np.uint16), axis=-1, prepend=np.uint16(0))  # modulo 2¹⁶
    return np.stack([steps >> 8, steps & 255]).astype(np.uint8)


def unplaned(pair, dtype):
    """Return the array, of a type of 16 bits, that `planes` has taken apart."""
    steps = (pair[0].astype(np.uint16) << 8) | pair[1]
    return np.cumsum(steps, axis=-1, dtype=np.uint16).view(dtype)


def write(folder, output):
    """Write pack-1.zip, pack-2.zip, … of a bundle's cells; return {"files", "bytes", "left_out"}.

    First all numbers, then pictures, then kept iterates, each in the order of cells.txt, as far as there is room; of a
    cell that is not finished only its log. The names of what is left out, a list, are in the first pack, too. Each pack
    is written whole, the last one first: what more numbers push to a later pack is there before it is taken out of the
    earlier one, wherever this is killed.
    """
    bundle = bundles.Bundle(folder)
    cells = {cell.folder: bundle.path(cell.folder, "score.json").is_file() for cell in bundle.cells}  # their last file
    names = [f"{cell}/{name}" for cell, done in cells.items() for name in ((*TEXTS, LOSSES) if done else (LOG,))]
    names += [f"{cell}/{name}" for name in (PICTURE, ITERATES) for cell, done in cells.items() if done]
    packs, left_out = plan([name for name in names if bundle.path(name).is_file()], bundle.path)
    facts = {"metrics": bundle.metrics, "scores": bundles.score_code(bundle.metrics)}
    for number in range(len(packs), 0, -1):
        with whole(Path(output, f"pack-{number}.zip")) as temporary, zipfile.ZipFile(temporary, "w") as pack:
            _add(pack, FACTS, json.dumps(facts).encode())
            if number == 1:
                _add(pack, LEFT_OUT, "".join(f"{name}\n" for name in left_out).encode())
            for name in packs[number - 1]:
                _add(pack, name, bundle.path(name).read_bytes())
    total = sum(Path(output, f"pack-{number + 1}.zip").stat().st_size for number in range(len(packs)))
    return {"files": len(packs), "bytes": total, "left_out": left_out}


def plan(names, path):
    """Return ([names of each pack], names left out) of files in their order; path(name) is that of a file."""
    found, left_out, size, total = [[]], [], 0, 0
    for name in names:
        text = not name.endswith(".npz")
        cost = 300 + 2 * len(name)
        cost += len(zlib.compress(path(name).read_bytes())) if text else path(name).stat().st_size
        more = bool(found[-1]) and size + cost > FILE
        if cost > FILE or total + cost > ALL or len(found) + more > FILES:
            left_out.append(name)
            continue
        if more:
            found.append([])
            size = 0
        found[-1].append(name)
        size, total = size + cost, total + cost
    return found, left_out


def there(folder):
    """Return the paths of the packs in a folder, sorted."""
    return sorted(Path(folder).glob("pack-*.zip"))


def read(folder):
    """Return ({cell's folder: {name: bytes}}, facts) of the packs in a folder.

    facts  {"metrics": the metrics of the scores, "scores": the SHA-256 of the code that made them}.

    Raises BadInput for a pack that is damaged, or that holds what is none of a cell's files, or others' facts.
    """
    found, facts = {}, None
    for path in there(folder):
        with understanding(path, "a pack of cells"), zipfile.ZipFile(path) as pack:
            if sum(member.file_size for member in pack.infolist()) > BYTES:
                raise BadInput(f"{path}: holds more than {BYTES} bytes")
            said = json.loads(pack.read(FACTS))
            if said != (facts or said) or not isinstance(said, dict) or set(said) != {"metrics", "scores"}:
                raise BadInput(f"{path}: {FACTS} is another than that of the packs beside it")
            facts = said
            for name in pack.namelist():
                if name in (FACTS, LEFT_OUT):
                    continue
                cell, _, file = name.rpartition("/")
                if file not in (*TEXTS, LOSSES, PICTURE, ITERATES):
                    raise BadInput(f"{path}: {name} is no file of a cell")
                found.setdefault(bundles.parse(cell).folder, {})[file] = pack.read(name)
    return found, facts


def numbers(folder):
    """Yield (cell's folder, {"score.json": dict, "run.json": dict, "curve.csv": text}) of the packs in a folder.

    Of the cells that have all three, with or without a picture. Raises BadInput as `read` does.
    """
    for cell, files in read(folder)[0].items():
        if files.keys() >= {"score.json", "run.json", "curve.csv"}:
            with understanding(f"{folder}: {cell}", "a cell's numbers"):
                jsons = {name: json.loads(files[name]) for name in ("score.json", "run.json")}
                yield cell, jsons | {"curve.csv": files["curve.csv"].decode()}


def _add(pack, name, content):
    kind = zipfile.ZIP_STORED if name.endswith(".npz") else zipfile.ZIP_DEFLATED
    pack.writestr(zipfile.ZipInfo(name, DATE), content, kind)


def _narrow(numbers):
    """Return numbers as float32 if that says the same."""
    narrow = numbers.astype(np.float32)
    return narrow if np.array_equal(narrow, numbers) else numbers


def _saved(save, *arguments, **arrays):
    file = io.BytesIO()
    save(file, *arguments, **arrays)
    return file.getvalue()


def _read(content):
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        if sum(member.file_size for member in file.zip.infolist()) > BYTES:
            raise BadInput(f"it holds more than {BYTES} bytes")
        return dict(file)
