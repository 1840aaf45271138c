"""Ways around a restriction of people: found in templates, each with one that is closed."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tableguard.policy import Access, InvalidInputError, Role
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.rules import NoWayAround, Results, check
from tests.unit.review.support import CONSUMER, OWNER, TODAY, VENDOR, Json, allow, document, picture, role, stack, table

LAMBDA: Final = {"Service": "lambda.amazonaws.com"}
ANN: Final = f"arn:aws:iam::{OWNER}:user/ann"
SSO: Final = f"arn:aws:iam::{OWNER}:role/aws-reserved/sso.amazonaws.com/*"
APP_ARN: Final = f"arn:aws:iam::{OWNER}:role/app"


def trusting(principal: Any, action: str = "sts:AssumeRole", **more: Any) -> Json:
    named = {"AWS": principal} if isinstance(principal, (str, list)) else principal
    statement = {"Sid": "Trusted", "Effect": "Allow", "Principal": named, "Action": action, **more}
    return {"AssumeRolePolicyDocument": document(statement)}


def app(principal: Any = LAMBDA, *, name: str = "app", reads: bool = True, **more: Any) -> Json:
    policy = (allow(),) if reads else ()
    return role(*policy, name=name, **trusting(principal, **more))


def user(*policy: Json, name: str = "ann", **more: Any) -> Json:
    inline = [{"PolicyName": "own", "PolicyDocument": document(*policy)}] if policy else []
    return {"Type": "AWS::IAM::User", "Properties": {"UserName": name, "Policies": inline, **more}}


def looked_for(*stacks: SynthesizedStack, **options: Any) -> Results:
    return check(picture(*stacks), [NoWayAround(**options)], TODAY)


def data(**resources: Any) -> SynthesizedStack:
    return stack(T=table(), **resources)


def test_an_application_that_a_service_runs_as_is_no_way() -> None:
    results = looked_for(data(App=app(), Ann=user()))
    assert results.failures == ()
    assert results.tried["no-way-around"] > 0


class TestAssuming:
    @pytest.mark.parametrize(
        ("principal", "found"),
        [
            (ANN, True),
            (f"arn:aws:iam::{OWNER}:root", True),
            (OWNER, True),
            (f"arn:aws:iam::{VENDOR}:root", True),
            ("*", True),
            (f"arn:aws:iam::{VENDOR}:user/eve", True),
            (f"arn:aws:iam::{CONSUMER}:role/pipeline", False),
            ({"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}, False),
            ({"Federated": f"arn:aws:iam::{OWNER}:oidc-provider/example.com"}, False),
        ],
        ids=str,
    )
    def test_is_found_in_trust_policies(self, principal: Any, found: bool) -> None:
        assert (looked_for(data(App=app(principal))).failures != ()) is found

    @pytest.mark.parametrize(
        ("condition", "found"),
        [
            ({"ArnLike": {"aws:PrincipalArn": SSO}}, True),
            ({"ArnLike": {"aws:PrincipalArn": f"{SSO[:-1]}*/AWSReservedSSO_Data_????????????????"}}, True),
            ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/pipeline*"}}, False),
            ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, True),
            ({"StringEquals": {"sts:ExternalId": "1234"}}, True),
            ({"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}, True),
            ({"StringEquals": {"sts:RoleSessionName": "${aws:username}", "aws:PrincipalAccount": CONSUMER}}, False),
            ({"StringEquals": {"aws:PrincipalAccount": CONSUMER}}, False),
            ({"StringEquals": {"aws:PrincipalTag/team": {"Ref": "Team"}}}, True),
        ],
        ids=str,
    )
    def test_is_found_whatever_a_person_has_to_show_for_it(self, condition: Json, found: bool) -> None:
        assert (looked_for(data(App=app(OWNER, Condition=condition))).failures != ()) is found

    def test_a_denial_closes_it_unless_it_rests_on_a_variable(self) -> None:
        def denying(**condition: Any) -> Results:
            deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": condition}
            trust = trusting(OWNER)
            trust["AssumeRolePolicyDocument"]["Statement"].append(deny)
            return looked_for(data(App=role(allow(), name="app", **trust)))

        assert denying(ArnNotLike={"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/pipeline"}).failures == ()
        assert denying(StringNotEquals={"sts:RoleSessionName": "${aws:username}"}).failures != ()

    def test_a_person_of_the_assembly_needs_a_policy_for_it(self) -> None:
        only_ann = {"ArnEquals": {"aws:PrincipalArn": ANN}}
        assume = allow("sts:AssumeRole", APP_ARN)
        silent = looked_for(data(App=app(OWNER, Condition=only_ann), Ann=user()))
        able = looked_for(data(App=app(OWNER, Condition=only_ann), Ann=user(assume)))
        assert silent.failures == ()
        assert [failure.principals for failure in able.failures] == [(ANN,)]

    def test_a_permissions_boundary_closes_it(self) -> None:
        policy = {"ManagedPolicyName": "b", "PolicyDocument": document(allow("s3:*", "*"))}
        boundary = {"Type": "AWS::IAM::ManagedPolicy", "Properties": policy}
        only_ann = {"ArnEquals": {"aws:PrincipalArn": ANN}}
        bounded = user(allow("sts:AssumeRole", APP_ARN), PermissionsBoundary=f"arn:aws:iam::{OWNER}:policy/b")
        assert looked_for(data(App=app(OWNER, Condition=only_ann), Ann=bounded, B=boundary)).failures == ()

    def test_says_who_how_and_where(self) -> None:
        (failure,) = looked_for(data(App=app(ANN), Ann=user())).failures
        statement = json.dumps(
            {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"AWS": ANN}, "Sid": "Trusted"}
        )
        at = "Data: Resources/App/Properties/AssumeRolePolicyDocument"
        assert failure.what.splitlines() == [
            f"role app of {OWNER} reaches the data of orders, and people may assume it:",
            f"user ann of {OWNER} → role app",
            f"trust policy: allowed by statement 'Trusted' at {at}: {statement}",
        ]
        assert failure.principals == (ANN,)
        assert failure.place is not None
        assert failure.place.logical_id == "App"

    def test_a_role_that_reaches_nothing_may_be_assumed(self) -> None:
        assert looked_for(data(App=app(ANN, reads=False))).failures == ()

    def test_a_role_of_another_account_that_is_granted_access_counts(self) -> None:
        granted = {**allow("dynamodb:GetItem"), "Principal": {"AWS": CONSUMER}}
        consumer = stack("Consumer", CONSUMER, App=app(f"arn:aws:iam::{CONSUMER}:root"))
        assert looked_for(stack(T=table(granted)), consumer).failures != ()
        assert looked_for(stack(T=table()), consumer).failures == ()


class TestByWayOfOtherRoles:
    HELPER: Final = f"arn:aws:iam::{OWNER}:role/helper"

    def test_is_found_and_told_step_by_step(self) -> None:
        helper = role(allow("sts:AssumeRole", APP_ARN), name="helper", **trusting(ANN))
        (failure,) = looked_for(data(App=app(self.HELPER), Helper=helper)).failures
        assert f"user called ann in {OWNER} (named in a policy) → role helper of {OWNER} → role app" in failure.what
        assert failure.principals == (ANN,)

    @pytest.mark.parametrize("closed", ["the first step", "the second step"])
    def test_ends_where_a_step_is_closed(self, closed: str) -> None:
        step = () if closed == "the second step" else (allow("sts:AssumeRole", APP_ARN),)
        trust = trusting(LAMBDA if closed == "the first step" else ANN)
        trusted = OWNER if closed == "the second step" else self.HELPER
        condition = {"ArnEquals": {"aws:PrincipalArn": self.HELPER}}
        helper = role(*step, name="helper", **trust)
        assert looked_for(data(App=app(trusted, Condition=condition), Helper=helper)).failures == ()

    def test_roles_that_trust_each_other_come_to_an_end(self) -> None:
        everything = allow("sts:AssumeRole", "*")
        one = role(everything, name="one", **trusting([f"arn:aws:iam::{OWNER}:role/two", ANN]))
        two = role(everything, name="two", **trusting(f"arn:aws:iam::{OWNER}:role/one"))
        application = app([f"arn:aws:iam::{OWNER}:role/one", f"arn:aws:iam::{OWNER}:role/two"])
        (failure,) = looked_for(data(App=application, One=one, Two=two)).failures
        assert failure.what.count("→ role app") == 2


class TestPassing:
    @pytest.mark.parametrize(
        ("statement", "found"),
        [
            (allow("iam:PassRole", APP_ARN), True),
            (allow("iam:*", "*"), True),
            (allow("iam:PassRole", f"{APP_ARN}-other"), False),
            (allow("iam:PassRole", "*", Condition={"StringEquals": {"iam:PassedToService": LAMBDA["Service"]}}), True),
            (
                allow("iam:PassRole", "*", Condition={"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}}),
                False,
            ),
            (allow("lambda:*", "*"), False),
        ],
        ids=str,
    )
    def test_is_found_in_the_policies_of_people(self, statement: Json, found: bool) -> None:
        results = looked_for(data(App=app(), Ann=user(statement)))
        assert any("may pass it to lambda.amazonaws.com" in each.what for each in results.failures) is found

    def test_is_found_by_way_of_a_role(self) -> None:
        helper = role(allow("iam:PassRole", "*"), name="helper", **trusting(ANN))
        (failure,) = looked_for(data(App=app(), Helper=helper)).failures
        assert "role helper" in failure.what

    def test_of_an_application_is_none_of_people(self) -> None:
        helper = role(allow("iam:PassRole", "*"), name="helper", **trusting(LAMBDA))
        assert looked_for(data(App=app(), Helper=helper)).failures == ()

    def test_policies_that_no_template_shows_may_allow_it(self) -> None:
        managed = user(ManagedPolicyArns=["arn:aws:iam::aws:policy/PowerUserAccess"])
        assert looked_for(data(App=app(), Ann=managed)).failures != ()


@pytest.mark.parametrize(
    ("action", "found"),
    [("iam:UpdateAssumeRolePolicy", True), ("iam:UpdateRoleDescription", False)],
)
def test_changing_who_may_assume_a_role_is_a_way(action: str, found: bool) -> None:
    results = looked_for(data(App=app(), Ann=user(allow(action, APP_ARN))))
    assert any("may change who may assume it" in each.what for each in results.failures) is found


class TestSignInRoles:
    SAML: Final = {"Federated": f"arn:aws:iam::{OWNER}:saml-provider/idp"}

    def test_people_who_sign_in_by_saml_are_told_by_the_trust_policy(self) -> None:
        reading = role(allow(), name="ops", **trusting(self.SAML, "sts:AssumeRoleWithSAML"))
        application = app(f"arn:aws:iam::{OWNER}:role/ops")
        assert looked_for(data(Ops=reading)).failures == (), "a person's role is no application's"
        (failure,) = looked_for(data(Ops=reading, App=application)).failures
        assert failure.principals == (f"arn:aws:iam::{OWNER}:role/ops",)

    def test_others_are_named(self) -> None:
        ops = role(name="ops", **trusting({"Federated": "cognito-identity.amazonaws.com"}))
        application = app(f"arn:aws:iam::{OWNER}:role/ops")
        assert looked_for(data(Ops=ops, App=application)).failures == ()
        named = looked_for(data(Ops=ops, App=application), sign_in_roles=[Role(account=OWNER, name="ops")])
        assert [failure.principals for failure in named.failures] == [(f"arn:aws:iam::{OWNER}:role/ops",)]


class TestWhatIsNotKnown:
    def test_who_may_assume_a_role_that_no_template_makes(self) -> None:
        policy = {"PolicyName": "p", "Roles": ["made-by-hand"], "PolicyDocument": document(allow())}
        attached = {"Type": "AWS::IAM::Policy", "Properties": policy}
        (failure,) = looked_for(data(P=attached)).failures
        assert "no template says who may assume it" in failure.what

    def test_a_trust_policy_that_cannot_be_understood(self) -> None:
        unclear = app(OWNER, Condition={"StringEquals": {"aws:PrincipalTag/x": {"Fn::GetAtt": ["X", "Y"]}}})
        assert looked_for(data(App=unclear)).failures != ()

    def test_a_table_that_no_template_makes(self) -> None:
        assert "no template makes it" in looked_for(data(), tables=["returns"]).failures[0].what

    def test_an_assembly_without_a_table(self) -> None:
        assert "any table at all" in looked_for(stack(App=app())).failures[0].what

    def test_a_stack_without_an_account(self) -> None:
        results = looked_for(data(App=app()), stack("Elsewhere", None, None, Other=app(ANN)))
        assert any(each.what.startswith("Not known: Elsewhere") for each in results.failures)


def test_only_the_tables_it_names_count() -> None:
    stacks = stack(T=table(), R=table(TableName="returns"), App=app(ANN))
    assert looked_for(stacks, tables=["orders"]).failures != ()
    assert looked_for(stacks, tables=["returns"]).failures == ()


def test_only_the_access_it_names_counts() -> None:
    stacks = data(App=app(ANN))
    assert looked_for(stacks, access=Access.on_table("GetItem")).failures != ()
    assert looked_for(stacks, access=Access.on_table("PutItem")).failures == ()


@pytest.mark.parametrize("options", [{"sign_in_roles": ["ops"]}, {"access": "GetItem"}], ids=str)
def test_wrong_types_are_errors(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="NoWayAround"):
        NoWayAround(**options)
