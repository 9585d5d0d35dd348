"""The request form, made from the catalogue: what to draw, what a change does, what to start from."""
