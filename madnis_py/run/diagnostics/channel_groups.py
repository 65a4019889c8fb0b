"""Groups of channels that are alike: their order by their shares, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from madnis_py.run.stages.results import ChannelResult


@dataclass(frozen=True)
class ChannelGroup:
    """Channels of a symmetry group, which share a density.

    Attributes:
        members: numbers of its channels.
        name: of the one with the largest share, and how many others there are.
        share: of all of them.
        share_prior: the same before the training.
    """

    members: tuple[int, ...]
    name: str
    share: float
    share_prior: float

    @classmethod
    def of(cls, members: Sequence[int], channels: Sequence[ChannelResult]) -> ChannelGroup:
        """The group of some channels, that of the largest share first."""
        ordered = sorted(members, key=lambda i: -abs(channels[i].share))
        alike = f" and {len(ordered) - 1} alike" if len(ordered) > 1 else ""
        return cls(
            tuple(ordered),
            f"{channels[ordered[0]].name}{alike}",
            sum(channels[i].share for i in ordered),
            sum(channels[i].share_prior for i in ordered),
        )


def channel_groups(
    groups: Sequence[int], channels: Sequence[ChannelResult]
) -> tuple[ChannelGroup, ...]:
    """The groups, that of the largest share first.

    Args:
        groups: symmetry group of each channel.
        channels: figures of each channel.
    """
    members: dict[int, list[int]] = {}
    for number, group in enumerate(groups):
        members.setdefault(group, []).append(number)
    found = [ChannelGroup.of(every, channels) for every in members.values()]
    return tuple(sorted(found, key=lambda group: -abs(group.share)))
