"""Readers of channels: brokers and clients' interfaces, each behind the same few verbs (rounds.md 4).

A *feed* is an open channel: it fetches messages, and settles each as taken, refused or given back. Whatever the kind,
messages end in `services.intake` with the checks of the HTTP interface, and nothing is acknowledged before its rounds
are durable. Everything is safe to run twice, because a round id counts once for ever.
"""
