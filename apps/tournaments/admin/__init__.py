"""Admin pages of tournaments: the list, the page of one, entries, and what games reported."""

# Lead: the imports come back as soon as the modules exist (importing missing ones stopped everybody's tests):
# from apps.tournaments.admin import contributions, entries, tournaments
