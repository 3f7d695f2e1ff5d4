"""Where objects are: class-agnostic boxes with ids that stay, the most awakenable first."""
