"""An app with one flaw that cdk-nag knows, to see that it looks: a policy that allows everything."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

app = cdk.App()
stack = cdk.Stack(app, "Flawed")
everything = iam.PolicyStatement(actions=["*"], resources=["*"])
iam.ManagedPolicy(stack, "Everything", statements=[everything])
app.synth()
