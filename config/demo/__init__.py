"""A believable Podium: two operators, their staff and players, competitions in every state, and traffic.

`world` seeds through the services, `client` and `traffic` play through the real HTTP API, `keys` remembers the secrets
between two starts of one data directory.
"""
