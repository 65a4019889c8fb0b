"""Import of a run card: the command, other files, comments that name what is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import call
from run_cards import SMALL, TOP, import_run_card, imported

from madnis_py.errors import CardError
from madnis_py.physics.process.process import Process


def test_the_command_writes_nothing_but_with_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run_card.dat").write_text(
        SMALL + "2 = ickkw\nF = fixed_ren_scale\n0 = dynamical_scale_choice\n"
    )
    order: list[str | Path] = [
        "import-card",
        tmp_path / "run_card.dat",
        "--definition",
        "g g > t t~",
        "-o",
        tmp_path / "card.toml",
    ]
    refused = call(order, capsys, monkeypatch)
    assert refused.status == 2
    assert re.fullmatch(
        "madnis-py: run_card.dat: dynamical_scale_choice = 0: .*; set -1 .*takes 3. "
        r"ickkw = 2: .*; set 0, or 1 for MLM. "
        "--force writes a card with all the rest\n",
        refused.err,
    )
    assert not (tmp_path / "card.toml").exists()
    forced = call([*order, "--force"], capsys, monkeypatch)
    assert forced.status == 0
    assert (
        forced.out.count("not translated: ")
        == (tmp_path / "card.toml").read_text().count("# not translated: ")
        == 2
    )


def test_a_forced_card_names_in_comments_what_it_lacks_where_it_would_stand(tmp_path: Path) -> None:
    card, rest = imported(
        SMALL + "F = fixed_ren_scale\n0 = dynamical_scale_choice\n10 = xmtcentral\n30 = ptj2min\n",
        tmp_path,
        force=True,
    )
    text = rest.to_toml(card)
    lines = text.splitlines()
    assert lines[0].startswith("# not translated: xmtcentral = 10")
    assert lines[lines.index("[scales]") - 1].startswith(
        "# not translated: dynamical_scale_choice = 0"
    )
    assert lines[lines.index("[cuts.jet]") - 1].startswith("# not translated: ptj2min = 30")
    (tmp_path / "forced.toml").write_text(text)
    assert Process.from_card(tmp_path / "forced.toml").card.scales.renormalization == "sum_mt/2"


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="expected a readable run card; got: No such file"):
        import_run_card(tmp_path / "none.dat", TOP)
