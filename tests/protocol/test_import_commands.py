"""Commands of shells are read as the shell would, from wherever they were copied."""

import re
import shutil
import subprocess

import pytest

from playground.protocol.importers.curl_options import WITH_ARGUMENT
from tests.protocol.importing import BODY, JSON, URL, imported, problem

QUOTED = "'" + JSON.replace("'", "'\\''") + "'"
CURL = f"curl {URL} -H 'content-type: application/json' -d {QUOTED}"


@pytest.mark.parametrize(
    "text",
    [
        CURL,
        f"$ {CURL}",
        f"% {CURL}",
        f"# {CURL}",
        f"λ {CURL}",
        f"➜  project git:(main) ✗ {CURL}",
        f"user@host:~/work$ {CURL}",
        f"root@host:/# {CURL}",
        f"[user@host ~]$ {CURL}",
        f"user@host ~ % {CURL}\n{{\"id\": \"msg_1\"}}",
        f"sudo -u www-data {CURL}",
        f"time {CURL} | jq .",
        f"FOO=1 BAR='a b' {CURL}",
        f"env A=b {CURL}",
        f"cd project && {CURL}",
        f"#!/usr/bin/env bash\nset -euo pipefail\n\n{CURL}",
        f"RESPONSE=$({CURL})\necho $RESPONSE",
        f'RESPONSE="$({CURL})"',
        f"x=`curl {URL} -d @body.json`; {CURL}",
        f"if ! {CURL}; then echo failed; fi",
        f"for i in 1 2 3; do {CURL}; done",
        f"while true; do {CURL} && break; sleep 1; done",
        f"( {CURL} ) &",
        f"apt-get install -y curl && {CURL}",
        f"which curl || brew install curl\n{CURL}",
        f"curl {URL.replace('/messages', '/models')} -H 'x-api-key: k'\n\n{CURL}",
        f"curl -d {QUOTED} {URL}/count_tokens --next -d {QUOTED} {URL}",
        f"echo {QUOTED} | curl -sS {URL} -d @-",
        f"printf '%s' {QUOTED} | curl -sS {URL} --data-binary @-",
        f"printf '%s\\n' {QUOTED} | curl {URL} --json @-",
        f"cat <<'EOF' | curl -sS {URL} -H 'content-type: application/json' -d @-\n{JSON}\nEOF",
        f"cat <<'EOF' |\n{JSON}\nEOF\n  curl -sS {URL} -d @-",
        f"curl {URL} -d @- <<'EOF'\n{JSON}\nEOF",
        f"curl {URL} -d @- <<-EOF\n\t{JSON}\n\tEOF\necho done",
        f"curl {URL} --data @/dev/stdin <<< {QUOTED}",
        f"cat > body.json <<'EOF'\n{JSON}\nEOF\ncurl {URL} -d @body.json",
        f"echo {QUOTED} > /tmp/b.json; curl {URL} --data-binary @/tmp/b.json",
        f"BODY={QUOTED}\ncurl {URL} -d \"$BODY\"",
        f"export BODY={QUOTED}\ncurl {URL} -d \"${{BODY}}\"",
        f"BODY=$(cat <<'EOF'\n{JSON}\nEOF\n)\ncurl {URL} -d \"$BODY\"",
        f"read -r -d '' BODY <<'EOF'\n{JSON}\nEOF\ncurl {URL} -d \"$BODY\"",
        f"URL={URL}\ncurl \"$URL\" -d {QUOTED}",
        f"```bash\n{CURL}\n```",
        f"Here's how I call it, it's easy:\n\n```\n{CURL}\n```\n\nThat's all.",
        f"Here's how I call it:\n\n{CURL}\n\nThat's all, isn't it?",
        f"1. First:\n\n   ```sh\n   {CURL}\n   ```\n",
        f"> quoted mail\n> ```\n> {CURL}\n> ```\n",
        CURL.replace(" -H", " \\\n  -H").replace(" -d", " \\\n  -d"),
        CURL.replace(" -H", " \\\r\n  -H").replace(" -d", " \\\r\n  -d"),
    ],
)  # fmt: skip
def test_a_curl_command_is_found_and_read_wherever_it_was_copied_from(text: str) -> None:
    result = imported(text)
    assert result.body == BODY
    assert result.base_url == "https://api.example.test"


@pytest.mark.parametrize(
    "options",
    [
        "--interface eth0 --tls-max 1.3 --proxy-header 'a: b' --max-filesize 9",
        "--proto '=https' --tlsv1.2 -sSf",
        "-sSfLk --compressed -m 30 --retry 3 --retry-all-errors -w '%{http_code}'",
        '-o /dev/null -D - -w "\\n%{time_total}\\n" --http1.1',
        "--silent --show-err --max-t 5 --reques POST",
        "-XPOST -A agent -e https://ref.example -x http://proxy:8080 --resolve a:443:1.2.3.4",
        "-K config.txt --variable '%HOME' --expand-header 'x-a: b' -Z",
        "--cert c.pem --key k.pem --pass p --cacert ca.pem -u me:pw -b cookies.txt -c jar.txt",
        "--unix-socket /run/x.sock --doh-url https://doh.example --happy-eyeballs-timeout-ms 9 --no-buffer -N -4",
        "-# --trace-ascii dump.txt --stderr - --limit-rate 1m -y 5 -Y 1 -z 2020-01-01 -C - -r 0-9",
    ],
)
@pytest.mark.parametrize("behind", [False, True])
def test_no_option_of_curl_eats_the_address_or_the_body(options: str, behind: bool) -> None:
    text = f"curl {URL} -d {QUOTED} {options}" if behind else f"curl {options} {URL} -d {QUOTED}"
    result = imported(text)
    assert result.body == BODY
    assert result.base_url == "https://api.example.test"


def test_every_option_that_the_installed_curl_says_takes_an_argument_is_known() -> None:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    shown = subprocess.run([program, "--help", "all"], capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"^ *(?:-., )?(--[\w.-]+) [<\[]", shown, re.MULTILINE))
    assert len(options) > 100
    assert options <= WITH_ARGUMENT


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("localhost:11434/v1/messages", "http://localhost:11434"),
        ("127.0.0.1:8000/v1/messages", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/v1/messages", "http://[::1]:8000"),
        ("https://a.example/base/v1/messages?beta=true", "https://a.example/base"),
    ],
)
def test_the_address_is_read_as_curl_does(address: str, base: str) -> None:
    result = imported(f"curl '{address}' -d {QUOTED}")
    assert result.base_url == base
    assert result.query == address.partition("?")[2]


def test_a_line_break_inside_a_value_survives_the_windows_prompt() -> None:
    result = imported('curl ^"https://a.example/v1/messages^" --data-raw ^"^{^\\^"system^\\^":^\n\n^\\^"a^%^b^\\^"^}^"')
    assert result.body == {"system": "a%b"}


def test_powershell_spells_characters_by_number() -> None:
    body = '{`"system`":`"caf$([char]233) $([char]0xD83E)$([char]0xDD8A)`"}'
    text = f'Invoke-WebRequest -Uri "{URL}" -Method POST -Body "{body}"'
    assert imported(text).body == {"system": "café 🦊"}


@pytest.mark.parametrize(
    "text",
    [
        f"POST /v1/messages HTTP/1.1\r\nHost: api.example.test\r\nanthropic-version: 2023-06-01\r\n\r\n{JSON}",
        f"### Ask\n# @name ask\nPOST {URL}\nanthropic-version: 2023-06-01\n\n{JSON}\n\n### next\nGET https://x.example/\n",
    ],
)
def test_a_raw_http_request_is_read(text: str) -> None:
    result = imported(text)
    assert (result.body, result.base_url, result.version) == (BODY, "https://api.example.test", "2023-06-01")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"curl {URL}", "no body"),
        (f"curl {URL} -d @body.json", "body.json"),
        (f"generate | curl {URL} -d @-", "standard input"),
        (f"curl {URL} -d @- < body.json", "standard input"),
        (f"curl {URL} -F a=b", "form"),
        (f"curl -G {URL} -d a=b", "GET"),
        (f"curl {URL} -d a=1 -d b=2", "not valid JSON"),
        (f"curl {URL} --data-urlencode 'a=b'", "form data"),
        (f"curl {URL} -d '{{}}'", "empty"),
        ("curl https://a.example/api -d '{\"name\": 1}'", "not a request to the Messages API"),
    ],
)
def test_what_a_command_does_not_hold_is_said(text: str, words: str) -> None:
    assert words in problem(text).message


def test_what_was_passed_over_is_listed() -> None:
    notes = " ".join(imported(f"curl -K my.cfg -H @headers.txt -u me:pw {URL}?beta=true -d {QUOTED}").notes)
    for word in ("my.cfg", "headers.txt", "--user", "?beta=true"):
        assert word in notes
    result = imported(f'curl {URL} -d "{{\\"system\\": \\"$PROMPT $(date)\\"}}"')
    assert result.body == {"system": "$PROMPT $(date)"}
    assert [note for note in result.notes if "$PROMPT" in note]
    assert [note for note in result.notes if "$(date)" in note]


def test_the_second_request_of_a_script_is_named() -> None:
    result = imported(f"{CURL}\n{CURL}")
    assert "2 requests" in " ".join(result.notes)
