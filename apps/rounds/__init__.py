"""Game rounds: taken in from operators' own systems at speed, and counted for tournaments (contract: rounds.md).

Words: *integration* (a client's system; its key may send rounds), *round* (one finished bet of one player), *key*
(what remembers a round id for ever), *pending* (a round that the scorer has not seen yet), *watch* (the games and
brands whose rounds a tournament wants), *partition* (the rounds of one day, week or month).
"""
