"""``tsukumo profile`` and ``tsukumo compress``: what a network costs on the machine at hand, and one that fits its budget."""
