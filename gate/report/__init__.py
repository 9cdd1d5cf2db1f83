"""The report that QA opens: one self-contained page, built on pytest-html's hooks."""
