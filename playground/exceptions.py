"""The base of the playground's exceptions. README.md beside this file draws the tree, with the HTTP status that each
becomes."""


class PlaygroundError(Exception):
    """Something that the playground itself stops a call for. Each kind is defined where it is raised."""
