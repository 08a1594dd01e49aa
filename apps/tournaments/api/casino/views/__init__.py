"""The calls of the casino dialect, by what they are about. A view reads the request, makes one call, and answers."""
