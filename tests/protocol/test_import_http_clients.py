"""Commands of wget, HTTPie and xh, in the spellings that people paste."""

import pytest

from tests.protocol.importing import URL, imported, problem

ITEMS = "model=m-1 max_tokens:=8 messages:='[]'"


def test_wget_takes_its_options_in_both_spellings() -> None:
    result = imported(f"wget -q -O - --method POST --header 'anthropic-beta: b-1' --body-data='{{\"model\": 1}}' {URL}")
    assert (result.body, result.betas, result.base_url) == ({"model": 1}, ("b-1",), "https://api.example.test")


def test_items_become_members_headers_and_a_query() -> None:
    result = imported(f"http -a me:secret --timeout=9 POST {URL} {ITEMS} anthropic-beta:b-1 beta==true")
    assert result.body == {"model": "m-1", "max_tokens": 8, "messages": []}
    assert result.betas == ("b-1",)
    assert result.query == "beta=true"
    assert "secret" not in repr(result)


def test_an_item_may_be_a_file_of_the_same_script() -> None:
    script = f"cat > m.json <<'EOF'\n[]\nEOF\ncat > s.txt <<'EOF'\nBe kind.\nEOF\nhttp {URL} model=m-1"
    body = imported(f"{script} messages:=@m.json system=@s.txt").body
    assert body["messages"] == []
    assert body["system"].strip() == "Be kind."


def test_nested_items_grow_lists_and_objects() -> None:
    items = "stop_sequences[]=A stop_sequences[]=B metadata[user_id]=u messages[0][role]=user messages[0][content]=hi"
    body = imported(f"xhs post api.example.test/v1/messages model=m-1 {items}").body
    assert body["stop_sequences"] == ["A", "B"]
    assert body["metadata"] == {"user_id": "u"}
    assert body["messages"] == [{"role": "user", "content": "hi"}]


def test_an_item_that_is_none_is_said() -> None:
    assert "=loose was not understood" in " ".join(imported(f"http POST {URL} {ITEMS} =loose").notes)


@pytest.mark.parametrize(
    ("address", "base"),
    [
        (":8080/v1/messages", "http://localhost:8080"),
        (":/v1/messages", "http://localhost"),
        ("a.example/v1/messages", "http://a.example"),
    ],
)
def test_an_address_in_short_is_written_out(address: str, base: str) -> None:
    assert imported(f"http POST {address} {ITEMS}").base_url == base


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (f"wget -q {URL}", "has no body"),
        (f"wget --post-file=there.json {URL}", "in the file there.json"),
        (f'wget --post-data="$BODY" {URL}', "The body is $BODY, which is not in the pasted text"),
        (f'http POST {URL} --raw "$(cat body.json)"', "The body is $(cat body.json), which is not in the pasted text"),
        (f"cat body.json | http POST {URL}", "The body is the output of a command"),
        (f"http POST {URL}\nhttp GET {URL}", "has no body"),
        (f"http POST {URL}", "has no body"),
        (f"http POST {URL} messages:=[", "The value of messages is not valid JSON"),
        (f"http POST {URL} messages:=@there.json", "in the file there.json"),
        (f"http POST {URL} messages[9999]=a", "The list messages is too long"),
    ],
)
def test_a_command_without_a_body_that_can_be_read_is_a_problem(command: str, words: str) -> None:
    assert words in problem(command).message


def test_one_command_that_cannot_be_read_does_not_hide_another() -> None:
    assert imported(f'wget -q {URL}\nwget --post-data=\'{{"model": "m-1"}}\' {URL}').body["model"] == "m-1"
