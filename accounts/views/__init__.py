"""Pages about people, their connections and their access keys."""

from accounts.views.sign_in import locked_out

__all__ = ["locked_out"]
