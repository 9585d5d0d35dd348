"""The catalogue against the request types of the official client, member by member."""

import types
import typing
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

import pytest
from anthropic.types import message_count_tokens_params, message_create_params
from anthropic.types.beta import message_count_tokens_params as beta_count_tokens_params
from anthropic.types.beta import message_create_params as beta_message_create_params
from typing_extensions import is_typeddict

from playground.protocol.catalogue.kinds import (
    AnyJson,
    Base64Data,
    Choice,
    Constant,
    JsonSchema,
    Kind,
    ListOf,
    MapOf,
    Object,
    OneOf,
    Parameter,
    Variants,
)
from playground.protocol.catalogue.parameters import BODY, COUNT_TOKENS_MEMBERS, find

# Arguments of the client's methods that travel as headers, or that only choose how the answer is read.
NOT_IN_THE_BODY = {"betas", "user_profile_id", "workspace_id"}


def lists_of(kind: Kind) -> list[ListOf]:
    if isinstance(kind, OneOf):
        return [found for each in kind.kinds for found in lists_of(each)]
    return [kind] if isinstance(kind, ListOf) else []


def objects_of(kind: Kind) -> list[Object]:
    if isinstance(kind, OneOf):
        return [found for each in kind.kinds for found in objects_of(each)]
    if isinstance(kind, Variants):
        return list(kind.variants)
    return [kind] if isinstance(kind, Object) else []


def plain(annotation: Any) -> Any:
    while get_origin(annotation) in (Required, NotRequired, typing.Annotated):
        annotation = get_args(annotation)[0]
    return annotation


def alternatives(annotation: Any) -> list[Any]:
    annotation = plain(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return [each for part in get_args(annotation) for each in alternatives(part)]
    return [annotation]


def literals(annotation: Any) -> list[str]:
    """The strings a member can be when it can only be one of a few."""
    return [text for each in alternatives(annotation) if get_origin(each) is Literal for text in get_args(each)]


def hints(typed: type) -> dict[str, Any]:
    return get_type_hints(typed, include_extras=True)


def is_open(kind: Kind) -> bool:
    """Whether the kind is free JSON, where every member is at home."""
    return isinstance(kind, AnyJson | JsonSchema | MapOf)


def matching(typed: type, kind: Kind) -> list[Object]:
    """The catalogue's objects for one of the client's types: by their tag where they have one."""
    members = hints(typed)
    names = []
    for candidate in objects_of(kind):
        tags = {member.name: member.kind.value for member in candidate.members if isinstance(member.kind, Constant)}
        given = {name: literals(members[name]) for name in ("type", "role") if name in members}
        if all(tags[name] in values for name, values in given.items() if name in tags and values):
            names.append(candidate)
    return names


def missing(typed: type, kind: Kind, where: str, seen: set[tuple[type, int]]) -> list[str]:
    """The members of the client's type, recursively, that the catalogue has no record of."""
    if is_open(kind) or (typed, id(kind)) in seen:
        return []
    seen.add((typed, id(kind)))
    objects = [kind] if isinstance(kind, Object) else matching(typed, kind)
    if not objects:
        return [f"{where}: {typed.__name__}"]
    return [
        problem
        for each in objects
        for name, annotation in hints(typed).items()
        for problem in missing_member(each, name, annotation, f"{where}.{name}", seen)
        if not (where == "body" and name in NOT_IN_THE_BODY)
    ]


def missing_member(of: Object, name: str, annotation: Any, where: str, seen: set[tuple[type, int]]) -> list[str]:
    record = of.by_name.get(name)
    if record is None:
        return [where]
    return missing_value(record.kind, annotation, where, seen)


def disagreements(typed: type, kind: Kind, where: str, seen: set[tuple[type, int]]) -> list[str]:
    """Members that one side requires, or lets be null, and the other does not; recursively."""
    if is_open(kind) or (typed, id(kind)) in seen:
        return []
    seen.add((typed, id(kind)))
    found = []
    for each in [kind] if isinstance(kind, Object) else matching(typed, kind):
        for name, annotation in hints(typed).items():
            record = each.by_name.get(name)
            if record is None:
                continue
            place = f"{where}.{name}"
            if record.required != (get_origin(annotation) is Required):
                found.append(f"{place}: required")
            if record.nullable != (type(None) in alternatives(annotation)):
                found.append(f"{place}: nullable")
            found += below_disagree(record.kind, annotation, place, seen)
    return found


def below_disagree(kind: Kind, annotation: Any, where: str, seen: set[tuple[type, int]]) -> list[str]:
    found = []
    for each in alternatives(annotation):
        origin = get_origin(each)
        if is_typeddict(each):
            found += disagreements(each, kind, where, seen)
        elif origin is not None and origin.__name__ in ("Iterable", "Sequence", "list"):
            for inner in lists_of(kind)[:1]:
                found += below_disagree(inner.item, get_args(each)[0], f"{where}[]", seen)
        elif origin is dict and isinstance(kind, MapOf):
            found += below_disagree(kind.value, get_args(each)[1], f"{where}{{}}", seen)
    return found


def missing_value(kind: Kind, annotation: Any, where: str, seen: set[tuple[type, int]]) -> list[str]:
    problems = [f"{where}={text}" for text in literals(annotation) if not knows(kind, text)]
    for each in alternatives(annotation):
        origin = get_origin(each)
        if is_typeddict(each):
            problems += missing(each, kind, where, seen)
        elif origin is not None and origin.__name__ in ("Iterable", "Sequence", "list"):
            lists = lists_of(kind)
            problems += [] if lists or is_open(kind) else [where]
            for found in lists[:1]:
                problems += missing_value(found.item, get_args(each)[0], f"{where}[]", seen)
        elif origin is dict and isinstance(kind, MapOf):
            problems += missing_value(kind.value, get_args(each)[1], f"{where}{{}}", seen)
    return problems


def knows(kind: Kind, text: str) -> bool:
    """Whether the kind offers this string, or takes any."""
    if isinstance(kind, Constant):
        # A tag with two spellings is two variants, each with its own.
        return True
    if isinstance(kind, Choice):
        return text in kind.values
    if isinstance(kind, OneOf):
        return any(knows(each, text) for each in kind.kinds)
    return not isinstance(kind, Base64Data)


def all_members(typed: type, seen: set[type]) -> set[str]:
    """Every member the client's type has, itself and all the types below it, as Type.member."""
    if typed in seen:
        return set()
    seen.add(typed)
    found = set()
    for name, annotation in hints(typed).items():
        found.add(f"{typed.__name__}.{name}")
        found |= below(annotation, seen)
    return found


def below(annotation: Any, seen: set[type]) -> set[str]:
    found: set[str] = set()
    for each in alternatives(annotation):
        if is_typeddict(each):
            found |= all_members(each, seen)
        else:
            for part in get_args(each):
                found |= below(part, seen)
    return found


STABLE = message_create_params.MessageCreateParamsBase
BETA = beta_message_create_params.MessageCreateParamsBase

# What the beta types have and the catalogue does not. Nothing today; a new client may add to it.
MISSING_OF_BETA: set[str] = set()


def test_the_client_has_as_many_members_as_we_think_we_compare() -> None:
    # Guards the walk itself: if it stopped at the first level, everything below would pass unseen.
    assert len(all_members(STABLE, set())) > 500
    assert len(all_members(BETA, set())) > 700


def test_no_member_of_the_stable_api_is_missing() -> None:
    assert missing(STABLE, BODY, "body", set()) == []


def test_of_the_beta_api_only_named_members_are_missing() -> None:
    absent = missing(BETA, BODY, "body", set())
    assert set(absent) == MISSING_OF_BETA
    assert len(absent) * 10 <= len(all_members(BETA, set()))


def test_a_member_that_the_catalogue_lacks_would_be_noticed() -> None:
    without = Object("body", tuple(member for member in BODY.members if member.name != "metadata"))
    assert missing(STABLE, without, "body", set()) == ["body.metadata"]


@pytest.mark.parametrize("typed", [STABLE, BETA])
def test_what_the_client_requires_is_required_here(typed: type) -> None:
    required = {name for name, hint in hints(typed).items() if get_origin(hint) is Required}
    assert required == {member.name for member in BODY.members if member.required}


# In the API, and not in the newest client's body types: sampling went with client 1.0, `stream` chooses a method there.
OLDER_MEMBERS = {"temperature", "top_p", "top_k", "output_format", "stream"}


def described(typed: type, kind: Kind, members: dict[int, set[str]], seen: set[tuple[type, int]]) -> None:
    """Collect, for every object of the catalogue, the members that the client's types for it have."""
    if is_open(kind) or (typed, id(kind)) in seen:
        return
    seen.add((typed, id(kind)))
    for each in [kind] if isinstance(kind, Object) else matching(typed, kind):
        members.setdefault(id(each), set()).update(hints(typed))
        for name, annotation in hints(typed).items():
            if name in each.by_name:
                described_below(each.by_name[name].kind, annotation, members, seen)


def described_below(kind: Kind, annotation: Any, members: dict[int, set[str]], seen: set[tuple[type, int]]) -> None:
    for each in alternatives(annotation):
        origin = get_origin(each)
        if is_typeddict(each):
            described(each, kind, members, seen)
        elif origin is not None and origin.__name__ in ("Iterable", "Sequence", "list"):
            for inner in lists_of(kind)[:1]:
                described_below(inner.item, get_args(each)[0], members, seen)
        elif origin is dict and isinstance(kind, MapOf):
            described_below(kind.value, get_args(each)[1], members, seen)


def test_the_catalogue_invents_no_member() -> None:
    members: dict[int, set[str]] = {}
    described(BETA, BODY, members, set())
    invented = [
        f"{where}.{member.name}"
        for where, each in every_object()
        for member in each.members
        if member.name not in members.get(id(each), set())
    ]
    assert set(invented) == {f"body.{name}" for name in OLDER_MEMBERS}


# The beta types let a system message go without content (under a beta of its own); the stable ones do not.
KNOWN_DISAGREEMENTS = {STABLE: ["body.messages[].content: required"], BETA: []}


@pytest.mark.parametrize("typed", [STABLE, BETA])
def test_what_is_required_or_nullable_is_so_everywhere(typed: type) -> None:
    assert disagreements(typed, BODY, "body", set()) == KNOWN_DISAGREEMENTS[typed]


def test_token_counting_takes_what_the_client_sends_there() -> None:
    stable = set(hints(message_count_tokens_params.MessageCountTokensParams))
    beta = set(hints(beta_count_tokens_params.MessageCountTokensParams))
    assert (stable | beta) - NOT_IN_THE_BODY == COUNT_TOKENS_MEMBERS


def every_object() -> list[tuple[str, Object]]:
    """Every object of the catalogue once, with a path that leads to it."""
    found: list[tuple[str, Object]] = []
    seen: set[int] = set()

    def visit(kind: Kind, where: str) -> None:
        if id(kind) in seen:
            return
        seen.add(id(kind))
        match kind:
            case Object():
                found.append((where, kind))
                for member in kind.members:
                    visit(member.kind, f"{where}.{member.name}")
            case Variants():
                for variant in kind.variants:
                    visit(variant, f"{where}<{variant.name}>")
            case OneOf():
                for each in kind.kinds:
                    visit(each, where)
            case ListOf():
                visit(kind.item, f"{where}[]")
            case MapOf():
                visit(kind.value, f"{where}{{}}")

    visit(BODY, "body")
    return found


def every_parameter() -> list[tuple[str, Parameter]]:
    return [(f"{where}.{member.name}", member) for where, each in every_object() for member in each.members]


def test_every_member_at_the_top_has_a_line_of_help() -> None:
    assert [member.name for member in BODY.members if not member.help.endswith((".", "?"))] == []


def test_help_fits_on_a_line_and_says_something() -> None:
    too_long = [where for where, parameter in every_parameter() if len(parameter.help) > 100]
    assert too_long == []


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (("messages", 0, "content", 0, "text"), "text"),
        (("messages", 0, "content", 1, "source", "media_type"), "choice"),
        (("messages", 1, "content"), "one_of"),
        (("metadata", "user_id"), "text"),
        (("tools", 0, "input_schema"), "json_schema"),
        (("tools", 1, "max_uses"), "integer"),
        (("tools", 2, "configs", "my_tool", "enabled"), "boolean"),
        (("container", "skills", 0), "object"),
        (("stop_sequences", 3), "text"),
    ],
)
def test_find_follows_the_body_through_variants(path: tuple[str | int, ...], kind: str) -> None:
    body = {
        "messages": [
            {"role": "user", "content": [{"type": "text"}, {"type": "image", "source": {"type": "base64"}}]},
            {"role": "assistant"},
        ],
        "tools": [
            {"name": "mine"},
            {"type": "web_search_20250305"},
            {"type": "mcp_toolset", "configs": {"my_tool": {}}},
        ],
    }
    found = find(path, body)
    assert found is not None
    assert found.kind.word == kind


@pytest.mark.parametrize(
    "path", [("nothing",), ("messages", 0, "content", 0, "text"), ("thinking", "budget_tokens"), ("tools", "name")]
)
def test_find_answers_none_where_the_catalogue_has_nothing(path: tuple[str | int, ...]) -> None:
    assert find(path, {"messages": [{"role": "user", "content": [{"type": "unheard of"}]}], "thinking": None}) is None
