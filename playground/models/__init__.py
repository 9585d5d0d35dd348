from playground.models.agent_session import AgentSession, RunDigest, SessionBlock
from playground.models.attachment import Attachment
from playground.models.conformance_report import ConformanceReport, ConformanceResult, ConformanceRun
from playground.models.conversation import Conversation, ConversationRun, ConversationVersion
from playground.models.draft import Draft
from playground.models.draft_state import DraftState
from playground.models.run import Run
from playground.models.run_content import RunBatch, RunContent
from playground.models.saved_tool import SavedTool
from playground.models.server_process import ServerProcess
from playground.models.share import ShareLink
from playground.models.stored_file import StoredFile
from playground.models.tool_mock import ToolMock

__all__ = [
    "AgentSession",
    "Attachment",
    "ConformanceReport",
    "ConformanceResult",
    "ConformanceRun",
    "Conversation",
    "ConversationRun",
    "ConversationVersion",
    "Draft",
    "DraftState",
    "Run",
    "RunBatch",
    "RunContent",
    "RunDigest",
    "SavedTool",
    "ServerProcess",
    "SessionBlock",
    "ShareLink",
    "StoredFile",
    "ToolMock",
]
