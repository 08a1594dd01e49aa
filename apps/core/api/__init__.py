"""Building blocks for the dialects: JSON in and out, spellings, problems. No dialect's own rules live here."""
