"""Evidence: what was asked, what was answered, and proof that neither was altered since."""
