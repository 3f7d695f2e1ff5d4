"""``tsukumo eval``: how good a stage is on recordings."""
