"""``tsukumo bench``: what the graph achieves on this machine, and what it costs."""
