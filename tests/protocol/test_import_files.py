"""One request, as many tools and people write it: each file in `pasted` means the same body."""

from pathlib import Path

import pytest

from tests.protocol.importing import BODY, imported, spelled

PASTED = sorted((Path(__file__).parent / "pasted").iterdir())


@pytest.mark.parametrize("path", PASTED, ids=lambda path: path.name)
def test_every_way_to_write_the_request_gives_its_body(path: Path) -> None:
    text = path.read_bytes().decode()
    result = imported(text)
    assert spelled(result.body) == spelled(BODY), result.notes
    assert result.base_url in (None, "https://api.example.test")
    if "api.example.test" in text:
        assert result.base_url is not None
    if "2023-06-01" in text:
        assert result.version == "2023-06-01"
    assert result.accept is None
    assert not [name for name, _ in result.headers if name != "x-team"]
