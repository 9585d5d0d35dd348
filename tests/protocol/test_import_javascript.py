"""JavaScript that makes its values as people do: what is written out is followed, and what is not is said."""

from typing import Any

import pytest

from tests.protocol.importing import imported, problem, reading

START = 'import Anthropic from "@anthropic-ai/sdk";\n\nconst client = new Anthropic();\n'
CALL = '\nawait client.messages.create({ model: "m-1", max_tokens: 8, messages: [], metadata: it });'
made, told = reading(START, CALL)

TEXTS = {
    "const it = ' hi '.trim();": "hi",
    "const it = ['a', 'b'].join(' ');": "a b",
    "const it = ['a', 'b'].join();": "a,b",
    "const n = 3;\nconst it = `${n} of ${true} and ${'x'}`;": "3 of true and x",
    "const it = `about ${topic}`;": "about {{topic}}",
    "const it = `a ${1 + 2} b`;": "a 3 b",
    "const it = `costs \\${5}`;": "costs ${5}",
    "const it = 'about ' + topic;": "about {{topic}}",
    "let it = 'a';\nit += 'b';": "ab",
    "const it = 'n' + 1 + true;": "n1true",
    "const it = 3 ? 'yes' : 'no';": "yes",
    "const it = '' ? 'yes' : 'no';": "no",
    "const it = process.env.PROMPT ?? 'hi';": "hi",
    "const it = '' || 'hi';": "hi",
    "const it = null ?? 'hi';": "hi",
    "const it = 'a' && 'b';": "b",
    "const o = { a: { b: 'hi' } };\nconst it = o?.a?.b;": "hi",
    "const o = { 'a-b': 'hi' };\nconst it = o['a-b'];": "hi",
    "const { it } = { it: 'hi' };": "hi",
    "const it = String('hi');": "hi",
    "const it = 'hi' as const;": "hi",
    "const it = 'hi' satisfies string;": "hi",
    "let it: string = 'hi';": "hi",
    "const a = 'x', it = 'hi';": "hi",
    "enum Tone { Dry = 'dry', Warm = 'warm' }\nconst it = Tone.Warm;": "warm",
    "const tone = (word) => word + '!';\nconst it = tone('hi');": "hi!",
    "const tone = word => `${word}?`;\nconst it = tone('hi');": "hi?",
    "function tone(word: string, mark = '.'): string {\n  return word + mark;\n}\nconst it = tone('hi');": "hi.",
    "let it = 'a';\nif (true) {\n  it = 'b';\n}": "b",
    "let it = '';\nit ||= 'b';": "b",
    "let it = 'a';\nit ||= 'b';": "a",
}  # fmt: skip
NUMBERS = {
    "const it = 2 ** 10;": "1024", "const it = 7 % 4;": "3", "const it = 3 / 2;": "1.5", "const it = 6 / 2;": "3",
    "const it = 10 - 4;": "6", "const it = -5;": "-5", "const it = +5;": "5", "const it = 0x10;": "16",
    "const it = 1_000;": "1000", "const it = 1.0;": "1.0", "const it = 10n;": "10", "const it = 1 + 2 * 3;": "7",
    "const it = Number('12');": "12", "const it = parseInt('12', 10);": "12", "const it = ['a', 'b'].length;": "2",
    "const it = 'abc'.length;": "3", "const it = .5;": "0.5",
}  # fmt: skip
VALUES = {
    "const it = { ...{ a: 1 }, b: 2 };": {"a": 1, "b": 2},
    "const it = Object.assign({}, { a: 1 }, { b: 2 });": {"a": 1, "b": 2},
    "const a = 1;\nconst it = { a, ['b']: 2, 'c-d': 3 };": {"a": 1, "b": 2, "c-d": 3},
    "const it = { a: 1, say() { return 2; }, get b() { return 3; }, async c() {} };": {"a": 1},
    "const it = { a: undefined, b: null, c: !true, ...(false) };": {"b": None, "c": False},
    "const it = {};\nit.a = 1;\nit['b'] = 2;": {"a": 1, "b": 2},
    "const it = { a: 1, b: 2 };\ndelete it.b;": {"a": 1},
    "const it = { o: { a: 1, b: 2 } };\ndelete it.o.b;": {"o": {"a": 1}},
    "const it = { a: 1 };\nit.a ??= 2;\nit.b ??= 3;": {"a": 1, "b": 3},
    "const first = { a: [1] };\nconst it = structuredClone(first);\nfirst.a.push(2);": {"a": [1]},
    "const it = JSON.parse('{\"a\": [1]}');": {"a": [1]},
    "const it = JSON.parse(JSON.stringify({ a: 1 }));": {"a": 1},
    "const it = [1, ...[2, 3]];": [1, 2, 3],
    "const it = [1].concat([2], 3);": [1, 2, 3],
    "const it = ['b'];\nit.push('c', 'd');\nit.unshift('a');": ["a", "b", "c", "d"],
    "const it = ['a', 'b', 'c'];\nit.pop();\nit.shift();": ["b"],
    "const first = ['a'];\nconst it = first.slice();\nfirst.push('b');": ["a"],
    "const it = ['a', 'b'].map((text) => ({ text }));": [{"text": "a"}, {"text": "b"}],
    "const it = ['a', 'b'].map(function (text) { return text + '!'; });": ["a!", "b!"],
    "const rows = ['a', 'b'];\nconst it = [rows[1], rows[0]];": ["b", "a"],
    "const it = [] as string[];\nit.push('a');": ["a"],
    "let it;\ntry {\n  it = ['a'];\n} finally {\n  it.push('b');\n}": ["a", "b"],
    "function build(a, b = 2) {\n  return { a, b };\n}\nconst it = build(1);": {"a": 1, "b": 2},
    "const it = later;\nconst later = { a: 1 };": {"a": 1},
    "type A = { a: number };\ninterface B {\n  b: string;\n}\nconst it: A = { a: 1 };": {"a": 1},
}  # fmt: skip
LEFT_OUT = {
    "const it = 1 / 0;": "1 / 0", "const it = 9 ** 99;": "9 ** 99", "const it = x ? 'a' : 'b';": "x ? 'a' : 'b'",
    "const it = !x;": "!x", "const it = typeof x;": "typeof x", "const it = rows[0];": "rows[0]",
    "const it = ['a'][4];": "['a'][4]", "const it = { a: 1 }.b;": ".b", "const it = 'a'.padEnd(9);": "padEnd",
    "const it = a + b;": "a + b", "const it = 1 < 2;": "1 < 2", "const it = x && 'a';": "x",
    "const it = new Date();": "new Date()", "const it = Number('many');": "Number('many')", "const it = /a/g;": "/a/g",
    "const it = JSON.parse(text);": "JSON.parse(text)", "const it = 'ab'.slice(1);": "slice",
}  # fmt: skip
TOLD = {
    "const it = { ...defaults, a: 1 };": "...defaults is not written out",
    "const it = `Dear ${who}`;": "who is not known; {{who}} stands in its place",
    "const it = { a: 1 };\nif (verbose) {\n  it.a = 2;\n}": "it.a is changed under a condition",
    "const it = [];\nfor (const row of rows) {\n  it.push(row);\n}": "it.push(row) happens under a condition",
    "const it = [];\nwhile (queue.length) {\n  it.push(queue.pop());\n}": "happens under a condition",
    "const it = ['b', 'a'];\nit.sort();": "it.sort() was not followed",
    "let it = 'a';\nit = it.padEnd(9);": "it stays as it was",
    "const it = ['a', ...rows];": "metadata[1] is not in the pasted text",
}


@pytest.mark.parametrize(("code", "text"), TEXTS.items())
def test_a_text_is_made_as_the_code_makes_it(code: str, text: str) -> None:
    assert made(code) == text


@pytest.mark.parametrize(("code", "number"), NUMBERS.items())
def test_a_number_is_computed_as_javascript_does(code: str, number: str) -> None:
    assert str(made(code)) == number


@pytest.mark.parametrize(("code", "value"), VALUES.items())
def test_lists_and_objects_are_changed_as_the_code_changes_them(code: str, value: Any) -> None:
    assert made(code) == value


@pytest.mark.parametrize(("code", "source"), LEFT_OUT.items())
def test_what_cannot_be_known_is_left_out_and_said_with_its_source(code: str, source: str) -> None:
    result = imported(START + code + CALL)
    assert "metadata" not in result.body
    assert any("metadata is not in the pasted text" in note and source in note for note in result.notes)


@pytest.mark.parametrize(("code", "words"), TOLD.items())
def test_what_was_not_followed_is_said(code: str, words: str) -> None:
    assert words in told(code)


def test_a_call_in_a_loop_is_read_with_the_first_item() -> None:
    code = (
        "for (const question of ['one', 'two']) {\n  await client.messages.create({ model: 'm-1', max_tokens: 8, "
        "messages: [{ role: 'user', content: question }] });\n}"
    )
    result = imported(START + code)
    assert result.body["messages"][0]["content"] == "one"
    assert "the loop was gone through once" in " ".join(result.notes)


def test_a_request_made_with_fetch_s_request_object_is_read() -> None:
    code = (
        "const request = new Request('https://api.example.test/v1/messages', { method: 'POST', "
        "headers: new Headers({ 'anthropic-beta': 'b-1' }), body: JSON.stringify({ model: 'm-1', max_tokens: 8, "
        "messages: [] }) });\nawait fetch(request);"
    )
    result = imported(code)
    assert (result.base_url, result.betas, result.body["model"]) == ("https://api.example.test", ("b-1",), "m-1")


def test_headers_that_are_set_one_by_one_are_taken() -> None:
    code = (
        "const headers = new Headers();\nheaders.set('content-type', 'application/json');\n"
        "headers.append('anthropic-beta', 'b-1');\nfetch('https://api.example.test/v1/messages', "
        "{ method: 'POST', headers, body: JSON.stringify({ model: 'm-1', max_tokens: 8, messages: [] }) });"
    )
    assert imported(code).betas == ("b-1",)


def test_a_client_with_options_takes_the_new_address() -> None:
    code = (
        "client.withOptions({ baseURL: 'https://new.example' }).messages.create("
        "{ model: 'm-1', max_tokens: 8, messages: [] });"
    )
    assert imported(START + code).base_url == "https://new.example"


def test_code_that_nests_without_end_is_refused_in_words() -> None:
    assert "nests too deeply" in problem(START + "const a = " + "{a:" * 400 + "1" + "}" * 400 + CALL).message


def test_each_of_two_clients_has_its_own_address() -> None:
    code = (
        "const other = new Anthropic({ baseURL: 'https://other.example' });\n"
        "await other.beta.messages.create({ model: 'm-1', max_tokens: 8, messages: [] });"
    )
    assert imported(START + code).base_url == "https://other.example"


def test_a_call_that_is_cut_off_is_said() -> None:
    assert "cut off" in problem(START + "await client.messages.create({ model: 'm-1'").message
