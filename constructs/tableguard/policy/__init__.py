"""The language of access: pure Python, free of aws_cdk."""
