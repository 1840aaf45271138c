"""Evaluates JSONata as the emulator's Step Functions do. Runs in the emulator's environment: cases in, values out."""

from __future__ import annotations

import json
import sys

from ministack.services import stepfunctions

if __name__ == "__main__":
    told = []
    for case in json.load(sys.stdin):
        context = {"variables": case["variables"], "State": {"EnteredTime": case["now"]}}
        told.append(stepfunctions._evaluate_jsonata(case["expression"], case.get("input"), context, case.get("result")))
    json.dump(told, sys.stdout)
