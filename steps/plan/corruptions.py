"""What a corruption says: the parameters of a task's operator and of the noise, and their one spelling."""

import functools

from steps.base import discover
from steps.base.errors import BadInput
from steps.base.parameters import check_parameters, format_parameters, keywords, parse_parameters

ESTIMATE = "estimate"  # in the place of sigma: of a picture that is a measurement, from that picture


def allowed(task):
    """Return the signature of a corruption: the parameters of the task's operator, then those of the noise."""
    return keywords(discover.load("tasks", task).Operator, discover.load("noises", "gaussian").add)


def parameters(task, corruption, where, measured=False):
    """Return (operator's, noise's) parameters of a corruption, as dicts of the types the two signatures state.

    The operator has a seed of its own only if its signature says so; then it is the noise's. Of a picture that is
    `measured` the noise has a sigma, a number or "estimate", and nothing else. Raises BadInput for unknown names and
    values that are not allowed.
    """
    operator_class = discover.load("tasks", task).Operator
    operator = keywords(operator_class)
    noise = keywords(discover.load("noises", "gaussian").add)
    checked = check_parameters(corruption, allowed(task), where)
    if measured:
        _check_measured(task, operator_class, checked, where)
        noise = {"sigma": noise["sigma"]}
    elif checked.get("sigma") == ESTIMATE:
        raise BadInput(f"{where}.sigma: 'estimate' is for images that are measured; must be a number")
    return (
        {name: value for name, value in checked.items() if name in operator},
        {name: parameter.default for name, parameter in noise.items()}
        | {name: value for name, value in checked.items() if name in noise},
    )


def filled(task, corruption):
    """Return the parameters of a corruption of a task, in a dict; those that it does not spell at their defaults."""
    defaults = {name: parameter.default for name, parameter in allowed(task).items()}
    return defaults | parse_parameters(corruption)


@functools.cache
def spelled(task, text, measured=False):
    """Return the one spelling of a corruption given as text; raises BadInput for what the task does not allow.

    measured  whether it is of an image that is a measurement, for which fewer are allowed.
    """
    corruption = parse_parameters(text)
    parameters(task, corruption, task, measured)
    return format_parameters(check_parameters(corruption, allowed(task), task))


def _check_measured(task, operator, corruption, where):
    """Raise BadInput if a picture cannot be a measurement of a task, or for a corruption that would be simulated.

    operator  the task's class;  corruption  a dict of checked parameters.
    """
    if not operator.pictures:
        raise BadInput(f"{where}: measurements of {task} are no pictures, so an image that is measured cannot be one")
    names = [*keywords(operator), "sigma"]
    for name in corruption:
        if name not in names:
            words = f"nothing is simulated of an image that is measured; allowed: {', '.join(names)}"
            raise BadInput(f"{where}.{name}: {words}")
    if "sigma" not in corruption:
        raise BadInput(f"{where}.sigma: missing; of an image that is measured it must be a number or {ESTIMATE}")
