"""Where answers come from: a live cluster, a journal, and what stands between them and a rule."""
