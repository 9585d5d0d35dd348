"""What templates make can be sent, whatever texts stand in them."""

from __future__ import annotations

import pytest
from django.template import TemplateDoesNotExist, engines
from django.template.loader import get_template


@pytest.mark.parametrize(
    ("text", "shown"),
    [("x\ud800y", "x\ufffdy"), ("\udfff", "\ufffd"), ("\ud83d\ude00", "\U0001f600"), ("é <b>", "é &lt;b&gt;")],
)
def test_half_of_a_surrogate_pair_is_shown_as_a_replacement_character(text: str, shown: str) -> None:
    page = engines["django"].from_string("<p>{{ text }}</p>").render({"text": text})
    assert page == f"<p>{shown}</p>"
    assert page.encode()


def test_a_template_that_is_missing_is_said_to_be() -> None:
    with pytest.raises(TemplateDoesNotExist, match="playground/none"):
        get_template("playground/none.html")


def test_what_a_template_makes_stays_safe() -> None:
    inner = engines["django"].from_string("<b>1</b>").render({})
    assert engines["django"].from_string("{{ inner }}").render({"inner": inner}) == "<b>1</b>"
