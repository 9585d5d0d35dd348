"""Sessions of agents as their pages show them: loaded from digests, never from bodies."""
