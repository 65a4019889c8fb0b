import hashlib
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madnis_py.card import card
from madnis_py.card.card import Card
from madnis_py.errors import CardError

MINIMAL = {"process": {"definition": "p p > e+ e-"}}

MALFORMED = {
    "no process": ({"process": None}, "card: process: expected a value; got none"),
    "no definition": ({"process": {}}, "card: process.definition: expected a value; got none"),
    "misspelt process": (
        {"process": None, "proces": {"definition": "p p > z"}},
        'card: proces: unknown key; did you mean "process"?',
    ),
    "misspelt definition": (
        {"process": {"definitio": "p p > z"}},
        'card: process.definitio: unknown key; did you mean "definition"?',
    ),
    "empty definition": (
        {"process": {"definition": " "}},
        'card: process.definition: expected text or a list of texts; got " "',
    ),
    "no process in the list": (
        {"process": {"definition": []}},
        "card: process.definition: expected text or a list of texts; got []",
    ),
    "process is a number": ({"process": 3}, "card: process: expected a table; got 3"),
    "unknown table": ({"beam": {}}, 'card: beam: unknown key; did you mean "beams"?'),
    "unknown key": (
        {"scales": {"factorisation": 91.0}},
        'scales.factorisation: unknown key; did you mean "factorization"?',
    ),
    "far from any key": (
        {"beams": {"xyzzy": 1}},
        "beams.xyzzy: unknown key; known are beamstrahlung, energy, nucleons, particle, pdf, ",
    ),
    "empty model": (
        {"process": {"definition": "p p > e+ e-", "model": ""}},
        "process.model: expected",
    ),
    "negative energy": (
        {"beams": {"energy": [6500, -6500]}},
        "card: beams.energy[1]: expected GeV >= 0; got -6500",
    ),
    "energy as text": (
        {"beams": {"energy": ["6500", 1.0]}},
        'beams.energy[0]: expected GeV >= 0; got "6500"',
    ),
    "infinite energy": (
        {"beams": {"energy": [float("inf"), 1.0]}},
        "beams.energy[0]: expected GeV >= 0; got Infinity",
    ),
    "one energy": (
        {"beams": {"energy": 13000}},
        "beams.energy: expected two energies [beam 1, beam 2]; got 13000",
    ),
    "three energies": ({"beams": {"energy": [1, 2, 3]}}, "beams.energy: expected two energies"),
    "pdf is a number": (
        {"beams": {"pdf": 331900}},
        "beams.pdf: expected text, or two texts [beam 1, beam 2]; got 331900",
    ),
    "unknown backend": (
        {"beams": {"pdf_backend": "apfel"}},
        'beams.pdf_backend: expected "builtin" or "lhapdf"; got "apfel"',
    ),
    "unknown scale": (
        {"scales": {"factorization": "HT"}},
        "scales.factorization: expected GeV > 0 or one of ht,",
    ),
    "scale of no part": (
        {"scales": {"factorization": "ht/0.0"}},
        "scales.factorization: expected GeV > 0 or one of ht, sum_et, sum_mt, sqrt_s, clustering, ",
    ),
    "scale of a negative part": (
        {"scales": {"factorization": "ht/-2"}},
        "scales.factorization: expected GeV > 0 or one of",
    ),
    "scale of zero": (
        {"scales": {"renormalization": 0}},
        "scales.renormalization: expected GeV > 0 or one of",
    ),
    "parameter as text": (
        {"parameters": {"MZ": "91.188"}},
        'parameters.MZ: expected a number, or "auto" for a width; got "91.188"',
    ),
    "parameter as truth": (
        {"parameters": {"MZ": True}},
        'parameters.MZ: expected a number, or "auto" for a width; got true',
    ),
    "unknown cut": (
        {"cuts": {"e+": {"pt_minimum": 1.0}}},
        'cuts."e+".pt_minimum: unknown key; did you mean "pt_min"?',
    ),
    "negative cut": (
        {"cuts": {"lepton": {"pt_min": -1}}},
        "cuts.lepton.pt_min: expected GeV >= 0; got -1",
    ),
    "pt of a pair": (
        {"cuts": {"e+,e-": {"pt_min": 1}}},
        'cuts."e+,e-": expected one particle or class for a cut on pt',
    ),
    "mass of one": (
        {"cuts": {"e+": {"mass_min": 1}}},
        'cuts."e+": expected a pair like "e+,e-" for a cut on mass',
    ),
    "distance of three": ({"cuts": {"e+,e-,g": {"dr_min": 1}}}, "expected a pair"),
    "empty range": (
        {"cuts": {"e+": {"pt_min": 5, "pt_max": 2}}},
        "expected pt_min <= pt_max; got 5 and 2",
    ),
    "cut is a number": ({"cuts": {"e+": 20.0}}, 'cuts."e+": expected a table; got 20.0'),
    "unknown prior": (
        {"channels": {"prior": "vegas"}},
        'channels.prior: expected "auto", "diagram"',
    ),
    "unknown preset": (
        {"training": {"preset": "fast"}},
        'training.preset: expected "quick", "standard" or "paper"; got "fast"',
    ),
    "setting is a list": (
        {"training": {"layers": [1]}},
        "training.layers: expected a number, text or true or false; got [1]",
    ),
    "unknown key of a histogram": (
        {"histograms": {"ht": {"binz": 3}}},
        'histograms.ht.binz: unknown key; did you mean "bins"?',
    ),
    "no bins": (
        {"histograms": {"ht": {"bins": 0}}},
        "histograms.ht.bins: expected a whole number from 1 to 100000; got 0",
    ),
    "range of one number": (
        {"histograms": {"pt(e+)": {"range": [3]}}},
        'histograms."pt(e+)".range: expected two numbers [low, high], low < high; got [3]',
    ),
    "empty range of a histogram": (
        {"histograms": {"ht": {"range": [5, 5]}}},
        "histograms.ht.range: expected two numbers [low, high], low < high; got [5, 5]",
    ),
    "histogram is a number": (
        {"histograms": {"ht": 50}},
        "histograms.ht: expected a table; got 50",
    ),
    "switch is a number": (
        {"systematics": {"pdf_members": 0.0}},
        "systematics.pdf_members: expected true or false; got 0.0",
    ),
    "share of one": (
        {"events": {"overweight_share": 1}},
        "events.overweight_share: expected a share in [0, 1); got 1",
    ),
}


@pytest.mark.parametrize(("changes", "sentence"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_content_is_named_with_its_place(
    changes: dict[str, object], sentence: str
) -> None:
    data = {key: value for key, value in {**MINIMAL, **changes}.items() if value is not None}
    with pytest.raises(CardError, match=re.escape(sentence)):
        Card.parse(data)


VALUES = st.recursive(
    st.one_of(
        st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates(), st.just(10**400)
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(
    ["definition", "energy", "MZ", "factorization", "e+,e-", "lepton", "preset", "pt_min"]
)
TABLES = st.dictionaries(
    st.sampled_from(sorted(Card.model_fields)), VALUES | st.dictionaries(KEYS, VALUES, max_size=2)
)


@given(TABLES)
@settings(max_examples=300, derandomize=True, deadline=None)
def test_any_other_content_is_read_or_refused_in_one_sentence(tables: dict[str, object]) -> None:
    refusal = ""
    try:
        Card.parse({**MINIMAL, **tables})
    except CardError as error:
        refusal = str(error)
    assert not refusal or re.match(r"card: [^:]+: ", refusal)


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "my.toml"
    path.write_bytes(content)
    return path


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, b'[process]\ndefinition "p p > e+ e-"\n')
    with pytest.raises(CardError, match=r"^my\.toml: line 2, column 12: expected TOML; .*'='"):
        card.load(path)


def test_a_file_that_ends_too_early_is_named(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"^my\.toml: end of document: expected TOML"):
        card.load(write(tmp_path, b'[process]\ndefinition = """p p'))


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        CardError, match=r"my\.toml: expected UTF-8 text; got byte 0xff at offset 2"
    ):
        card.load(write(tmp_path, b"# \xff"))


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="expected a card file; got a directory"):
        card.load(tmp_path)


def test_a_missing_file_lists_the_shipped_processes() -> None:
    with pytest.raises(CardError, match="known are dijet, drell_yan, drell_yan_zprime"):
        card.load("nowhere/else.toml")


def test_a_name_close_to_a_shipped_one_is_corrected() -> None:
    with pytest.raises(CardError, match='did you mean "drell_yan"'):
        card.load("drel_yan")


def test_a_shipped_process_wins_over_a_directory_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drell_yan").mkdir()
    monkeypatch.chdir(tmp_path)
    assert card.load("drell_yan").process.definition == "p p > e+ e-"


def test_every_value_but_the_definition_has_a_default() -> None:
    assert Card.parse(MINIMAL).beams.energy == (6500.0, 6500.0)


@pytest.mark.parametrize("name", card.shipped())
def test_a_written_card_reads_back_with_the_same_digest(name: str, tmp_path: Path) -> None:
    original = card.load(name)
    path = tmp_path / "card.toml"
    path.write_text(original.to_toml(), encoding="utf-8")
    assert card.load(path).digest() == original.digest()


@pytest.mark.parametrize("name", card.shipped())
def test_shipped_cards_say_every_table_that_a_result_depends_on(name: str) -> None:
    tables = tomllib.loads(card.shipped()[name].read_text(encoding="utf-8"))
    assert set(tables) == set(Card.model_fields) - {"cluster", "histograms", "scan", "merging"}


def test_the_digest_sees_every_change() -> None:
    original = Card.parse(MINIMAL)
    assert original.digest() != original.updated({"events": {"overweight_share": 0.0}}).digest()


def test_the_digest_does_not_see_who_does_the_work_nor_what_is_drawn() -> None:
    original = Card.parse(MINIMAL)
    assert (
        original.digest()
        == original.updated({"cluster": {"kind": "slurm", "workers": 100}}).digest()
    )
    assert (
        original.digest()
        == original.updated({"histograms": {"pt(e+)": {"bins": 7, "range": [0, 70]}}}).digest()
    )


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    one = Card.parse({**MINIMAL, "parameters": {"MZ": 91.0, "MT": 170.0}})
    other = Card.parse({"parameters": {"MT": 170.0, "MZ": 91.0}, **MINIMAL})
    assert one.digest() == other.digest()
    assert len(one.digest()) == hashlib.sha256().digest_size * 2


def test_a_card_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(Card.parse(MINIMAL).beams, "pdf", "none")  # noqa: B010


def test_updates_are_checked() -> None:
    with pytest.raises(CardError, match=r"beams\.pdf: expected text, or two"):
        Card.parse(MINIMAL).updated({"beams": {"pdf": 3}})


def test_updates_can_take_a_key_away() -> None:
    assert (
        Card.parse({**MINIMAL, "parameters": {"MZ": 91.0}})
        .updated({"parameters": {"MZ": None}})
        .parameters.overrides
        == {}
    )


def test_training_keeps_settings_beside_the_preset() -> None:
    assert Card.parse({**MINIMAL, "training": {"batch_size": 512}}).training.overrides == {
        "batch_size": 512
    }


def test_rapidity_has_a_short_name() -> None:
    cut = Card.parse({**MINIMAL, "cuts": {"e+": {"y_max": 2.5}}}).cuts.by_name["e+"]
    assert cut.ranges() == {"rapidity": (float("-inf"), 2.5)}


def test_paths_inside_a_card_are_meant_from_its_folder(tmp_path: Path) -> None:
    path = write(tmp_path, b'[process]\ndefinition = "p p > e+ e-"\n[beams]\npdf = "sets/mine"\n')
    assert card.load(path).beams.pdf == str(tmp_path.resolve() / "sets" / "mine")


def test_a_list_of_one_definition_is_the_same_card_as_its_text() -> None:
    text, alone = (
        Card.parse({"process": {"definition": value}}) for value in ("p p > z", ["p p > z"])
    )
    assert alone.digest() == text.digest()
    assert alone.to_toml() == text.to_toml()


def test_a_card_of_several_processes_says_so_where_one_is_expected() -> None:
    several = Card.parse({"process": {"definition": ["p p > z", "p p > z j"]}})
    assert several.process.definitions == ("p p > z", "p p > z j")
    with pytest.raises(CardError, match=r"process\.definition: expected one process here; got 2"):
        _ = several.definition
