"""Long work that a person or a client can watch.

Words: *job* (one piece of long work: state, progress, result, error), *kind* (which service does it).
"""
