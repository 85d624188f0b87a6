"""When to stop an iteration without knowing the truth."""


class MovingVariance:
    """Stop when the variance of the last `window` estimates has had no new minimum for `patience` iterations.

        VAR_t = 1/window Σ ‖x_i − mean x‖²  over the last window estimates x_i

    `best` is the last estimate of the window of least variance, found at `iteration`. Windows that end before the
    iteration `min_start` do not count: in the first hundreds the variance has minima that mean nothing.
    On CUDA every call waits for the device. Source: Wang et al. (2021), Early stopping for deep image prior.
    """

    def __init__(self, window, patience, min_start):
        self.window, self.patience, self.min_start = window, patience, min_start
        self.recent, self.sum, self.squares = [], 0, 0
        self.least, self.iteration, self.best = float("inf"), None, None

    def __call__(self, iteration, estimate):
        """Take the next estimate; return whether to stop."""
        self.recent.append(estimate)
        self.sum = self.sum + estimate.double()
        self.squares = self.squares + estimate.double().square().sum()
        if len(self.recent) > self.window:
            oldest = self.recent.pop(0).double()
            self.sum = self.sum - oldest
            self.squares = self.squares - oldest.square().sum()
        if len(self.recent) < self.window or iteration < self.min_start:
            return False
        variance = float(self.squares / self.window - (self.sum / self.window).square().sum())
        if variance < self.least:
            self.least, self.iteration, self.best = variance, iteration, estimate
        return self.best is not None and iteration - self.iteration >= self.patience
