"""How the calls about players are described in the API description."""
