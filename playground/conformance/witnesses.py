"""The clients that break without what a check asks for, and the servers found without it: each with its source.

A client stands here only where its own code, its documentation or a public thread says that it needs the thing; a
reason that has no line here says what the protocol says. Looked up in November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Client:
    """`name` is how people know it; `id` stands in addresses."""

    id: str
    name: str


@dataclass(frozen=True)
class Witness:
    """`source` is an address; `label` says in a word or two what stands there. `client` is None for a server that was
    found without the thing."""

    label: str
    source: str
    client: Client | None = None


PYTHON: Final = Client("python", "Python client")
CLAUDE_CODE: Final = Client("claude-code", "Claude Code")
AI_SDK: Final = Client("ai-sdk", "Vercel AI SDK")
CLIENTS: Final = (PYTHON, CLAUDE_CODE, AI_SDK)

_GITHUB: Final = "https://github.com"


def _python(path: str) -> Witness:
    address = f"{_GITHUB}/anthropics/anthropic-sdk-python/blob/main/{path}"
    return Witness(f"Python client, {path.rpartition('/')[2]}", address, PYTHON)


def _thread(repository: str, kind: str, number: int, client: Client | None = None) -> Witness:
    label = f"{repository.partition('/')[2]} #{number}"
    return Witness(label, f"{_GITHUB}/{repository}/{kind}/{number}", client)


_ADDS_UP: Final = _python("src/anthropic/lib/streaming/_messages.py")
_READS_EVENTS: Final = _python("src/anthropic/_streaming.py")
_SENDS: Final = _python("src/anthropic/_client.py")
_SENDS_HEADERS: Final = _python("src/anthropic/_base_client.py")
_BETA: Final = _python("src/anthropic/resources/beta/messages/messages.py")
_VALIDATES: Final = Witness(
    "Vercel AI SDK, anthropic-api.ts",
    f"{_GITHUB}/vercel/ai/blob/main/packages/anthropic/src/anthropic-api.ts",
    AI_SDK,
)
_GATEWAY: Final = Witness(
    "Claude Code, gateway protocol", "https://code.claude.com/docs/en/llm-gateway-protocol", CLAUDE_CODE
)
_STOPS: Final = (
    _thread("anthropics/claude-code", "issues", 16785, CLAUDE_CODE),
    _thread("maximhq/bifrost", "issues", 3638),
)
_COMPACTS: Final = _thread("ericc-ch/copilot-api", "issues", 210, CLAUDE_CODE)
_BETA_IN_ADDRESS: Final = _thread("ollama/ollama", "issues", 13949, CLAUDE_CODE)
_OLLAMA: Final = Witness(
    "Ollama's compatibility notes", f"{_GITHUB}/ollama/ollama/blob/main/docs/api/anthropic-compatibility.mdx"
)
_VLLM: Final = Witness("vLLM, its source", f"{_GITHUB}/vllm-project/vllm/tree/main/vllm/entrypoints/anthropic")
_VLLM_STOPS: Final = _thread("vllm-project/vllm", "pull", 45807)
_DEEPSEEK: Final = Witness("DeepSeek's guide", "https://api-docs.deepseek.com/guides/anthropic_api")

WITNESSES: Final[dict[str, tuple[Witness, ...]]] = {
    "answer.content_type": (_python("src/anthropic/_response.py"),),
    "answer.type": (_VALIDATES,),
    "answer.content": (_VALIDATES,),
    "answer.stop_sequence": (_OLLAMA,),
    "answer.input_tokens": (_VALIDATES,),
    "answer.output_tokens": (_VALIDATES,),
    "answer.cache_tokens": (_VLLM,),
    "members.system_blocks": (_thread("ggml-org/llama.cpp", "pull", 20623, CLAUDE_CODE),),
    "members.stop_sequence_named": (_OLLAMA, _VLLM_STOPS),
    "members.stop_sequence_streamed": (_VLLM_STOPS,),
    "members.context_management": (
        _thread("anthropics/claude-code", "issues", 21612, CLAUDE_CODE),
        _thread("decolua/9router", "issues", 1468, CLAUDE_CODE),
    ),
    "content.system_role": (
        _thread("sgl-project/sglang", "issues", 28792, CLAUDE_CODE),
        _thread("ollama/ollama", "issues", 18431, CLAUDE_CODE),
    ),
    "stream.json": (_READS_EVENTS,),
    "stream.event_names": (_READS_EVENTS,),
    "stream.message_start": (_ADDS_UP,),
    "stream.start_message": (_ADDS_UP,),
    "stream.start_usage": (
        _thread("sgl-project/sglang", "issues", 20678),
        _thread("zai-org/GLM-5", "issues", 139),
    ),
    "stream.block_order": (_ADDS_UP, _thread("BerriAI/litellm", "issues", 31069)),
    "stream.indices": (_ADDS_UP,),
    "stream.deltas_at_home": (
        _thread("sgl-project/sglang", "issues", 24293),
        _thread("BerriAI/litellm", "issues", 39037),
    ),
    "stream.text_start": (_ADDS_UP,),
    "stream.usage_is_total": (_ADDS_UP,),
    "stream.message_stop": (_thread("ogx-ai/ogx", "issues", 6007),),
    "stream.no_done": (_READS_EVENTS, _thread("vllm-project/vllm", "pull", 37510)),
    "stream.error_event": (_VLLM,),
    "tools.stop_reason": _STOPS,
    "tools.stream_stop_reason": _STOPS,
    "tools.id": (_VALIDATES,),
    "tools.stream_start": (_ADDS_UP,),
    "tools.stream_input_start": (_ADDS_UP,),
    "tools.stream_input": (_ADDS_UP,),
    "tools.forced": (_OLLAMA,),
    "thinking.signature": (_VALIDATES,),
    "thinking.stream": (_ADDS_UP,),
    "media.image_url": (_OLLAMA,),
    "media.pdf": (_DEEPSEEK, _OLLAMA, _VLLM),
    "media.citations": (_VALIDATES,),
    "media.citations_stream": (_ADDS_UP,),
    "count_tokens.answers": (_COMPACTS, _OLLAMA),
    "count_tokens.text": (_COMPACTS,),
    "count_tokens.system": (_COMPACTS,),
    "count_tokens.tools": (_COMPACTS,),
    "count_tokens.image": (_COMPACTS,),
    "count_tokens.beta_query": (_BETA,),
    "models.dates": (_python("src/anthropic/types/model_info.py"),),
    "models.page_members": (_python("src/anthropic/pagination.py"),),
    "errors.no_max_tokens": (_thread("ggml-org/llama.cpp", "pull", 17570),),
    "errors.unknown_model": (_DEEPSEEK,),
    "headers.x_api_key": (_SENDS,),
    "headers.bearer": (_SENDS,),
    "headers.new_version": (_SENDS,),
    "headers.betas": (_GATEWAY,),
    "headers.beta_query": (_BETA, _BETA_IN_ADDRESS),
    "headers.client_headers": (
        _SENDS_HEADERS,
        _thread("router-for-me/CLIProxyAPI", "issues", 512, CLAUDE_CODE),
    ),
    "headers.request_id": (_python("README.md"),),
    "unicode.stream_utf8": (_READS_EVENTS,),
}


def clients_of(check_id: str) -> frozenset[str]:
    """The ids of the clients that need what a check asks for, as far as anybody has said so."""
    return frozenset(each.client.id for each in WITNESSES.get(check_id, ()) if each.client is not None)
