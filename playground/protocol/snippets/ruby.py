"""Ruby with its own net/http; the body is a quoted here-document."""

from __future__ import annotations

from playground.protocol.snippets.http_request import Header, SnippetRequest
from playground.protocol.snippets.literals import body_text


def string(text: str) -> str:
    """A single-quoted Ruby string: only the backslash and the quote mean something in it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def ruby(request: SnippetRequest) -> str:
    body = body_text(request)
    replacing = "".join(f"body.sub!('{mark}') {{ [File.binread('{name}')].pack('m0') }}\n" for mark, name in body.files)
    headers = "".join(f"  {string(header.name)} => {header_value(header)},\n" for header in request.headers())
    return (
        "require 'json'\nrequire 'net/http'\n\n"
        f"uri = URI({string(request.url)})\n"
        f"headers = {{\n{headers}}}\n"
        f"body = <<'JSON'\n{body.text}\nJSON\n{replacing}\n"
        "request = Net::HTTP::Post.new(uri, headers)\n"
        "request.body = body\n"
        "Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https', read_timeout: 600) do |http|\n"
        + (_STREAM if request.streams else _WHOLE)
        + "end\n"
    )


_WHOLE = "  response = http.request(request)\n  puts response.body\n"
_STREAM = """\
  http.request(request) do |response|
    rest = +''
    response.read_body do |chunk|
      rest << chunk
      while (line = rest.slice!(/\\A[^\\n]*\\n/))
        puts JSON.parse(line.delete_prefix('data:')) if line.start_with?('data:')
      end
    end
  end
"""


def header_value(header: Header) -> str:
    if not header.variable:
        return string(header.value)
    read = f"ENV.fetch('{header.variable}')"
    return f"{string(header.prefix)} + {read}" if header.prefix else read
