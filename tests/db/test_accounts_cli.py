"""`./gis org`, `./gis user` and keys of accounts, as an administrator types them."""

import os
import re

import pytest

from gis_service.cli.__main__ import main
from tests import sample
from tests.db.loads import ROOT


@pytest.fixture(autouse=True)
def environment(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands work on this test's database and speak English."""
    for name in [name for name in os.environ if name.startswith("GIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIS_DATABASE_URL", fresh_database)
    monkeypatch.setenv("GIS_ROOT", str(ROOT))
    monkeypatch.setenv("GIS_LANG", "en")


def gis(*words: str) -> None:
    assert main(list(words)) == 0, words


def test_an_office_is_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    gis("org", "create", "centre", "Cơ quan", "--tier", "central", "--name-en", "Agency")
    gis("org", "create", "15", "Sở", "--tier", "province", "--parent", "centre", "--jurisdiction", "15")
    assert "No province has the code 15" in capsys.readouterr().err
    gis("org", "list")
    assert capsys.readouterr().out == "centre\tAgency\tcentral\t\t0\n  15\tSở\tprovince\t15\t0\n"
    gis("user", "create", "lan", "--email", "lan@example.vn")
    gis("user", "grant", "lan", "--organisation", "15", "--role", "editor", "--until", "2099-01-31")
    assert "now sees: jurisdiction:15" in capsys.readouterr().out
    gis("user", "list", "--org", "15")
    assert capsys.readouterr().out == "lan\tperson\tjurisdiction:15\teditor@15\topen\n"
    gis("user", "show", "lan")
    shown = capsys.readouterr().out
    assert "sees: jurisdiction:15" in shown
    assert re.search(r"editor in 15 since \d{4}-\d\d-\d\d until 2099-01-31, by ", shown)
    gis("key", "create", "lan", "--scope", "edit", "--until", "2099-01-31")
    gis("key", "create", "lan", "--until", "2001-01-31")
    assert capsys.readouterr().out.startswith("gis_")
    gis("key", "list")
    lines = [line.split("\t")[5:] for line in capsys.readouterr().out.splitlines()]
    assert lines == [["valid until 2099-01-31", "edit,read"], ["expired", "read"]]
    gis("user", "set", "lan", "--display-name", "Lan Anh", "--email", "anh@example.vn")
    changed = capsys.readouterr().out
    assert "Lan Anh" in changed
    assert "anh@example.vn" in changed
    gis("user", "set", "lan", "--email", "")
    emptied = capsys.readouterr().out
    assert "Lan Anh" in emptied
    assert "@example.vn" not in emptied
    gis("user", "revoke", "lan", "--organisation", "15", "--role", "editor")
    assert "now sees: public" in capsys.readouterr().out
    gis("user", "lock", "lan")
    gis("user", "list")
    assert capsys.readouterr().out.endswith("\tlocked\n")
    gis("user", "unlock", "lan")


def test_the_tree_is_changed(capsys: pytest.CaptureFixture[str]) -> None:
    gis("org", "create", "a", "A", "--tier", "province", "--jurisdiction", "A")
    gis("org", "create", "b", "B", "--tier", "partner")
    gis("org", "move", "b", "--parent", "a")
    gis("org", "rename", "b", "Viện", "--name-en", "Institute")
    gis("org", "set", "a", "--jurisdiction", "")
    capsys.readouterr()
    gis("org", "list")
    assert capsys.readouterr().out == "a\tA\tprovince\t\t0\n  b\tInstitute\tpartner\t\t0\n"
    gis("org", "show", "b")
    assert "belongs to: a" in capsys.readouterr().out
    gis("org", "move", "b")
    gis("org", "show", "b")
    assert "belongs to: \n" in capsys.readouterr().out


def test_an_invited_person_gets_an_account(capsys: pytest.CaptureFixture[str]) -> None:
    gis("org", "create", "centre", "Cơ quan", "--tier", "central")
    capsys.readouterr()
    gis("user", "invite", "hoa@example.vn", "--organisation", "centre", "--role", "reviewer")
    token = capsys.readouterr().out.strip()
    assert token.startswith("gisinv_")
    gis("user", "accept", token, "--display-name", "Hoa")
    assert "hoa@example.vn" in capsys.readouterr().out
    assert main(["user", "accept", token]) == 4
    assert "used up" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["org", "show", "nowhere"], 2, "organisation 'nowhere'"),
        (["org", "set", "nowhere"], 2, "say what it looks after"),
        (["org", "create", "a b", "A", "--tier", "partner"], 4, "A code has 1 to 40 letters"),
        (["user", "show", "nobody"], 2, "account 'nobody'"),
        (["user", "create", ""], 4, "An account needs a name"),
        (["user", "lock", "nobody"], 2, "account 'nobody'"),
        (["user", "grant", "nobody", "--org", "x", "--role", "reader"], 4, "no account of that name"),
        (
            ["user", "invite", "hoa@example.vn", "--org", "x", "--role", "reader"],
            4,
            "no organisation of that",
        ),
        (["user", "invite", "h@e.vn", "--org", "x", "--role", "reader", "--days", "0"], 2, "1 to 365 days"),
        (["key", "create", "nobody"], 2, "principal 'nobody'"),
    ],
)
def test_mistakes_are_told(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == code
    assert said in capsys.readouterr().err


def test_a_refusal_speaks_vietnamese(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIS_LANG", "vi")
    assert main(["org", "create", "a b", "A", "--tier", "partner"]) == 4
    assert capsys.readouterr().err.startswith("Mã gồm 1 đến 40")


def test_a_board_is_given_its_area(capsys: pytest.CaptureFixture[str], fresh_database: str) -> None:
    sample.fill(fresh_database)
    gis("org", "create", "ba-vi", "Ban", "--tier", "site", "--area", "open-A", "--buffer", "500")
    gis("org", "set", "ba-vi", "--buffer", "750", "--area", "open-A", "--area", "open-B")
    capsys.readouterr()
    gis("org", "list")
    assert capsys.readouterr().out == "ba-vi\tBan\tsite\topen-A,open-B\t0\n"
    gis("org", "show", "ba-vi")
    assert "metres round them: 750" in capsys.readouterr().out
    assert main(["org", "set", "ba-vi", "--buffer", "1", "--area", "nowhere"]) == 4
    assert "no protected area of that public id" in capsys.readouterr().err
    gis("org", "show", "ba-vi")
    assert "metres round them: 750" in capsys.readouterr().out  # whole or not at all
    gis("org", "set", "ba-vi", "--area", "")
