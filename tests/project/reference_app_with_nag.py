"""Runs the app named on the command line with cdk-nag's AwsSolutions rules: what nobody acknowledged fails it.

cdk-nag is no dependency of the app, so its rules are added from outside, at the last moment.
"""

import runpy
import sys

import aws_cdk as cdk
from aws_cdk import cx_api
from cdk_nag import AwsSolutionsChecks

synth = cdk.App.synth


def synth_with_nag(app: cdk.App) -> cx_api.CloudAssembly:
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return synth(app)


cdk.App.synth = synth_with_nag  # type: ignore[method-assign,assignment]
sys.path.insert(0, ".")  # as Python does for an app that it runs itself
runpy.run_path(sys.argv[1], run_name="__main__")
