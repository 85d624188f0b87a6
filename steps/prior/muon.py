"""Muon: steps along the orthogonalised momentum, for the kernels of a network."""

import itertools

import torch

STEPS = 5  # of Newton and Schulz
COEFFICIENTS = 3.4445, -4.7750, 2.0315  # of the odd quintic that brings singular values near 1 soonest


class Muon(torch.optim.Optimizer):
    """M ← 0.95 M + G,  W ← W − lr √max(1, m/n) orthogonal(G + 0.95 M),  for each kernel W seen as a matrix (m, n).

    A kernel (out, in, k, k) is the matrix (out, in · k · k), G its gradient. All singular directions of the momentum
    advance by the same length: those that a network learns last, its fine detail, do not wait for the others.
    Source: Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks.
    """

    def __init__(self, kernels, lr, momentum=0.95):
        super().__init__(kernels, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self):
        """Make one step with the gradients there are."""
        for group in self.param_groups:
            kernels = sorted(group["params"], key=lambda kernel: kernel.shape)
            for shape, alike in itertools.groupby(kernels, lambda kernel: kernel.shape):
                alike = list(alike)  # matrices of one shape are orthogonalised together
                gradient = torch.stack([kernel.grad.flatten(1) for kernel in alike])
                state = self.state[alike[0]]
                if not state:
                    state["momentum"] = torch.zeros_like(gradient)
                momentum = state["momentum"].mul_(group["momentum"]).add_(gradient)
                update = orthogonal(gradient + group["momentum"] * momentum)
                length = group["lr"] * max(1, update.shape[1] / update.shape[2]) ** 0.5
                for kernel, matrix in zip(alike, update):
                    kernel.sub_(matrix.view(shape), alpha=length)


def orthogonal(matrices):
    """Return about U Vᵀ for each matrix U S Vᵀ of (B, m, n): singular values in 0.68 to 1.14, as good as 1 for a step.

    Five times  X ← a X + (b X Xᵀ + c (X Xᵀ)²) X  from X = matrix / ‖matrix‖. Singular values below about a thousandth
    of the norm stay smaller. Source: Jordan et al. (2024).
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    for _ in range(STEPS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x
