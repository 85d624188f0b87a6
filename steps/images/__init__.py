"""Finding, reading, checking and drawing pictures; sets of them."""
