"""Picture of the shares of the channels, with the prior and learned, Fig. 5.14 of the thesis."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from madnis_py.report.pictures import typesetting
from madnis_py.report.pictures.figure import Figure
from madnis_py.report.pictures.plot import BOLD, FONT, WIDTH, Axis, picture
from madnis_py.run.diagnostics.channel_groups import channel_groups
from madnis_py.run.stages.results import ChannelResult

_SHOWN = 16
"""Channels with a row of their own."""

_ROW, _TOP = 19.0, 34.0


def channel_picture(
    channels: Sequence[ChannelResult], groups: Sequence[int] | None, learned: str
) -> Figure:
    """A row for each channel, or for each group of many that are alike; small ones together.

    Args:
        channels: of a sampler.
        groups: symmetry group of each channel, where they are known.
        learned: name of the second share.
    """
    single = groups is None or len(channels) <= _SHOWN
    known = channel_groups(range(len(channels)) if single else groups or (), channels)
    order = sorted(known, key=lambda one: -max(one.share, one.share_prior))
    rows = [(one.name, one.share_prior, one.share) for one in order[:_SHOWN]]
    if rest := order[_SHOWN:]:
        before, after = sum(one.share_prior for one in rest), sum(one.share for one in rest)
        rows.append((f"{sum(len(one.members) for one in rest)} others", before, after))
    wide = BOLD * max(typesetting.width(_short(name), FONT) for name, *_ in rows)
    left = min(max(wide + 12, 60.0), 190.0)
    most = max(max(before, after) for _, before, after in rows)
    least = min(0.0, *(min(before, after) for _, before, after in rows))
    axis = Axis(100 * least, 108 * most)
    height = _TOP + _ROW * len(rows) + 8

    def at(share: float) -> float:
        return left + float(axis.at(np.array([100 * share]))[0]) * (WIDTH - left - 16)

    parts = []
    for value, label in axis.ticks(4):
        x = at(value / 100)
        parts.append(f'<path class="g" d="M{x:.1f} {_TOP - 6:.0f}V{height:.0f}"/>')
        parts.append(
            f'<text class="t" x="{x:.1f}" y="{_TOP - 11:.0f}" text-anchor="middle">{label} %</text>'
        )
    for number, (name, before, after) in enumerate(rows):
        y = _TOP + _ROW * (number + 0.5)
        a, b = at(before), at(after)
        parts += [
            f'<text class="n ink" x="{left - 10:.1f}" y="{y + 4:.1f}" text-anchor="end">'
            f"{escape(_short(name))}</text>",
            f'<path class="link" d="M{a:.1f} {y:.1f}H{b:.1f}"/>',
            f'<circle class="open" cx="{a:.1f}" cy="{y:.1f}" r="3.6"/>',
            f'<circle class="full flow" cx="{b:.1f}" cy="{y:.1f}" r="4.2"/>',
        ]
    svg = picture("".join(parts), WIDTH, height, "Share of each channel before and after training")
    alike = "" if single else " +2: two more that are alike are included."
    note = f"open: with the prior; full: {learned}.{alike} All numbers are in the table."
    return Figure("Shares of the channels", svg, note)


def _short(name: str) -> str:
    short = name.replace(" and ", " +").removesuffix(" alike")
    return short if len(short) <= 28 else f"{short[:27]}…"
