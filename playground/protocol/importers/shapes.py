"""The shapes of JSON that are a request's body, or hold one, or are known to be something else."""

from __future__ import annotations

from typing import Any

from playground.protocol.importers.openai_chat import from_openai, is_openai

# Members that only a request has; two of them, or `messages`, make a body of an object that says nothing else.
OF_A_REQUEST = frozenset(
    [
        "messages",
        "model",
        "max_tokens",
        "system",
        "temperature",
        "top_p",
        "top_k",
        "tools",
        "tool_choice",
        "thinking",
        "stop_sequences",
        "stream",
    ]
)
ROLES = frozenset({"user", "assistant", "system", "developer", "tool"})


def is_message(value: Any) -> bool:
    role = value.get("role") if isinstance(value, dict) else None
    return isinstance(role, str) and role in ROLES and ("content" in value or "tool_calls" in value)


def is_message_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(is_message(item) for item in value)


def other_api(value: dict[str, Any]) -> str | None:
    """The API that a request is for when it is for another one than Messages or chat completions, in words."""
    names = value.keys()
    if isinstance(value.get("contents"), list) and "messages" not in names:
        return "Gemini's generateContent"
    if {"modelId", "inferenceConfig", "additionalModelRequestFields"} & names and "messages" in names:
        return "Bedrock's Converse"
    if isinstance(value.get("prompt"), str) and {"model", "max_tokens_to_sample"} & names and "messages" not in names:
        return "an API that completes one prompt"
    is_responses = {"instructions", "max_output_tokens", "previous_response_id", "tools", "store", "stream"} & names
    if {"model", "input"} <= names and "messages" not in names and (is_responses or names == {"model", "input"}):
        return "OpenAI's Responses"
    return None


def is_body(value: Any) -> bool:
    """Return whether an object is a request's body; a model's name alone may stand in any file."""
    if not isinstance(value, dict) or not_a_request(value):
        return False
    if isinstance(value.get("messages"), list):
        return all(isinstance(message, dict) for message in value["messages"])
    return len(OF_A_REQUEST & value.keys()) >= 2 or (value.keys() <= OF_A_REQUEST and bool(value))


def not_a_request(value: dict[str, Any]) -> str | None:
    """Return the name of one of the API's other objects; None for anything else."""
    kind = value.get("type")
    if kind == "message" and "role" in value:
        model = value.get("model")
        return f"a response of the API (a message{f' from {model}' if isinstance(model, str) else ''})"
    if kind == "error" and "error" in value:
        return "an error of the API"
    if kind == "message_batch":
        return "a batch's status"
    if isinstance(kind, str) and kind.startswith(("message_", "content_block_")):
        return "an event of a stream"
    if "choices" in value and "messages" not in value:
        return "a response of a chat completions API"
    if value.keys() == {"input_tokens"}:
        return "a count of tokens"
    if isinstance(value.get("data"), list) and ("has_more" in value or value.get("object") == "list"):
        return "a list that an API answered"
    if "result" in value and "custom_id" in value:
        return "the result of a batch's item"
    return None


def unwrap_body(body: Any, notes: list[str]) -> Any:
    """The body in the Messages API's form: messages alone are put in one, other chat APIs' bodies translated."""
    if is_message_list(body):
        body = {"messages": body}
    elif is_message(body) and not isinstance(body.get("type"), str):
        body = {"messages": [body]}
    if not isinstance(body, dict):
        return body
    if is_openai(body):
        return from_openai(body, notes)
    spelling = body.get("anthropic_version")
    if isinstance(spelling, str):  # as the clouds' own endpoints want it
        notes.append(f"anthropic_version ({spelling[:60]}) is not a member of a Messages body; it was left out.")
        return {name: value for name, value in body.items() if name != "anthropic_version"}
    return body
