"""Who: tenants, their staff, brands, games, players and the credentials that speak for them.

Words: *operator* (a tenant), *membership* (a staff user's role with one operator), *brand* (a player base of its own),
*game* (an entry of the operator's catalogue), *player* (operator, brand, external id), *credential* (a key of any
kind), *scope* (one permission of a key), *block* (a suspension or self-exclusion).
"""
