"""A cluster to practise on: a small world from which every answer is derived."""
