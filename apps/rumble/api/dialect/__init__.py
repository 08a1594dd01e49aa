"""The dialect that clients of the original speak (rumble.md), at `/developers-api/` and at the root."""
