"""tableguard."""
