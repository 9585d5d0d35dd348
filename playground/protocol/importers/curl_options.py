"""The options of curl that take an argument, by its manual (8.17), so that none of them eats the address or the body.

All other options stand alone. Long options may be shortened as long as they are unambiguous.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from playground.protocol.importers.shell_parts import Word

# One letter: the long name is given where this package looks at the option.
SHORT_WITH_ARGUMENT = {
    "A": "--user-agent", "b": "--cookie", "c": "--cookie-jar", "C": "--continue-at", "d": "--data",
    "D": "--dump-header", "e": "--referer", "E": "--cert", "F": "--form", "h": "--help", "H": "--header",
    "K": "--config", "m": "--max-time", "o": "--output", "P": "--ftp-port", "Q": "--quote", "r": "--range",
    "t": "--telnet-option", "T": "--upload-file", "u": "--user", "U": "--proxy-user", "w": "--write-out",
    "x": "--proxy", "X": "--request", "y": "--speed-time", "Y": "--speed-limit", "z": "--time-cond",
}  # fmt: skip
SHORT_ALONE = {"G": "--get", "I": "--head", ":": "--next", "T": "--upload-file"}

WITH_ARGUMENT = frozenset(
    [
        "--abstract-unix-socket",
        "--alt-svc",
        "--aws-sigv4",
        "--cacert",
        "--capath",
        "--cert",
        "--cert-type",
        "--ciphers",
        "--config",
        "--connect-timeout",
        "--connect-to",
        "--continue-at",
        "--cookie",
        "--cookie-jar",
        "--create-file-mode",
        "--crlfile",
        "--curves",
        "--data",
        "--data-ascii",
        "--data-binary",
        "--data-raw",
        "--data-urlencode",
        "--delegation",
        "--dns-interface",
        "--dns-ipv4-addr",
        "--dns-ipv6-addr",
        "--dns-servers",
        "--doh-url",
        "--dump-header",
        "--ech",
        "--egd-file",
        "--engine",
        "--etag-compare",
        "--etag-save",
        "--expand-data",
        "--expand-header",
        "--expand-json",
        "--expand-url",
        "--expect100-timeout",
        "--form",
        "--form-string",
        "--ftp-account",
        "--ftp-alternative-to-user",
        "--ftp-method",
        "--ftp-port",
        "--ftp-ssl-ccc-mode",
        "--happy-eyeballs-timeout-ms",
        "--haproxy-clientip",
        "--header",
        "--help",
        "--hostpubmd5",
        "--hostpubsha256",
        "--hsts",
        "--interface",
        "--ip-tos",
        "--ipfs-gateway",
        "--json",
        "--keepalive-cnt",
        "--keepalive-time",
        "--key",
        "--key-type",
        "--krb",
        "--libcurl",
        "--limit-rate",
        "--local-port",
        "--login-options",
        "--mail-auth",
        "--mail-from",
        "--mail-rcpt",
        "--max-filesize",
        "--max-redirs",
        "--max-time",
        "--netrc-file",
        "--noproxy",
        "--oauth2-bearer",
        "--output",
        "--output-dir",
        "--parallel-max",
        "--parallel-max-host",
        "--pass",
        "--pinnedpubkey",
        "--preproxy",
        "--proto",
        "--proto-default",
        "--proto-redir",
        "--proxy",
        "--proxy-cacert",
        "--proxy-capath",
        "--proxy-cert",
        "--proxy-cert-type",
        "--proxy-ciphers",
        "--proxy-crlfile",
        "--proxy-header",
        "--proxy-key",
        "--proxy-key-type",
        "--proxy-pass",
        "--proxy-pinnedpubkey",
        "--proxy-service-name",
        "--proxy-tls13-ciphers",
        "--proxy-tlsauthtype",
        "--proxy-tlspassword",
        "--proxy-tlsuser",
        "--proxy-user",
        "--proxy1.0",
        "--pubkey",
        "--quote",
        "--random-file",
        "--range",
        "--rate",
        "--referer",
        "--request",
        "--request-target",
        "--resolve",
        "--retry",
        "--retry-delay",
        "--retry-max-time",
        "--sasl-authzid",
        "--service-name",
        "--sigalgs",
        "--socks4",
        "--socks4a",
        "--socks5",
        "--socks5-gssapi-service",
        "--socks5-hostname",
        "--speed-limit",
        "--speed-time",
        "--stderr",
        "--telnet-option",
        "--tftp-blksize",
        "--time-cond",
        "--tls-max",
        "--tls13-ciphers",
        "--tlsauthtype",
        "--tlspassword",
        "--tlsuser",
        "--trace",
        "--trace-ascii",
        "--trace-config",
        "--unix-socket",
        "--upload-file",
        "--upload-flags",
        "--url",
        "--url-query",
        "--user",
        "--user-agent",
        "--variable",
        "--vlan-priority",
        "--write-out",
    ]
)
# Looked at here, or so often written in full that a shorter spelling must not be taken for another option.
ALONE = frozenset(
    [
        "--get",
        "--head",
        "--next",
        "--fail",
        "--insecure",
        "--include",
        "--location",
        "--silent",
        "--show-error",
        "--verbose",
        "--compressed",
    ]
)

_SORTED = tuple(sorted(WITH_ARGUMENT | ALONE))


def long_option(name: str) -> str:
    """The full name of a long option that may be shortened; the name itself when it is not known."""
    if name in WITH_ARGUMENT or name in ALONE or name.startswith("--no-"):
        return name
    matches = _SORTED[(start := bisect_left(_SORTED, name)) : start + 2]
    is_only_one = len(name) > 3 and matches and matches[0].startswith(name)
    return matches[0] if is_only_one and not any(other.startswith(name) for other in matches[1:]) else name


def split_option(text: str) -> list[tuple[str, str | None]]:
    """The options in one word, each with the argument that is glued to it.

    `-sSXPOST` is -s, -S and --request with POST; `--data=x` is taken too, as people write it.
    """
    if text.startswith("--"):
        name, equals, value = text.partition("=")
        return [(long_option(name), value if equals else None)]
    options: list[tuple[str, str | None]] = []
    for index in range(1, len(text)):
        letter = text[index]
        if letter in SHORT_WITH_ARGUMENT:
            return [*options, (SHORT_WITH_ARGUMENT[letter], text[index + 1 :] or None)]
        options.append((SHORT_ALONE.get(letter, f"-{letter}"), None))
    return options


def takes_argument(option: str) -> bool:
    return option in WITH_ARGUMENT


LONGEST_CONFIG = 16 * 1024 * 1024
CONFIG_LINE = re.compile(r"[ \t]*(-{0,2}[\w.:#-]+)(?:[ \t]*[=:][ \t]*|[ \t]+|(?=\r?$))(.*)")
CONFIG_ESCAPE = re.compile(r"\\(.)")
CONFIG_LETTERS = {"t": "\t", "n": "\n", "r": "\r", "v": "\v"}


def config_words(text: Word) -> list[Word]:
    """The lines of a configuration file (`curl -K`) as the words that they stand for."""
    words: list[Word] = []
    for line in text.text[:LONGEST_CONFIG].splitlines():
        match = CONFIG_LINE.fullmatch(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        name, value = match[1], match[2].strip()
        words.append(Word(name if name.startswith("-") else f"--{name}", text.offset))
        if quoted := re.match(r'"((?:[^"\\]|\\.)*+)"', value):
            value = CONFIG_ESCAPE.sub(lambda one: CONFIG_LETTERS.get(one[1], one[1]), quoted[1])
        if value:
            words.append(Word(value, text.offset, text.expansions))
    return words
