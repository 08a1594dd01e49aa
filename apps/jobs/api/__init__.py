"""Jobs, for those who wait for one."""
