"""Colour lines that leave sets of legs: the colour of the particles that decay to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Integers


def open_lines(
    colour: Integers, members: NDArray[np.bool_], representation: Integers, n_incoming: int
) -> tuple[Integers, NDArray[np.bool_]]:
    """The colour of particles that decay to legs, and whether they can have it.

    Args:
        colour: colour and anticolour numbers of the legs of n events, int32 (n, P, 2).
        members: which outgoing legs each particle decays to, (n, R, P).
        representation: of the particles: 1, 3, 6, 8, -3, -6; int32 (n, R).
        n_incoming: number of incoming legs, which are the first.

    Returns:
        Colour and anticolour numbers, int32 (n, R, 2), and whether they fit the representation,
        (n, R).
    """
    begins, ends = _lines(colour)
    inside = np.repeat(members, 2, axis=-1)
    leaving = _without_pairs(
        np.where(inside, begins[:, None], 0), np.where(inside, ends[:, None], 0)
    )
    incoming = np.arange(begins.shape[1]) < 2 * n_incoming
    alone = _without_pairs(np.where(incoming, ends, begins), np.where(incoming, begins, ends))
    colours, third_anticolour = _through_junction(leaving[0], alone[0])
    anticolours, third_colour = _through_junction(leaving[1], alone[1])
    colours = _largest(np.concatenate([colours, third_colour], axis=-1))
    anticolours = _largest(np.concatenate([anticolours, third_anticolour], axis=-1))
    fits = _count(colours, representation) & _count(anticolours, -representation)
    own = np.stack(
        [
            np.where(colours[..., 0] > 0, colours[..., 0], -anticolours[..., 1]),
            np.where(anticolours[..., 0] > 0, anticolours[..., 0], -colours[..., 1]),
        ],
        axis=-1,
    )
    return own.astype(np.int32), fits


def _lines(colour: Integers) -> tuple[Integers, Integers]:
    """Lines that begin and that end at outgoing legs, two each, 0 for none, (n, 2 P).

    The second line of a sextet is a negative number on the other side.
    """
    first, second = colour[..., 0], colour[..., 1]
    shape = len(colour), 2 * colour.shape[1]
    begins = np.stack([first, -second], axis=-1).reshape(shape)
    ends = np.stack([second, -first], axis=-1).reshape(shape)
    return np.maximum(begins, 0), np.maximum(ends, 0)


def _without_pairs(begins: Integers, ends: Integers) -> tuple[Integers, Integers]:
    """Lines that do not both begin and end, 0 in the places of others; any axes before the last."""
    joined = (begins[..., :, None] == ends[..., None, :]) & (begins[..., :, None] > 0)
    return (
        np.where(joined.any(axis=-1), 0, begins),
        np.where(joined.any(axis=-2), 0, ends),
    )


def _through_junction(leaving: Integers, alone: Integers) -> tuple[Integers, Integers]:
    """Lines that leave sets of legs, and what comes in by the only junction of an event.

    Where two of its three lines leave a set, the third one comes in: an antitriplet decays to two
    triplets. Where all three do, they are nobody's.

    Args:
        leaving: lines that leave each set, (n, R, 2 P).
        alone: lines of the event that have one end only, in the same places, (n, 2 P).
    """
    alone = np.where((alone > 0).sum(axis=-1, keepdims=True) == 3, alone, 0)[:, None]
    at_junction = (leaving > 0) & (leaving == alone)
    count = at_junction.sum(axis=-1, keepdims=True)
    others = np.where(at_junction, 0, alone).sum(axis=-1, keepdims=True)
    return np.where(at_junction & (count > 1), 0, leaving), np.where(count == 2, others, 0)


def _largest(lines: Integers) -> Integers:
    """Lines in descending order."""
    return -np.sort(-lines, axis=-1)


def _count(lines: Integers, representation: Integers) -> NDArray[np.bool_]:
    """Whether there are as many lines as a representation has colours."""
    expected = (representation == 3) + 2 * (representation == 6) + (np.abs(representation) == 8)
    return np.asarray((lines > 0).sum(axis=-1) == expected, bool)
