"""When to stop an iteration without knowing the truth."""


class MovingVariance:
    """Stop when the variance of the last `window` estimates has had no new minimum for `patience` iterations.

        VAR_t = 1/window Σ ‖x_i − mean x‖²  over the last window estimates x_i

    `best` is the last estimate of the window of least variance, found at `iteration`. Windows that end before the
    iteration `min_start` do not count: in the first hundreds the variance has minima that mean nothing.
    Source: Wang et al. (2021), Early stopping for deep image prior.
    """

    def __init__(self, window, patience, min_start):
        self.window, self.patience, self.min_start = window, patience, min_start
        self.recent, self.sum, self.squares = [], 0, 0
        self.least, self.iteration, self.best = float("inf"), None, None

    def __call__(self, iteration, estimate):
        """Take the next estimate; return whether to stop."""
        return self.decide(iteration, estimate, self.add(estimate))

    def add(self, estimate):
        """Take the next estimate; return the variance, a tensor of one, None if there are not `window` of them."""
        self.recent.append(estimate)
        self.sum = self.sum + estimate.double()
        self.squares = self.squares + estimate.double().square().sum()
        if len(self.recent) > self.window:
            oldest = self.recent.pop(0).double()
            self.sum = self.sum - oldest
            self.squares = self.squares - oldest.square().sum()
        if len(self.recent) < self.window:
            return None
        return self.squares / self.window - (self.sum / self.window).square().sum()

    def decide(self, iteration, estimate, variance):
        """Return whether to stop after an iteration, whose estimate `add` was given and whose variance it returned."""
        if variance is None or iteration < self.min_start:
            return False
        variance = float(variance)
        if variance < self.least:
            self.least, self.iteration, self.best = variance, iteration, estimate
        return self.best is not None and iteration - self.iteration >= self.patience


def polynomial_weight(k, degree=4):
    """Return what the k-th iterate, k ≥ 1, weighs in the running average that it is added to: 5 / (k + 4).

    In the average of n iterates the i-th then has weight ∝ i (i + 1) (i + 2) (i + 3), about i⁴: what was early is
    forgotten, however long the run. Source: Shamir and Zhang (2013), Stochastic gradient descent for non-smooth
    optimization, section 3.
    """
    return (degree + 1) / (k + degree)


def average_centred_at(iteration, degree=4):
    """Return how many iterates, rounded up, the polynomial average has if its centre is at that iteration: 6/5 of it.

    At that many iterates the average is nearest to the truth, where the iterate is there (docs/prior.md).
    """
    return -(-iteration * (degree + 2) // (degree + 1))
