"""The ``tsukumo`` command: demo, up, awaken, doctor, test."""
