"""Plumbing that every area stands on and that owns no table.

Words: *actor* (who), *clock* (when), *domain error* (a rule said no), *doorbell* (wake a worker early),
*public id* (what the outside sees), *operation* (a button in the admin that runs one service).
"""
