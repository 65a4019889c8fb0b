"""The cross section on a device, against that of the processor, and where it is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import call
from grids import COUPLING, INFO, grid_text, write_set
from torch import Tensor
from waiting import WITHOUT_VALUES

from madnis_py.card.card import Card
from madnis_py.devices.device import Device, device_of
from madnis_py.errors import InputError, MadnisError
from madnis_py.generator import Generator
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import Evaluation
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.on_device.cross_section_on_device import CrossSectionOnDevice
from madnis_py.physics.phase_space.priors import PRIORS, ChosenPrior
from madnis_py.physics.process.process import Process

CARDS = ["drell_yan_zprime", "ttbar_1j", "dijet", "ww_leptons"]
"""Closed form, mirror images and several groups of flavours, many channels, decays."""


@pytest.fixture(scope="module")
def emulated() -> Device:
    device = device_of("emulated")
    assert device is not None
    return device


def points_of(cross_section: CrossSection, per_channel: int = 40) -> tuple[Tensor, Tensor]:
    channel = torch.arange(cross_section.n_channels).repeat_interleave(per_channel)
    random = np.random.Generator(np.random.Philox(3)).random((len(channel), cross_section.dim))
    return torch.from_numpy(random), channel


def require_same(there: Evaluation, here: Evaluation) -> None:
    """An evaluation of a device is that of the CPU within rounding, the prior up to its norm."""
    torch.testing.assert_close(there.value, here.value, rtol=1e-9, atol=0)
    torch.testing.assert_close(there.target, here.target, rtol=1e-9, atol=0)
    torch.testing.assert_close(there.features, here.features, rtol=1e-9, atol=1e-9)
    prior, expected = (one.prior / one.prior.sum(dim=1, keepdim=True) for one in (there, here))
    torch.testing.assert_close(prior, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", CARDS)
def test_a_device_evaluates_the_cross_section_of_the_cpu_with_every_prior(
    name: str, emulated: Device
) -> None:
    cross_section = CrossSection(Process.from_card(name))
    on_device = CrossSectionOnDevice(cross_section, emulated)
    points = points_of(cross_section)
    for prior in PRIORS:
        here = cross_section.with_prior(prior).evaluate(*points)
        require_same(on_device.with_prior(prior).evaluate(*points), here)
        assert here.value.any()


def test_complex_masses_are_those_of_the_cpu(emulated: Device) -> None:
    card = {
        "process": {"definition": "e+ e- > u d~ s c~", "complex_mass": True},
        "beams": {"pdf": "none", "energy": [100.0, 100.0]},
    }
    cross_section = CrossSection(Process.from_card(Card.parse(card)))
    points = points_of(cross_section, 10)
    here = cross_section.evaluate(*points)
    require_same(CrossSectionOnDevice(cross_section, emulated).evaluate(*points), here)
    assert here.value.any()


def test_negative_densities_have_magnitudes_on_a_device(tmp_path: Path, emulated: Device) -> None:
    x = np.geomspace(1e-4, 1.0, 30)
    lines = {2: (2.5, 0.3), -2: (-0.5, -0.4), 1: (1.2, 0.1), -1: (-0.35, 0.0)}
    densities = {pdg: (a + b * np.log(x))[:, None] for pdg, (a, b) in lines.items()}
    grid = grid_text(x.tolist(), [1.0, 10.0, 1e3, 1e5], densities)
    pdf = write_set(tmp_path / "lines", INFO + COUPLING, grid)
    card = {"process": {"definition": "p p > e+ e-"}, "beams": {"pdf": str(pdf)}}
    cuts = {"cuts": {"e+,e-": {"mass_min": 50.0}}}
    cross_section = CrossSection(Process.from_card(Card.parse({**card, **cuts})))
    points = points_of(cross_section)
    here = cross_section.evaluate(*points)
    assert here.magnitude is not None
    assert (here.magnitude > here.value.abs()).any()
    require_same(CrossSectionOnDevice(cross_section, emulated).evaluate(*points), here)


def test_no_points_at_all_are_no_error(emulated: Device) -> None:
    cross_section = CrossSection(Process.from_card("ttbar_1j"))
    nothing = torch.empty(0, cross_section.dim).double(), torch.empty(0, dtype=torch.int64)
    found = CrossSectionOnDevice(cross_section, emulated).evaluate(*nothing)
    assert found.prior.shape == (0, cross_section.n_channels)


def test_it_comes_to_another_process_as_it_is(emulated: Device) -> None:
    cross_section = CrossSection(Process.from_card("drell_yan_zprime"), "propagator")
    on_device = CrossSectionOnDevice(cross_section, emulated)
    again = pickle.loads(pickle.dumps(on_device))
    points = points_of(cross_section)
    one, other = on_device.evaluate(*points), again.evaluate(*points)
    assert torch.equal(one.value, other.value)
    assert torch.equal(one.prior, other.prior)


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("name", CARDS)
def test_an_evaluation_waits_for_nothing(name: str, prior: ChosenPrior) -> None:
    cross_section = CrossSection(Process.from_card(name), prior)
    x, channel = points_of(cross_section)
    found = CrossSectionOnDevice(cross_section, WITHOUT_VALUES).evaluate(x.to("meta"), channel)
    assert found.value.device.type == found.prior.device.type == "meta"


def test_a_batch_of_a_training_is_drawn_and_weighted_without_waiting() -> None:
    cross_section = CrossSection(Process.from_card("ttbar_1j"))
    on_device = CrossSectionOnDevice(cross_section, WITHOUT_VALUES)
    sampler = ImportanceSampler(on_device, device=WITHOUT_VALUES)
    counts = torch.full((cross_section.n_channels,), 30)
    samples = sampler.sample_ahead(counts, "train", 0)
    assert samples.weight.shape == (30 * cross_section.n_channels,)
    assert samples.weight.is_meta


PYTHON = "def one(momenta, alpha_s):\n    return momenta[:, 0, 0] * 0 + 1\n"


def with_a_function_of_python(folder: Path) -> Card:
    (folder / "mine.py").write_text(PYTHON)
    element = {"provider": "python", "function": f"{folder / 'mine.py'}:one"}
    process = {"definition": "g g > t t~", "matrix_element": element}
    return Card.parse({"process": process, "beams": {"pdf": "toy"}})


def test_matrix_elements_of_others_are_refused_before_a_directory_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "card.toml").write_text(with_a_function_of_python(tmp_path).to_toml())
    card, output = tmp_path / "card.toml", tmp_path / "run"
    done = call(["run", card, "-o", output, "--device", "emulated"], capsys, monkeypatch)
    assert done.status == 2
    assert "--device cpu takes it" in done.err
    assert not (tmp_path / "run").exists()


def test_an_unknown_device_is_refused_before_a_directory_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "run"
    done = call(["run", "drell_yan", "-o", output, "--device", "tpu"], capsys, monkeypatch)
    assert done.status == 2
    assert "device: expected cpu, cuda, cuda:1, ... or emulated; got 'tpu'" in done.err
    assert not (tmp_path / "run").exists()


def test_a_generator_on_a_device_gives_tensors_with_the_numbers_of_the_cpu(
    emulated: Device,
) -> None:
    here, there = Generator.from_card("ttbar_1j"), Generator.from_card("ttbar_1j", "emulated")
    random = np.random.Generator(np.random.Philox(3)).random((500, here.dim))
    channel = np.arange(500) % here.n_channels
    arrays = here(random, channel)
    tensors = there(torch.from_numpy(random), torch.from_numpy(channel))
    for name in ("momenta", "weight", "channel_weights"):
        found, expected = getattr(tensors, name), torch.from_numpy(getattr(arrays, name))
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-7)
    first = there(torch.from_numpy(random), 1).weight
    torch.testing.assert_close(first, torch.from_numpy(here(random, 1).weight), rtol=1e-9, atol=0)


@pytest.mark.parametrize(
    ("shape", "channel", "sentence"),
    [
        ((3, 2), 0, "random: expected shape"),
        ((3, 7), 99, "channel: expected 0 to"),
        ((3, 7), -1, "channel: expected 0 to"),
        ((3, 7), 0.5, "channel: expected integers"),
    ],
)
def test_a_generator_on_a_device_refuses_what_that_of_the_cpu_does(
    shape: tuple[int, int], channel: float, sentence: str
) -> None:
    for device in (None, "emulated"):
        generator = Generator.from_card("ttbar_1j", device)
        random = torch.full(shape, 0.5).double()
        argument = random if device else random.numpy()
        with pytest.raises(InputError, match=f"Generator: {sentence}"):
            generator(argument, channel)  # type: ignore[call-overload]


def test_evaluate_gives_the_matrix_elements_of_the_cpu_on_a_device(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    p = generic_momenta([0.0, 0.0, 173.0, 173.0], 2, 5)
    content = {"points": [{"momenta": point.tolist()} for point in p], "pdg": [21, 21, 6, -6]}
    (tmp_path / "momenta.json").write_text(json.dumps(content))
    command: list[str | Path] = ["evaluate", "ttbar", "--momenta", tmp_path / "momenta.json"]
    here, there = (
        json.loads(call([*command, "--device", device], capsys, monkeypatch).out)
        for device in ("cpu", "emulated")
    )
    np.testing.assert_allclose(there["me2"], here["me2"], rtol=1e-12)
    np.testing.assert_allclose(there["diagrams"], here["diagrams"], rtol=1e-10)
    refused = call([*command, "--device", "emulated", "--weights"], capsys, monkeypatch)
    assert refused.status == 2
    assert "device: expected cpu for --weights and --single; got emulated" in refused.err


def test_densities_of_another_library_are_refused_with_the_device_that_takes_them(
    emulated: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    cross_section = CrossSection(Process.from_card("drell_yan"))

    class Foreign:
        name = "foreign"

    monkeypatch.setattr(cross_section.luminosity, "pdfs", (Foreign(),) * 2)
    with pytest.raises(MadnisError, match="--device cpu"):
        CrossSectionOnDevice(cross_section, emulated)
