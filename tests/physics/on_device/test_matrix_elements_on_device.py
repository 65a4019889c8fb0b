"""Matrix elements in the kernels of a device, against those of the processor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from amplitudes import ALPHA_S, amplitude, points, polarised
from torch import Tensor
from waiting import WITHOUT_VALUES, NoWaiting

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.devices.kernels import BLOCK
from madnis_py.devices.upload import upload
from madnis_py.errors import DeviceError
from madnis_py.physics.amplitudes.drell_yan import DrellYan, mediators
from madnis_py.physics.amplitudes.matrix_element import MatrixElement, Weights
from madnis_py.physics.amplitudes.tapes.helicities import Spins
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.matrix_elements_on_device import matrix_element_on_device
from madnis_py.physics.on_device.momenta_on_device import new_momenta
from madnis_py.physics.process.mirrored import Mirrored

PROCESSES = (
    "g g > t t~ g g",
    "u u~ > e+ e- g",
    "g g > w+ d u~",
    "u c > w+ w+ d s QCD=99 QED=99",
    "w+ w- > z z",
    "u u~ > z h",
    "t t~ > h h",
    "h h > h h",
    "g g > g g g",
)
"""All operations and ends of currents, one amplitude and sums of several powers of g_s."""

N = 300
"""Two blocks and a part of a third."""


@pytest.fixture(scope="module")
def coupling() -> Tensor:
    return torch.linspace(0.08, 0.15, N, dtype=torch.float64)


def momenta(text: str, n: int = N) -> Array:
    """Different points, event-fastest."""
    return points(text, n)


def everything(n: int) -> LiveEvents:
    return LiveEvents.all(n, torch.device("cpu"))


def tree(text: str) -> TreeAmplitude:
    return amplitude(text)


POLARISED = "u u~ > z{0} t{L} t~, z > e+ e-, t > b w+"


def drell_yan() -> DrellYan:
    return DrellYan(mediators(Model("sm_zprime"), 2), (1, 0, 2, 3))


def assert_close(found: Tensor, expected: Array) -> None:
    """Within 1e-13 of the largest number of the event, and 1e-11 where diagrams cancel."""
    scale = np.abs(expected).reshape(len(expected), -1).max(axis=1)
    error = np.abs(found.numpy() - expected).reshape(len(expected), -1).max(axis=1) / scale
    assert np.quantile(error, 0.95) <= 1e-13
    assert error.max() <= 1e-11


def test_polarised_particles_have_the_results_of_the_processor(coupling: Tensor) -> None:
    element, p = polarised(POLARISED, Spins((0, 1), (0.6, -0.2))), momenta(POLARISED)
    me2, squares = element.evaluate(p, coupling.numpy())
    found = matrix_element_on_device(element, EmulatedKernels())
    on_device = found.evaluate(torch.from_numpy(p), coupling, everything(N))
    np.testing.assert_allclose(on_device[0].numpy(), me2, rtol=1e-8)
    assert_close(on_device[1], squares)


@pytest.mark.parametrize("text", PROCESSES)
def test_tapes_have_the_results_of_the_processor(text: str, coupling: Tensor) -> None:
    element, p = tree(text), momenta(text)
    me2, squares = element.evaluate(p, coupling.numpy())
    found = matrix_element_on_device(element, EmulatedKernels())
    on_device = found.evaluate(torch.from_numpy(p), coupling, everything(N))
    assert_close(on_device[0], me2)
    assert_close(on_device[1], squares)
    assert torch.equal(found.squared(torch.from_numpy(p), coupling, everything(N)), on_device[0])


@pytest.mark.parametrize("text", ["g g > t t~ g g", "u c > w+ w+ d s QCD=99 QED=99", "w+ w- > z z"])
def test_colour_flows_and_helicities_have_the_weights_of_the_processor(
    text: str, coupling: Tensor
) -> None:
    element, p = tree(text), momenta(text)
    weights = element.weights(p, coupling.numpy())
    flows = torch.zeros(weights.flows.shape[::-1], dtype=torch.float64)
    parts = torch.zeros(weights.helicities.shape[::-1], dtype=torch.float64)
    tape = _core.AmplitudeTape(element.tapes.amplitude, element.tapes.average)
    me2 = run_amplitude(tape, p, coupling, flows=flows, parts=parts)
    assert_close(me2, weights.me2)
    assert_close(flows.T, weights.flows)
    assert_close(parts.T, weights.helicities)


@pytest.mark.parametrize("text", ["g g > t t~ g", "w+ w- > z z", "u u~ > e+ e- g"])
def test_every_event_has_the_part_of_the_helicities_that_it_chooses(
    text: str, coupling: Tensor
) -> None:
    element, p = tree(text), momenta(text)
    chosen = element.helicities[np.arange(N) % len(element.helicities)]
    expected = element.at_helicities(p, coupling.numpy(), chosen)
    rows = torch.from_numpy(np.ascontiguousarray(chosen.T, np.float64))
    assert_close(run_amplitude(element._chosen, p, coupling, helicities=rows), expected)


def test_single_precision_has_the_error_that_it_has_on_the_processor(coupling: Tensor) -> None:
    element, p = tree("g g > t t~ g g"), momenta("g g > t t~ g g")
    tape = _core.AmplitudeTape(element.tapes.amplitude, element.tapes.average)
    found = run_amplitude(tape, p, coupling, kernel="amplitude_single").numpy()
    exact = element.squared(p, coupling.numpy())
    error, known = np.abs(found / exact - 1), element.single_error(p, coupling.numpy())
    assert np.median(error) <= 2 * np.median(known)
    assert error.max() <= 10 * known.max()


def run_amplitude(
    tape: _core.AmplitudeTape,
    p: Array,
    alpha_s: Tensor,
    helicities: Tensor | int = 0,
    flows: Tensor | int = 0,
    parts: Tensor | int = 0,
    kernel: str = "amplitude",
) -> Tensor:
    """|M|^2 of all events by one launch."""
    kernels, live, n = EmulatedKernels(), everything(len(p)), len(p)
    me2 = torch.zeros_like(alpha_s)
    kernels.launch(
        "amplitudes",
        kernel,
        n,
        upload(tape, kernels),
        torch.from_numpy(p),
        alpha_s,
        live.positions,
        live.count,
        torch.full((tape.workspace_numbers, n), torch.nan, dtype=torch.float64),
        0,
        n,
        n,
        me2,
        helicities,
        flows,
        parts,
    )
    return me2


def test_drell_yan_has_the_results_of_the_processor(coupling: Tensor) -> None:
    element, p = drell_yan(), momenta("u u~ > e+ e-")
    me2, squares = element.evaluate(p, ALPHA_S)
    found = matrix_element_on_device(element, EmulatedKernels())
    on_device = found.evaluate(torch.from_numpy(p), coupling, everything(N))
    assert_close(on_device[0], me2)
    assert_close(on_device[1], squares)
    assert torch.equal(found.squared(torch.from_numpy(p), coupling, everything(N)), on_device[0])


def test_a_mirror_image_has_the_results_of_the_processor(coupling: Tensor) -> None:
    element = Mirrored(tree("u u~ > e+ e- g"), [2, 0, 3, 1])
    p = momenta("u u~ > e+ e- g")
    me2, squares = element.evaluate(p, coupling.numpy())
    found = matrix_element_on_device(element, EmulatedKernels())
    on_device = found.evaluate(torch.from_numpy(p), coupling, everything(N))
    assert_close(on_device[0], me2)
    assert_close(on_device[1], squares)


ELEMENTS: dict[str, tuple[MatrixElement, str]] = {
    "tape": (tree("u u~ > e+ e- g"), "u u~ > e+ e- g"),
    "closed form": (drell_yan(), "u u~ > e+ e-"),
}


@pytest.mark.parametrize("n", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
@pytest.mark.parametrize("name", ELEMENTS)
def test_a_batch_may_have_any_number_of_events(name: str, n: int, coupling: Tensor) -> None:
    element, text = ELEMENTS[name]
    p, kernels = torch.from_numpy(momenta(text)), EmulatedKernels()
    found = matrix_element_on_device(element, kernels)
    whole = found.evaluate(p, coupling, everything(N))
    first = torch.from_numpy(as_momenta(p[:n].numpy()))
    part = found.evaluate(first, coupling[:n].contiguous(), everything(n))
    assert torch.equal(part[0], whole[0][:n])
    assert torch.equal(part[1], whole[1][:n])


@pytest.mark.parametrize("name", ELEMENTS)
def test_events_that_do_not_live_have_zero_and_nothing_is_read_of_them(
    name: str, coupling: Tensor
) -> None:
    element, text = ELEMENTS[name]
    p = torch.from_numpy(momenta(text))
    found = matrix_element_on_device(element, EmulatedKernels())
    whole = found.evaluate(p, coupling, everything(N))
    mask = torch.arange(N) % 3 == 1
    p[~mask] = torch.nan
    some = found.evaluate(p, coupling, LiveEvents.of(mask))
    for one, all_of_it in zip(some, whole, strict=True):
        assert torch.equal(one[mask], all_of_it[mask])
        assert not one[~mask].any()
    none = found.evaluate(p, coupling, LiveEvents.of(torch.zeros(N, dtype=torch.bool)))
    assert not any(one.any() for one in none)


@pytest.mark.parametrize("name", ELEMENTS)
def test_a_nan_stays_in_its_event(name: str, coupling: Tensor) -> None:
    element, text = ELEMENTS[name]
    p = torch.from_numpy(momenta(text))
    found = matrix_element_on_device(element, EmulatedKernels())
    whole = found.evaluate(p, coupling, everything(N))
    p[7] = torch.nan
    spoiled = found.evaluate(p, coupling, everything(N))
    others = torch.arange(N) != 7
    for one, before in zip(spoiled, whole, strict=True):
        assert one[7].isnan().all()
        assert torch.equal(one[others], before[others])


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_the_memory_that_is_free_changes_no_bit(blocks: int, coupling: Tensor) -> None:
    text = "g g > t t~ g"
    element, p = tree(text), torch.from_numpy(momenta(text))
    whole = matrix_element_on_device(element, EmulatedKernels()).evaluate(
        p, coupling, everything(N)
    )
    numbers = max(
        _core.AmplitudeTape(element.tapes.amplitude, element.tapes.average).workspace_numbers,
        _core.DiagramTape(element.tapes.squares).workspace_numbers,
    )
    kernels = CountingKernels(memory=2 * blocks * BLOCK * 8 * numbers)
    sliced = matrix_element_on_device(element, kernels)
    mask = torch.arange(N) % 4 != 0
    for live, expected in (
        (everything(N), whole),
        (LiveEvents.of(mask), (whole[0] * mask, whole[1] * mask[:, None])),
    ):
        found = sliced.evaluate(p, coupling, live)
        assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))
    assert min(N, blocks * BLOCK) in kernels.launched
    assert sum(kernels.launched) == 4 * N  # |M|^2 and |M_i|^2, twice


class CountingKernels(EmulatedKernels):
    """Keeps how many threads were asked for."""

    def __init__(self, memory: int) -> None:
        super().__init__(memory)
        self.launched: list[int] = []

    def launch(self, source: str, name: str, threads: int, *arguments: object, **how: int) -> None:
        self.launched.append(threads)
        super().launch(source, name, threads, *arguments, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ELEMENTS)
def test_the_host_does_not_wait_for_a_matrix_element(name: str) -> None:
    element, device = ELEMENTS[name][0], WITHOUT_VALUES.torch_device
    found = matrix_element_on_device(element, WITHOUT_VALUES.kernels)
    _, p = new_momenta(N, element.n_particles, device)
    alpha_s = torch.empty(N, dtype=torch.float64, device=device)
    with NoWaiting():
        me2, squares = found.evaluate(p, alpha_s, LiveEvents.all(N, device))
    assert me2.shape == (N,)
    assert squares.shape == (N, element.n_diagrams)


def test_too_little_memory_for_a_block_is_a_sentence_with_what_it_needs(coupling: Tensor) -> None:
    text = "u u~ > e+ e- g"
    p, element = torch.from_numpy(momenta(text)), tree(text)
    numbers = _core.AmplitudeTape(element.tapes.amplitude, element.tapes.average).workspace_numbers
    needed = 2 * BLOCK * 8 * numbers
    found = matrix_element_on_device(element, EmulatedKernels(memory=needed - 1))
    with pytest.raises(
        DeviceError,
        match=rf"expected {needed} bytes of free memory for {BLOCK} events of .*; got {needed - 1}",
    ):
        found.squared(p, coupling, everything(N))
    enough = matrix_element_on_device(element, EmulatedKernels(memory=needed))
    assert (enough.squared(p, coupling, everything(N)) > 0).all()


def test_a_matrix_element_of_another_program_is_a_sentence() -> None:
    with pytest.raises(DeviceError, match=r"of this package.*; got Foreign: --device cpu takes it"):
        matrix_element_on_device(Foreign(), EmulatedKernels())


class Foreign(MatrixElement):
    """One that others compute, with numpy arrays."""

    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        return np.ones(len(p)), np.ones((len(p), 1))

    def weights(self, p: Array, alpha_s: Array | float) -> Weights:
        return Weights(np.ones(len(p)), np.ones((len(p), 1)), np.ones((len(p), 1)))
