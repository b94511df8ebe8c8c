"""May this pod call that one: one verdict for each direction, from what agents realized."""
