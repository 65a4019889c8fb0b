"""Pictures of Feynman diagrams as SVG, incoming legs on the left, outgoing ones on the right."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Literal

from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.diagrams.trees import Tree, positions
from madnis_py.physics.model.model import Model

CELL = (230.0, 150.0)
"""Width and height of the drawing of one diagram, in pixels."""

_CELL_WIDTH, _CELL_HEIGHT = CELL
_MARGIN = 34.0
"""Height of the title, in pixels."""

_WAVE, _COIL = 7.0, 6.0
"""Length of one wave of a vector boson and of one turn of a gluon, in pixels."""

Point = tuple[float, float]


LineStyle = Literal["arrow", "plain", "dashed", "wave", "coil", "double wave"]
"""How a particle is drawn: fermions, those that are their own antiparticles, scalars, vectors,
gluons, and gravitons."""


@dataclass(frozen=True)
class DrawnLine:
    """A line between two points, in the direction of a fermion's arrow.

    Attributes:
        style: by spin and colour of the particle.
        start: in pixels.
        end: in pixels.
        label: name of the particle, or nothing.
        label_at: where it begins.
    """

    style: LineStyle
    start: Point
    end: Point
    label: str
    label_at: Point

    def svg(self, typeset: Callable[[str], str]) -> str:
        """The line and its label."""
        a, b = self.label_at
        label = f'<text x="{a:.1f}" y="{b:.1f}">{typeset(self.label)}</text>' if self.label else ""
        return f"{_SHAPES[self.style](self.start, self.end)}{label}"


@dataclass(frozen=True)
class Drawing:
    """A diagram in a cell of `CELL` pixels.

    Attributes:
        lines: external and internal ones.
        vertices: where they meet.
    """

    lines: tuple[DrawnLine, ...]
    vertices: tuple[Point, ...]

    def svg(self, typeset: Callable[[str], str] = escape) -> str:
        """Lines, vertices and labels, without the element around them.

        Args:
            typeset: name of a particle -> content of a text element.
        """
        dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>' for x, y in self.vertices]
        return "".join([*(line.svg(typeset) for line in self.lines), *dots])


def drawing_of(diagram: Diagram, legs: Sequence[int], n_incoming: int, model: Model) -> Drawing:
    """A diagram as lines, incoming legs on the left.

    Args:
        diagram: what to draw.
        legs: PDG codes of the external legs, incoming first.
        n_incoming: how many of them come in.
        model: names and spins.
    """
    placed = _PlacedDiagram(diagram, legs, n_incoming, model)
    return Drawing(tuple(placed.lines), tuple(placed.vertices))


def draw(
    diagrams: Sequence[Diagram], legs: Sequence[int], n_incoming: int, model: Model, title: str
) -> str:
    """All diagrams on one page.

    Args:
        diagrams: what to draw.
        legs: PDG codes of the external legs, incoming first.
        n_incoming: how many of them come in.
        model: names and spins.
        title: above the diagrams.

    Returns:
        An SVG document.
    """
    columns = max(1, min(5, len(diagrams)))
    rows = -(-len(diagrams) // columns)
    width, height = columns * _CELL_WIDTH, rows * _CELL_HEIGHT + _MARGIN
    cells = []
    for number, diagram in enumerate(diagrams):
        x, y = (number % columns) * _CELL_WIDTH, (number // columns) * _CELL_HEIGHT + _MARGIN
        inside = drawing_of(diagram, legs, n_incoming, model).svg()
        cells.append(
            f'<g transform="translate({x:.0f},{y:.0f})">'
            f'<text x="6" y="14">{number + 1}</text>{inside}</g>'
        )
    style = STYLE + " text{font:12px serif}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}">'
        f'<style>{style}</style><rect width="100%" height="100%" fill="white"/>'
        f'<text x="6" y="20">{escape(title)}</text>{"".join(cells)}</svg>\n'
    )


STYLE = "path{fill:none;stroke:currentColor;stroke-width:1.3} circle{fill:currentColor}"
"""Style of the lines and vertices of a drawing."""


class _PlacedDiagram:
    """One diagram with a place for each of its vertices and lines."""

    def __init__(
        self, diagram: Diagram, legs: Sequence[int], n_incoming: int, model: Model
    ) -> None:
        self._legs, self._n_incoming, self._model = legs, n_incoming, model
        self.lines: list[DrawnLine] = []
        self.vertices: list[Point] = []
        self._place(diagram.tree)

    def _place(self, tree: Tree) -> None:
        """Vertices between the incoming legs below each other, all else to the right of them."""
        backbone, branches, end = _backbone(tree, self._n_incoming)
        leaves = [leaf for group in branches for branch in group for leaf in _leaves(branch)]
        step = (_CELL_HEIGHT - 2 * 26) / max(len(leaves) - 1, 1)
        heights = {leaf.legs: 26 + k * step for k, leaf in enumerate(leaves)}
        if len(leaves) == 1:
            heights = {leaves[0].legs: _CELL_HEIGHT / 2}
        self._heights, self._depth = (
            heights,
            max(_depth(branch) for group in branches for branch in group),
        )
        x = 0.36 * _CELL_WIDTH if len(backbone) > 1 or self._n_incoming == 2 else 0.2 * _CELL_WIDTH
        spots = [(x, sum(self._height(b) for b in group) / len(group)) for group in branches]
        self.vertices += spots
        self._incoming(0, spots[0], upper=True)
        if end is not None:
            self._incoming(1, spots[-1], upper=False)
        for (a, b), line in zip(pairwise(spots), backbone[1:], strict=True):
            self.lines.append(self._propagator(b, a, line.pdg))
        for spot, group in zip(spots, branches, strict=True):
            for branch in group:
                self._branch(spot, branch, 1)

    def _incoming(self, position: int, spot: Point, upper: bool) -> None:
        y = max(spot[1] - 24, 18) if upper else min(spot[1] + 24, _CELL_HEIGHT - 12)
        if self._n_incoming == 1:
            y = spot[1]
        pdg = self._legs[position]
        start = (26.0, y)
        label = self._model.particle_name(pdg)
        self.lines.append(self._line(start, spot, pdg, label, (6, y + 4)))

    def _height(self, tree: Tree) -> float:
        inside = [self._heights[leaf.legs] for leaf in _leaves(tree)]
        return sum(inside) / len(inside)

    def _branch(self, start: Point, tree: Tree, level: int) -> None:
        right = _CELL_WIDTH - 34
        if not tree.children:
            pdg = self._legs[positions(tree.legs)[0]]
            end = (right, self._heights[tree.legs])
            label = self._model.particle_name(pdg)
            self.lines.append(self._line(start, end, pdg, label, (end[0] + 4, end[1] + 4)))
            return
        x = start[0] + (right - start[0]) * level / (self._depth + 1)
        spot = (x, self._height(tree))
        self.vertices.append(spot)
        self.lines.append(self._propagator(spot, start, tree.pdg))
        for child in tree.children:
            self._branch(spot, child, level + 1)

    def _propagator(self, start: Point, end: Point, pdg: int) -> DrawnLine:
        """A line inside; `pdg` goes from start to end."""
        middle = ((start[0] + end[0]) / 2 + 9, (start[1] + end[1]) / 2 - 9)
        return self._line(start, end, pdg, self._model.particle(pdg).name, middle)

    def _line(self, start: Point, end: Point, pdg: int, label: str, label_at: Point) -> DrawnLine:
        style = line_style(pdg, self._model)
        return DrawnLine(style, *_along(start, end, pdg > 0), label, label_at)


def line_style(pdg: int, model: Model) -> LineStyle:
    """How a particle is drawn."""
    particle = model.particle(pdg)
    if particle.spin % 2 == 0:
        return "plain" if model.anti(pdg) == pdg else "arrow"
    if particle.spin == 1:
        return "dashed"
    if particle.spin > 3:
        return "double wave"
    return "coil" if particle.colour == 8 else "wave"


def _backbone(tree: Tree, n_incoming: int) -> tuple[list[Tree], list[list[Tree]], Tree | None]:
    """Vertices between the incoming legs, what leaves at each, and the second incoming leg."""
    if n_incoming == 1:
        return [tree], [list(tree.children)], None
    line, backbone, branches = tree, [], []
    while line.children:
        backbone.append(line)
        onward = next(child for child in line.children if child.legs & 2)
        branches.append([child for child in line.children if child is not onward])
        line = onward
    return backbone, branches, line


def _leaves(tree: Tree) -> list[Tree]:
    return [one for one in tree.subtrees() if not one.children]


def _depth(tree: Tree) -> int:
    return 1 + max(map(_depth, tree.children)) if tree.children else 0


def _along(start: Point, end: Point, forward: bool) -> tuple[Point, Point]:
    return (start, end) if forward else (end, start)


def _straight(start: Point, end: Point) -> str:
    return f"M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"


def _plain(start: Point, end: Point) -> str:
    return f'<path d="{_straight(start, end)}"/>'


def _arrow(start: Point, end: Point) -> str:
    """A line with an arrow in the middle."""
    (x, y), (u, v) = start, end
    angle = math.degrees(math.atan2(v - y, u - x))
    place = f"translate({(x + u) / 2:.1f},{(y + v) / 2:.1f}) rotate({angle:.0f})"
    head = f'<path d="M-4 -3L4 0L-4 3Z" style="fill:currentColor" transform="{place}"/>'
    return _plain(start, end) + head


def _dashed(start: Point, end: Point) -> str:
    return f'<path d="{_straight(start, end)}" stroke-dasharray="5 3"/>'


def _wave(start: Point, end: Point) -> str:
    return f'<path d="{_curve(start, end, _WAVE, (0.0, 2.5))}"/>'


def _coil(start: Point, end: Point) -> str:
    return f'<path d="{_curve(start, end, _COIL, (-3.0, 2.5))}"/>'


def _double_wave(start: Point, end: Point) -> str:
    """Two waves across each other."""
    other = _curve(start, end, _WAVE, (0.0, -2.5))
    return f'{_wave(start, end)}<path d="{other}"/>'


_SHAPES: dict[LineStyle, Callable[[Point, Point], str]] = {
    "arrow": _arrow,
    "plain": _plain,
    "dashed": _dashed,
    "wave": _wave,
    "coil": _coil,
    "double wave": _double_wave,
}


def _curve(start: Point, end: Point, period: float, offset: tuple[float, float]) -> str:
    """Path along a line with a circle added to it, whose radii along and across are `offset`."""
    length = math.hypot(end[0] - start[0], end[1] - start[1]) or 1.0
    along = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    turns = max(1, round(length / period))
    count = 12 * turns
    points = []
    for k in range(count + 1):
        share, angle = k / count, 2 * math.pi * turns * k / count
        forward = share * length + offset[0] * math.sin(angle)
        across = offset[1] * ((1 - math.cos(angle)) if offset[0] else math.sin(angle))
        x, y = forward * along[0] - across * along[1], forward * along[1] + across * along[0]
        points.append((start[0] + x, start[1] + y))
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
