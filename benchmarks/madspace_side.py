"""madspace at the work of the comparisons: flow runtime and native training, sizes of Tab. A.6."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import madspace as ms
import numpy as np
from gaussian_mixture import points
from workers import Work

E_CM = 13_000.0
"""GeV."""

TOP, GLUON = ms.Propagator(173.0, 1.4915), ms.Propagator(0.0, 0.0)
FLAT = 0xBADCAFE
"""The matrix element that is 1 everywhere."""

STORED_BATCHES = 32
"""The training draws the points of so many steps at once."""

_threads = 1


def start(threads: int) -> None:
    """Threads belong to a `Context`."""
    global _threads
    _threads = threads


def sample(dim: int, n_channels: int, n: int) -> Work:
    """Points with their densities, channel after channel."""
    context = ms.Context(ms.cpu_device(), _threads)
    flows = [
        ms.FunctionRuntime(_flow(dim, i, context).forward_function(), context)
        for i in range(n_channels)
    ]
    counts = np.bincount(points(dim, n_channels, n)[1].numpy(), minlength=n_channels)
    random = np.random.default_rng(4)

    def work() -> float:
        for flow, count in zip(flows, counts, strict=True):
            flow(random.random((count, dim)))
        return n

    return work


def density(dim: int, n_channels: int, n: int) -> Work:
    """Densities of given points, channel after channel."""
    context = ms.Context(ms.cpu_device(), _threads)
    flows = [
        ms.FunctionRuntime(_flow(dim, i, context).inverse_function(), context)
        for i in range(n_channels)
    ]
    x, channel = (part.numpy() for part in points(dim, n_channels, n))
    parts = [x[channel == i] for i in range(n_channels)]

    def work() -> float:
        for flow, part in zip(flows, parts, strict=True):
            flow(part)
        return n

    return work


def phase_space(n_gluons: int, topology: str, n: int) -> Work:
    """Momenta, shares of the beams and Jacobians of g g > t t~ + gluons; see `phase_space.py`."""
    lines = _topology(range(2 + n_gluons)) if topology == "t" else _s_line(n_gluons)
    mapping = ms.PhaseSpaceMapping(lines, E_CM)
    runtime = ms.FunctionRuntime(mapping.forward_function(), ms.Context(ms.cpu_device(), _threads))
    x = np.random.default_rng(4).random((n, mapping.random_dim()))

    def work() -> float:
        runtime(x)
        return n

    return work


def training_step(dim: int, n_channels: int, batch: int, history: int) -> Work:
    """Steps of the native training on g g > t t~ + gluons with a constant |M|^2.

    One call is a refill of its store.
    """
    context = ms.Context(ms.cpu_device(), _threads)
    optimizer = ms.Context(ms.cpu_device(), _threads)
    n_gluons = (dim - 4) // 3
    network = ms.ChannelWeightNetwork(n_channels, 4 + n_gluons, 64, 3, ms.MLP.leaky_relu, "weights")
    network.initialize_globals(context, seed=1)
    integrands = _integrands(n_gluons, n_channels, network, context)
    optimizer.copy_globals_from(context)
    training = ms.MadnisTraining(
        context, optimizer, _settings(n_channels, batch, history), integrands, network, 1
    )
    steps = itertools.count()

    def work() -> float:
        for _ in range(STORED_BATCHES):
            training.train_step(next(steps))
        return STORED_BATCHES

    return work


def _flow(dim: int, i: int, context: ms.Context) -> ms.Flow:
    flow = ms.Flow(dim, 0, f"flow{i}", 10, 32, 3, ms.MLP.leaky_relu)
    flow.initialize_globals(context, seed=i)
    return flow


def _settings(n_channels: int, batch: int, history: int) -> ms.MadnisConfig:
    settings = ms.MadnisConfig()
    settings.batches = 10**6
    settings.batch_size_offset = 0
    settings.batch_size_per_channel = max(1, batch // n_channels)
    settings.fixed_cwnet_fraction = 0.0
    settings.integration_history_length = settings.log_interval = history
    settings.uniform_channel_ratio = 0.1
    settings.channel_dropping_threshold = 0.0
    return settings


def _integrands(
    n_gluons: int, n_channels: int, network: ms.ChannelWeightNetwork, context: ms.Context
) -> list[ms.Integrand]:
    """One per channel: orders of emission along the t-channel line, repeated if too few."""
    orders = itertools.permutations(range(2 + n_gluons))
    topologies = [
        _topology(order) for order in itertools.islice(itertools.cycle(orders), n_channels)
    ]
    coupling = _running_coupling(context)
    prior = ms.PropagatorChannelWeights(
        topologies, [[list(range(4 + n_gluons))]] * n_channels, [[i] for i in range(n_channels)]
    )
    cross_section = _cross_section(n_gluons, n_channels)
    mappings = [
        ms.PhaseSpaceMapping(topology, E_CM, cuts=_cuts(n_gluons)) for topology in topologies
    ]
    return [
        ms.Integrand(
            mapping,
            [cross_section],
            adaptive_map=_flow(mapping.random_dim(), i, context),
            pid_options=[[21, 21]],
            running_coupling=coupling,
            energy_scale=ms.EnergyScale(4 + n_gluons, 91.188),
            prop_chan_weights=prior,
            chan_weight_net=network,
            madnis_training=True,
            channel_indices=[i],
            first_chan_weight_remap=[list(range(n_channels))],
            first_remapped_chan_count=n_channels,
        )
        for i, mapping in enumerate(mappings)
    ]


def _topology(order: Sequence[int]) -> ms.Topology:
    """All outgoing particles (t, t~, gluons) in this order along a line, a top between t and t~."""
    inside = [(order.index(0) <= k) != (order.index(1) <= k) for k in range(len(order) - 1)]
    lines = ["i0", *(f"p{k}" for k in range(len(inside))), "i1"]
    vertices = [[lines[k], f"o{particle}", lines[k + 1]] for k, particle in enumerate(order)]
    masses = [173.0, 173.0] + [0.0] * (len(order) - 2)
    return ms.Topology(
        ms.Diagram([0.0, 0.0], masses, [TOP if top else GLUON for top in inside], vertices)
    )


def _s_line(n_gluons: int) -> ms.Topology:
    """Everything from one line that emits the gluons, the last one first, and ends in t t~."""
    vertices = [[f"p{k}", f"o{1 + n_gluons - k}", f"p{k + 1}"] for k in range(n_gluons)]
    ends = [["i0", "i1", "p0"], *vertices, [f"p{n_gluons}", "o0", "o1"]]
    masses = [173.0, 173.0] + [0.0] * n_gluons
    return ms.Topology(ms.Diagram([0.0, 0.0], masses, [GLUON] * (n_gluons + 1), ends))


def _cuts(n_gluons: int) -> ms.Cuts | None:
    if not n_gluons:
        return None
    particles, observable = [21, 21, 6, -6] + [21] * n_gluons, ms.Observable
    pt = observable(particles, observable.obs_pt, [observable.jet_pids])
    eta = observable(particles, observable.obs_eta_abs, [observable.jet_pids])
    return ms.Cuts([ms.CutItem(pt, min=20.0), ms.CutItem(eta, max=5.0)])


def _cross_section(n_gluons: int, n_channels: int) -> ms.DifferentialCrossSection:
    inputs, outputs = ms.Integrand.matrix_element_inputs, ms.Integrand.matrix_element_outputs
    return ms.DifferentialCrossSection(
        matrix_element=ms.MatrixElement(FLAT, 4 + n_gluons, inputs, outputs, n_channels, True),
        cm_energy=E_CM,
        running_coupling=None,
        energy_scale=ms.CachedScale(),
        pid_options=[[21, 21]],
    )


def _running_coupling(context: ms.Context) -> ms.RunningCoupling:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "alpha_s.info"
        file.write_text(
            "AlphaS_Qs: [1.0, 10.0, 100.0, 1000.0, 10000.0]\n"
            "AlphaS_Vals: [0.3, 0.2, 0.12, 0.1, 0.08]\n"
        )
        grid = ms.AlphaSGrid(str(file))
    grid.initialize_globals(context)
    return ms.RunningCoupling(grid)
