"""Reads the requests of one agent together: threads, context, and why the prompt cache missed. No Django here."""
