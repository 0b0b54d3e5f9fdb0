"""Wire formats as pure functions: text in, records out, and back. No sockets here."""
