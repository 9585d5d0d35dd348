"""Django's database back ends, made to tell at once what is already known: that the database is away or locked."""
