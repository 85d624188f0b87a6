"""Least squares with a dense A: what depends on A and rho alone is factorised once, for the many steps of an ADMM."""

from steps.inverse.operators import convolve

BLOCK = 512  # rows at a time


class Dense:
    """The function (v, A v) ↦ (x, A x) with  x = argmin ½‖A x − y‖² + rho/2 ‖L x − L v‖²,  for many images v.

    L is I, or a convolution, given by the `inverse` of LᵀL as a frequency response, which is 0 for the mean, if L does
    not see that. With K = rho LᵀL and S = I + A K⁻¹ Aᵀ, of the size of y, whose Cholesky factor is made once,

        w = S⁻¹ (y − A v)      x = v + K⁻¹ Aᵀ w      A x = y − w

    (Woodbury). Nothing cancels, so float32 is exact enough. A mean m that L does not see is what makes 1ᵀAᵀ w = 0:
    then  w = S⁻¹ (y − A v − m A 1)  and  x = v + m + K⁻¹ Aᵀ w.  If A does not see it, either, m is 0.

    A has the attribute `matrix`; v is (C, H, W), y (C, M).
    """

    def __init__(self, A, y, rho, inverse=None):
        self.A, self.y, self.rho = A, y, rho
        self.inverse = inverse if inverse is None else inverse.to(y)
        root = A.at("matrix", y)
        if inverse is not None:
            root = root.clone()
            for rows in root.split(BLOCK):
                images = rows.reshape(-1, *A.shape[-2:])
                rows.copy_(convolve(images, self.inverse.sqrt()).flatten(1))
        self.factor = cholesky(root, rho)
        if inverse is not None:
            self.mean = of_ones(A, y.new_ones(1, *A.shape[-2:]), A.at("matrix", y).square().sum())
            self.solved = self._solve(self.mean)

    def __call__(self, v, seen):
        w = self._solve(self.y - seen)
        if self.inverse is None:
            return v + self.A.adjoint(w) / self.rho, self.y - w
        m = (w * self.mean).sum(-1, keepdim=True) / (self.solved * self.mean).sum().clamp(min=1e-30)
        w = w - m * self.solved
        return v + m[..., None] + convolve(self.A.adjoint(w), self.inverse / self.rho), self.y - w

    def _solve(self, r):
        """Return S⁻¹ r, the shape of r, (…, M)."""
        import torch

        half = torch.linalg.solve_triangular(self.factor, r.reshape(-1, r.shape[-1]).T, upper=False)
        return torch.linalg.solve_triangular(self.factor.T, half, upper=True).T.reshape(r.shape)


def of_ones(A, ones, squares):
    """Return A 1 of images that are 1 everywhere; exactly 0 if it is nothing but the rounding of A's rows, summed.

    squares is the sum of the squares of A's numbers. What is 0 but for rounding says nothing of an image's mean.
    """
    seen = A.forward(ones)
    return seen * (seen.square().sum(-1, keepdim=True) > 1e-9 * squares)


def cholesky(root, rho):
    """Return the lower triangular L with L Lᵀ = I + root rootᵀ / rho, of M rows; above the diagonal are zeros.

    By blocks of columns, so that only the half that is needed is multiplied, and by matrix products.
    """
    import torch

    L = root.new_zeros(len(root), len(root))
    for i in range(0, len(root), BLOCK):
        j = min(i + BLOCK, len(root))
        columns = torch.addmm(root[i:] @ root[i:j].T, L[i:, :i], L[i:j, :i].T, beta=1 / rho, alpha=-1)
        columns.diagonal().add_(1)
        L[i:j, i:j] = torch.linalg.cholesky(columns[: j - i])
        L[j:, i:j] = torch.linalg.solve_triangular(L[i:j, i:j].T, columns[j - i :], upper=True, left=False)
    return L
