"""Step Functions state machines: how their states are built, written, deployed and retried."""
