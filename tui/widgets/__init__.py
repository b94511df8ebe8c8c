"""What the screens are made of: every one draws lines of ink, none parses markup."""
