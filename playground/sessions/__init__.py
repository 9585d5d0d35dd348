"""What many requests of one agent tell together: threads, context, and why the prompt cache missed. No Django here."""
