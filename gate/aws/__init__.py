"""Asking AWS: what is refused becomes a sentence (`refusals`), what may pass is asked again (`patience`)."""
