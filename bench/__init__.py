"""Speed: the gate compared with the same work done by hand, as ratios from one run."""
