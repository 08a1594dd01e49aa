"""Score tournaments by rounds: what may be counted, counting it once, counting it anew."""
