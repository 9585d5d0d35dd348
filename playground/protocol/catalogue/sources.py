"""Where an image or a document comes from: bytes in the body, an address, or an uploaded file."""

from playground.protocol.caching import CACHE_CONTROL
from playground.protocol.citations import CITATIONS_OF_TEXT, citations_switch
from playground.protocol.kinds import (
    Base64Data,
    Choice,
    Constant,
    ListOf,
    Object,
    OneOf,
    Parameter,
    Text,
    Variants,
)

IMAGE_MEDIA_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def tag(value: str) -> Parameter:
    """The member `type` that tells a variant apart."""
    return Parameter("type", Constant(value), required=True)


def needs(name: str, kind: Text | Base64Data, help_text: str) -> Parameter:
    """A required member that is text."""
    return Parameter(name, kind, help_text, required=True)


_BASE64_DATA = needs("data", Base64Data(), "The bytes in base64.")
_ADDRESS = needs("url", Text(), "Address the API fetches it from; https.")
_FILE_ID = needs("file_id", Text(), "Id of a file uploaded with the Files API.")

IMAGE_SOURCE = Variants(
    (
        Object(
            "base64",
            (
                tag("base64"),
                Parameter("media_type", Choice(IMAGE_MEDIA_TYPES), "What the bytes are.", required=True),
                _BASE64_DATA,
            ),
            help="The bytes themselves.",
            shown=("media_type", "data"),
        ),
        Object("url", (tag("url"), _ADDRESS), help="An address.", shown=("url",)),
        Object("file", (tag("file"), _FILE_ID), help="An uploaded file.", shown=("file_id",)),
    )
)

TEXT_BLOCK = Object(
    "text",
    (tag("text"), needs("text", Text(multiline=True, min_length=1), "The text."), CITATIONS_OF_TEXT, CACHE_CONTROL),
    help="Plain text.",
    roles=("user", "assistant", "system"),
    shown=("text",),
)

IMAGE_BLOCK = Object(
    "image",
    (
        tag("image"),
        Parameter("source", IMAGE_SOURCE, "Where the image comes from.", required=True),
        Parameter(
            "transformations",
            Object(
                "transformations",
                (
                    Parameter(
                        "oversized_image",
                        Choice(("downsize", "error")),
                        "What to do with an image larger than the model takes.",
                        default="downsize",
                    ),
                ),
                shown=("oversized_image",),
            ),
            "What the API may do to the image before the model sees it.",
            nullable=True,
            rare=True,
        ),
        CACHE_CONTROL,
    ),
    help="A picture: JPEG, PNG, GIF or WebP.",
    roles=("user",),
    shown=("type", "source"),
)

DOCUMENT_SOURCE = Variants(
    (
        Object(
            "base64",
            (
                tag("base64"),
                Parameter("media_type", Constant("application/pdf"), "What the bytes are.", required=True),
                _BASE64_DATA,
            ),
            help="The bytes of a PDF.",
            shown=("media_type", "data"),
        ),
        Object(
            "text",
            (
                tag("text"),
                Parameter("media_type", Constant("text/plain"), "What the text is.", required=True),
                needs("data", Text(multiline=True), "The whole text."),
            ),
            help="Plain text.",
            shown=("data",),
        ),
        Object("url", (tag("url"), _ADDRESS), help="The address of a PDF.", shown=("url",)),
        Object("file", (tag("file"), _FILE_ID), help="An uploaded file.", shown=("file_id",)),
        Object(
            "content",
            (
                tag("content"),
                Parameter(
                    "content",
                    OneOf(
                        (
                            Text(multiline=True),
                            ListOf(Variants((TEXT_BLOCK, IMAGE_BLOCK)), noun="block"),
                        )
                    ),
                    "Text, or text and image blocks that can be cited one by one.",
                    required=True,
                ),
            ),
            help="Blocks cut by you, so that citations name them.",
            shown=("content",),
        ),
    )
)

DOCUMENT_BLOCK = Object(
    "document",
    (
        tag("document"),
        Parameter("source", DOCUMENT_SOURCE, "Where the document comes from.", required=True),
        Parameter("title", Text(), "Name of the document; the model sees it.", nullable=True),
        Parameter("context", Text(multiline=True), "What to know about it; never cited.", nullable=True),
        citations_switch(nullable=True),
        CACHE_CONTROL,
    ),
    help="A PDF, a text, or blocks, as something to read.",
    roles=("user",),
    shown=("title", "source"),
)

SEARCH_RESULT_BLOCK = Object(
    "search_result",
    (
        tag("search_result"),
        needs("source", Text(), "Address or name of where it was found."),
        needs("title", Text(), "Title of what was found."),
        Parameter(
            "content",
            ListOf(TEXT_BLOCK, noun="block", minimum=1),
            "The text that was found, as text blocks.",
            required=True,
        ),
        citations_switch(nullable=False),
        CACHE_CONTROL,
    ),
    help="Something your own search found, ready to be cited.",
    roles=("user",),
    shown=("type", "title"),
)
