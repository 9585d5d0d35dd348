"""For each check the fault that it is there to find."""

from __future__ import annotations

import json

from playground.conformance.check import Check
from playground.conformance.checks import (
    BY_ID,
    CHECKS,
    caching_checks,
    content_checks,
    counting_checks,
    header_checks,
    http_checks,
    limit_checks,
    media_checks,
    member_checks,
    model_checks,
    stream_checks,
    structured_checks,
    thinking_checks,
    tool_checks,
    unicode_checks,
)
from tests.conformance.broken_server import (
    Event,
    Fault,
    answers,
    body,
    breaks_on,
    each_event,
    events,
    header,
    is_one_of,
    refuses,
    sees,
    takes,
)
from tests.conformance.spoiling import (
    NO_MESSAGES,
    PLAIN,
    STREAM,
    TOOL,
    TOOL_STREAM,
    as_json,
    as_openai_lists,
    cites_another_place,
    compressed,
    counts_three_times,
    counts_twice,
    cut_input,
    delta_of,
    drop,
    each_block,
    each_call,
    half_characters,
    held_back,
    ignores_query,
    indices_from_one,
    insert,
    last_block_only,
    last_turn_only,
    leaves_out_the_model,
    message_start_second,
    null_input,
    one_delta,
    one_message_id,
    one_request_id,
    openai_error,
    put,
    put_usage,
    replace_text,
    result_with,
    same_ids,
    sees_all_models,
    sends_back_thinking,
    spoilt_ping,
    start_of,
    status,
    thinks_with_tools,
    whole_citations,
    without,
    without_delta,
    works_on,
)

_OWN: dict[str, Fault] = {
    "answer.message": breaks_on(is_one_of(PLAIN)),
    "answer.content_type": header("content-type", "text/plain", PLAIN),
    "answer.type": body(drop("type"), PLAIN),
    "answer.role": body(put(role="bot"), PLAIN),
    "answer.id": body(put(id=""), PLAIN),
    "answer.model": body(put(model=None), PLAIN),
    "answer.content": body(lambda value: drop("type")(value["content"][0]), PLAIN),
    "answer.stop_reason": body(put(stop_reason="stop"), PLAIN),
    "answer.stop_sequence": body(drop("stop_sequence"), PLAIN),
    "answer.input_tokens": body(put_usage(input_tokens=0), PLAIN),
    "answer.output_tokens": body(lambda value: drop("output_tokens")(value["usage"]), PLAIN),
    "answer.cache_tokens": body(put_usage(cache_read_input_tokens="none"), PLAIN),
    "answer.ids_differ": one_message_id,
    "members.max_tokens": sees(put(max_tokens=400), member_checks.SHORT),
    "members.max_tokens_reason": body(put(stop_reason="end_turn"), member_checks.SHORT),
    "members.system": sees(drop("system"), member_checks.SYSTEM),
    "members.system_blocks": sees(lambda value: put(system=value["system"][:1])(value), member_checks.SYSTEM_BLOCKS),
    "members.stream_false": sees(put(stream=True), BY_ID["members.stream_false"].requests[0]),
    "members.stop_sequences": sees(drop("stop_sequences"), member_checks.STOPPED),
    "members.stop_sequence_named": body(put(stop_sequence=None), member_checks.STOPPED),
    "members.stop_sequences_several": sees(put(stop_sequences=["zulu"]), member_checks.STOPPED_BY_EITHER),
    "members.stop_sequence_streamed": each_event(
        "message_delta", lambda event: event["delta"].update(stop_sequence=None), member_checks.STOPPED_STREAM
    ),
    "content.several_texts": sees(last_block_only, content_checks.TEXTS),
    "content.history": sees(last_turn_only, content_checks.HISTORY),
    "content.neighbours": sees(last_turn_only, content_checks.NEIGHBOURS),
    "stream.answers": as_json(STREAM),
    "stream.content_type": header("content-type", "text/plain", STREAM),
    "stream.cache_control": header("cache-control", None, STREAM),
    "stream.json": events(insert(3, Event("content_block_delta", raw=b"{oops")), STREAM),
    "stream.event_names": events(
        lambda told: [Event(None, each.value) if "delta" in each.value else each for each in told], STREAM
    ),
    "stream.known_events": events(insert(3, Event("progress", {"type": "progress", "percent": 10})), STREAM),
    "stream.message_start": events(message_start_second, STREAM),
    "stream.start_message": each_event("message_start", lambda event: event["message"].pop("role"), STREAM),
    "stream.start_usage": each_event(
        "message_start", lambda event: event["message"]["usage"].update(input_tokens=0), STREAM
    ),
    "stream.block_order": events(without("content_block_stop"), STREAM),
    "stream.indices": events(indices_from_one, STREAM),
    "stream.deltas_at_home": events(
        insert(3, Event("content_block_delta", {
            "type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": ""},
        })), STREAM,
    ),
    "stream.text_start": each_event("content_block_start", lambda event: event["content_block"].update(text=None),
        STREAM),
    "stream.several_deltas": events(one_delta, STREAM),
    "stream.message_delta": each_event("message_delta", lambda event: event["delta"].update(stop_reason="stop"),
        STREAM),
    "stream.final_usage": each_event("message_delta", lambda event: event["usage"].update(output_tokens=0), STREAM),
    "stream.usage_is_total": each_event(
        "message_start", lambda event: event["message"]["usage"].update(output_tokens=5_000), STREAM
    ),
    "stream.usage_agrees": events(counts_twice, STREAM),
    "stream.same_model": each_event("message_start", lambda event: event["message"].update(model="other"), STREAM),
    "stream.message_stop": events(without("message_stop"), STREAM),
    "stream.nothing_after": events(
        lambda told: [*told, Event("message_delta", told[-2].value)], STREAM
    ),
    "stream.no_done": events(lambda told: [*told, Event(None, raw=b"[DONE]")], STREAM),
    "stream.ping": events(without("ping"), STREAM),
    "stream.not_buffered": held_back(stream_checks.LONG_STREAM),
    "stream.refusal_is_json": answers(
        200, 'event: error\ndata: {"type":"error","error":{"type":"invalid_request_error","message":"no"}}\n\n',
        "text/event-stream", is_one_of(stream_checks.BAD_STREAM),
    ),
    "stream.error_event": each_event(
        "error", lambda event: event["error"].update(type="internal_error"), stream_checks.FAILING_STREAM
    ),
    "tools.call": body(each_call(lambda call: call.update(input=json.dumps(call["input"]))), TOOL),
    "tools.stop_reason": body(put(stop_reason="end_turn"), TOOL),
    "tools.name": body(each_call(put(name="functions.get_weather")), TOOL),
    "tools.id": body(each_call(put(id="")), TOOL),
    "tools.stream_start": each_event("content_block_start", start_of("tool_use", drop("id")), TOOL_STREAM),
    "tools.stream_input_start": each_event("content_block_start", start_of("tool_use", put(input=None)), TOOL_STREAM),
    "tools.stream_input": events(cut_input, TOOL_STREAM),
    "tools.stream_stop_reason": each_event(
        "message_delta", lambda event: event["delta"].update(stop_reason="end_turn"), TOOL_STREAM
    ),
    "tools.no_arguments": body(each_call(put(input=None)), tool_checks.NO_ARGUMENTS),
    "tools.no_arguments_stream": events(null_input, tool_checks.NO_ARGUMENTS_STREAM),
    "tools.forced": sees(drop("tool_choice"), tool_checks.FORCED),
    "tools.any": sees(drop("tool_choice"), tool_checks.ANY),
    "tools.none": sees(drop("tool_choice"), tool_checks.NONE),
    "tools.parallel": body(each_call(put(id="toolu_same")), tool_checks.PARALLEL),
    "tools.parallel_stream": events(same_ids, tool_checks.PARALLEL_STREAM),
    "tools.disable_parallel": sees(put(tool_choice={"type": "auto"}), tool_checks.ONE_AT_A_TIME),
    "tools.result": refuses(result_with()),
    "tools.result_blocks": refuses(result_with(kind="text", blocks=True)),
    "tools.result_error": refuses(result_with(is_error=True)),
    "tools.result_empty": refuses(result_with(kind="none")),
    "tools.result_and_text": refuses(result_with(followed=True)),
    "tools.result_image": breaks_on(result_with(kind="image")),
    "tools.results_parallel": refuses(result_with(many=True)),
    "tools.stream_result": refuses(result_with(streamed=True)),
    "tools.counted": sees(drop("tools"), tool_checks.MANY_WORDS),
    "thinking.block": body(each_block("thinking", put(thinking=None)), thinking_checks.ENABLED),
    "thinking.first": body(lambda value: value["content"].reverse(), thinking_checks.ENABLED),
    "thinking.signature": body(each_block("thinking", put(signature="")), thinking_checks.ENABLED),
    "thinking.stream": each_event(
        "content_block_start", start_of("thinking", put(thinking="Well")), thinking_checks.ENABLED_STREAM
    ),
    "thinking.stream_signature": events(without_delta("signature_delta"), thinking_checks.ENABLED_STREAM),
    "thinking.sent_back": refuses(sends_back_thinking(altered=False)),
    "thinking.with_tools": refuses(thinks_with_tools),
    "thinking.altered": breaks_on(sends_back_thinking(altered=True)),
    "thinking.budget_minimum": breaks_on(is_one_of(thinking_checks.SMALL_BUDGET)),
    "thinking.budget_maximum": breaks_on(is_one_of(thinking_checks.LARGE_BUDGET)),
    "thinking.disabled": sees(
        put(thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2048), thinking_checks.DISABLED
    ),
    "thinking.omitted": sees(lambda value: drop("display")(value["thinking"]), thinking_checks.OMITTED),
    "thinking.tokens": body(put_usage(output_tokens_details={"thinking_tokens": 9_999}), thinking_checks.ENABLED),
    "media.image": breaks_on(is_one_of(media_checks.IMAGE)),
    "media.image_counted": sees(last_block_only, media_checks.IMAGE),
    "media.images": sees(
        lambda value: value["messages"][0].update(content=value["messages"][0]["content"][1:]), media_checks.TWO_IMAGES
    ),
    "media.document": sees(last_block_only, media_checks.DOCUMENT),
    "media.citations": body(cites_another_place, media_checks.CITED),
    "media.citations_stream": events(whole_citations, media_checks.CITED_STREAM),
    "caching.figures": body(put_usage(cache_creation_input_tokens=-1), caching_checks.WRITING),
    "caching.read": body(
        put_usage(cache_read_input_tokens=0, cache_creation_input_tokens=0, input_tokens=3_000), caching_checks.READING
    ),
    "caching.total": body(put_usage(input_tokens=4_000), caching_checks.READING),
    "caching.lifetimes": body(
        lambda value: value["usage"]["cache_creation"].update(ephemeral_1h_input_tokens=50), caching_checks.WRITING
    ),
    "structured.schema": sees(drop("output_config"), structured_checks.WHOLE),
    "structured.stream": sees(drop("output_config"), structured_checks.STREAMED),
    "count_tokens.answers": body(lambda value: {"tokens": value["input_tokens"]}, counting_checks.COUNT),
    "count_tokens.text": body(put(input_tokens=9), counting_checks.COUNT_LONGER),
    "count_tokens.system": sees(drop("system"), counting_checks.COUNT_SYSTEM),
    "count_tokens.tools": sees(drop("tools"), counting_checks.COUNT_TOOLS),
    "count_tokens.image": sees(last_block_only, counting_checks.COUNT_IMAGE),
    "count_tokens.agrees": counts_three_times,
    "count_tokens.beta_query": refuses(is_one_of(counting_checks.COUNT_WITH_BETA), 404),
    "models.list": body(lambda value: {"models": value["data"]}, model_checks.LIST),
    "models.entries": body(as_openai_lists, model_checks.LIST),
    "models.dates": body(lambda value: value["data"][0].update(created_at="yesterday"), model_checks.LIST),
    "models.page_members": body(drop("has_more"), model_checks.LIST),
    "models.lists_model": body(leaves_out_the_model, model_checks.LIST),
    "models.limit": sees_all_models,
    "models.next_page": ignores_query("after_id"),
    "models.one": body(put(id="another"), model_checks.ONE),
    "errors.shape": body(openai_error, NO_MESSAGES),
    "errors.types": body(lambda value: value["error"].update(type="BadRequestError"), NO_MESSAGES),
    "errors.status_400": status(422, NO_MESSAGES),
    "errors.content_type": header("content-type", "text/plain", NO_MESSAGES),
    "errors.names_member": body(lambda value: value["error"].update(message="Bad request"), NO_MESSAGES),
    "errors.no_messages": takes(NO_MESSAGES),
    "headers.x_api_key": refuses(is_one_of(header_checks.X_API_KEY), 401),
    "headers.bearer": refuses(is_one_of(header_checks.BEARER), 401),
    "headers.request_id": header("request-id", None, PLAIN),
    "headers.request_ids_differ": one_request_id,
    "headers.error_request_id": header("request-id", None, NO_MESSAGES),
    "headers.request_id_in_error": body(put(request_id="req_other"), NO_MESSAGES),
    "headers.rate_limits": header("anthropic-ratelimit-requests-limit", "plenty", PLAIN),
    "limits.five_megabytes": answers(
        413, "<html><h1>413 Request Entity Too Large</h1></html>", "text/html", is_one_of(limit_checks.LARGE)
    ),
    "unicode.whole": body(replace_text("Grüße", "GrÃ¼Ãe"), unicode_checks.WHOLE),
    "unicode.escaped": body(replace_text("東京", "\ufffd\ufffd"), unicode_checks.ESCAPED),
    "unicode.stream": each_event(
        "content_block_delta",
        delta_of("text_delta", lambda delta: delta.update(text=delta["text"].replace("\U0001f98a", "\ufffd\ufffd"))),
        unicode_checks.STREAMED,
    ),
    "unicode.stream_utf8": events(spoilt_ping, unicode_checks.STREAMED),
    "unicode.stream_halves": events(half_characters, unicode_checks.STREAMED),
    "http.chunked": refuses(is_one_of(http_checks.CHUNKED), 411),
    "http.keep_alive": header("connection", "close", PLAIN),
    "http.identity": compressed(True, http_checks.LONG),
    "http.gzip": compressed(False, http_checks.ASKS_FOR_GZIP),
    "http.cors": header("access-control-allow-origin", None, http_checks.FROM_A_PAGE),
    "http.preflight": status(405, http_checks.PREFLIGHT),
    "http.hang_up": works_on([]),
}  # fmt: skip


def usual_fault(check: Check) -> Fault:
    """A check that has a request of its own: what should be refused is taken; what may be refused breaks the server;
    what must be taken is refused."""
    request = check.requests[-1]
    shared_by = [other.id for other in CHECKS if request in other.requests]
    assert shared_by == [check.id], f"{check.id} shares its request with {shared_by}: write a fault of its own"
    if check.judge.__qualname__.startswith("refused.") and check.bad_request:
        return takes(request)
    is_strict = check.judge.__name__ == "is_answered" and not check.optional
    return refuses(is_one_of(request)) if is_strict else breaks_on(is_one_of(request))


def fault_of(check_id: str) -> Fault:
    return _OWN[check_id] if check_id in _OWN else usual_fault(BY_ID[check_id])
