from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.state_machines import problems, valid_state_machine

LAMBDA = "arn:aws:states:::lambda:invoke"
RETRY = {"ErrorEquals": ["Lambda.TooManyRequestsException"], "MaxAttempts": 3, "JitterStrategy": "FULL"}

WITH_JSONATA: dict[str, Any] = {
    "QueryLanguage": "JSONata",
    "StartAt": "Export",
    "States": {
        "Export": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:exportTableToPointInTime",
            "Arguments": {"TableArn": "{% $states.input.table %}"},
            "Assign": {"arn": "{% $states.result.ExportDescription.ExportArn %}"},
            "Output": "{% $states.context.State.EnteredTime %}",
            "TimeoutSeconds": 30,
            "Retry": [RETRY],
            "Next": "Each",
        },
        "Each": {
            "Type": "Map",
            "Items": "{% $states.input.steps %}",
            "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}},
            "End": True,
        },
    },
}
DISTRIBUTED: dict[str, Any] = {
    "StartAt": "Files",
    "States": {
        "Files": {
            "Type": "Map",
            "Label": "Files",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Parameters": {"Bucket": "work", "Key.$": "$.key"},
            },
            "MaxConcurrency": 20,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Load",
                "States": {
                    "Load": {
                        "Type": "Task",
                        "QueryLanguage": "JSONata",
                        "Resource": LAMBDA,
                        "Arguments": {"FunctionName": "load", "Payload": "{% $states.input %}"},
                        "End": True,
                    }
                },
            },
            "ResultPath": None,
            "End": True,
        }
    },
}


@pytest.mark.parametrize("definition", [WITH_JSONATA, DISTRIBUTED])
def test_takes_both_query_languages_and_a_distributed_map(definition: dict[str, Any]) -> None:
    assert valid_state_machine(definition)


def test_takes_empty_texts_and_many_lines_where_a_state_has_values_and_nowhere_else() -> None:
    whole = copy.deepcopy(WITH_JSONATA)
    whole["States"]["Export"]["Assign"] |= {"next": "", "all": [{"none": ""}], "long": "{% 1\n + 1 %}"}
    assert valid_state_machine(whole)
    whole["States"]["Export"]["Next"] = ""
    assert problems(whole)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"Next": "Nowhere"}, "Nowhere"),
        ({"Type": "Chore"}, "Chore|SCHEMA"),
        ({"InputPath": "$.a"}, "InputPath|JSONata|SCHEMA"),
        ({"Arguments": {"TableArn": "{% $states.input. %}"}}, "S0207|S0201|S0211"),
        ({"Retry": [{"ErrorEquals": "States.ALL"}]}, "Retry|ErrorEquals|SCHEMA"),
    ],
)
def test_refuses_a_broken_definition_and_says_why(state: dict[str, Any], said: str) -> None:
    broken = copy.deepcopy(WITH_JSONATA)
    broken["States"]["Export"] |= state
    found = "\n".join(problems(broken))
    assert any(word in found for word in said.split("|")), found
    with pytest.raises(AssertionError):
        valid_state_machine(broken)
