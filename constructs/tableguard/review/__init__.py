"""Reads what was synthesized. Free of aws_cdk: a reviewer needs the cloud assembly and Python, nothing else."""
