"""Speed: the gate against the same work done by hand, as ratios in one run."""
