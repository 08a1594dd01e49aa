"""Settings: `base` reads the environment, `local`, `production` and `test` differ in what they assume."""
