"""Shares: what goes into the frozen copy, what is looked for before it is published, how it is read and copied."""
