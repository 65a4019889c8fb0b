"""Axes, numbers and typesetting of the pictures."""

from __future__ import annotations

import numpy as np
import pytest

from madnis_py.physics.observables.typeset_labels import typeset_label
from madnis_py.report.pictures import typesetting
from madnis_py.report.pictures.plot import Axis, Plot


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        (Axis(0.0, 500.0), ["0", "100", "200", "300", "400", "500"]),
        (Axis(-2.6, 2.6), ["−2", "−1", "0", "1", "2"]),
        (Axis(0.0, 0.04), ["0.00", "0.01", "0.02", "0.03", "0.04"]),
        (Axis(1e-4, 1e2, True), ["$10^{-4}$", "0.01", "1", "100"]),
        (Axis(2.0, 9.0, True), ["2", "5"]),
    ],
)
def test_ticks_are_round_numbers(axis: Axis, labels: list[str]) -> None:
    ticks = axis.ticks(5)
    assert all(axis.low <= value <= axis.high for value, _ in ticks)
    assert [label for _, label in ticks] == labels


def test_a_logarithmic_axis_places_equal_factors_at_equal_distances() -> None:
    places = Axis(1.0, 1e4, logarithmic=True).at(np.array([1.0, 10.0, 100.0, 1e4]))
    assert np.allclose(places, [0.0, 0.25, 0.5, 1.0])


@pytest.mark.parametrize(
    ("kind", "particles", "html"),
    [
        ("pt", ["jet[1]"], "<i>p</i><sub><i>T</i></sub>(<i>j</i><sub>1</sub>)"),
        ("mass", ["t", "t~"], "<i>m</i><sub><i>tt̄</i></sub>"),
        ("ht", [], "<i>H</i><sub><i>T</i></sub>"),
        ("sqrt_s", [], "√<i>ŝ</i>"),
        ("dr", ["mu+", "mu-"], "Δ<i>R</i>(<i>μ</i><sup>+</sup>, <i>μ</i><sup>−</sup>)"),
        ("missing_pt", [], "<i>p</i><sub><i>T</i></sub><sup>miss</sup>"),
    ],
)
def test_labels_are_typeset(kind: str, particles: list[str], html: str) -> None:
    assert typesetting.html(typeset_label(kind, particles)) == html


def test_indices_come_back_to_the_line() -> None:
    svg = typesetting.svg("$p_{T}(j_{1})$", 10.0)
    shifts = [float(part.split('"')[0]) for part in svg.split('dy="')[1:]]
    assert shifts[0] > 0
    assert abs(sum(shifts[:2])) < 1e-9


def test_text_in_a_plot_cannot_be_markup() -> None:
    plot = Plot(Axis(0.0, 1.0), [(Axis(0.0, 1.0), 80.0)], "<x>", ["a & b"])
    plot.name(0.5, 0.5, "<script>", "ink")
    svg = plot.svg('a "title"')
    assert "<script>" not in svg
    assert "&lt;x&gt;" in svg
    assert "a &amp; b" in svg
    assert "a &quot;title&quot;" in svg


def test_no_text_leaves_the_picture_at_its_sides() -> None:
    plot = Plot(Axis(0.0, 1500.0), [(Axis(0.0, 1.0), 80.0)], "x", ["y"])
    plot.name(1500.0, 0.9, "a name at the right end", "ink")
    plot.vertical(1490.0, "maximum")
    svg = plot.svg("")
    for text in svg.split("<text")[1:]:
        x = float(text.split('x="')[1].split('"')[0])
        content = text.split(">")[1].split("<")[0]
        wide = typesetting.width(content, 11.0)
        if "text-anchor" not in text:
            assert x + wide <= 362
        if '"middle"' in text:
            assert x + wide / 2 <= 361
