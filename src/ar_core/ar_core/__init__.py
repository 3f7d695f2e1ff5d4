"""What all stages share: geometry, image and mask codecs, parameters, the stage base, reports and diagnostics."""
