"""What a page loads, joined into one file when static files are collected."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from playground.serving.bundles import BundleError, bundled

STATIC = Path(__file__).resolve().parent.parent.parent / "static"
ENTRIES = sorted(path.relative_to(STATIC).as_posix() for path in (STATIC / "entries").iterdir())
LOADED = """() => performance.getEntriesByType("resource")
    .filter((each) => each.initiatorType !== "xmlhttprequest" && each.initiatorType !== "fetch")
    .map((each) => ({ name: each.name, bytes: each.transferSize }))"""


def read(name: str) -> str:
    return (STATIC / name).read_text()


def of(**modules: str) -> str:
    """The bundle of module `a` among these."""
    return bundled("js/a.js", lambda name: modules[name.removeprefix("js/").removesuffix(".js")])


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_can_be_joined_and_asks_for_nothing_more(name: str) -> None:
    text = bundled(name, read)
    assert not re.search(r'^\s*(@import|import\b|export\b|.*\bfrom ")', text, re.MULTILINE)
    assert len(text) > 10 * len(read(name))


@pytest.mark.parametrize("name", [each for each in ENTRIES if each.endswith(".js")])
def test_a_module_that_several_import_is_there_once_and_before_them(name: str) -> None:
    text = bundled(name, read)
    assert text.count("async function fetchPart(") == 1
    for used in re.findall(r"= (\$module\d+)\n", text):
        assert text.index(f"const {used} = (() =>") < text.index(f"= {used}\n")


def test_what_a_module_exports_goes_to_who_imports_it_by_the_name_it_has_there() -> None:
    text = of(
        a='import { one as first, Two } from "./b.js"\nconsole.log(first, Two)\n',
        b="export const one = 1\nexport class Two {}\nexport async function three() {}\n",
    )
    assert "const { one: first, Two } = $module0" in text
    assert "return { one, Two, three }" in text


@pytest.mark.parametrize(
    "line",
    [
        'import whole from "./b.js"',
        'import * as all from "./b.js"',
        'import { one } from "b"',
        'import { one } from "./b.js";',
        "import {",
        "export default 1",
        "export let one = 1",
        "export { one }",
        'export * from "./b.js"',
        'import { none } from "./b.js"',
        'const late = () => import("./b.js")',
        "const here = import.meta.url",
        "await ready",
    ],
)
def test_a_form_that_is_not_known_is_an_error(line: str) -> None:
    with pytest.raises(BundleError):
        of(a=f"{line}\n", b="export const one = 1\n")


def test_modules_that_import_each_other_are_an_error() -> None:
    with pytest.raises(BundleError, match="each other"):
        of(a='import "./b.js"\n', b='import "./a.js"\n')


@pytest.mark.parametrize("text", ['@import url("b.css");', "@import 'b.css';", "p { background: url(b.png) }"])
def test_a_style_sheet_that_cannot_move_is_an_error(text: str) -> None:
    with pytest.raises(BundleError):
        bundled("entries/a.css", lambda _name: text)


@pytest.mark.slow
def test_the_first_page_is_ten_requests_at_most_and_the_second_visit_asks_for_no_file(
    serve: Any, browser_thread: Any
) -> None:
    url = serve().url()
    context = browser_thread.browser.new_context()
    try:
        page = context.new_page()
        noise: list[str] = []
        page._thread.call(lambda: page._target.on("pageerror", lambda error: noise.append(str(error))))
        asked: list[str] = []
        page._thread.call(lambda: page._target.on("request", lambda request: asked.append(request.url)))
        page.goto(url)
        page.wait_for_load_state("networkidle")
        assert len(asked) <= 10, asked
        page.goto(url)
        page.wait_for_load_state("networkidle")
        files = page.evaluate(LOADED)
        assert len(files) >= 4
        assert [each["name"] for each in files if each["bytes"]] == []
        page.get_by_role("button", name="Try It!").click()  # what the joined scripts do
        page.locator("#answer [data-blocks]").first.wait_for()
        page.keyboard.press("Control+k")
        page.get_by_role("dialog").first.wait_for()
        assert noise == []
    finally:
        context.close()
