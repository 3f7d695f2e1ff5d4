"""The browser page: live picture, tap to awaken, stage timings, tracking in words, download of the character."""
