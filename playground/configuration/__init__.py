"""The site's configuration: environment variables, and the folder that holds its data."""
