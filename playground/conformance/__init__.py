"""What a server that speaks the Messages API leaves out: a catalogue of checks, a judge, and a runner. No Django."""
