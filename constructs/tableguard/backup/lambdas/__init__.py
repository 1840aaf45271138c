"""The functions behind the state machines that seal and restore backups.

They run in AWS Lambda and import the standard library and boto3 alone: the folder is deployed as it stands.
"""
