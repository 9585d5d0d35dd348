"""Finds what a server of the Messages API leaves out: a catalogue of checks, a judge, and a runner. No Django."""
