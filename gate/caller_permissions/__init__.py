"""The AWS permissions of whoever runs the gate: which a run requires, and which of them are granted."""
