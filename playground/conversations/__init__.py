"""Saved conversations: titles and search words, versions and branches, saving and opening, import and export."""
