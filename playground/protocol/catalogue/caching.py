"""Cache marks: the member `cache_control` that blocks, tools and the body itself can carry."""

from playground.protocol.catalogue.kinds import Choice, Constant, Object, Parameter, Variants

# One request can have this many marks; the automatic one at the top counts too. Source: the vendor's caching page.
MOST_CACHE_MARKS = 4

EPHEMERAL = Object(
    "ephemeral",
    (
        Parameter("type", Constant("ephemeral"), required=True),
        Parameter("ttl", Choice(("5m", "1h")), "How long the cached prefix is kept after its last use.", default="5m"),
    ),
    help="Cache everything up to and including this block.",
    shown=("type", "ttl"),
)

CACHE_CONTROL_KIND = Variants((EPHEMERAL,))

CACHE_CONTROL = Parameter(
    "cache_control",
    CACHE_CONTROL_KIND,
    f"Cache the prompt up to here. At most {MOST_CACHE_MARKS} marks per request.",
    nullable=True,
    rare=True,
)
