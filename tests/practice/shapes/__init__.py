"""Key paths of real answers, and what made them."""
