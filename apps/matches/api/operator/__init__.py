"""The operator's side of matches (podium.md 4): camelCase out, either spelling in, amounts as decimal strings."""
