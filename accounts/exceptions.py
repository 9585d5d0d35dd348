"""The base of the accounts' exceptions, which know nothing of the playground."""


class AccountsError(Exception):
    """Something that the accounts themselves stop a call for."""
