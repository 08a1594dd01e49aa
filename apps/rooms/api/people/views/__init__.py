"""The calls about players, by what they are about."""
