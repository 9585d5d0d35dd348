"""What the site is told from outside: environment variables, and the folder that holds its data."""
