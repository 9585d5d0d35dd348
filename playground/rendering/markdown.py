"""The one renderer of foreign markdown: source in, sanitised HTML out, block by block.

`split` cuts a growing text into parts that are finished and a tail that is still open, so that a page draws each
part once. A part is rendered by itself: link references reach no further than their own part. Only the headings that
stand above it are handed on, so that its own nest below them.

Nothing in the result can run, load or be addressed: raw HTML is text, images become links, links go to http, https
and mailto only, no element has an id, and an allow-list is applied to the finished HTML once more.
"""

from __future__ import annotations

import html
import io
import re
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import nh3
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

MAX_RENDERED = 256_000  # characters of one text that are rendered; the rest is shown as plain text
MAX_PART = 32_000  # characters of one part, code blocks aside, above which it is shown as plain text
# Pygments knows many more. These were found to stay within MOST_LEXING_S on texts made to be slow; others may take
# seconds over a single token, where nobody can stop them.
COLOURED = frozenset({
    "bash", "c", "cpp", "csharp", "css", "diff", "go", "html", "java", "javascript", "json", "jsx", "kotlin",
    "markdown", "php", "python", "ruby", "rust", "scala", "sql", "swift", "text", "toml", "tsx", "typescript", "xml",
    "yaml",
})  # fmt: skip
MAX_HIGHLIGHTED = 20_000  # characters of one code block
MOST_LEXING_S = 0.15  # of the processor's time, for one code block
LIST_CUT = 4_000  # characters after which a long list may be cut between two items
FIRST_HEADING = 3  # the level of an answer's outermost heading: the page and its panels have the ones above

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_LIST_ITEM = re.compile(r" {0,3}([-+*]|\d{1,9}[.)])([ \t]|$)")
_CODE_LINE = re.compile(r"(?: {4}| {0,3}\t)")
_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
_CLASS = re.compile(r"[a-z][a-z0-9-]{0,20}")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_DIRECTED = {
    "paragraph_open", "heading_open", "bullet_list_open", "ordered_list_open", "blockquote_open", "table_open",
}  # fmt: skip


# --- Cutting ------------------------------------------------------------------------------------------------------


class Splitter:
    """Cuts a text that arrives in pieces. Work is linear in the text, whatever it holds.

    Only finished lines decide, so what has been handed over never changes. `tail_size` is in characters.
    """

    def __init__(self) -> None:
        self.tail_size = 0
        self._lines: list[str] = []  # finished lines of the open part
        self._line: list[str] = []  # pieces of the line that has not ended
        self._size = 0  # characters in _lines
        self._fence = ""  # the marker that opened the part, if it is a code block
        self._kind = ""  # of the open part: "" (nothing yet), "text", "list", "code"
        self._after_blank = False

    @property
    def tail(self) -> str:
        """Return the part that is still open. Costs its length."""
        return "".join(self._lines) + "".join(self._line)

    def feed(self, text: str) -> list[str]:
        """Take the next piece; return the parts that it finished."""
        parts: list[str] = []
        self.tail_size += len(text)
        start = 0
        while (end := text.find("\n", start) + 1) > 0:
            self._line.append(text[start:end])
            line = "".join(self._line)
            self._line = []
            self._take(line, parts)
            start = end
        if start < len(text):
            self._line.append(text[start:])
        return parts

    def _take(self, line: str, parts: list[str]) -> None:
        if self._fence:
            self._add(line)
            if _closes(line, self._fence):
                self._close(parts)
            return
        if not line.strip():
            self._add(line)
            self._after_blank = True
            if self._kind == "text":
                self._close(parts)
            return
        if self._ends_before(line):
            self._close(parts)
        if (fence := _FENCE.match(line)) and not (self._kind == "list" and line.startswith("  ")):
            self._close(parts)
            self._fence, self._kind = fence[1], "code"
        elif not self._kind:
            is_code = _CODE_LINE.match(line)
            self._kind = "list" if _LIST_ITEM.match(line) else "code" if is_code else "text"
        self._add(line)
        self._after_blank = False

    def _ends_before(self, line: str) -> bool:
        """Return whether this line, which is not blank, begins something new."""
        if self._kind == "list":
            if _LIST_ITEM.match(line):
                return self._size > LIST_CUT and line[0] not in " \t"
            return self._after_blank and line[0] not in " \t"
        return self._kind == "code" and not _CODE_LINE.match(line)

    def _add(self, line: str) -> None:
        self._lines.append(line)
        self._size += len(line)

    def _close(self, parts: list[str]) -> None:
        if self._kind:
            parts.append("".join(self._lines))
            self.tail_size -= self._size
            self._lines, self._size = [], 0
        self._fence, self._kind, self._after_blank = "", "", False


def _closes(line: str, fence: str) -> bool:
    text = line.rstrip()
    mark = text.lstrip(" ")
    return len(text) - len(mark) < 4 and len(mark) >= len(fence) and mark == fence[0] * len(mark)


def split(text: str) -> tuple[list[str], str]:
    """The finished parts of a text, and its open tail; joined they are the text.

    The parts of a text's beginning are the beginning of its parts, so each needs to be drawn only once.
    """
    splitter = Splitter()
    return splitter.feed(text), splitter.tail


# --- Rendering ----------------------------------------------------------------------------------------------------


Headings = tuple[int, ...]
"""The headings under which a text goes on: their levels as written, outermost first."""


class Drawn(NamedTuple):
    html: SafeString
    headings: Headings  # at the end of the part


def draw(text: str, headings: Headings = ()) -> Drawn:
    """One part as HTML that is safe to put into a page. `headings` are those at the end of the part before it."""
    if len(text) <= MAX_PART:
        return _draw_remembered(text, headings)
    return _draw(text, headings) if _FENCE.match(text.split("\n", 1)[0]) else Drawn(plain(text), headings)


def render(text: str) -> SafeString:
    """A text of one part as HTML that is safe to put into a page."""
    return draw(text).html


def plain(text: str) -> SafeString:
    """Text as it is, escaped, in an element that keeps its line breaks."""
    return format_html('<pre class="plain">{}</pre>', text)


@lru_cache(maxsize=2_000)
def _draw_remembered(text: str, headings: Headings) -> Drawn:
    return _draw(text, headings)


def _draw(text: str, headings: Headings) -> Drawn:
    env = {"headings": headings}
    made = _MARKDOWN.render(text.replace("\0", "\ufffd"), env)
    return Drawn(mark_safe(_CLEANER.clean(made)), env["headings"])  # noqa: S308 - allow-listed


@lru_cache(maxsize=100)
def _lexer(language: str) -> Any:
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except (ClassNotFound, ValueError):
        return None
    return None if COLOURED.isdisjoint(lexer.aliases) else lexer


_FORMATTER = HtmlFormatter(nowrap=True)


def highlight_code(code: str, language: str) -> SafeString:
    """Source text with Pygments' class names; plain when the language is unknown, the text large or the lexer slow."""
    lexer = _lexer(language.lower()) if re.fullmatch(r"[\w+#.-]{1,30}", language) else None
    coloured = io.StringIO()
    try:
        if lexer is None or len(code) > MAX_HIGHLIGHTED:
            raise TimeoutError
        _FORMATTER.format(_in_time(lexer.get_tokens(code)), coloured)
    except TimeoutError:
        return escape(code)
    return mark_safe(coloured.getvalue())  # noqa: S308 - the formatter escapes


def _in_time(tokens: Iterator[Any]) -> Iterator[Any]:
    """The tokens. Raises TimeoutError when they take too long: on a text made for it some lexers take minutes, and
    a regular expression at work holds up all that the process does."""
    end = time.thread_time() + MOST_LEXING_S
    for token in tokens:
        yield token
        if time.thread_time() > end:
            raise TimeoutError


# --- How markdown-it draws ----------------------------------------------------------------------------------------


def _draw_fence(_self: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: EnvType) -> str:
    words = tokens[at].info.split()
    language = words[0][:40] if words else ""
    code = highlight_code(tokens[at].content, language)
    label = html.escape(language or "text")
    return (
        f'<div class="codebox"><div class="codebox-head"><span>{label}</span></div>'
        f'<pre class="code" tabindex="0" role="group" aria-label="{label} code"><code>{code}</code></pre></div>\n'
    )


def _draw_image(_self: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: EnvType) -> str:
    """An image is never loaded: its description, linked to where it would come from."""
    source, alt = str(tokens[at].attrGet("src") or ""), html.escape(tokens[at].content or "image")
    if not _LINK.match(source):
        return alt
    address = html.escape(source)
    return f'<a class="image-link" href="{address}">{alt}</a>'


def _draw_cell(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """Alignment as a class: the content security policy allows no style attribute."""
    side = re.search(r"(center|right)", str(tokens[at].attrs.pop("style", "")))
    if side:
        tokens[at].attrSet("class", f"to-{side[1]}")
    return self.renderToken(tokens, at, options, env)


def _nest_headings(state: StateCore) -> None:
    """A heading stands one level below the one it belongs to, whatever levels were left out between them: an answer
    that begins with `###`, or goes from `#` to `####`, leaves no gap in the page's outline."""
    headings: Headings = state.env.get("headings", ())
    for token in state.tokens:
        if token.type == "heading_open":
            written = int(token.tag[1])
            headings = (*(level for level in headings if level < written), written)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, FIRST_HEADING - 1 + len(headings))}"
    state.env["headings"] = headings


def _find_directions(state: StateCore) -> None:
    """Where Hebrew, Arabic or the like occur, the browser finds the direction of each block by its first letter, and
    what is inside of the block follows it."""
    if not _RIGHT_TO_LEFT.search(state.src):
        return
    for token in state.tokens:
        if token.level == 0 and token.type in _DIRECTED:
            token.attrSet("dir", "auto")


def _draw_table(_self: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: EnvType) -> str:
    direction = ' dir="auto"' if tokens[at].attrGet("dir") else ""
    return f'<div class="table-wrap" tabindex="0" role="group" aria-label="Table"><table{direction}>\n'


def _math(state: StateInline, silent: bool) -> bool:
    r"""Formulas stay text: between \( \), \[ \] and $$ $$ no mark-up is read and no backslash is lost."""
    opening = state.src[state.pos : state.pos + 2]
    closing = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}.get(opening)
    end = state.src.find(closing, state.pos + 2, min(state.posMax, state.pos + 4_000)) if closing else -1
    if end < 0:
        return False
    if not silent:
        token = state.push("text", "", 0)
        token.content = state.src[state.pos : end + 2]
    state.pos = end + 2
    return True


def _make_markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
    markdown.disable(["html_block", "html_inline"])
    markdown.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign]
    markdown.core.ruler.push("nest_headings", _nest_headings)
    markdown.core.ruler.push("find_directions", _find_directions)
    markdown.inline.ruler.before("escape", "math", _math)
    markdown.add_render_rule("fence", _draw_fence)
    markdown.add_render_rule("code_block", _draw_fence)
    markdown.add_render_rule("image", _draw_image)
    markdown.add_render_rule("th_open", _draw_cell)
    markdown.add_render_rule("td_open", _draw_cell)
    markdown.add_render_rule("table_open", _draw_table)
    markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return markdown


# --- What may leave -----------------------------------------------------------------------------------------------

_CLASSED = {"a", "div", "span", "pre", "code", "th", "td"}
_ATTRIBUTES: dict[str, set[str]] = {tag: {"class"} for tag in _CLASSED}
_ATTRIBUTES["a"] |= {"href", "title"}
_ATTRIBUTES["ol"] = {"start"}
for _region in ("div", "pre"):
    _ATTRIBUTES[_region] |= {"tabindex", "role", "aria-label"}
for _block in ("p", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "table"):
    _ATTRIBUTES.setdefault(_block, set()).add("dir")


def _filter_attribute(_tag: str, name: str, value: str) -> str | None:
    if name == "class":
        return " ".join(word for word in value.split() if _CLASS.fullmatch(word)) or None
    if name == "href":
        return value if _LINK.match(value) else None
    return value


_MARKDOWN = _make_markdown()
_CLEANER = nh3.Cleaner(
    tags={
        *_CLASSED,
        "p",
        "br",
        "hr",
        "strong",
        "em",
        "s",
        "ul",
        "ol",
        "li",
        "blockquote",
        "h3",
        "h4",
        "h5",
        "h6",
        "table",
        "thead",
        "tbody",
        "tr",
    },
    attributes=_ATTRIBUTES,
    attribute_filter=_filter_attribute,
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
