"""Python that makes its values as people do: what is written out is followed, and what is not is said."""

from typing import Any

import pytest

from tests.protocol.importing import imported, reading

START = "import os\nimport anthropic\n\nclient = anthropic.Anthropic()\n"
CALL = '\nclient.messages.create(model="m-1", max_tokens=8, messages=[], metadata=it)'
made, told = reading(START, CALL)

TEXTS = {
    "it = ' a b '.strip().upper()": "A B",
    "it = ', '.join(['a', 'b'])": "a, b",
    "it = 'Say NAME'.replace('NAME', 'Ann')": "Say Ann",
    "import textwrap\nit = textwrap.dedent('''\\\n    one\n      two\n''')": "one\n  two\n",
    "import inspect\nit = inspect.cleandoc('  one')": "one",
    "it = b'raw'.decode()": "raw",
    "it = 'caf\\u00e9'.encode('utf-8')": "caf\u00e9",
    "n = 3\nit = f'{n} of {True} and {\"x\"}'": "3 of True and x",
    "it = f'{price:.2f} €'": "{{price}} €",
    "it = 'about ' + topic": "about {{topic}}",
    "it = 'about '\nit += topic": "about {{topic}}",
    "it = 'a'\nit += 'b'": "ab",
    "it = 'a' + 'b' + 'c'": "abc",
    "it = '-' * 3": "---",
    "it = 'abcdef'[1:-1:2]": "bd",
    "it = str(4)": "4",
    "it = 'Dear {name}, {0} and {0}'.format('x', name=who)": "Dear {{who}}, x and x",
    "it = 'say %s' % 'hi'": "say hi",
    "it = os.environ.get('PROMPT', 'hi')": "hi",
    "it = given or 'hi'": "hi",
    "it = '' or 'hi'": "hi",
    "it = 'a' and 'b'": "b",
    "it = 'long' if 3 == 4 else 'short'": "short",
    "it = 'same' if None is None else 'other'": "same",
    "it = 'other' if 'a' != 'a' else 'same'": "same",
    "if (word := 'hi'):\n    it = word": "hi",
    "if not '':\n    it = 'empty'\nelse:\n    it = 'full'": "empty",
    "from enum import Enum\n\nclass Tone(Enum):\n    DRY = 'dry'\n\nit = Tone.DRY.value": "dry",
    "tone = lambda word: word + '!'\nit = tone('hi')": "hi!",
    "def tone(word, *, mark='?', **rest):\n    return word + mark + rest['end']\n\nit = tone('hi', end='.')": "hi?.",
    "class Prompt:\n    def __init__(self, text):\n        self.text = text\n    def loud(self):\n"
    "        return self.text.upper()\n\nit = Prompt('hi').loud()": "HI",
    "class Prompt:\n    pass\n\np = Prompt()\np.text = 'hi'\nit = p.text": "hi",
}  # fmt: skip
NUMBERS = {
    "it = 2 ** 10": "1024", "it = 7 // 2": "3", "it = 7 % 4": "3", "it = 3 / 2": "1.5", "it = 10 - 4": "6",
    "it = -5": "-5", "n = 5\nit = -n": "-5", "it = 0x10": "16", "it = 1_000": "1000", "it = 1.0": "1.0",
    "it = int('12')": "12", "it = float(3)": "3.0", "it = len(['a', 'b'])": "2", "it = max(1, 9, 3)": "9",
    "it = min(1, 9, 3)": "1", "it = 1 + 2": "3",
}  # fmt: skip
VALUES = {
    "it = {**{'a': 1}, 'b': 2}": {"a": 1, "b": 2},
    "it = {'a': 1} | {'b': 2}": {"a": 1, "b": 2},
    "it = {'a': 1}\nit |= {'b': 2}": {"a": 1, "b": 2},
    "it = dict({'a': 1}, b=2)": {"a": 1, "b": 2},
    "it = {1: 'one'}": {"1": "one"},
    "it = {'a': 1}\nit.update({'b': 2}, c=3)": {"a": 1, "b": 2, "c": 3},
    "it = {}\nit.setdefault('a', []).append('x')": {"a": ["x"]},
    "it = {'a': 1, 'b': 2}\nit.pop('b')": {"a": 1},
    "it = {'a': 1, 'b': 2}\ndel it['b']": {"a": 1},
    "it = {'a': 1}.get('z', 'none')": "none",
    "first = {'a': 1}\nit = first.copy()\nfirst['a'] = 2": {"a": 1},
    "import copy\nfirst = {'a': [1]}\nit = copy.deepcopy(first)\nfirst['a'].append(2)": {"a": [1]},
    "it = {'a': 1}\nit.clear()\nit['b'] = 2": {"b": 2},
    "import json\nit = json.loads('{\"a\": [1]}')": {"a": [1]},
    "import json\nit = json.loads(json.dumps({'a': 1}))": {"a": 1},
    "it = Metadata(user_id='u').model_dump()": {"user_id": "u"},
    "it: dict = {'a': 1}": {"a": 1},
    "it = [1, *[2, 3]]": [1, 2, 3],
    "it = [1] + [2]": [1, 2],
    "it = [1]\nit += [2]": [1, 2],
    "it = [0] * 2": [0, 0],
    "it = ['a', 'b', 'c'][-2:]": ["b", "c"],
    "it = ['a', 'b']\nit[0] = 'c'": ["c", "b"],
    "it = ['a', 'b']\ndel it[-1]": ["a"],
    "it = ['b']\nit.insert(0, 'a')\nit.extend(['c'])": ["a", "b", "c"],
    "it = ['a', 'b', 'c']\nit.pop()\nit.pop(0)\nit.append('d')": ["b", "d"],
    "it = ['a', 'b']\nit.reverse()": ["b", "a"],
    "first = ['a']\nit = first.copy()\nfirst.clear()": ["a"],
    "it = list(('a', 'b'))": ["a", "b"],
    "it = [n * 2 for n in [1, 2, 3] if n != 2]": [2, 6],
    "it = [k + v for k, v in [('a', 'b'), ('c', 'd')]]": ["ab", "cd"],
    "a, b = 'x', 'y'\nit = [b, a]": ["y", "x"],
    "try:\n    it = ['a']\nexcept ValueError:\n    it = ['b']\nfinally:\n    it.append('c')": ["a", "c"],
    "with anthropic.Anthropic() as client:\n    it = {'a': 1}": {"a": 1},
    "def build(a, b=2):\n    return {'a': a, 'b': b}\n\nit = build(1)": {"a": 1, "b": 2},
    "options = {'b': 2}\ndef build(**kwargs):\n    return kwargs\n\nit = build(a=1, **options)": {"a": 1, "b": 2},
    "@dataclass\nclass P:\n    a: int\n    b: int = 2\n\np = P(1)\nit = [p.a, p.b]": [1, 2],
}  # fmt: skip


@pytest.mark.parametrize(("code", "text"), TEXTS.items())
def test_a_text_is_made_as_the_code_makes_it(code: str, text: str) -> None:
    assert made(code) == text


@pytest.mark.parametrize(("code", "number"), NUMBERS.items())
def test_a_number_is_computed_and_spelled_as_python_spells_it(code: str, number: str) -> None:
    assert str(made(code)) == number


@pytest.mark.parametrize(("code", "value"), VALUES.items())
def test_lists_and_dictionaries_are_changed_as_the_code_changes_them(code: str, value: Any) -> None:
    assert made(code) == value


NOT_COMPUTED = [
    "it = 1 / 0", "it = 9 ** 99", "it = 1 < 2", "it = 'a' if x else 'b'", "it = x and 'a'", "it = 1_0e999",
    "it = rows[0]", "it = rows[1:]", "it = 'ab'[::0]", "it = '{'.format('a')", "it = '{0.name}'.format(x)",
    "it = '{:>8}'.format('a')", "it = not x", "it = ~5", "it = 2j", "it = {k: 1 for k in rows}", "it = len(rows)",
    "it = int('many')", "it = 'a'.center(9)", "it = a + b", "it = 1 + None", "it = {'a': 1}['b']", "it = [1][4]",
]  # fmt: skip


@pytest.mark.parametrize("code", NOT_COMPUTED)
def test_what_cannot_be_known_is_left_out_and_said_with_its_source(code: str) -> None:
    result = imported(START + code + CALL)
    assert "metadata" not in result.body
    assert f"metadata is not in the pasted text ({code.removeprefix('it = ')})" in " ".join(result.notes)


TOLD = {
    "it = {**defaults, 'a': 1}": "**defaults is not written out",
    "it = {key: 1}": "the name key is not text",
    "it = f'{who!r}'": "who is not known",
    "it = '%s' % who": "who is not known",
    "it = [row.text for row in rows]": "computed in a loop",
    "it = [n for n in [1, 2] if n in allowed]": "computed in a loop",
    "it = []\nfor row in rows:\n    it.append(row)": "the loop was not followed; it changes it",
    "it = []\nwhile queue:\n    it += [queue.pop()]": "the loop was not followed; it changes it",
    "it = {}\nif verbose:\n    it['a'] = 1": "what happens if verbose was not followed",
    "it = {}\nmatch tone:\n    case 'dry':\n        it['a'] = 1": "what happens in its cases was not followed",
    "it = ['b', 'a']\nit.sort()": "it.sort() was not followed",
    "it = {}\nit.update(more)": "it.update(more) was not followed",
    "it = {}\nit[key] = 1": "it[key] is set to something",
    "it = 'a'\nit = it.center(9)": "it.center(9) was not run; it stays as it was",
}


@pytest.mark.parametrize(("code", "words"), TOLD.items())
def test_what_was_not_followed_is_said_with_its_line(code: str, words: str) -> None:
    assert words in told(code)
    assert "Line " in told(code)


@pytest.mark.parametrize("code", ["it = ['a']\nit.extend(rows)", "it = ['a', *rows]", "it = ['a'] + rows"])
def test_rows_that_are_not_written_out_are_left_out_of_a_list_and_said(code: str) -> None:
    assert made(code) == ["a"]
    assert "metadata[1] is not in the pasted text (*rows)" in told(code)


def test_arguments_that_are_not_written_out_are_told() -> None:
    result = imported(START + 'client.messages.create(model="m-1", max_tokens=8, messages=[], **options)')
    assert "**options is not written out" in " ".join(result.notes)
    assert set(result.body) == {"model", "max_tokens", "messages"}


def test_a_call_in_a_loop_is_read_with_the_first_item() -> None:
    code = (
        "for question in ['one', 'two']:\n    client.messages.create(model='m-1', max_tokens=8, "
        "messages=[{'role': 'user', 'content': question}])"
    )
    result = imported(START + code)
    assert result.body["messages"][0]["content"] == "one"
    assert "the loop was gone through once" in " ".join(result.notes)


def test_the_branch_that_sends_is_followed_whichever_it_is() -> None:
    code = "if streaming:\n    pass\nelse:\n    client.messages.create(model='m-2', max_tokens=8, messages=[])"
    assert imported(START + code).body["model"] == "m-2"


def test_a_function_that_calls_itself_comes_to_an_end() -> None:
    assert "a call within many calls" in told("def again(x):\n    return again(x)\n\nit = again('a')")


def test_main_is_followed_through_asyncio() -> None:
    code = (
        "import asyncio\n\nclass Bot:\n    def __init__(self):\n        self.model = 'm-3'\n\n"
        "    async def ask(self, text):\n        async with client.messages.stream(model=self.model, max_tokens=8,\n"
        "                messages=[{'role': 'user', 'content': text}]) as stream:\n"
        "            async for piece in stream.text_stream:\n                print(piece)\n\n"
        "async def main():\n    await Bot().ask('hi')\n\nif __name__ == '__main__':\n    asyncio.run(main())\n"
    )
    result = imported(START + code)
    assert (result.body["model"], result.body["stream"]) == ("m-3", True)
    assert result.body["messages"] == [{"role": "user", "content": "hi"}]


def test_a_clients_copy_with_options_keeps_its_headers_and_takes_the_new_address() -> None:
    code = (
        "client = anthropic.Anthropic(base_url='https://old.example', default_headers={'anthropic-beta': 'b-1'})\n"
        "client.with_options(base_url='https://new.example', default_headers={'x-a': '1'}).messages.create("
        "model='m-1', max_tokens=8, messages=[], extra_body={'top_k': 3}, extra_query={'beta': 'true'})"
    )
    result = imported("import anthropic\n" + code)
    assert result.base_url == "https://new.example"
    assert result.body["top_k"] == 3
    assert result.betas == ("b-1",)
    assert "extra_query (beta) is not sent from here" in " ".join(result.notes)
