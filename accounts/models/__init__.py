"""People and secrets."""

from accounts.models.access_key import AccessKey
from accounts.models.connection import Connection
from accounts.models.user import User

__all__ = ["AccessKey", "Connection", "User"]
