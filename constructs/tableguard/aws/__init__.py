"""Facts of AWS as data, each with its source and once: what every refusal, grant and report is derived from.

Pure Python, free of aws_cdk and of everything else in this library.
"""
