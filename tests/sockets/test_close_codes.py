"""Close codes are known to the server, to the pages' scripts and to the protocol's description: the same ones."""

from __future__ import annotations

import re
from pathlib import Path

from playground.sockets import close_codes

ROOT = Path(__file__).resolve().parent.parent.parent
CODES = {name: code for name, code in vars(close_codes).items() if name.isupper()}


def test_the_scripts_have_the_servers_codes() -> None:
    script = (ROOT / "static/js/lib/close-codes.js").read_text()
    named = dict(re.findall(r"export const (\w+) = (\d{4})", script))
    assert len(named) == 3
    for name, code in named.items():
        assert CODES[re.sub(r"(?=[A-Z])", "_", name).upper()] == int(code)


def test_no_script_has_a_code_of_its_own() -> None:
    scripts = [path for path in (ROOT / "static/js").rglob("*.js") if path.name != "close-codes.js"]
    written = "|".join(str(code) for code in CODES.values())
    assert [path.name for path in scripts if re.search(rf"\b({written})\b", path.read_text())] == []


def test_the_description_of_the_protocol_lists_them() -> None:
    rows = re.findall(r"^\| (\d{4}) \| `(\w+)` \|", (ROOT / "playground/sockets/README.md").read_text(), re.M)
    assert {name: int(code) for code, name in rows} == CODES
