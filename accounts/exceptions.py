"""What all exceptions of the accounts have in common, which know nothing of the playground."""


class AccountsError(Exception):
    """Something that the accounts themselves stop a call for."""
