from __future__ import annotations

import dataclasses
import shutil
import sys
import time
import zipfile
from pathlib import Path

import pytest
from ufo_models import MODELS, copied, installed

from madnis_py.errors import InputError
from madnis_py.physics.model import expressions
from madnis_py.physics.model.builtin_models import MODELS as BUILT_IN
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search import model_library
from madnis_py.physics.model_search.model_library import SEARCH_PATH, library, named_tables

SINGLET = MODELS / "scalar_singlet"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path and a user's data folder, both empty."""
    monkeypatch.setenv(SEARCH_PATH, str(tmp_path / "models"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "models").mkdir()
    return tmp_path


def test_built_in_models_are_found_by_their_names() -> None:
    assert named_tables("sm") is BUILT_IN["sm"]


@pytest.mark.parametrize("folder", ["models", "data/madnis_py/models"])
def test_models_are_found_by_name_in_the_search_path(elsewhere: Path, folder: str) -> None:
    shutil.copytree(SINGLET, elsewhere / folder / "singlet")
    assert named_tables("singlet") == named_tables(str(SINGLET))
    assert named_tables("singlet-plain").fixed


def test_archives_are_found_by_name(elsewhere: Path) -> None:
    with zipfile.ZipFile(elsewhere / "models" / "singlet.zip", "w") as archive:
        for path in SINGLET.glob("*.*"):
            archive.write(path, f"some-name/{path.name}")
    assert named_tables("singlet") == named_tables(str(SINGLET))
    assert named_tables(f"{elsewhere}/models/singlet.zip-plain").fixed


def test_installed_packages_are_found_and_not_imported(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = elsewhere / "site" / "singlet_model"
    shutil.copytree(SINGLET, package)
    (package / "__init__.py").write_text("raise SystemExit\n")
    monkeypatch.syspath_prepend(str(elsewhere / "site"))
    assert named_tables("singlet-model") == named_tables(str(SINGLET))
    assert named_tables("singlet_model-plain").fixed
    assert "singlet_model" not in sys.modules
    assert "singlet_model" in {one.name for one in library()}


def test_a_restriction_may_be_part_of_a_name_with_dashes(elsewhere: Path) -> None:
    shutil.copytree(SINGLET, elsewhere / "models" / "my-singlet-v2")
    assert not named_tables("my-singlet-v2").fixed
    assert named_tables("my-singlet-v2-plain").fixed


def test_the_library_lists_restrictions(elsewhere: Path) -> None:
    shutil.copytree(SINGLET, elsewhere / "models" / "singlet")
    (found,) = (one for one in library() if one.name == "singlet")
    assert found.path == elsewhere / "models" / "singlet"
    assert found.restrictions == ("plain",)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("singlett", 'expected a model: sm, sm_zprime, .* got "singlett"; did you mean "singlet"'),
        ("singlet-plane", 'unknown restriction "plane"; did you mean "plain"'),
        ("./nowhere", 'got "./nowhere"'),
        ("os", 'got "os"'),
        ("os.path", 'got "os.path"'),
        ("", 'got ""'),
        ("a\0b", "expected a model"),
        ("../" * 50 + "etc/passwd", "expected a model"),
    ],
)
def test_unknown_names_are_told_with_the_closest(elsewhere: Path, name: str, sentence: str) -> None:
    shutil.copytree(SINGLET, elsewhere / "models" / "singlet")
    with pytest.raises(InputError, match=sentence):
        named_tables(name)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    folder = copied("scalar_singlet", tmp_path, {})
    first = named_tables(str(folder))
    text = (folder / "parameters.py").read_text()
    (folder / "parameters.py").write_text(text.replace("value=30.0", "value=31.5"))
    second = named_tables(str(folder))
    assert second.digest != first.digest
    assert {one.name: one.default for one in second.parameters}["kap12"] == 31.5


def test_what_was_read_comes_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADNIS_PY_CACHE", str(tmp_path / "cache"))
    model_library._tables.cache_clear()
    first = named_tables(str(SINGLET))
    model_library._tables.cache_clear()
    monkeypatch.setattr(model_library, "_read", None)
    assert named_tables(str(SINGLET)) == first


def test_models_from_the_cache_parse_no_expression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADNIS_PY_CACHE", str(tmp_path / "cache"))
    model_library._tables.cache_clear()
    tables = named_tables(str(SINGLET))
    parsed = Model("singlet", {}, dataclasses.replace(tables, trees={}))
    expressions.tree_of.cache_clear()
    monkeypatch.setattr(expressions, "_parsed", None)
    kept = Model("singlet", {}, tables)
    texts = [text for vertex in tables.vertices for text in vertex.couplings]
    assert [kept.coupling(text) for text in texts] == [parsed.coupling(text) for text in texts]


def test_the_mssm_is_there_in_two_seconds_and_from_the_cache_in_a_fifth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADNIS_PY_CACHE", str(tmp_path))
    installed("ufo_mssm")
    seconds = []
    for _ in range(4):
        model_library._tables.cache_clear()
        expressions.tree_of.cache_clear()
        start = time.process_time()
        Model("ufo_mssm", {}, named_tables("ufo_mssm"))
        seconds.append(time.process_time() - start)
    assert seconds[0] < 2.0
    assert min(seconds[1:]) < 0.2


MALICE = {
    "particles.py": "import os\nos.system('touch CANARY')\n",
    "parameters.py": "x = open('CANARY', 'w')\n",
    "couplings.py": "exec(\"open('CANARY', 'w')\")\n",
    "lorentz.py": "x = ().__class__.__bases__[0].__subclasses__()\n",
    "vertices.py": "Vertex = type('V', (), {})\nfor x in (1,):\n    open('CANARY', 'w')\n",
    "function_library.py": "def f():\n    open('CANARY', 'w')\nf()\n",
    "coupling_orders.py": "x = [open('CANARY', 'w') for y in (1,)]\n",
}


@pytest.mark.parametrize("file", MALICE)
def test_nothing_of_a_model_is_executed(tmp_path: Path, file: str) -> None:
    """A canary dies if anything is; neighbours that nobody reads may hold anything."""
    canary = tmp_path / "canary"
    folder = copied("scalar_singlet", tmp_path, {})
    hatch = f"open({str(canary)!r}, 'w')\n"
    for name in ("__init__.py", "object_library.py", "write_param_card.py", "decays.py"):
        (folder / name).write_text(hatch)
    (folder / "py3_model.pkl").write_bytes(b"cbuiltins\nopen\n(S'%s'\nS'w'\ntR." % bytes(canary))
    named_tables(str(folder))
    (folder / file).write_text(MALICE[file].replace("CANARY", str(canary)))
    with pytest.raises(InputError, match=rf"{file}: line \d+: expected"):
        named_tables(str(folder))
    assert not canary.exists()


@pytest.mark.parametrize(
    "value",
    [
        "__import__('os').system('touch CANARY')",
        "open('CANARY', 'w')",
        "(lambda: open('CANARY', 'w'))()",
        "ymm.__class__.__mro__",
        "exec('1')",
        "complexconjugate.__globals__",
    ],
)
@pytest.mark.parametrize("file", ["couplings.py", "parameters.py", "function_library.py"])
def test_expressions_execute_nothing(tmp_path: Path, file: str, value: str) -> None:
    canary = tmp_path / "canary"
    text = value.replace("CANARY", str(canary)).replace('"', '\\"')
    old = {
        "couplings.py": '"-(complex(0,1)*portal)"',
        "parameters.py": '"kap12*norm"',
        "function_library.py": '"z/2"',
    }[file]
    folder = copied("scalar_singlet", tmp_path, {file: (old, f'"{text}"')})
    with pytest.raises((InputError, ValueError), match="expected"):
        Model("malice", {}, named_tables(str(folder)))
    assert not canary.exists()
