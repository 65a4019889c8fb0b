"""Census of cards: every card below this folder gives events, or the sentence that it asks for.

The first line of a card says which: "# events"; "# sentence: " and a regular expression where the
card means something that is not computed here; "# mistake: " and one where it means nothing. Files
.dat are MadGraph's: run cards, with a line "# process: " with the definition that they are for, and
process cards.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from command_line import call

from madnis_py.card import card as cards
from madnis_py.card.card import Card
from madnis_py.errors import InputError
from madnis_py.events.files.formats import open_events
from madnis_py.integration.grids.vegas_flow import VegasSettings
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process_set import ProcessSet
from madnis_py.plugins.madgraph_cards.process_cards.card_files import found_cards
from madnis_py.plugins.madgraph_cards.process_cards.cards_import import import_cards
from madnis_py.run.scans.scan_points import scan_points

FOLDER = Path(__file__).parent
CARDS = {
    path.relative_to(FOLDER).as_posix(): path
    for path in sorted((*FOLDER.glob("*/*.toml"), *FOLDER.glob("*/*.dat")))
}
SENTENCE = "# sentence: "
MISTAKE = "# mistake: "
PROCESS = "# process: "
POINTS = 200
"""Points at which a card has to have a cross section; more are tried where the cuts leave few."""

MOST_POINTS = 20_000
EVENTS = 20
"""Events of the slow test."""

SURVEY = VegasSettings(iterations=4, points=2_000)
"""Survey of the slow test; with two million points a process with jets takes minutes."""


def first_line(path: Path) -> str:
    return path.read_text().partition("\n")[0]


def with_first_line(start: str) -> list[str]:
    return [name for name, path in CARDS.items() if first_line(path).startswith(start)]


def read(path: Path) -> Card:
    """The card of a file, of ours or of MadGraph's."""
    if path.suffix == ".toml":
        return cards.load(path)
    lines = path.read_text().splitlines()
    definition = next((line for line in lines if line.startswith(PROCESS)), None)
    files = found_cards(path, definition and definition.removeprefix(PROCESS))
    return import_cards(files, "toy")[0]


def differentials(path: Path) -> list[CrossSection]:
    card = read(path)
    points = [point.card for point in scan_points(card)] or [card]
    return [
        CrossSection(process)
        for point in points
        for process in ProcessSet.from_card(point).processes
    ]


def test_every_card_says_what_it_must_give() -> None:
    kinds = [with_first_line(kind) for kind in ("# events", SENTENCE, MISTAKE)]
    assert {name for kind in kinds for name in kind} == set(CARDS)


def test_of_cards_that_mean_something_nineteen_in_twenty_give_events() -> None:
    events, refused = len(with_first_line("# events")), len(with_first_line(SENTENCE))
    assert events >= 120
    assert events / (events + refused) >= 0.95


@pytest.mark.parametrize("name", with_first_line("# events"))
def test_a_card_has_a_cross_section_at_some_points(name: str) -> None:
    for integrand in differentials(CARDS[name]):
        assert has_a_cross_section(integrand)


def has_a_cross_section(integrand: CrossSection) -> bool:
    """Whether one of the points has, all values being finite."""
    random = torch.Generator().manual_seed(1)
    for _ in range(MOST_POINTS // POINTS):
        x = torch.rand((POINTS, integrand.dim), generator=random, dtype=torch.float64)
        channel = torch.arange(POINTS) % integrand.n_channels
        value = integrand.evaluate(x, channel.sort().values).value
        assert value.isfinite().all()
        if value.any():
            return True
    return False


@pytest.mark.parametrize("name", with_first_line(SENTENCE) + with_first_line(MISTAKE))
def test_a_card_that_cannot_be_run_says_so_in_a_sentence(name: str) -> None:
    _, _, sentence = first_line(CARDS[name]).partition(": ")
    with pytest.raises(InputError, match=sentence):
        differentials(CARDS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", with_first_line("# events"))
def test_a_card_gives_events(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = tmp_path / "card.toml"
    card.write_text(read(CARDS[name]).to_toml())
    directory = str(tmp_path / "run")
    monkeypatch.setattr(VegasSettings, "for_integrand", lambda integrand: SURVEY)
    run = ["run", str(card), "-o", directory, "--events", str(EVENTS), "--points", "2000"]
    done = call([*run, "--method", "vegas", "--preset", "quick"], capsys, monkeypatch)
    assert done.status == 0, done.err
    files = list(Path(directory).glob("**/events.lhe.gz"))  # one for each point of a scan
    assert files
    for file in files:
        assert sum(map(len, open_events(file))) == EVENTS
