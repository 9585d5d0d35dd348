"""Text that is made to hurt is refused in words, in time proportional to its length: a quadratic reader never ends."""

import pytest

from playground.protocol.importers import ImportProblem, read
from tests.protocol.importing import problem

SIZES = [2_000, pytest.param(100_000, marks=pytest.mark.slow)]  # characters
STARTS = ["", "curl https://a.example/v1/messages -d ", 'curl ^"https://a.example^" -d ^"', "const a = ", "x = ", "{"]
STARTS += ["Invoke-RestMethod -Uri https://a.example -Body ", "<?php $a = ", "require 'json'\n", "using System;\n"]
UNITS = ["\\", '\\"', '"', "'", "`", "{", "[", "(", "$(", "`${", "/*", "# a\n", "<<A\n", "a(", "a=", "\n", "^", "@'\n"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("unit", UNITS)
def test_a_long_row_of_anything_is_a_problem(unit: str, size: int) -> None:
    for start in STARTS:
        assert isinstance(read(start + unit * (size // len(unit))), ImportProblem), start


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = [" + "1," * 200_000 + "]", "paste the call"),
        ("const a = [" + "b," * 200_000 + "]", "paste the call"),
        ("curl https://a.example -d " + "a " * 200_000, "paste the one command"),
        ("# " + "a" * (9 * 2**20), "8 MiB"),
        ('{"messages": [' + "1," * 200_000 + "1]}", "200,000"),
    ],
)
def test_what_is_beyond_a_bound_is_refused_in_words(text: str, words: str) -> None:
    assert words in problem(text).message


def test_values_that_double_are_refused_before_they_fill_the_memory() -> None:
    doubled = "\n".join(["s = 'ab' * 100000", *["s = s + s"] * 40, "client.messages.create(model='m', system=s)"])
    assert "too large" in problem(doubled).message
    nested = "\n".join(["a = [1]", *["a = [a, a]"] * 40, "client.messages.create(model='m', messages=a)"])
    assert problem(nested).message
    looped = "a = []\na.append(a)\nclient.messages.create(model='m', messages=a)"
    assert problem(looped).message
    script = "let s = 'ab';\n" + "s = s + s;\n" * 60 + "await client.messages.create({model: 'm', system: s})"
    assert "too large" in problem(script).message


@pytest.mark.parametrize(
    "text",
    [
        '{"model": "m", "max_tokens": 8, "messages": [{"role": "user", "content": "x"',
        '{"model": "m", "model": "n", "messages": []}',
        "await client.messages.create({model: 'm', messages: [{role: 'user', content: 'x'}",
        "client.messages.create(model='m', messages=[",
        'curl https://a.example/v1/messages -d \'{"model": "m"',
    ],
)
def test_text_that_is_cut_off_or_says_two_things_is_not_taken(text: str) -> None:
    assert problem(text).message


@pytest.mark.parametrize("text", ["hello world", "wget, then unpack it", "http is a protocol"])
def test_text_in_no_known_language_is_not_called_bad_python(text: str) -> None:
    assert "There is no request" in problem(text).message
