"""Pictures of Feynman diagrams."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from madnis_py.card import card as cards
from madnis_py.physics.process.evaluation import diagram_pictures
from madnis_py.physics.process.process import Process

SVG = "{http://www.w3.org/2000/svg}"


def pictures(definition: str) -> dict[str, ElementTree.Element]:
    card = cards.load("www").updated({"process": {"definition": definition}})
    drawn = diagram_pictures(Process.from_card(card), Path("folder/diagrams.svg"))
    return {path.as_posix(): ElementTree.fromstring(text) for path, text in drawn.items()}


@pytest.mark.parametrize(
    ("definition", "diagrams", "particles"),
    [
        ("g g > t t~ g", 16, {"g", "t", "t~"}),
        ("u d~ > w+ w+ w-", 17, {"u", "d~", "w+", "w-", "a", "z", "h", "d"}),
        ("t > b w+, w+ > e+ ve", 1, {"t", "b", "e+", "ve", "w+"}),
        ("b b~ > h", 1, {"b", "b~", "h"}),
    ],
)
def test_every_diagram_is_drawn_with_the_names_of_its_particles(
    definition: str, diagrams: int, particles: set[str]
) -> None:
    (picture,) = pictures(definition).values()
    assert len(picture.findall(f"{SVG}g")) == diagrams
    assert particles <= {text.text for text in picture.iter(f"{SVG}text")}


def test_every_line_and_vertex_of_a_diagram_is_there() -> None:
    (picture,) = pictures("g g > t t~ g").values()
    for cell in picture.findall(f"{SVG}g"):
        vertices = len(cell.findall(f"{SVG}circle"))
        arrows = sum("transform" in path.attrib for path in cell.findall(f"{SVG}path"))
        lines = len(cell.findall(f"{SVG}path")) - arrows
        assert (vertices, lines) in {(3, 7), (2, 6)}  # four-point vertices save one of each
        assert 2 <= arrows <= 4


def test_points_of_the_lines_stay_inside_their_cell() -> None:
    (picture,) = pictures("g g > t t~ g").values()
    for path in picture.iter(f"{SVG}path"):
        if "transform" not in path.attrib:
            numbers = [
                float(word) for word in path.attrib["d"].replace("M", " ").replace("L", " ").split()
            ]
            assert all(0 <= x <= 230 for x in numbers[::2])
            assert all(0 <= y <= 150 for y in numbers[1::2])


def test_matrix_elements_get_a_file_each() -> None:
    assert sorted(pictures("p p > e+ e-")) == [
        f"folder/diagrams_{number}.svg" for number in (1, 2, 3, 4)
    ]
