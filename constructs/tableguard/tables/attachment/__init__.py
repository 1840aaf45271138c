"""How policies are attached to tables, streams and keys that anybody may go on changing: docs/attaching-policies.md."""
