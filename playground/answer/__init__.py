"""A run's answer made ready for a page: live, stored and shared pages draw with the same code."""
