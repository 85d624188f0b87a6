import numpy as np
import pytest
import pywt
import torch
from scipy.fft import dct

from steps.base.errors import BadInput
from steps.inverse import collaborative
from steps.inverse.collaborative import PROFILES, biorthogonal, block_covariance, cosine, denoise, estimate, haar
from steps.inverse.matching import SIDE, match
from tests.conftest import picture


def noisy(x, sigma=0.1, seed=0):
    return x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.filterwarnings("ignore:Level value")
def test_transforms_are_what_they_are_called():
    np.testing.assert_allclose(cosine(), dct(np.eye(8), axis=0, norm="ortho"), atol=1e-12)
    for n, name in ((4, "haar"), (32, "haar"), (8, "bior1.5")):
        levels = pywt.wavedec(np.eye(n), name, mode="periodization", level=n.bit_length() - 1, axis=0)
        expected = np.concatenate(levels)
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        found = (biorthogonal() if n == 8 else haar(n)).numpy()
        signs = np.sign((expected * found).sum(1, keepdims=True))
        np.testing.assert_allclose(found, signs * expected, atol=1e-7)


def slow(y, sigma, pilot=None):
    """Return the first or second estimate of a plane by loops over groups, blocks and pixels, in float64."""
    second = pilot is not None
    settings = PROFILES["normal"]
    size, columns = settings["size"][second], y.shape[1] - SIDE + 1
    T = (cosine() if second else biorthogonal()).numpy()
    H = haar(size).numpy()
    line = np.kaiser(SIDE, settings["kaiser"])
    top, bottom = np.zeros(y.shape), np.zeros(y.shape)

    def spectrum(plane, places):
        blocks = [T @ plane[r : r + SIDE, c : c + SIDE] @ T.T for r, c in places]
        return np.einsum("kl,lij->kij", H, blocks)

    for group in match(torch.from_numpy(pilot if second else y).float(), 19, size, settings["step"]).T.tolist():
        places = [divmod(position, columns) for position in group]
        z = spectrum(y, places)
        if second:
            p = spectrum(pilot, places)
            W = p**2 / (p**2 + sigma**2)
        else:
            W = (abs(z) > settings["threshold"][0] * sigma).astype(float)
        W[0, 0, 0] = 1
        weight = 1 / (W**2).sum()
        back = np.linalg.inv(T)
        for (r, c), block in zip(places, np.einsum("lk,lij->kij", H, W * z), strict=True):
            window = weight * np.outer(line, line)
            top[r : r + SIDE, c : c + SIDE] += window * (back @ block @ back.T)
            bottom[r : r + SIDE, c : c + SIDE] += window
    return top / bottom


def test_both_estimates_are_those_that_loops_find():
    y = noisy(picture(1, 25, 34))
    basic = slow(y[0].double().numpy(), 0.1)
    np.testing.assert_allclose(estimate(y, 0.1, PROFILES["normal"])[0], basic, atol=2e-3)
    assert np.abs(estimate(y, 0.1, PROFILES["normal"])[0].numpy() - basic).mean() < 1e-5
    pilot = torch.from_numpy(basic).float()[None]
    final = slow(y[0].double().numpy(), 0.1, basic)
    np.testing.assert_allclose(estimate(y, 0.1, PROFILES["normal"], pilot)[0], final, atol=1e-4)


def test_the_threshold_of_colour_differences_falls_to_that_of_luminance_with_the_noise(colour, monkeypatch):
    seen, shrink = [], collaborative.shrink
    monkeypatch.setattr(collaborative, "shrink", lambda *a: (seen.append(a[-1]), shrink(*a))[1])
    for sigma in (0.1, 0.05, 1e-6):
        estimate(colour, sigma, PROFILES["normal"])
    of = [(1 / 2) ** 0.5, (3 / 8) ** 0.5]  # of sigma, the noise of (R - B) / 2 and of (R - 2 G + B) / 4
    weak = [2.6 + 0.4 * 0.05 * part / 0.05 for part in of]
    np.testing.assert_allclose(seen, [2.6, 3.0, 3.0, 2.6, *weak, 2.6, 2.6, 2.6], atol=1e-4)
    for channels in (1, 2):
        seen.clear()
        estimate(colour[:channels], 0.1, PROFILES["normal"])
        assert seen == [2.6] * channels  # they have no luminance


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_constant_stays(channels, profile):
    y = torch.full((channels, 16, 21), 0.3)
    np.testing.assert_allclose(denoise(y, 0.1, profile), y, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_without_noise_nearly_nothing_changes(channels):
    x = picture(channels, 41, 30)
    assert (denoise(x, 1e-4) - x).abs().max() < 1e-3
    assert (denoise(x, 0.0) - x).abs().max() < 1e-3


def test_what_is_added_everywhere_is_added_to_the_estimate(gray):
    y = (noisy(gray) * 2**20).round() / 2**20  # so that the sum is exact
    np.testing.assert_allclose(denoise(y + 0.5, 0.1), denoise(y, 0.1) + 0.5, atol=2e-6)


def test_gray_in_colour_is_gray_of_less_noise(gray):
    """A gray y has no chrominance: luminance is y itself, whose noise is taken for that of a mean of three channels."""
    y = noisy(gray)
    found = denoise(y.repeat(3, 1, 1), 0.1)
    np.testing.assert_allclose(found, denoise(y, 0.1 / 3**0.5).repeat(3, 1, 1), atol=1e-5)


def test_many_images_are_each_one_by_itself(colour):
    y = noisy(torch.stack([colour, colour.flip(0)]))[None]
    found = denoise(y, 0.1)
    assert found.shape == y.shape
    assert torch.equal(found[0, 1], denoise(y[0, 1], 0.1))


@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 17, 16), (3, 19, 53), (2, 64, 31)])
def test_any_shape_and_any_number_of_threads_the_same_bits(shape):
    y = noisy(picture(*shape))
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3, 5):
            torch.set_num_threads(threads)
            found += [denoise(y, 0.1), denoise(y, 0.1)]
    finally:
        torch.set_num_threads(before)
    assert found[0].shape == shape and all(torch.equal(other, found[0]) for other in found)
    assert (found[0] - picture(*shape)).norm() < 0.8 * (y - picture(*shape)).norm()


@pytest.mark.parametrize("shape", [(1, 15, 40), (3, 40, 15)])
def test_less_than_sixteen_pixels_are_refused(shape):
    message = f"the {shape[1]}x{shape[2]} image is too small; BM3D needs 16 pixels a side"
    with pytest.raises(BadInput, match=message):
        denoise(torch.zeros(shape), 0.1)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_white_spectrum_is_white_noise(channels):
    y = noisy(picture(channels, 33, 40))
    np.testing.assert_allclose(denoise(y, torch.full((33, 40), 0.01)), denoise(y, 0.1), atol=1e-6)


def coloured(shape, seed=0):
    """Return (power spectral density, noise of it): stripes with a horizontal wave."""
    row, column = torch.fft.fftfreq(shape[-2])[:, None], torch.fft.fftfreq(shape[-1])
    spectrum = 0.1 * torch.exp(-200 * row**2 - 400 * (column.abs() - 0.25) ** 2) + 1e-5
    white = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return spectrum, torch.fft.ifft2(torch.fft.fft2(white) * spectrum.sqrt()).real


def test_the_covariance_is_that_of_blocks_of_such_noise():
    spectrum, noise = coloured((40, 64, 64))
    blocks = noise.unfold(1, SIDE, 1).unfold(2, SIDE, 1).reshape(-1, 64).double()
    sample = blocks.T @ blocks / len(blocks)
    covariance = block_covariance(spectrum)
    assert (sample - covariance).abs().max() < 0.06 * covariance.max()


def test_noise_along_a_diagonal_is_correlated_along_that_diagonal():
    kernel = torch.zeros(32, 32, dtype=torch.float64)
    kernel[0, 0] = kernel[1, 1] = 1
    covariance = block_covariance(torch.fft.fft2(kernel).abs() ** 2).reshape(SIDE, SIDE, SIDE, SIDE)
    assert covariance[0, 0, 1, 1] == pytest.approx(1) and covariance[0, 1, 1, 0] == pytest.approx(0, abs=1e-12)


def test_who_knows_the_colour_of_the_noise_takes_out_more_of_it():
    x = picture(1, 64, 64)
    spectrum, noise = coloured((64, 64))
    known = (denoise(x + noise, spectrum) - x).norm()
    assert known < 0.7 * (denoise(x + noise, float(noise.std())) - x).norm() and known < 0.5 * noise.norm()


def test_the_order_of_a_sum_is_kept():
    total = torch.zeros(3, 2)
    collaborative.add(total, torch.tensor([2, 0, 2]), torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    assert total.tolist() == [[3, 4], [0, 0], [6, 8]]
