"""Citations: where a text came from, and the switch that asks for them."""

from playground.protocol.catalogue.kinds import Boolean, Constant, Integer, ListOf, Object, Parameter, Text, Variants

INDEX = Integer(minimum=0)

CITED_TEXT = Parameter("cited_text", Text(multiline=True), "The passage that was quoted.", required=True)


def _title(name: str) -> Parameter:
    return Parameter(name, Text(), "Title of the source. null if it has none.", required=True, nullable=True)


def _place(name: str, help_text: str) -> Parameter:
    return Parameter(name, INDEX, help_text, required=True)


_DOCUMENT = (
    CITED_TEXT,
    _place("document_index", "Index of the document in the request, from 0."),
    _title("document_title"),
)


def _citation(name: str, *members: Parameter, help_text: str) -> Object:
    tag = Parameter("type", Constant(name), required=True)
    return Object(name, (tag, *members), help=help_text, shown=("type", "cited_text"))


CITATION = Variants(
    (
        _citation(
            "char_location",
            *_DOCUMENT,
            _place("start_char_index", "Index of the first character, from 0."),
            _place("end_char_index", "Index after the last character."),
            help_text="A range of characters in a plain text document.",
        ),
        _citation(
            "page_location",
            *_DOCUMENT,
            Parameter("start_page_number", Integer(minimum=1), "First page, from 1.", required=True),
            Parameter("end_page_number", Integer(minimum=1), "Page after the last one.", required=True),
            help_text="A range of pages in a PDF.",
        ),
        _citation(
            "content_block_location",
            *_DOCUMENT,
            _place("start_block_index", "Index of the first block, from 0."),
            _place("end_block_index", "Index after the last block."),
            help_text="A range of blocks in a document made of blocks.",
        ),
        _citation(
            "web_search_result_location",
            CITED_TEXT,
            Parameter("url", Text(), "URL of the page.", required=True),
            _title("title"),
            Parameter("encrypted_index", Text(), "Send it back exactly as received.", required=True),
            help_text="A page found by web search.",
        ),
        _citation(
            "search_result_location",
            CITED_TEXT,
            Parameter("source", Text(), "The source of the search_result block.", required=True),
            _title("title"),
            _place("search_result_index", "Index of the search_result in the request, from 0."),
            _place("start_block_index", "Index of the first block of its content, from 0."),
            _place("end_block_index", "Index after the last block."),
            help_text="A range of blocks in a search_result of the request.",
        ),
    )
)

CITATIONS_OF_TEXT = Parameter(
    "citations",
    ListOf(CITATION, noun="citation"),
    "Sources of this text, from an earlier response.",
    nullable=True,
    rare=True,
)

CITATIONS_SWITCH_KIND = Object(
    "citations",
    (Parameter("enabled", Boolean(), "Ask the model to cite this document.", default="false", initial=True),),
    shown=("enabled",),
)


def citations_switch(*, nullable: bool) -> Parameter:
    """The member `citations` of a document, a search result or the web fetch tool."""
    return Parameter(
        "citations",
        CITATIONS_SWITCH_KIND,
        "Whether the response may cite it. All documents of a request, or none.",
        nullable=nullable,
        initial={"enabled": True},
    )
