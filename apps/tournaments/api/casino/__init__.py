"""The casino dialect: what an operator's back end sends and reads (operators.md 1 to 3, 10).

`spellings` reads every way of writing a field, `inputs` and `queries` judge what was written, `reads` finds what is
asked for, `words` and `outputs` write the answers, `schemas` and `docs` describe them, `views` call the services.
"""
