"""What a corruption says: the parameters of a task's operator, the noise and its parameters, and their one spelling."""

import functools
import inspect

from steps.base import discover
from steps.base.errors import BadInput, if_file, no_such
from steps.base.parameters import check_parameters, format_parameters, keywords, parse_parameters

ESTIMATE = "estimate"  # in the place of sigma: of a picture that is a measurement, from that picture
GAUSSIAN = "gaussian"  # the noise of a corruption that says none


def noise_of(corruption, where=""):
    """Return the module of a corruption's noise, the corruption being a dict. Raises BadInput if there is none."""
    return discover.load("noises", corruption.get("noise", GAUSSIAN), f"{where}.noise" if where else "noise")


def noises(experiment):
    """Return the names of the noises that the corruptions of an experiment, an entry of a config, have."""
    blocks = experiment.get("corruption", {})
    said = [block.get("noise", GAUSSIAN) for block in (blocks if isinstance(blocks, list) else [blocks])]
    return list(dict.fromkeys(name for names in said for name in (names if isinstance(names, list) else [names])))


def allowed(task, corruption=None, where=""):
    """Return the signature of a corruption (a dict): the operator's parameters, then `noise`, then that noise's.

    Raises BadInput for an unknown noise, and if operator and noise have a parameter in common other than the seed.
    """
    module = noise_of(corruption or {}, where)
    operator, noise = keywords(discover.load("tasks", task).Operator), keywords(module.add)
    if both := (operator.keys() & noise.keys()) - {"seed"}:
        raise BadInput(f"{where}: {sorted(both)[0]!r} is a parameter of {task} and of {module.__name__}; rename one")
    name = inspect.Parameter("noise", inspect.Parameter.KEYWORD_ONLY, default=GAUSSIAN, annotation=str)
    return {key: value for key, value in operator.items() if key not in noise} | {"noise": name} | noise


def parameters(task, corruption, where, measured=False):
    """Return (operator's, noise's) parameters of a corruption, as dicts of the types the two signatures state.

    The operator has a seed of its own only if its signature says so; then it is the noise's. Of a picture that is
    `measured` the noise has the parameters of its `sigma`, for Gaussian noise a number or "estimate", and nothing else.
    Raises BadInput for unknown names and values that are not allowed.
    """
    operator_class, module = discover.load("tasks", task).Operator, noise_of(corruption, where)
    checked = check_parameters(corruption, allowed(task, corruption, where), where)
    if getattr(module, "PIXELS", False) and operator_class.numbers:
        raise BadInput(f"{where}.noise: {checked['noise']} is noise of pixels, and {task} measures sums of them")
    if hasattr(module, "estimate") and not operator_class.alike:
        raise BadInput(f"{where}.noise: {checked['noise']} is found in pictures like the image; {task} measures none")
    if measured:
        _check_measured(task, operator_class, module, checked, where)
    elif checked.get("sigma") == ESTIMATE:
        raise BadInput(f"{where}.sigma: 'estimate' is for images that are measured; must be a number")
    for source in (discover.load("tasks", task), module):
        named = [[name for name in group if name in checked] for group in getattr(source, "EITHER", ())]
        both = [names[0] for names in named if names]
        if len(both) > 1:
            raise BadInput(f"{where}: {' and '.join(both)} are both there; must be one of them")
    check_scale(operator_class, checked, f"{where}.sigma")
    chosen = {name: parameter.default for name, parameter in keywords(operator_class).items()} | checked
    for chooser, name, values in _not_with(task, chosen):
        if name in checked:
            some = " or ".join(filter(None, (", ".join(values[:-1]), values[-1])))
            words = f"is for {chooser}: {some}, and {chooser} is {chosen[chooser]}"
            raise BadInput(f"{where}.{name}: {words}")
    replaced = _replaced(task, checked)
    noise = {name: parameter.default for name, parameter in keywords(module.add).items() if name not in replaced}
    noise |= {name: value for name, value in checked.items() if name in noise}
    noise = {name: value for name, value in noise.items() if not measured or name in checked}
    return {name: checked[name] for name in keywords(operator_class) if name in checked}, noise


def check_scale(operator, corruption, where):
    """Raise BadInput for a sigma of pictures that is on the scale of 255."""
    sigma = corruption.get("sigma")
    if operator.pictures and isinstance(sigma, int | float) and sigma > 1:
        better = f"did you mean {sigma:g}/255?" if sigma <= 255 and sigma == int(sigma) else "must be at most 1"
        raise BadInput(f"{where}: {sigma:g} is not allowed; pixels are in [0, 1]; {better}")


def filled(task, corruption):
    """Return the parameters of a corruption of a task, in a dict; those that it does not spell at their defaults.

    What it spells another parameter in the place of, as bsnr in that of sigma, is not there.
    """
    said = parse_parameters(corruption)
    found = {name: parameter.default for name, parameter in allowed(task, said).items()} | said
    replaced = _replaced(task, said)
    return {name: value for name, value in found.items() if name not in replaced}


def files(task, corruption):
    """Return {parameter: (name under files, File)} of those parameters of a corruption, a dict, that are files.

    The task's File says what numbers they may have, see steps/inverse/operators.py.
    """
    may_be = _may_be_files(task)
    return {name: (corruption[name], file) for name, file in may_be if corruption.get(name) not in (None, *file.words)}


def _may_be_files(task):
    """Return [(parameter, File)] of a task's parameters that may be files."""
    found = []
    for name, parameter in keywords(discover.load("tasks", task).Operator).items():
        extras = getattr(parameter.annotation, "__metadata__", ())
        found += [(name, extra) for extra in extras if hasattr(extra, "check")]
    return found


def contents(task, corruption, numbers, size=None):
    """Return {parameter: what the operator gets} of those that are files, of the {name: numbers} in them.

    size is the image's (height, width), None if it is not known. Raises BadInput for numbers that cannot be that, and
    for a name that is also a word of the parameter's.
    """
    found = {}
    for parameter, file in _may_be_files(task):
        if (name := corruption.get(parameter)) in numbers and name in file.words:
            raise BadInput(f"{parameter}: {name} is the name of a file, and {task} has its own {name}; rename the file")
    for parameter, (name, file) in files(task, corruption).items():
        if name not in numbers:
            raise BadInput(f"{parameter}: {no_such('file', name, [*file.words, *numbers])}{if_file(name)}")
        try:
            found[parameter] = None if numbers[name] is None else file.check(numbers[name], size)
        except BadInput as error:
            raise BadInput(f"{parameter}: file {name}: {error}") from error
    return found


def fitted(task, corruption, numbers, shape):
    """Return (shape of the image, {parameter: what the operator gets}) for what was measured, of a shape (C, H, W).

    numbers  {name: those in it} of files. The image's shape is None if it depends on one that is not here yet. Raises
    BadInput for numbers that are no picture where one must be, and the other way round, and for what does not fit.
    """
    make = discover.load("tasks", task).Operator
    if (shape[-2] == 1) != make.numbers:
        found = f"{shape[-1]} numbers" if shape[-2] == 1 else "a picture"
        wanted = "numbers, an array of shape (M,) or (1 or 3, M)" if make.numbers else "a picture"
        raise BadInput(f"measured: it is {found}; a measurement of {task} must be {wanted}")
    found = contents(task, corruption, numbers)
    if any(content is None for content in found.values()):
        return None, found
    shape = make.image_shape(shape, **parameters(task, corruption, task, True)[0] | found)
    return shape, contents(task, corruption, numbers, shape[-2:])


@functools.cache
def spelled(task, text, measured=False):
    """Return the one spelling of a corruption given as text; raises BadInput for what the task does not allow.

    measured  whether it is of an image that is a measurement, for which fewer are allowed.
    """
    corruption = parse_parameters(text)
    parameters(task, corruption, task, measured)
    return format_parameters(check_parameters(corruption, allowed(task, corruption), task))


def _replaced(task, said):
    """Return the names of the parameters of task and noise that are not there, others standing in their place.

    A module's EITHER lists groups of them: there is the first group of which one is said; if none is, the first. Nor
    are there those that `_not_with` lists.
    """
    found = set()
    for module in (discover.load("tasks", task), noise_of(said)):
        groups = getattr(module, "EITHER", ())
        one = next((group for group in groups if not said.keys().isdisjoint(group)), groups[:1] and groups[0])
        found |= {name for group in groups if group is not one for name in group}
    chosen = {name: parameter.default for name, parameter in allowed(task, said).items()} | said
    return found | {name for _, name, _ in _not_with(task, chosen)}


def _not_with(task, chosen):
    """Return [(chooser, name, values)] of a task's parameters that do not go with what others are.

    A task's WITH, {chooser: {value: names}}, lists the parameters that go with some values of another one only, as a
    Gaussian's width does with  psf: gaussian.  chosen  {name: value} of all parameters of the operator.
    """
    found = []
    for chooser, by_value in getattr(discover.load("tasks", task), "WITH", {}).items():
        good = by_value.get(chosen[chooser], ())
        for name in dict.fromkeys(name for names in by_value.values() for name in names if name not in good):
            found.append((chooser, name, [value for value, names in by_value.items() if name in names]))
    return found


def _check_measured(task, operator, noise, corruption, where):
    """Raise BadInput if a picture cannot be a measurement of a task, or for a corruption that would be simulated.

    operator  the task's class;  noise  the noise's module;  corruption  a dict of checked parameters.
    """
    if not (operator.pictures or operator.numbers):
        raise BadInput(f"{where}: measurements of {task} are no pictures, so an image that is measured cannot be one")
    name = noise.__name__.rpartition(".")[2]
    if operator.numbers and name != GAUSSIAN:
        raise BadInput(
            f"{where}.noise: {name} is not of numbers that are measured; must be {GAUSSIAN}, with their sigma"
        )
    if operator.channels and corruption.get("sigma") == ESTIMATE:
        raise BadInput(f"{where}.sigma: it cannot be estimated from a measurement of {task}; must be a number")
    if operator.numbers and corruption.get("sigma") == ESTIMATE:
        raise BadInput(f"{where}.sigma: it can be estimated from a picture only; must be a number, on the scale of y")
    needed = keywords(noise.sigma)
    names = [*keywords(operator), "noise", *needed]
    for name in corruption:
        if name not in names:
            words = f"nothing is simulated of an image that is measured; allowed: {', '.join(names)}"
            raise BadInput(f"{where}.{name}: {words}")
    for name, parameter in needed.items():
        if name not in corruption:
            words = "a number" + f" or {ESTIMATE}" * (ESTIMATE in str(parameter.annotation) and not operator.numbers)
            raise BadInput(f"{where}.{name}: missing; of an image that is measured it must be {words}")
