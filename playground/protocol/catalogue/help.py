"""The full help of each parameter: what it does, what happens at its edges, an example, since when.

Type, range, default and beta stand in the parameter's record already; here is what a reference page says beside them.
The keys are paths without list numbers: "thinking.budget_tokens". Checked against the notes on the API of July to
November 2026; where those are silent, the text is too.
"""

from __future__ import annotations

from dataclasses import dataclass

REFERENCE = "https://docs.claude.com/en/api/messages"


@dataclass(frozen=True, slots=True)
class Help:
    """`text` is two to five sentences, `edge` what surprises people, `since` the version or date that brought it."""

    text: str
    edge: str = ""
    example: str = ""
    range: str = ""
    since: str = ""


_BETA = "Needs the anthropic-beta header shown here; without it the API refuses the field."

HELP: dict[str, Help] = {
    "model": Help(
        "The model that answers. The list shows what this connection offers, but any ID can be typed and is sent "
        "exactly as written. Models differ in context size, output limit, price, and in the parameters they accept.",
        "A server that does not know the ID answers 404 with not_found_error.",
        '"claude-sonnet-4-6"',
    ),
    "max_tokens": Help(
        "The most tokens to generate before the model is cut off. It is a ceiling, not a target: most responses end "
        "well before it. Thinking counts towards it, so leave room for both. Every model has a maximum of its own.",
        'A response that reaches the limit ends with stop_reason "max_tokens". With 0 nothing is generated: the '
        "request "
        "only fills the prompt cache.",
        "1024",
    ),
    "messages": Help(
        "The conversation so far, oldest message first. Each has a role and content: a plain string, or a list of "
        "blocks "
        "such as text, images, documents and tool results. The API keeps nothing between requests, so the whole "
        "history "
        "is sent each time.",
        "Messages in a row with the same role are read as one turn. On older models a last message from the assistant "
        "is a prefill: the response continues exactly where it ends.",
        '[{"role": "user", "content": "Hello"}]',
        "up to 100,000 messages",
    ),
    "system": Help(
        "Instructions that hold for the whole conversation: who the model is to be, what it should do and how it "
        "should "
        "sound. It is read before the first message. A string is enough in most cases; a list of text blocks lets you "
        "cache part of it.",
        "Changing it spoils the prompt cache of everything after it. What changes from turn to turn belongs in "
        "messages.",
        '"You are a concise travel guide."',
    ),
    "stream": Help(
        "When true, the response arrives piece by piece as server-sent events while it is generated. When false, one "
        "JSON object arrives when everything is ready. Stream long responses: proxies close connections that stay "
        "silent.",
        "An error can still arrive in the middle of a stream, after the status 200.",
        "true",
    ),
    "temperature": Help(
        "How much chance goes into choosing each token. Values near 0 suit analysis and multiple choice, values near "
        "1 "
        "suit writing and brainstorming. Change this or top_p, not both.",
        "Even 0 does not make responses fully repeatable. Newer models, and anthropic-version 2026-10-21, refuse it.",
        "0.7",
        since="refused since anthropic-version 2026-10-21",
    ),
    "top_p": Help(
        "Nucleus sampling: each token is chosen from the smallest set whose probabilities add up to this value. 0.9 "
        "leaves out the unlikely tail, 1 leaves out nothing. Most requests do not need it.",
        "Some models refuse it together with temperature; newer ones refuse it altogether.",
        "0.9",
        since="refused since anthropic-version 2026-10-21",
    ),
    "top_k": Help(
        "Limits each choice to the K likeliest tokens and drops the tail of improbable ones. 1 always takes the "
        "likeliest "
        "token. It is meant for special cases; temperature alone is usually enough.",
        "Newer models, and anthropic-version 2026-10-21, refuse it.",
        "40",
        since="refused since anthropic-version 2026-10-21",
    ),
    "stop_sequences": Help(
        "Strings that end the response as soon as the model produces one of them. The string itself is left out; "
        'stop_reason becomes "stop_sequence" and stop_sequence says which one it was. Without any, the model stops '
        "when "
        'it has finished its turn, with "end_turn".',
        "They match exactly, upper and lower case and spaces included. One that is only white space may be refused.",
        '["END"]',
    ),
    "thinking": Help(
        "Whether the model reasons before it answers. enabled gives it a fixed budget, adaptive lets it decide how "
        "much "
        "a question deserves, disabled turns it off. The reasoning comes back as thinking blocks before the text and "
        "is "
        "billed as output.",
        "After a tool call, send thinking blocks back unchanged: their signatures are checked. enabled does not go "
        "with "
        "a temperature other than 1, with top_k, or with a forced tool. Not every model takes every mode.",
        '{"type": "enabled", "budget_tokens": 2048}',
    ),
    "thinking.budget_tokens": Help(
        "The most tokens to spend on thinking. Harder problems gain from more, but the model often stops early and "
        "only "
        "what was used is billed. Start low and raise it when the reasoning looks cut short.",
        "At least 1,024. It counts towards max_tokens, which must be larger.",
        "2048",
    ),
    "thinking.display": Help(
        "What of the thinking comes back: its text, a summary, or nothing but the signature. The tokens are billed "
        "either "
        "way. What is assumed when it is not sent depends on the model.",
        "With the text left out, thinking blocks arrive empty and signed; send them back as they came.",
    ),
    "output_config": Help(
        "Settings for the response as a whole: the shape of its text (format) and, in beta, a budget for a whole "
        "task. "
        "The effort, which is part of it in the request, stands with the model on this page.",
        example='{"format": {"type": "json_schema", "schema": {…}}}',
    ),
    "output_config.effort": Help(
        "How many tokens the model is willing to spend overall: on thinking, on tool calls and on the text. Lower "
        "effort "
        "is faster and cheaper, higher effort more thorough.",
        "Not every model knows every level; the list of models shows which ones it accepts.",
        '"medium"',
    ),
    "output_config.format": Help(
        "Makes the text of the response valid JSON that follows the schema you give. Use it to extract data or to "
        "feed "
        "another program. Say in the schema's descriptions what each field is for.",
        "A response cut off by max_tokens is not valid JSON, and a refusal does not follow the schema.",
    ),
    "tools": Help(
        "The tools the model may call. One of your own has a name, a description and a JSON Schema for its input: the "
        "response then holds a tool_use block, you run the tool and send a tool_result. Server tools, such as web "
        "search, "
        "run at the provider within the same response. The description matters most: the model decides by it.",
        "Names take letters, digits, _ and -. Definitions count as input tokens, so cache a long list.",
        '[{"name": "get_weather", "input_schema": {"type": "object"}}]',
    ),
    "tool_choice": Help(
        "How the model may use the tools. auto lets it decide, any makes it call at least one, tool makes it call "
        "the one "
        "you name, and none forbids calls but keeps the definitions. disable_parallel_tool_use allows one call at "
        "most.",
        "Forcing a call, with any or tool, does not go with thinking on most models. Changing it spoils the cache of "
        "messages.",
        '{"type": "auto"}',
    ),
    "metadata": Help(
        "About the request; the model never sees it. Its only field, user_id, stands for the person behind the "
        "request "
        "and lets the provider trace abuse to one user instead of to your whole account.",
        "Use a random or hashed ID. Never a name, an e-mail address or a phone number.",
        '{"user_id": "13803d75-b4b5"}',
    ),
    "metadata.user_id": Help(
        "An opaque ID for the person behind the request, of at most 256 characters.",
        "Never a name, an e-mail address or a phone number.",
        '"13803d75-b4b5"',
    ),
    "cache_control": Help(
        "Stores the beginning of the prompt, so that the next request with the same beginning costs less and starts "
        "sooner. Here it marks the last block that can be cached; a mark on a single block gives finer control. The "
        "order "
        "of the prompt is tools, system, messages.",
        "At most four marks per request. Prompts below the model's minimum length are not cached, and no error says "
        "so.",
        '{"type": "ephemeral", "ttl": "5m"}',
        "ephemeral, for 5 minutes or 1 hour",
    ),
    "service_tier": Help(
        "Whether reserved capacity may be used for the request. auto uses it when there is some, standard_only never "
        "does.",
        "usage.service_tier in the response says which tier served it.",
        '"auto"',
    ),
    "speed": Help(
        "Asks for faster generation at a higher price, on the models that offer it. Some need a beta header for it.",
        "Changing it spoils the prompt cache of system and messages.",
        '"fast"',
    ),
    "inference_geo": Help(
        "Where the model runs: us keeps the request in the United States at a tenth more, global lets it run "
        "anywhere. "
        "Without it, the workspace's own setting counts.",
        example='"us"',
    ),
    "container": Help(
        "The container that code execution runs in. Give the id of an earlier response to use its files again, or an "
        "object that also names skills to load.",
        "A container expires; the response says when.",
    ),
    "context_management": Help(
        "What the server drops or summarizes when the prompt grows: old thinking, old tool results, or everything up "
        "to "
        "a summary. Each edit has a trigger and says what is kept.",
        "The response lists the edits that were applied. " + _BETA,
    ),
    "mcp_servers": Help(
        "MCP servers whose tools the model may call. The provider connects to them, so their addresses must be "
        "public and "
        "use https. Each needs an mcp_toolset entry in tools.",
        _BETA,
        '[{"type": "url", "name": "docs", "url": "https://mcp.example.com/"}]',
    ),
    "fallbacks": Help(
        "Models to try, in order, when the first one declines or is not available. Each can bring its own max_tokens "
        "and "
        "thinking.",
        "Not together with fallback_credit_token. " + _BETA,
    ),
    "fallback_credit_token": Help(
        "Uses the credit that a declined request was given, for the same request to another model.",
        "Not together with fallbacks. " + _BETA,
    ),
    "compaction": Help(
        "Asks for a summary of the conversation in place of a response. The compaction block that comes back stands "
        "for "
        "everything before it in the next request.",
        "Not together with context_management. " + _BETA,
    ),
    "thread": Help(
        "Lets the server keep the conversation: later requests name the thread and send only what is new.",
        "Does not go with some uses of caching, context management, fallbacks and thinking. " + _BETA,
    ),
    "diagnostics": Help(
        "Compares the prompt with that of an earlier response and says why the cache was missed, if it was.",
        "Give null on the first request, then the id of the response before.",
        '{"previous_message_id": null}',
    ),
    "billing_policy": Help("Who pays for the request: you, or the user whose profile it names.", _BETA),
    "output_format": Help(
        "The older place of output_config.format, for servers that know only that one.",
        "Send one of the two, not both. " + _BETA,
    ),
    ":anthropic-version": Help(
        "The version of the API that the request is written for. Within a version nothing is taken away, though "
        "fields "
        "and events may be added. Nearly every compatible server expects 2023-06-01.",
        "2026-10-21 refuses temperature, top_p and top_k. The API refuses a request without the header.",
        "2023-06-01",
    ),
    ":betas": Help(
        "Switches on features that are not final, each by its name and date. Several are sent in one header, "
        "separated "
        "by commas.",
        "The API refuses names it does not know. Changing betas spoils the whole prompt cache.",
        "context-management-2025-06-27",
    ),
    ":accept": Help(
        "The format that the client can read: one JSON object, or a stream of server-sent events. On automatic it "
        "follows "
        "stream, which is what decides on most servers.",
        "The official API streams whenever stream is true, whatever this header says.",
        "text/event-stream",
    ),
}


def help_for(path: tuple[str | int, ...]) -> Help | None:
    """The help for a place of the body; an item of a list has that of its list's members."""
    return HELP.get(".".join(step for step in path if isinstance(step, str)))
