"""What people paste in other spellings than the documentation's: shells, clients, libraries, logs, damaged quotes."""

import base64
import json
import random

import pytest

from playground.protocol.importers import Imported, read
from playground.protocol.json import json_text
from tests.protocol.importing import BODY, JSON, URL, choice, imported, problem, spelled

QUOTED = "'" + JSON.replace("'", "'\\''") + "'"
POWERSHELL = "'" + JSON.replace("'", "''") + "'"
ESCAPED = JSON.replace("\\", "\\\\").replace('"', '\\"')
CURL = f"curl {URL} -d {QUOTED}"
SDK = "import anthropic\n\nclient = anthropic.Anthropic()\n\n"
NODE = 'import Anthropic from "@anthropic-ai/sdk";\n\nconst client = new Anthropic();\n\n'
TEXT = 'it\'s a "test" & more'
TURN = '{"role": "user", "content": t}'
PY = f"t = {TEXT!r}\n"
JS = "const t = 'it\\'s a \"test\" & more';\n"
OBJECT = '{ model: "m-1", max_tokens: 8, messages: [{ role: "user", content: `it\'s a "test" & more` }] }'
HASH = "@{ model='m-1'; max_tokens=8; messages=@(@{role='user';content=\"it's a `\"test`\" & more\"}) }"

SHELLS = {
    "jq with names": "jq -nc --arg m m-1 --arg t 'it'\"'\"'s a \"test\" & more' "
    f"'{{model:$m,max_tokens:8,messages:[{{role:\"user\",content:$t}}]}}' | curl {URL} -d @-",
    "jq inside": f"curl {URL} -d \"$(jq -n --arg t 'it'\\''s a \"test\" & more' "
    '\'{"model": "m-1", "max_tokens": 8, "messages": [{"role": "user", "content": $t}]}\')"',
    "jq interpolates": "jq -n --arg w more '{model:\"m-1\",max_tokens:8,messages:[{role:\"user\",content:"
    '"it\'\\\'\'s a \\"test\\" & \\($w)"}]}\' | curl ' + URL + " -d @-",
    "process substitution": f"curl {URL} -d @<(echo {QUOTED})",
    "file beside": f"cat > r.json <<'EOF'\n{JSON}\nEOF\ncurl {URL} -d @./r.json",
    "array of words": f"CURL=(curl -sS {URL})\n\"${{CURL[@]}}\" -d {QUOTED}",
    "array that grows": f"args=(-s)\nargs+=(-d {QUOTED})\ncurl {URL} \"${{args[@]}}\"",
    "fish": f"set -x BODY {QUOTED}\ncurl {URL} -d \"$BODY\"",
    "inner shell": f"bash -c 'curl {URL} -d \"$(echo {{}})\"'; {CURL}",
    "second shell": f'ssh host "curl {URL} --json \\"{{}}\\""; {CURL}',
    "configuration": f"curl -K - <<'EOF'\n# ask\nurl = \"{URL}\"\nheader: \"a: b\"\ndata = \"{ESCAPED}\"\nEOF",
    "configuration in a file": f"cat > c <<'EOF'\nurl={URL}\n-d \"{ESCAPED}\"\nEOF\ncurl -K c",
    "prompts of lines": f"$ curl {URL} \\\n> -H 'a: b' \\\n> -d {QUOTED}",
    "blank behind the backslash": f"curl {URL} \\ \n  -d {QUOTED}",
    "spaces of a page": f"curl\u00a0{URL}\u00a0\\\n\u00a0-d {QUOTED}",
    "long dash": f"curl {URL} \u2014data {QUOTED}",
    "short dash": f"curl {URL} \u2013d {QUOTED}",
    "no width": f"\u200bcurl {URL} -d {QUOTED}",
    "entities": CURL.replace('"', "&quot;").replace("& more", "&amp; more"),
    "curlie": f"curlie POST {URL} -d {QUOTED}",
    "wget": f"wget -qO- --header='content-type: application/json' --post-data={QUOTED} {URL}",
    "wget with a file": f"echo {QUOTED} > b.json\nwget --post-file=b.json {URL}",
    "httpie": f"http POST {URL} x-api-key:$KEY --raw {QUOTED}",
    "httpie from a pipe": f"echo {QUOTED} | http POST {URL}",
    "httpie with items": f"http {URL} model=m-1 max_tokens:=8 "
    "messages:='[{\"role\": \"user\", \"content\": \"it'\\''s a \\\"test\\\" & more\"}]'",
    "httpie nested": "https api.example.test/v1/messages model=m-1 max_tokens:=8 messages[0][role]=user "
    'messages[0][content]="it\'s a \\"test\\" & more"',
    "xh": f"xh post {URL} --raw {QUOTED}",
}  # fmt: skip
WINDOWS = {
    "a variable": f'set URL={URL}\r\ncurl %URL% ^\r\n  -d "{ESCAPED}"\r\n',
    "a brace behind a variable": "$m = 'm-1'\n$p = 'it''s a \"test\" & more'\n$b = @{model=$m;max_tokens=8;"
    f"messages=@(@{{role='user';content=$p}})}} | ConvertTo-Json\nirm '{URL}' -Method Post -Body $b",
    "converted by name": f"$b = {HASH}\nirm '{URL}' -Method Post -Body (ConvertTo-Json -InputObject $b -Depth 9)",
    "curl.exe and a variable": f"$body = {POWERSHELL}\ncurl.exe -s {URL} -d $body",
    "curl.exe behind a pipe": f"{POWERSHELL} | curl.exe -s {URL} -d '@-'",
    "invoked behind a pipe": f"{POWERSHELL} | Invoke-RestMethod -Uri {URL} -Method Post",
    "a comment behind": f"<# ask #>\nInvoke-RestMethod -Uri {URL} -Method Post -Body {POWERSHELL} # end",
    "short options": f"Invoke-RestMethod -Ur {URL} -Me Post -B {POWERSHELL}",
    "list that grows": '$m = @()\n$m += @{role=\'user\';content="it\'s a `"test`" & more"}\n'
    f"$b = @{{model='m-1';max_tokens=8;messages=$m}}\nirm {URL} -Method Post -Body ($b | ConvertTo-Json)",
    "dashes of a page": f"Invoke-RestMethod \u2013Uri {URL} \u2013Method Post \u2013Body {POWERSHELL}",
}
PYTHON = {
    "defaults of the environment": "import os\n" + SDK + PY + 'client.messages.create(model=os.getenv("M", "m-1"), '
    f'max_tokens=int(os.environ.get("N", "8")), messages=[{TURN}])',
    "partial": f'{SDK}{PY}go = partial(client.messages.create, model="m-1", max_tokens=8)\ngo(messages=[{TURN}])',
    "another name": f'{SDK}{PY}go = client.messages.create\ngo(model="m-1", max_tokens=8, messages=[{TURN}])',
    "list from a list": f'{SDK}{PY}client.messages.create(model="m-1", max_tokens=8, '
    'messages=[{"role": "user", "content": x} for x in ["", t] if x != ""])',
    "format": SDK + 'client.messages.create(model="m-1", max_tokens=8, messages=[{"role": "user", "content": '
    '"it\'s a {} & {x}".format(\'"test"\', x="more")}])',
    "percent": SDK + 'client.messages.create(model="m-1", max_tokens=8, messages=[{"role": "user", "content": '
    '"it\'s a %s & %s" % (\'"test"\', "more")}])',
    "data class": f'{SDK}{PY}@dataclass\nclass C:\n    n: int\n    model: str = "m-1"\n\nc = C(8)\n'
    f"client.messages.create(model=c.model, max_tokens=c.n, messages=[{TURN}])",
    "enumeration": f'{SDK}{PY}class M(str, Enum):\n    A = "m-1"\n\n'
    f"client.messages.create(model=M.A.value, max_tokens=8, messages=[{TURN}])",
    "constant of the class": f'{SDK}class Bot:\n    MODEL = "m-1"\n    def ask(self, t):\n'
    f"        return client.messages.create(model=self.MODEL, max_tokens=8, messages=[{TURN}])\n\nBot().ask({TEXT!r})",
    "match": f"{SDK}{PY}match x:\n    case 1:\n        client.messages.create("
    f'model="m-1", max_tokens=8, messages=[{TURN}])',
    "slice": f'{SDK}{PY}ms = [{{"role": "user", "content": "x"}}, {TURN}]\n'
    'client.messages.create(model="m-1", max_tokens=8, messages=ms[-1:])',
    "not given": f'{SDK}{PY}client.messages.create(model="m-1", max_tokens=min(8, 90), messages=[{TURN}], '
    "system=anthropic.omit, top_p=anthropic.NOT_GIVEN, top_k=NotGiven())",
    "return without its function": f'{PY}return client.messages.create(model="m-1", max_tokens=8, messages=[{TURN}])',
    "litellm": f'{PY}r = litellm.completion(model="m-1", max_tokens=8, messages=[{TURN}])',
    "bedrock": f'{PY}r = br.invoke_model(modelId="m-1", body=json.dumps({{"anthropic_version": "bedrock-2023-05-31", '
    f'"max_tokens": 8, "messages": [{TURN}]}}))',
    "counting, then asking": f'{SDK}{PY}client.messages.count_tokens(model="x", messages=[])\n'
    f'client.messages.create(model="m-1", max_tokens=8, messages=[{TURN}])',
    "typographic quotes": SDK
    + "client.messages.create(model=\u201cm-1\u201d, max_tokens=8, messages=[{\u201crole\u201d: "
    "\u201cuser\u201d, \u201ccontent\u201d: 'it\\'s a \"test\" & more'}])",
}  # fmt: skip
JAVASCRIPT = {
    "console": f'> fetch("{URL}", {{"body": {json.dumps(JSON)}, "method": "POST"}})\n< Promise {{<pending>}}',
    "for await": f"{NODE}for await (const e of await client.messages.create({OBJECT})) {{ console.log(e.type); }}",
    "arrow that is called": NODE + 'const ask = async (prompt) => {\n const m = await client.messages.create({ model: '
    '"m-1", max_tokens: 8, messages: [{ role: "user", content: prompt }] });\n return m;\n};\n'
    "ask(`it's a \"test\" & more`);",
    "function that makes a message": NODE + 'function user(content) {\n  return { role: "user", content };\n}\n'
    "await client.messages.create({ model: 'm-1', max_tokens: 8, messages: [user(`it's a \"test\" & more`)] });",
    "number of a text": NODE + JS + 'await client.messages.create({ model: "m-1", max_tokens: '
    'Number(process.env.N || "8"), messages: [{ role: "user", content: t }] });',
    "superagent": f'superagent.post("{URL}").set("x-api-key", "k").send({OBJECT}).end((e, r) => {{}});',
    "request": f'request.post({{ url: "{URL}", json: {OBJECT} }}, function (e, r, b) {{}});',
    "jquery": f'$.ajax({{ url: "{URL}", type: "POST", data: JSON.stringify({OBJECT}) }});',
    "generic arrow": f"{NODE}const run = async <T,>(x: T): Promise<Anthropic.Message> => "
    f"client.messages.create({OBJECT});",
    "enumeration": NODE + JS + 'enum M { A = "m-1" }\nawait client.messages.create({ model: M.A, max_tokens: 8, '
    'messages: [{ role: "user", content: t }] });',
    "mapped": NODE + 'const h = [`it\'s a "test" & more`];\nawait client.messages.create({ model: "m-1", '
    'max_tokens: 8, messages: h.map(content => ({ role: "user", content })) });',
    "members alone": 'model: "m-1",\nmax_tokens: 8,\nmessages: [{ role: "user", content: `it\'s a "test" & more` }],',
}  # fmt: skip
PDF = "data:application/pdf;base64,AA=="
BASE64 = base64.b64encode(JSON.encode()).decode()
RECORD = {"method": "POST", "url": URL}
POSTMAN = {"mode": "raw", "raw": f"// the question\n{JSON[:-1]},}}"}
FILES = {
    "escaped without quotes": json.dumps(JSON)[1:-1],
    "escaped with line ends": json.dumps(json.dumps(BODY, indent=1))[1:-1],
    "typographic names": JSON.replace('"model"', "\u201cmodel\u201d"),
    "comments of Postman": json.dumps({"item": [{"name": "a", "request": {**RECORD, "body": POSTMAN}}]}),
    "Postman 1": json.dumps({"requests": [{**RECORD, "headers": "a: b\n", "dataMode": "raw", "rawModeData": JSON}]}),
    "proxy": json.dumps({"request": {"method": "POST", "scheme": "https", "host": "api.example.test",
                                     "path": "/v1/messages", "headers": [["a", "b"]], "content": JSON}}),
    "base64": json.dumps({**RECORD, "postData": {"text": BASE64, "encoding": "base64"}}),
    "req and res": json.dumps({"req": BODY, "res": {"type": "message", "role": "assistant", "content": []}}),
    "any name": json.dumps({"at": 1, "whatever": BODY}),
    "trace": json.dumps({"model": "m-1", "input": BODY["messages"], "modelParameters": {"max_tokens": 8}}),
    "log of the Python client": f"12:00 [DEBUG] Request options: {{'method': 'post', 'url': '/v1/messages', "
    f"'files': None, 'json_data': {BODY!r}}}",
    "log of the Node client": f"[log_1] sending request {{\n  retryOf: undefined,\n  method: 'post',\n  url: '{URL}',\n"
    f"  options: {{\n    path: '/v1/messages',\n    body: {OBJECT},\n    timeout: 600000\n  }}\n}}",
    "in a line of prose": f"I send this: {JSON} and get 400",
    "in code marks": f"I send `{JSON}` and get 400",
    "callback": f"callback({JSON})",
    "a value": f"export default {JSON}",
    "page": f"<pre><code>{JSON.replace('&', '&amp;').replace(chr(34), '&quot;')}</code></pre>",
}  # fmt: skip


@pytest.mark.parametrize("kind", [SHELLS, WINDOWS, PYTHON, JAVASCRIPT, FILES], ids=["sh", "win", "py", "js", "json"])
def test_every_variation_gives_the_body(kind: dict[str, str]) -> None:
    wrong = {}
    for name, text in kind.items():
        result = read(text)
        base = result.base_url if isinstance(result, Imported) else "problem"
        is_right = isinstance(result, Imported) and spelled(result.body) == spelled(BODY)
        if not is_right or base not in (None, "https://api.example.test"):
            wrong[name] = result
    assert wrong == {}


def test_text_around_and_changed_signs_are_told() -> None:
    assert "around the JSON" in " ".join(imported(f"I send this: {JSON} and get 400").notes)
    assert "dashes" in " ".join(imported(SHELLS["long dash"]).notes)
    assert "quotes" in " ".join(imported(PYTHON["typographic quotes"]).notes)


def test_two_bodies_in_one_text_are_a_choice() -> None:
    assert len(choice(JSON + JSON).options) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('from langchain_anthropic import ChatAnthropic\nChatAnthropic(model="m").invoke("hi")', "LangChain"),
        ('const r = streamText({ model: anthropic("m"), messages: [{ role: "user", content: "a" }] });', "Vercel"),
        ('client.responses.create(model="m", input="hi")', "Responses"),
        ("import com.anthropic.client.AnthropicClient;\nMessageCreateParams.builder()", "Java"),
        ("model: m\nmessages:\n  - role: user\n    content: hi\n", "YAML"),
        ('{"contents": [{"parts": [{"text": "hi"}]}]}', "Gemini"),
        ('{"modelId": "m", "messages": [{"role": "user", "content": [{"text": "hi"}]}]}', "Converse"),
        ('{"model": "m", "prompt": "hi", "stream": false}', "one prompt"),
        ('{"model": "m", "input": "hi", "instructions": "short"}', "Responses"),
        (json.dumps({**RECORD, "body": {"mode": "formdata", "formdata": []}}), "formdata"),
        (json.dumps({**RECORD, "postData": {"mimeType": "a/b", "params": []}}), "not in the file"),
    ],
)
def test_what_is_for_another_api_or_not_written_out_is_said(text: str, words: str) -> None:
    assert words in problem(text).message


def test_a_cloud_s_version_is_no_member_of_the_body() -> None:
    result = imported('{"anthropic_version": "vertex-2023-10-16", "max_tokens": 8, "messages": []}')
    assert "anthropic_version" not in result.body
    assert "vertex-2023-10-16" in " ".join(result.notes)


def test_chat_completions_with_every_odd_part_are_translated() -> None:
    body = {
        "model": "m",
        "user": "u1",
        "messages": [
            {"role": "user", "content": [{"type": "file", "file": {"file_data": PDF, "filename": "a"}}]},
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{bad"}},
            {"role": "function", "name": "f"},
            {"role": "assistant", "content": None, "refusal": "no"},
        ],
        "functions": [{"name": "f", "parameters": {"type": "object"}}],
        "function_call": {"name": "f"},
    }  # fmt: skip
    result = imported(json.dumps(body))
    assert result.body["metadata"] == {"user_id": "u1"}
    assert result.body["tools"] == [{"name": "f", "input_schema": {"type": "object"}}]
    assert result.body["tool_choice"] == {"type": "tool", "name": "f"}
    assert result.body["messages"][0]["content"][0]["type"] == "document"
    assert result.body["messages"][2] == {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "f"}]}
    assert result.body["messages"][3] == {"role": "assistant", "content": "no"}
    assert "arguments of a call of f" in " ".join(result.notes)


def test_functions_of_the_code_are_no_values_of_the_body() -> None:
    code = f'{SDK}def w(): pass\nclient.beta.messages.tool_runner(model="m", max_tokens=8, tools=[w], messages=[])'
    result = imported(code)
    assert result.body["tools"] == []
    assert "tools[0]" in " ".join(result.notes)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"const f{n} = (x) => {{ f{n + 1}(x); f{n + 1}(x); return x; }};" for n in range(40)[::-1])
        + "\nf0(1)",
        "const a = [" + "1," * 900 + "];\nconst b = a.map(x => a.map(y => a.map(z => z)));",
        "a = [" + "1," * 900 + "]\nb = [[[z for z in a] for y in a] for x in a]",
        "cat > a <<'EOF'\nconfig = a\nconfig = a\nEOF\ncurl -K a",
        "jq -n --arg a " + "x" * 100_000 + " '{a:\"" + "\\($a)" * 5_000 + "\"}' | curl x -d @-",
        "a=(x)\n" + 'a=("${a[@]}" "${a[@]}")\n' * 40 + 'curl "${a[@]}"',
        "bash -c '" * 2000 + "curl x",
        "http POST https://a/v1/messages " + "\\" * 1_000_000,
        "a = '{}'\n" + "a = a.format('{}' * 1000000)\n" * 100,
    ],
)
def test_no_variation_makes_work_or_text_without_end(text: str) -> None:
    read(text)


def test_nothing_that_is_pasted_raises() -> None:
    """Mutations of everything above, and of the JSON in it; what is read can be written as JSON."""
    chance = random.Random(10)
    seeds = [text for kind in (SHELLS, WINDOWS, PYTHON, JAVASCRIPT, FILES) for text in kind.values()]
    signs = [
        '"',
        "'",
        "\\",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "\n",
        "`",
        "$",
        "=",
        "*",
        "\0",
        "\ud800",
        ",",
        ":",
        "@",
        "<<E\n",
    ]
    odd = [
        '"role": []',
        '"role": {}',
        '"content": null',
        '"messages": 1',
        '"type": []',
        '"model": {}',
        '"tool_calls": 1',
    ]
    for _ in range(800):
        text = chance.choice(seeds)
        for _ in range(chance.choice((1, 2, 3))):
            at = chance.randrange(len(text) + 1)
            text = text[:at] + chance.choice(signs) + text[at + chance.choice((0, 1, 3, 20)) :]
        if chance.random() < 0.3:
            text = text.replace(
                chance.choice(('"role": "user"', '"content": t', '"max_tokens": 8')), chance.choice(odd)
            )
        result = read(text)
        if isinstance(result, Imported):
            json_text.dump(result.body)


@pytest.mark.parametrize(
    "text",
    [
        '{"role": []}',
        '{"model": "m", "messages": [{"role": "tool"}, {"role": {}, "tool_calls": {}}]}',
        '{"messages": [{"role": "user", "tool_calls": []}, {"role": "tool", "content": {"a": 1}}]}',
        "return 1",
        "x = lambda: 1\nclient.messages.create(messages=x, model=print, system=[x])",
    ],
)
def test_json_and_code_of_any_form_are_read_or_refused(text: str) -> None:
    read(text)
