"""Go with the official client (anthropic-sdk-go); the body is a raw string that stands for the typed parameters."""

from __future__ import annotations

from playground.protocol.snippets.go import BASE64_FUNCTION, CHECK, go, header_value, raw_string, string
from playground.protocol.snippets.http_request import SnippetRequest
from playground.protocol.snippets.literals import body_text
from playground.protocol.snippets.official_clients import PLAIN_HTTP_NOTE

MODULE = "github.com/anthropics/anthropic-sdk-go"


def go_client(request: SnippetRequest) -> str:
    if request.query_members() is None:  # spelled in a way that only plain HTTP sends
        return f"// {PLAIN_HTTP_NOTE}\n{go(request)}"
    body = body_text(request)
    standard = {"context", "encoding/json", "fmt", "os"} | ({"encoding/base64", "strings"} if body.files else set())
    reading = "".join(f'\tbody = strings.Replace(body, "{mark}", base64Of("{name}"), 1)\n' for mark, name in body.files)
    credential = "option.WithAuthToken" if request.auth_style == "bearer" else "option.WithAPIKey"
    options = [
        f'{credential}(os.Getenv("{request.key_variable}"))',
        f"option.WithBaseURL({string(request.client_base_url)})",
    ]
    options += [f"option.WithHeader({string(each.name)}, {header_value(each)})" for each in request.client_headers()]
    for name, value in (request.query_members() or {}).items():
        options.append(f"option.WithQuery({string(name)}, {string(value)})")
    return (
        "package main\n\nimport (\n"
        + "".join(f'\t"{name}"\n' for name in sorted(standard))
        + f'\n\t"{MODULE}"\n\t"{MODULE}/option"\n\t"{MODULE}/packages/param"\n'
        + f")\n\nfunc main() {{\n\tbody := {raw_string(body.text)}\n{reading}"
        + "\tclient := anthropic.NewClient(\n"
        + "".join(f"\t\t{option},\n" for option in options)
        + "\t)\n\tparams := param.Override[anthropic.MessageNewParams](json.RawMessage(body))\n"
        + (_STREAM if request.streams else _WHOLE)
        + "}\n"
        + (BASE64_FUNCTION if body.files else "")
    )


_WHOLE = (
    "\tmessage, err := client.Messages.New(context.TODO(), params)\n"
    + CHECK
    + '\tfmt.Printf("%+v\\n", message.Content)\n'
)
_STREAM = """\
	stream := client.Messages.NewStreaming(context.TODO(), params)
	for stream.Next() {
		switch event := stream.Current().AsAny().(type) {
		case anthropic.ContentBlockDeltaEvent:
			fmt.Print(event.Delta.Text)
		}
	}
	if err := stream.Err(); err != nil {
		panic(err)
	}
"""
