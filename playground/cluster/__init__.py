"""Several processes serve one site, on one machine or on many: what they tell each other through Redis.

Used when `PLAYGROUND_REDIS_URL` is set; a site of one process imports nothing of this. PostgreSQL holds what must not
be lost: runs and who writes them (`models.ServerProcess`). Redis holds what can be made again from the processes that
live: which runs go on where, their events while somebody elsewhere follows, limits, and announcements.
"""
