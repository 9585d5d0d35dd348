"""The sources of images and documents: bytes in the body, an address, or an uploaded file."""

from playground.protocol.catalogue.caching import CACHE_CONTROL
from playground.protocol.catalogue.citations import CITATIONS_OF_TEXT, citations_switch
from playground.protocol.catalogue.kinds import (
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


_BASE64_DATA = needs("data", Base64Data(), "The file in base64.")
_ADDRESS = needs("url", Text(), "URL the API fetches the file from. Must be https.")
_FILE_ID = needs("file_id", Text(), "ID of a file uploaded with the Files API.")

IMAGE_SOURCE = Variants(
    (
        Object(
            "base64",
            (
                tag("base64"),
                Parameter("media_type", Choice(IMAGE_MEDIA_TYPES), "Media type of the file.", required=True),
                _BASE64_DATA,
            ),
            help="The file itself.",
            shown=("media_type", "data"),
        ),
        Object("url", (tag("url"), _ADDRESS), help="A URL.", shown=("url",)),
        Object("file", (tag("file"), _FILE_ID), help="An uploaded file.", shown=("file_id",)),
    )
)

TEXT_BLOCK = Object(
    "text",
    (tag("text"), needs("text", Text(multiline=True, min_length=1), "The text."), CITATIONS_OF_TEXT, CACHE_CONTROL),
    help="Plain text.",
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
                        "What to do with an image that is too large for the model.",
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
    help="An image: JPEG, PNG, GIF or WebP.",
    shown=("type", "source"),
)

DOCUMENT_SOURCE = Variants(
    (
        Object(
            "base64",
            (
                tag("base64"),
                Parameter("media_type", Constant("application/pdf"), "Media type of the file.", required=True),
                _BASE64_DATA,
            ),
            help="A PDF file.",
            shown=("media_type", "data"),
        ),
        Object(
            "text",
            (
                tag("text"),
                Parameter("media_type", Constant("text/plain"), "Media type of the text.", required=True),
                needs("data", Text(multiline=True), "The whole text."),
            ),
            help="Plain text.",
            shown=("data",),
        ),
        Object("url", (tag("url"), _ADDRESS), help="URL of a PDF.", shown=("url",)),
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
            help="Your own blocks, which citations refer to.",
            shown=("content",),
        ),
    )
)

DOCUMENT_BLOCK = Object(
    "document",
    (
        tag("document"),
        Parameter("source", DOCUMENT_SOURCE, "Where the document comes from.", required=True),
        Parameter("title", Text(), "Title of the document. The model sees it.", nullable=True),
        Parameter("context", Text(multiline=True), "Context for the model. Never cited.", nullable=True),
        citations_switch(nullable=True),
        CACHE_CONTROL,
    ),
    help="A document: PDF, plain text, or blocks.",
    shown=("title", "source"),
)

SEARCH_RESULT_BLOCK = Object(
    "search_result",
    (
        tag("search_result"),
        needs("source", Text(), "URL or name of the source."),
        needs("title", Text(), "Title of the result."),
        Parameter(
            "content",
            ListOf(TEXT_BLOCK, noun="block", minimum=1),
            "Text of the result, as text blocks.",
            required=True,
        ),
        citations_switch(nullable=False),
        CACHE_CONTROL,
    ),
    help="A result of your own search, which can be cited.",
    shown=("type", "title"),
)
