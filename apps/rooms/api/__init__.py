"""The room dialect (rooms.md): signed JSON calls of game servers, at `/api`, `/` and `/api/api`."""
