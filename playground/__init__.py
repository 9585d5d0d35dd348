__version__ = "0.1.0"  # as in pyproject.toml; nothing is imported here: playground.protocol must not load Django
