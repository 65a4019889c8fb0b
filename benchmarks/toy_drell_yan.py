"""The Drell-Yan + Z' studies of the MadNIS thesis, Section 5.2.3.

They vary the priors, the width of the Z', and the buffered training.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from drell_yan_quadrature import Electroweak, cross_sections
from matplotlib.axes import Axes
from torch import Tensor
from toy_integrands import ZPrime
from toy_rows import drawing, row
from toy_trainings import Case, Outcome

from madnis_py.arrays import Array
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.integration.channel_weights import ChannelWeightSettings
from madnis_py.integration.coverage import CoverageCheck
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.training.settings import TrainingSettings

WIDTH = 0.5
"""Of the Z' in GeV, Eq. (5.38)."""

FACTORS = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2)
"""Eq. (5.43)."""

PRIORS = {"flat": "flat", "SHERPA-like": "density", "MG-like": "diagram"}
"""Names of the thesis and of the card."""

CHANNELS = {"2 channels": False, "3 channels": True, "3 channels, fixed weights": True}
"""Whether there is a channel of the Z'."""

REUSES = (1, 2, 3, 4, 5)

FLOW = FlowSettings(permutation="exchange", blocks=6, layers=2, units=16)
WEIGHTS = ChannelWeightSettings(layers=2, units=16)
"""Tab. A.5, whose two layers are taken to include the output layer."""

TRAINING = TrainingSettings(
    steps=300,
    batch_size=2000,
    loss="variance",
    learning_rate=1e-2,
    final_learning_rate=1e-4,
    schedule="cosine",
    gradient_clip=1.0,
    uniform_fraction=1.0,
    dropping_cutoff=0.0,
)
"""Tab. A.5 has 3000 batches of 10 000 at a learning rate of 1e-3: 50 times as many points.

Larger steps need clipped gradients, or a first heavy weight throws the training off.
"""

PARTS = 5
"""Samples that have to agree with each other for the coverage checks."""

REUSE_TRAINING = TRAINING.model_copy(update={"steps": 480, "batch_size": 12_500})
"""Points that are used again can be learned by heart: with fewer fresh ones the error grows with
R."""

CYCLES = 4
"""Buffers that the training fills and discards, of 480 / (4 R) batches; the thesis has 60 / R, of
50 batches."""

LEARNED = "R = 1"
"""The training of Fig. 5.11."""

MASSES = np.geomspace(15.0, 2000.0, 161)
MOMENTA = np.linspace(0.0, 300.0, 101)
"""Edges of the bins of Fig. 5.11 in GeV."""

WEIGHT_BINS = np.linspace(0.0, 3.0, 61)
"""Edges for w / <w> of Fig. 5.12."""


def cases() -> list[Case]:
    """All trainings."""
    return [*_prior_cases(), *_width_cases(), *_reuse_cases()]


def _prior_cases() -> list[Case]:
    return [
        Case(f"{name} prior", ZPrime(WIDTH, prior), TRAINING, FLOW, WEIGHTS, history=30)
        for name, prior in PRIORS.items()
    ]


def _width_cases() -> list[Case]:
    return [
        Case(
            f"width {WIDTH * factor:g} GeV, {channels}",
            ZPrime(WIDTH * factor, "diagram", mapped),
            TRAINING,
            FLOW,
            None if "fixed" in channels else WEIGHTS,
            (missed_peaks,),
        )
        for channels, mapped in CHANNELS.items()
        for factor in FACTORS
    ]


def _reuse_cases() -> list[Case]:
    return [
        Case(
            f"R = {reuse}",
            ZPrime(WIDTH),
            _buffered(reuse),
            FLOW,
            WEIGHTS,
            (weight_distributions, learned_distributions)
            if f"R = {reuse}" == LEARNED
            else (weight_distributions,),
        )
        for reuse in REUSES
    ]


def _buffered(reuse: int) -> TrainingSettings:
    """A buffer of fresh batches, then R - 1 passes over it, Eq. (5.44)."""
    if reuse == 1:
        return REUSE_TRAINING
    size = REUSE_TRAINING.steps // (CYCLES * reuse)
    return REUSE_TRAINING.model_copy(
        update={"buffer": "epochs", "buffer_size": size, "buffer_passes": reuse - 1}
    )


def rows(case: Case, outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """The row of a case; the thesis shows these numbers in figures only."""
    table = {"p": "Fig. 5.10l", "w": "Fig. 5.10r", "R": "Fig. 5.12"}[
        case.name[0] if case.name[0] in "wR" else "p"
    ]
    facts: dict[str, Any] = {}
    if table == "Fig. 5.12":
        facts["reuse"] = outcomes[0]["reuse"]
        facts["training_points"] = round(
            case.training.steps * case.training.batch(3) / outcomes[0]["reuse"]
        )
    if table == "Fig. 5.10r":
        facts["warned"] = sum(bool(outcome["warnings"]) for outcome in outcomes)
        facts["warnings"] = outcomes[0]["warnings"]
    assert isinstance(case.integrand, ZPrime)
    return [row(table, case, outcomes, exact=cross_section(case.integrand), **facts)]


def cross_section(integrand: ZPrime) -> float:
    """In pb, by quadrature."""
    pdf = integrand.cross_section.luminosity.pdfs[0]
    assert pdf is not None
    return sum(cross_sections(pdf, Electroweak(z_prime=True, wzp=integrand.width)).values())


def missed_peaks(sampler: ImportanceSampler, counts: Tensor) -> Outcome:
    """Warnings of the package about peaks that the sampler may have missed, from fresh points."""
    assert isinstance(sampler.integrand, ZPrime)
    check = CoverageCheck(sampler.integrand.cross_section.channel_names)
    parts = [sampler.sample((counts // PARTS).clamp(min=2), "coverage", k) for k in range(PARTS)]
    return {"warnings": check.sampler("flow", parts)}


def learned_distributions(sampler: ImportanceSampler, counts: Tensor) -> Outcome:
    """Histograms of the pair mass and of p_T.

    Points of each channel, all points weighted, and mean channel weights.
    """
    assert isinstance(sampler.integrand, ZPrime)
    samples = sampler.sample(counts, "figure")
    momenta, _ = sampler.integrand.cross_section.momenta(samples.x, samples.channel)
    with torch.no_grad():
        alpha = sampler.weights(samples.features, samples.prior).numpy()
    prior = (samples.prior / samples.prior.sum(dim=1, keepdim=True)).numpy()
    weight, channel = samples.weight.numpy(), samples.channel.numpy()
    means = np.bincount(channel, weight) / np.bincount(channel)
    values = {"mass": pair_mass(momenta), "pt": transverse_momentum(momenta)}
    edges = {"mass": MASSES, "pt": MOMENTA}
    return {
        name: {
            "channels": [
                (means[i] * _density(x[channel == i], edges[name])).tolist()
                for i in range(len(counts))
            ],
            "truth": (len(counts) * weight.mean() * _density(x, edges[name], weight)).tolist(),
            "alpha": _means(x, edges[name], alpha, weight),
            "prior": _means(x, edges[name], prior, weight),
        }
        for name, x in values.items()
    }


def pair_mass(p: Array) -> Array:
    """Invariant mass of the massless leptons in GeV, from their energies; p (n, 4, 4)."""
    return np.sqrt(4 * p[:, 0, 0] * p[:, 1, 0])


def transverse_momentum(p: Array) -> Array:
    """p_T of the electron in GeV; p (n, 4, 4)."""
    return np.hypot(p[:, 2, 1], p[:, 2, 2])


def _density(x: Array, edges: Array, weight: Array | None = None) -> Array:
    sums, _ = np.histogram(x, edges, weights=weight)
    total = len(x) if weight is None else weight.sum()
    return sums / total / np.diff(edges)


def _means(x: Array, edges: Array, shares: Array, weight: Array) -> list[list[float]]:
    """Mean of each column of `shares` in each bin, every point with its weight."""
    norm, _ = np.histogram(x, edges, weights=weight)
    sums = [np.histogram(x, edges, weights=weight * share)[0] for share in shares.T]
    return [(total / np.where(norm > 0, norm, 1.0)).tolist() for total in sums]


def weight_distributions(sampler: ImportanceSampler, counts: Tensor) -> Outcome:
    """Distribution of w / <w> in each channel."""
    samples = sampler.sample(counts, "figure")
    parts = [samples.weight[samples.channel == i].numpy() for i in range(len(counts))]
    return {"weights": [_density(part / part.mean(), WEIGHT_BINS).tolist() for part in parts]}


def draw(folder: Path, outcomes: dict[str, list[Outcome]]) -> None:
    """Figs. 5.10 to 5.12."""
    with drawing(folder / "figure_5_10.svg", (10, 4)) as figure:
        left, right = figure.subplots(1, 2)
        _draw_histories(left, outcomes)
        _draw_widths(right, outcomes)
    with drawing(folder / "figure_5_11.svg", (10, 6)) as figure:
        axes = figure.subplots(2, 2, sharex="col", height_ratios=(2, 1))
        learned = outcomes[LEARNED][0]
        _draw_learned(axes[:, 0], learned["pt"], MOMENTA, "$p_T(e^-)$ / GeV")
        _draw_learned(axes[:, 1], learned["mass"], MASSES, "$M_{e^+e^-}$ / GeV")
        axes[0, 1].set_xscale("log")
        axes[0, 0].set_ylabel("cross section / (pb / GeV)")
        axes[1, 0].set_ylabel("mean weight (dotted: prior)")
        axes[0, 1].legend()
    with drawing(folder / "figure_5_12.svg", (12, 6)) as figure:
        grid = figure.add_gridspec(2, 6)
        _draw_reuse([figure.add_subplot(grid[0, i : i + 3]) for i in (0, 3)], outcomes)
        _draw_weights([figure.add_subplot(grid[1, i : i + 2]) for i in (0, 2, 4)], outcomes)


def _draw_histories(axes: Axes, outcomes: dict[str, list[Outcome]]) -> None:
    for name in PRIORS:
        histories = np.array([outcome["history"] for outcome in outcomes[f"{name} prior"]])
        steps, values = (
            histories[0, :, 0],
            histories[:, :, 1:].transpose(1, 0, 2).reshape(len(histories[0]), -1),
        )
        low, high = np.percentile(values, (5, 95), axis=1)
        (line,) = axes.plot(steps, values.mean(axis=1), label=f"{name} prior")
        axes.fill_between(steps, low, high, color=line.get_color(), alpha=0.25, lw=0)
    axes.set(yscale="log", xlabel="training step", ylabel="N x variance of the integral / $I^2$")
    axes.legend()


def _draw_widths(axes: Axes, outcomes: dict[str, list[Outcome]]) -> None:
    for i, channels in enumerate(CHANNELS):
        for factor in FACTORS:
            errors = [
                outcome["flat"] for outcome in outcomes[f"width {WIDTH * factor:g} GeV, {channels}"]
            ]
            label = channels if factor == FACTORS[0] else None
            place = WIDTH * factor * 1.15 ** (i - 1)
            if np.std(errors) > 0.3 * np.mean(errors):
                axes.plot([place] * len(errors), errors, f"C{i}x", label=label)
            else:
                axes.errorbar(
                    place, np.mean(errors), np.std(errors), fmt=f"C{i}o", capsize=3, label=label
                )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="width of the Z' / GeV",
        ylabel="relative error of $10^4$ points / %",
    )
    axes.legend()


def _draw_learned(axes: list[Axes], learned: Outcome, edges: Array, label: str) -> None:
    names = ("photon", "Z", "Z'")
    base = np.zeros(len(edges) - 1)
    for i, channel in enumerate(np.array(learned["channels"])):
        axes[0].stairs(
            base + channel,
            edges,
            baseline=base,
            fill=True,
            color=f"C{i}",
            alpha=0.6,
            label=names[i],
        )
        base = base + channel
        axes[1].stairs(learned["alpha"][i], edges, color=f"C{i}", baseline=None)
        axes[1].stairs(learned["prior"][i], edges, color=f"C{i}", baseline=None, ls=":")
    axes[0].stairs(learned["truth"], edges, color="k", ls="--", baseline=None, label="truth")
    axes[0].set_yscale("log")
    axes[1].set_xlabel(label)


def _draw_reuse(axes: list[Axes], outcomes: dict[str, list[Outcome]]) -> None:
    errors = np.array(
        [[outcome["flat"] / 10 for outcome in outcomes[f"R = {reuse}"]] for reuse in REUSES]
    )
    axes[0].errorbar(REUSES, errors.mean(axis=1), errors.std(axis=1), fmt="o", capsize=3)
    axes[0].set_ylabel("relative error of $10^6$ points / %")
    ratio = errors / errors[0].mean()
    axes[1].errorbar(REUSES, ratio.mean(axis=1), ratio.std(axis=1), fmt="o", capsize=3)
    axes[1].axhline(1.0, color="gray", ls=":")
    axes[1].set_ylabel("error / mean error at R = 1")
    for axis in axes:
        axis.set_xlabel("R")


def _draw_weights(axes: list[Axes], outcomes: dict[str, list[Outcome]]) -> None:
    for i, (axis, name) in enumerate(zip(axes, ("photon", "Z", "Z'"), strict=True)):
        for reuse in REUSES:
            heights = np.array([outcome["weights"][i] for outcome in outcomes[f"R = {reuse}"]])
            mean, std = heights.mean(axis=0), heights.std(axis=0)
            axis.stairs(
                mean, WEIGHT_BINS, color=f"C{reuse - 1}", label=f"R = {reuse}", baseline=None
            )
            axis.fill_between(
                WEIGHT_BINS[:-1],
                mean - std,
                mean + std,
                step="post",
                color=f"C{reuse - 1}",
                alpha=0.2,
                lw=0,
            )
        axis.set(xlabel="w / <w>", title=f"{name} channel", yscale="log")
    axes[0].set_ylabel("density")
    axes[0].legend()
