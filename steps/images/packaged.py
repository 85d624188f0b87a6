"""Images that come with scikit-image: skimage:NAME."""

import numpy as np

from steps.base.errors import BadInput, no_such
from steps.images.decode import as_float


def check(name, where):
    """Raise BadInput, naming `where`, if scikit-image has no image of this name."""
    from skimage import data

    images = [image for image in data.__all__ if image not in ("download_all", "data_dir", "file_hash")]
    if name not in images:
        raise BadInput(f"{where}: {no_such('scikit-image image', name, images)}")


def load(name):
    """Return scikit-image's image of this name as `decode.read` does; it may have to be downloaded."""
    from skimage import data

    check(name, "source")
    try:
        return as_float(np.asarray(getattr(data, name)()), f"skimage:{name}")
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"source: skimage:{name} cannot be had ({' '.join(str(error).split())[:120]})") from error
