"""What a config asks for: its schema, images × corruptions × methods, figures, published values, claims, needs."""
