"""Feynman diagrams of the channels that contribute most to a cross section."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from pydantic import Field

from madnis_py.physics.diagrams.diagram_picture import Drawing, drawing_of
from madnis_py.physics.process.process import Process
from madnis_py.run.diagnostics.channel_groups import ChannelGroup
from madnis_py.run.stages.record_part import RecordPart

DRAWN = 8
"""Groups of channels of which a diagram is drawn."""


class ChannelDiagram(RecordPart):
    """A channel of a group that are alike, with the first of its diagrams."""

    channel: str = Field(description="Name of the channel, and how many are alike.")
    share: float = Field(description="Part of the cross section of all that are alike.")
    reaction: str = Field(description="The partonic process of the diagram.")
    diagrams: int = Field(ge=1, description="Diagrams that the channel follows.")
    drawing: Drawing = Field(description="The first of them.")


def channel_diagrams(
    process: Process, groups: Sequence[ChannelGroup]
) -> tuple[ChannelDiagram, ...]:
    """Diagrams of the channels of the largest shares.

    Args:
        process: whose channels.
        groups: of its channels, that of the largest share first.
    """
    return tuple(_diagram(process, group) for group in groups[:DRAWN])


def _diagram(process: Process, group_of_channels: ChannelGroup) -> ChannelDiagram:
    channel = process.channels[group_of_channels.members[0]]
    first = channel.diagrams[0]
    place = bisect_right(process.diagram_offsets, first) - 1
    group = process.groups[place]
    legs, n_incoming = group.reaction.legs, len(group.reaction.incoming)
    diagram = process.diagrams(group)[first - process.diagram_offsets[place]]
    return ChannelDiagram(
        channel=group_of_channels.name,
        share=group_of_channels.share,
        reaction=process.model.reaction_name(legs, n_incoming),
        diagrams=len(channel.diagrams),
        drawing=drawing_of(diagram, legs, n_incoming, process.model),
    )
