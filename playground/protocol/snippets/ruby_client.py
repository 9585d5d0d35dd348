"""Ruby with the official client (the gem `anthropic`); the body is JSON text, so that it is sent with every member."""

from __future__ import annotations

import re

from playground.protocol.snippets.http_request import SnippetRequest
from playground.protocol.snippets.literals import body_text, has_half_surrogate, numbers_of, python_keeps
from playground.protocol.snippets.official_clients import PLAIN_HTTP_NOTE
from playground.protocol.snippets.ruby import header_value, ruby, string

# Numbers that Ruby's JSON writes again as they are spelled.
KEPT_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")


def _survives(request: SnippetRequest) -> bool:
    """Return whether the client sends the body and the query as they are; else only plain HTTP does."""
    if request.query_members() is None or not isinstance(request.body, dict) or has_half_surrogate(request.body):
        return False
    return all(KEPT_NUMBER.fullmatch(each) and each != "-0" and python_keeps(each) for each in numbers_of(request.body))


def ruby_client(request: SnippetRequest) -> str:
    if not _survives(request):
        return f"# {PLAIN_HTTP_NOTE}\n{ruby(request)}"
    body = body_text(request)
    replacing = "".join(f"body.sub!('{mark}') {{ [File.binread('{name}')].pack('m0') }}\n" for mark, name in body.files)
    credential = "auth_token" if request.auth_style == "bearer" else "api_key"
    headers = "".join(f"  {string(header.name)} => {header_value(header)},\n" for header in request.client_headers())
    options = "extra_headers: headers"
    if request.query_members():
        members = ", ".join(
            f"{string(name)} => {string(value)}" for name, value in (request.query_members() or {}).items()
        )
        options += f", extra_query: {{ {members} }}"
    return (
        "require 'anthropic'\nrequire 'json'\n\n"
        f"anthropic = Anthropic::Client.new(\n  {credential}: ENV.fetch('{request.key_variable}'),\n"
        f"  base_url: {string(request.client_base_url)}\n)\n"
        f"headers = {{\n{headers}}}\n"
        f"body = <<'JSON'\n{body.text}\nJSON\n{replacing}\n"
        f"parameters = JSON.parse(body, symbolize_names: true)\n"
        + (_STREAM if request.streams else _WHOLE).format(options=options)
    )


_WHOLE = """\
message = anthropic.messages.create(**parameters, request_options: {{ {options} }})
puts message.content
"""
_STREAM = """\
parameters.delete(:stream) # stream_raw sends it by itself
stream = anthropic.messages.stream_raw(**parameters, request_options: {{ {options} }})
stream.each do |event|
  print event.delta.text if event.type == :content_block_delta && event.delta.type == :text_delta
end
"""
