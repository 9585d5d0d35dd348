"""Go with its standard library; the body is a raw string."""

from __future__ import annotations

from playground.protocol.snippets.http_request import Header, SnippetRequest
from playground.protocol.snippets.literals import body_text, escaped

SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def string(text: str) -> str:
    return '"' + escaped(text, SHORT, lambda point: f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}") + '"'


def raw_string(text: str) -> str:
    """A raw Go string; a backquote cannot stand in one, so it is joined in between."""
    return "`" + text.replace("`", '` + "`" + `') + "`"


def go(request: SnippetRequest) -> str:
    body = body_text(request)
    imports = {"fmt", "net/http", "os", "strings"}
    imports |= {"bufio", "io"} if request.streams else {"io"}
    imports |= {"encoding/base64"} if body.files else set()
    reading = "".join(f'\tbody = strings.Replace(body, "{mark}", base64Of("{name}"), 1)\n' for mark, name in body.files)
    headers = "".join(f"\trequest.Header.Set({string(h.name)}, {header_value(h)})\n" for h in request.headers())
    return (
        "package main\n\nimport (\n"
        + "".join(f'\t"{name}"\n' for name in sorted(imports))
        + ")\n\nfunc main() {\n"
        + f"\tbody := {raw_string(body.text)}\n{reading}"
        + f'\trequest, err := http.NewRequest("POST", {string(request.url)}, strings.NewReader(body))\n'
        + CHECK
        + headers
        + "\tresponse, err := http.DefaultClient.Do(request)\n"
        + CHECK
        + "\tdefer response.Body.Close()\n"
        + (_STREAM if request.streams else _WHOLE)
        + "}\n"
        + (BASE64_FUNCTION if body.files else "")
    )


CHECK = "\tif err != nil {\n\t\tpanic(err)\n\t}\n"
_WHOLE = "\tanswer, err := io.ReadAll(response.Body)\n" + CHECK + "\tfmt.Fprintln(os.Stdout, string(answer))\n"
_STREAM = """\
	reader := bufio.NewReader(response.Body)
	for {
		line, err := reader.ReadString('\\n')
		if strings.HasPrefix(line, "data:") {
			fmt.Fprintln(os.Stdout, strings.TrimSpace(line[len("data:"):]))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			panic(err)
		}
	}
"""
BASE64_FUNCTION = """
func base64Of(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(data)
}
"""


def header_value(header: Header) -> str:
    if not header.variable:
        return string(header.value)
    read = f'os.Getenv("{header.variable}")'
    return f"{string(header.prefix)}+{read}" if header.prefix else read
