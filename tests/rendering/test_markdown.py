"""Foreign markdown: cut where it is finished, drawn once, and never more than text."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.rendering.markdown import Headings, Splitter, draw, highlight_code, render, split
from tests.support.elements import Elements
from tests.support.hostile_texts import HOSTILE

LINES = st.sampled_from(
    [
        *("", "text", "# title", "- item", "1. one", "  more", "    code", "```", "```py", "~~~~", "> said", "***"),
        *("\tx", "[a]: http://x", "`` ` ``", "$$ x", "| a | b |", "|---|---|"),
    ]
)
MARKDOWN = st.lists(LINES, max_size=30).map("\n".join) | st.text(alphabet="`~-*# \n\t>|x1.[]()\\$", max_size=200)
ALLOWED = {
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "span", "div", "ul", "ol", "li", "blockquote", "a",
    "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ALLOWED_ATTRIBUTES = {"class", "href", "title", "rel", "target", "start", "tabindex", "role", "aria-label", "dir"}


# --- Cutting ------------------------------------------------------------------------------------------------------


@given(MARKDOWN)
def test_the_parts_and_the_tail_are_the_text(text: str) -> None:
    parts, tail = split(text)
    assert "".join(parts) + tail == text


@given(MARKDOWN, st.data())
def test_what_is_finished_never_changes(text: str, data: st.DataObject) -> None:
    beginning = text[: data.draw(st.integers(0, len(text)))]
    early, _ = split(beginning)
    late, _ = split(text)
    assert late[: len(early)] == early


@given(MARKDOWN, st.lists(st.integers(1, 7), max_size=60))
def test_it_does_not_matter_in_which_pieces_a_text_comes(text: str, sizes: list[int]) -> None:
    splitter, parts, at = Splitter(), [], 0
    for size in [*sizes, len(text)]:
        parts += splitter.feed(text[at : at + size])
        at += size
        assert splitter.tail_size == len(splitter.tail)
    assert (parts, splitter.tail) == split(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One.\n\nTwo.\n\n", ["One.\n\n", "Two.\n\n"]),
        ("- a\n\n- b\n\n  more\n\nafter\n\n", ["- a\n\n- b\n\n  more\n\n", "after\n\n"]),
        ("```py\nx\n\ny\n```\nafter", ["```py\nx\n\ny\n```\n"]),
        (
            "1. a\n   ```\n   x\n\n   y\n   ```\n2. b\n\nafter\n\n",
            ["1. a\n   ```\n   x\n\n   y\n   ```\n2. b\n\n", "after\n\n"],
        ),
        ("Here:\n```\nx\n```\n", ["Here:\n", "```\nx\n```\n"]),
        ("````\n```\n````\n", ["````\n```\n````\n"]),
        ("    code\n\n    more\n\ntext\n\n", ["    code\n\n    more\n\n", "text\n\n"]),
    ],
)
def test_a_part_is_a_whole_block(text: str, parts: list[str]) -> None:
    assert split(text)[0] == parts


def test_a_long_list_is_cut_between_items_and_goes_on_counting() -> None:
    text = "".join(f"{number}. {'word ' * 20}\n" for number in range(1, 101))
    parts, _ = split(text)
    assert len(parts) > 1
    start = int(parts[1].split(".")[0])
    assert f'<ol start="{start}">' in render(parts[1])


def test_a_huge_open_fence_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    take, tail = Splitter._take, Splitter.tail

    def counted_take(self: Splitter, line: str, parts: list[str]) -> None:
        nonlocal looked_at
        looked_at += len(line)
        take(self, line, parts)

    def counted_tail(self: Splitter) -> str:
        nonlocal looked_at
        found: str = tail.fget(self)  # type: ignore[misc,attr-defined]
        looked_at += len(found)
        return found

    monkeypatch.setattr(Splitter, "_take", counted_take)
    monkeypatch.setattr(Splitter, "tail", property(counted_tail))
    splitter, pieces = Splitter(), ["```\n", *["x = 1  # a", " line\n"] * 5_000]
    for piece in pieces:
        splitter.feed(piece)
    assert looked_at == sum(map(len, pieces))


# --- Rendering ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**b** *e* ~~s~~ `c`", "<p><strong>b</strong> <em>e</em> <s>s</s> <code>c</code></p>"),
        ("# One\n", "<h3>One</h3>"),
        ("## Two\n", "<h3>Two</h3>"),
        ("#### Four\n", "<h3>Four</h3>"),
        ("|a|\n|:-:|\n|1|\n", '<th class="to-center">a</th>'),
        (r"\(a*b*c\) and \[x_1_\]", r"<p>\(a*b*c\) and \[x_1_\]</p>"),
        ("$$\na_1 * b_2 * c\n$$", "$$\na_1 * b_2 * c\n$$"),
        ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
        ("```python\nx = 1\n```\n", '<span class="n">x</span>'),
        ("```nonsense\nx < 1\n```\n", "x &lt; 1"),
        ("```python\nx = 1\n", '<span class="n">x</span>'),
    ],
)
def test_markdown_takes_its_shape(text: str, html: str) -> None:
    assert html in render(text)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("### a\n\n### b\n\n## c\n\n### d\n", [3, 3, 3, 4]),
        ("# a\n\n#### b\n\n##### c\n\n## d\n\n# e\n", [3, 4, 5, 4, 3]),
        ("# a\n\n## b\n\n### c\n\n#### d\n\n##### e\n\n###### f\n", [3, 4, 5, 6, 6, 6]),
        ("a\n===\n\n> #### b\n\n- ### c\n\nd\n---\n", [3, 4, 4, 4]),
    ],
)
def test_headings_nest_and_leave_no_level_out_wherever_the_text_is_cut(text: str, levels: list[int]) -> None:
    parts, tail = split(text)
    assert len(parts) > 1
    headings: Headings = ()
    found = []
    for part in [*parts, tail]:
        html, headings = draw(part, headings)
        found += [int(tag[1]) for tag, _ in Elements(html).tags if re.fullmatch("h[1-6]", tag)]
    assert found == levels
    assert [int(level) for level in re.findall(r"<h(\d)", render(text))] == levels


def test_a_link_goes_out_and_says_nothing_of_where_it_comes_from() -> None:
    assert Elements(render("[x](https://example.org/a?b=1&c=2)")).tags[1] == (
        "a",
        {"href": "https://example.org/a?b=1&c=2", "target": "_blank", "rel": "noopener noreferrer nofollow"},
    )


def test_an_image_is_a_link_with_its_description() -> None:
    html = render("![a cat](https://example.org/cat.png)")
    assert "<img" not in html
    assert ">a cat</a>" in html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    for tag, attributes in Elements(render(text.encode("utf-8", "replace").decode())).tags:
        assert tag in ALLOWED
        assert set(attributes) <= ALLOWED_ATTRIBUTES
        if tag == "a":
            assert re.match(r"(https?://|mailto:)", attributes["href"] or "")
            assert attributes["rel"] == "noopener noreferrer nofollow"


@given(st.text(alphabet="<>/=\"'`[]()!*_#&;:aonclickhrefjsx \n|-~\\", max_size=300))
def test_no_text_makes_an_element_that_is_not_on_the_list(text: str) -> None:
    for tag, attributes in Elements(render(text)).tags:
        assert tag in ALLOWED
        assert set(attributes) <= ALLOWED_ATTRIBUTES


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 32_000, marks=pytest.mark.slow), pytest.param("![[" * 10_000, marks=pytest.mark.slow),
        "`" * 32_000, "[a](" * 8_000, "*a **a " * 4_500, "> " * 16_000, "- " * 15_000,
        "<" * 32_000, "\\(" * 16_000, "$$ a" * 8_000, "[a](<b" * 5_000, "|" * 16_000 + "\n" + "|-" * 8_000,
        ("[x]: http://a\n" * 2_000) + "[x]" * 500, "_a __b " * 4_500, "```" + "`" * 30_000,
    ],
)  # fmt: skip
def test_text_made_to_be_slow_is_not(text: str) -> None:
    calls, before = 0, sys.getprofile()

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        render(text)
    finally:
        sys.setprofile(before)
    # The worst makes 300 for each character; a look at the whole text for each would be ten thousands.
    assert calls < 600 * len(text)


def test_a_part_too_large_to_render_is_shown_as_it_is() -> None:
    html = render("word *x* " * 10_000)
    assert html.startswith('<pre class="plain">')
    assert "<em>" not in html


@pytest.mark.parametrize(
    ("language", "text"), [("python", "\n " * 10_000), ("typescript", "a." * 10_000), ("arduino", "\n" * 20_000)]
)
def test_code_made_to_be_slow_is_shown_without_colours(language: str, text: str) -> None:
    assert highlight_code(f"x = 1{text}<b>", language) == f"x = 1{text}&lt;b&gt;"


@pytest.mark.parametrize("name", ["python", "py", "js", "sh", "c++", "html", "JSON"])
def test_common_languages_have_colours_under_all_their_names(name: str) -> None:
    assert "<span" in highlight_code('<a href="b">1</a>', name)


def test_boxes_that_scroll_are_no_landmarks_since_there_may_be_many_alike() -> None:
    html = render("| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```\n")
    assert html.count('role="group"') == 2
    assert "region" not in html


def test_a_block_with_hebrew_or_arabic_is_set_in_its_own_direction() -> None:
    mixed = "# مرحبا\n\n- עברית\n  - nested\n\n> זהו\n\n| א | b |\n|---|---|\n\nEnglish"
    drawn = render(mixed)
    for block in ("h3", "ul", "blockquote", "table", "p"):
        assert f'<{block} dir="auto">' in drawn, block
    assert '<ul dir="auto">\n<li>nested' not in drawn, "it follows the list it is in"
    assert "dir=" not in render("# Hello\n\n- café → 日本")
