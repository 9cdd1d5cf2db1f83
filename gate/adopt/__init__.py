"""A new release's folder, for a team that begins to use the gate."""
