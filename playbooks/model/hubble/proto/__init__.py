"""Hubble's messages as they are on the wire: .proto files, and the code that `make proto` makes of them."""
