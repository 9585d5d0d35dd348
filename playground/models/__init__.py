from playground.models.attachment import Attachment
from playground.models.conversation import Conversation, ConversationRun, ConversationVersion
from playground.models.draft import Draft
from playground.models.run import Run
from playground.models.run_content import RunBatch, RunContent
from playground.models.share import ShareLink
from playground.models.tool_mock import ToolMock

__all__ = [
    "Attachment",
    "Conversation",
    "ConversationRun",
    "ConversationVersion",
    "Draft",
    "Run",
    "RunBatch",
    "RunContent",
    "ShareLink",
    "ToolMock",
]
