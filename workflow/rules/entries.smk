# What the rules of images and files need of the config's entries: files on this machine, notes of code.


@or_exit
def image_entry(wildcards):
    return experiments.entry(config, "images", wildcards.image)


@or_exit
def file_entry(wildcards):
    return experiments.entry(config, "files", wildcards.file)


@or_exit
def truth_entry(wildcards):
    """Return an image's entry, or that of the truth beside it if it is measured and has one."""
    return true_entry(image_entry(wildcards))


def truth_arguments(wildcards):
    """Return the arguments of `truth_entry`; a truth has its own name, by which a URL's file is looked for and kept."""
    name = f"{wildcards.image}-truth" if "truth" in image_entry(wildcards) else wildcards.image
    return image_arguments(name, truth_entry(wildcards))


def image_file(wildcards):
    """Return [path] of an image's file on this machine, else []; of one that is measured its truth's, if it has one."""
    return [ancient(file) for file in local_file(truth_entry(wildcards))]


def measured_file(wildcards):
    """Return [path] of a measured image's file on this machine, else []."""
    return [ancient(file) for file in local_file(image_entry(wildcards))]


@or_exit
def to_corrupt(wildcards):
    """Return the picture that is corrupted, or taken as the measurement."""
    folder = "measured" if "truth" in image_entry(wildcards) else "images"
    return f"results/{folder}/{wildcards.image}.npy"


def file_file(wildcards):
    """Return [path] of a file that is a parameter on this machine, else []."""
    return [ancient(file) for file in local_file(file_entry(wildcards))]


def entry_code(step, name, entry, arguments):
    """Return the note of a step that takes a file of an entry under images or files."""
    said = " ".join(arguments)
    check_meaning(f"{step}s", name, said)
    return note_of(f"steps.{step}", data=tuple(local_file(entry)), said=said, name=f"{step}-{name}")


@or_exit
def image_code(wildcards):
    return entry_code("image", wildcards.image, truth_entry(wildcards), truth_arguments(wildcards))


@or_exit
def measured_code(wildcards):
    entry = image_entry(wildcards)
    said = " ".join(image_arguments(wildcards.image, entry))
    return note_of("steps.image", data=tuple(local_file(entry)), said=said, name=f"measured-{wildcards.image}")


@or_exit
def file_code(wildcards):
    entry = file_entry(wildcards)
    return entry_code("file", wildcards.file, entry, image_arguments(wildcards.file, entry))
