"""What the residuals of a measured picture's recoveries say of them: the words of `try`."""

from steps.base.errors import BadInput
from steps.base.files import read_array


def judge_of(case):
    """Return a function that returns the Verdict on a recovery of a case, a folder; see steps/inverse/residual.py.

    None where the measurement is no picture like the image, or one in which no noise is found.
    """
    import torch

    from steps.inverse import measurement, noise_level, residual

    def measured():  # read when it is needed: meanwhile methods need the memory
        return measurement.load(f"{case}/measurement.npz")[:2]

    y, A = measured()
    if not A.alike or y.ndim != 3 or min(y.shape[1:]) < noise_level.SIDE:
        return None
    try:
        found = noise_level.noise_level(y.numpy())
    except BadInput:
        return None
    del y

    def judge(recovery):
        y, A = measured()
        estimate = torch.from_numpy(read_array(f"{recovery.folder}/recovered.npy"))
        return residual.judge(y.numpy(), A.forward(estimate).numpy(), found)

    return judge


def listed(verdicts):
    """Return {label: Verdict} in words: "What was taken out. TV: about right; NLM: took out more than noise."."""
    return f"What was taken out. {'; '.join(f'{label}: {verdict.words}' for label, verdict in verdicts.items())}."


def sentence(verdicts):
    """Return a sentence on {label: Verdict}: of which what was taken out is most like noise."""
    right = [label for label, verdict in verdicts.items() if verdict.right]
    if not right:
        return "None took out noise and nothing else."
    return f"Most like noise is what {min(right, key=lambda label: verdicts[label].distance)} took out."
