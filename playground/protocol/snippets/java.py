"""Java 17 with its own HTTP client; the body is one or more text blocks."""

from __future__ import annotations

from playground.protocol.snippets.http_request import Header, SnippetRequest
from playground.protocol.snippets.literals import body_text, escaped

SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
LONGEST_CONSTANT = 60_000  # bytes of UTF-8; the class file format stops at 65,535


def string(text: str) -> str:
    return '"' + escaped(text, SHORT, _number) + '"'


def _number(point: int) -> str:
    if point < 0x10000:
        return f"\\u{point:04x}"
    point -= 0x10000
    return f"\\u{0xD800 + (point >> 10):04x}\\u{0xDC00 + (point & 0x3FF):04x}"


def java(request: SnippetRequest) -> str:
    body = body_text(request)
    reading = "".join(f'\n            .replace("{mark}", base64("{name}"))' for mark, name in body.files)
    imports = ["java.net.URI", "java.net.http.HttpClient", "java.net.http.HttpRequest", "java.net.http.HttpResponse"]
    imports += ["java.nio.file.Files", "java.nio.file.Path", "java.util.Base64"] if body.files else []
    headers = "".join(f"            .header({string(h.name)}, {value_of(h)})\n" for h in request.headers())
    return (
        "".join(f"import {name};\n" for name in sorted(imports))
        + "\npublic class Main {\n    public static void main(String[] arguments) throws Exception {\n"
        + f"        var body = {text_expression(body.text)}{reading};\n"
        + f"        var request = HttpRequest.newBuilder(URI.create({string(request.url)}))\n{headers}"
        + "            .POST(HttpRequest.BodyPublishers.ofString(body))\n            .build();\n"
        + (_STREAM if request.streams else _WHOLE)
        + "    }\n"
        + (BASE64_METHOD if body.files else "")
        + "}\n"
    )


_WHOLE = """\
        var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(response.body());
"""
_STREAM = """\
        var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofLines());
        response.body()
            .filter(line -> line.startsWith("data:"))
            .forEach(line -> System.out.println(line.substring(5).strip()));
"""
BASE64_METHOD = """
    static String base64(String name) throws Exception {
        return Base64.getEncoder().encodeToString(Files.readAllBytes(Path.of(name)));
    }
"""


def text_expression(text: str) -> str:
    parts = _parts(text)
    if len(parts) == 1:
        return _text_block(parts[0])
    return 'String.join("",\n' + ",\n".join(f"            {_text_block(part)}" for part in parts) + ")"


def _text_block(text: str) -> str:
    block = text.replace("\\", "\\\\").replace('"""', '\\"""')
    # Space at a line's end would be cut away, and a space at the start of all lines taken for indentation.
    lines = [_kept_edges(line) for line in block.split("\n")]
    return '"""\n' + "\n".join(lines) + '"""'


def _kept_edges(line: str) -> str:
    return line[:-1] + "\\s" if line.endswith(" ") else line


def _parts(text: str) -> list[str]:
    """`text` cut so that each part fits a constant, never beside a backslash, a quote or a space."""
    parts: list[str] = []
    part: list[str] = []
    size = 0
    for character, following in zip(text, text[1:] + " ", strict=True):
        size += len(character.encode()) + 1
        part.append(character)
        if size >= LONGEST_CONSTANT and character not in '\\"\n ' and following not in '\\"\n ':
            parts.append("".join(part))
            part, size = [], 0
    return [*parts, "".join(part)]


def value_of(header: Header) -> str:
    if not header.variable:
        return string(header.value)
    read = f'System.getenv("{header.variable}")'
    return f"{string(header.prefix)} + {read}" if header.prefix else read
