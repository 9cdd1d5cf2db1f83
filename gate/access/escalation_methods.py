"""The methods of privilege escalation, as data, each with its source.

Sources: `pathfinding.cloud` by its identifier (a public catalogue of privilege escalation in AWS, which goes on from
the lists of Rhino Security Labs and PMapper); `SAR` is the Service Authorization Reference, for what follows from what
an action does. tests/access/test_escalation.py compares this table with that reference and fails for a write action of
IAM that is neither here nor in its own list of harmless actions.
"""

from __future__ import annotations

from dataclasses import dataclass

# Each of these actions on a user gives that user's credentials.
CREDENTIALS: dict[str, str] = {
    "iam:CreateAccessKey": "pathfinding.cloud iam-002",
    "iam:CreateLoginProfile": "pathfinding.cloud iam-004",
    "iam:UpdateLoginProfile": "pathfinding.cloud iam-006",
}
REWRITE_TRUST = "iam:UpdateAssumeRolePolicy"  # pathfinding.cloud iam-012
ROLE_PASSING = "iam:PassRole"
# The metadata of a SAML provider decides whose signatures AWS accepts (SAR).
REPLACE_PROVIDER: tuple[tuple[str, ...], ...] = (
    ("iam:UpdateSAMLProvider",),
    ("iam:DeleteSAMLProvider", "iam:CreateSAMLProvider"),
)
# IAM Identity Center writes and hands out the roles under /aws-reserved/sso.amazonaws.com/ (its User Guide, "Permission
# sets"); its actions are asked in the account that it is managed from.
SSO_PATH = ":role/aws-reserved/sso.amazonaws.com/"
SSO: tuple[tuple[str, ...], ...] = (
    ("sso:CreateAccountAssignment",),
    ("sso:PutInlinePolicyToPermissionSet", "sso:ProvisionPermissionSet"),
    ("sso:AttachManagedPolicyToPermissionSet", "sso:ProvisionPermissionSet"),
)


@dataclass(frozen=True)
class RoleUse:
    """How a service uses roles.

    Attributes:
        passing: sets of actions, each of which makes the service use a role that the caller may pass.
        holding: sets of actions, each of which takes over something that already runs with a role.
        source: where both are described.
    """

    passing: tuple[tuple[str, ...], ...]
    holding: tuple[tuple[str, ...], ...]
    source: str


def _sets(text: str) -> tuple[tuple[str, ...], ...]:
    """Sets of actions: a set is a word, its actions are joined by "+"."""
    return tuple(tuple(word.split("+")) for word in text.split())


SERVICES: dict[str, RoleUse] = {
    "lambda.amazonaws.com": RoleUse(
        _sets("lambda:CreateFunction lambda:UpdateFunctionConfiguration+lambda:UpdateFunctionCode"),
        _sets("lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration"),
        "pathfinding.cloud lambda-001 to -006; a layer or a variable of the configuration loads code (PMapper)",
    ),
    "ec2.amazonaws.com": RoleUse(
        _sets("""ec2:RunInstances ec2:RequestSpotInstances ec2:RequestSpotFleet ec2:CreateFleet
            ec2:AssociateIamInstanceProfile ec2:ReplaceIamInstanceProfileAssociation
            autoscaling:CreateAutoScalingGroup autoscaling:CreateLaunchConfiguration
            ec2:CreateLaunchTemplateVersion+ec2:ModifyLaunchTemplate
            iam:AddRoleToInstanceProfile+ssm:StartSession iam:AddRoleToInstanceProfile+ssm:SendCommand"""),
        _sets("""ssm:SendCommand ssm:StartSession ssm:ResumeSession ssm:CreateAssociation ssm:UpdateAssociation
            ec2-instance-connect:SendSSHPublicKey ec2-instance-connect:SendSerialConsoleSSHPublicKey
            elasticmapreduce:AddJobFlowSteps codedeploy:RegisterApplicationRevision+codedeploy:CreateDeployment
            ec2:CreateLaunchTemplateVersion+ec2:ModifyLaunchTemplate
            ec2:ModifyInstanceAttribute+ec2:StopInstances+ec2:StartInstances"""),
        "pathfinding.cloud ec2-001 to -004, ec2instanceconnect-003, ssm-001 and -002, codedeploy-001; documents "
        "run on instances (Systems Manager User Guide), steps on a cluster (EMR Management Guide)",
    ),
    "ecs-tasks.amazonaws.com": RoleUse(
        _sets("""ecs:RegisterTaskDefinition+ecs:RunTask ecs:RegisterTaskDefinition+ecs:StartTask
            ecs:RegisterTaskDefinition+ecs:CreateService ecs:RegisterTaskDefinition+ecs:UpdateService ecs:RunTask
            ecs:StartTask batch:RegisterJobDefinition+batch:SubmitJob"""),
        _sets("ecs:ExecuteCommand batch:SubmitJob"),
        "pathfinding.cloud ecs-001 to -005, batch-001 and -002; RunTask overrides the task's role and command (SAR)",
    ),
    "codebuild.amazonaws.com": RoleUse(
        _sets("""codebuild:CreateProject+codebuild:StartBuild codebuild:CreateProject+codebuild:StartBuildBatch
            codebuild:UpdateProject+codebuild:StartBuild codebuild:UpdateProject+codebuild:StartBuildBatch
            codebuild:CreateProject+codebuild:CreateWebhook"""),
        _sets("codebuild:StartBuild codebuild:StartBuildBatch"),
        "pathfinding.cloud codebuild-001 to -004; a webhook starts builds (CodeBuild User Guide)",
    ),
    "cloudformation.amazonaws.com": RoleUse(
        _sets("""cloudformation:CreateStack cloudformation:UpdateStack
            cloudformation:CreateChangeSet+cloudformation:ExecuteChangeSet
            cloudformation:CreateStackSet+cloudformation:CreateStackInstances cloudformation:UpdateStackSet"""),
        _sets("cloudformation:UpdateStack cloudformation:CreateChangeSet+cloudformation:ExecuteChangeSet"),
        "pathfinding.cloud cloudformation-001 to -005",
    ),
    "glue.amazonaws.com": RoleUse(
        _sets("""glue:CreateDevEndpoint glue:CreateJob+glue:StartJobRun glue:CreateJob+glue:CreateTrigger
            glue:UpdateJob+glue:StartJobRun glue:UpdateJob+glue:CreateTrigger glue:CreateSession+glue:RunStatement"""),
        _sets("glue:UpdateDevEndpoint glue:UpdateJob+glue:StartJobRun glue:RunStatement"),
        "pathfinding.cloud glue-001 to -006",
    ),
    "sagemaker.amazonaws.com": RoleUse(
        _sets("""sagemaker:CreateNotebookInstance sagemaker:CreateTrainingJob sagemaker:CreateProcessingJob
            sagemaker:CreateDomain+sagemaker:CreateUserProfile"""),
        _sets("""sagemaker:CreatePresignedNotebookInstanceUrl sagemaker:CreatePresignedDomainUrl
            sagemaker:CreateNotebookInstanceLifecycleConfig+sagemaker:StopNotebookInstance+sagemaker:UpdateNotebookInstance+sagemaker:StartNotebookInstance"""),
        "pathfinding.cloud sagemaker-001 to -005",
    ),
    "datapipeline.amazonaws.com": RoleUse(
        _sets("datapipeline:CreatePipeline+datapipeline:PutPipelineDefinition+datapipeline:ActivatePipeline"),
        (),
        "pathfinding.cloud datapipeline-001",
    ),
    "tasks.apprunner.amazonaws.com": RoleUse(
        _sets("apprunner:CreateService"), _sets("apprunner:UpdateService"), "pathfinding.cloud apprunner-001 and -002"
    ),
    "bedrock-agentcore.amazonaws.com": RoleUse(
        _sets("""bedrock-agentcore:CreateCodeInterpreter+bedrock-agentcore:StartCodeInterpreterSession
            bedrock-agentcore:CreateAgentRuntime+bedrock-agentcore:InvokeAgentRuntimeCommand
            bedrock-agentcore:CreateBrowser+bedrock-agentcore:StartBrowserSession"""),
        _sets("""bedrock-agentcore:StartCodeInterpreterSession bedrock-agentcore:InvokeAgentRuntimeCommand
            bedrock-agentcore:StartBrowserSession+bedrock-agentcore:ConnectBrowserAutomationStream"""),
        "pathfinding.cloud bedrock-001 and -002; prowler-cloud/prowler, privilege_escalation.py (runtime and browser)",
    ),
    "states.amazonaws.com": RoleUse(
        _sets("states:CreateStateMachine states:UpdateStateMachine states:TestState"),
        _sets("states:UpdateStateMachine"),
        "Step Functions Developer Guide, AWS SDK service integrations: a state calls any API as the machine's role",
    ),
    "scheduler.amazonaws.com": RoleUse(
        _sets("scheduler:CreateSchedule scheduler:UpdateSchedule"),
        (),
        "EventBridge Scheduler User Guide, universal targets: a schedule calls an API as its role",
    ),
    "ssm.amazonaws.com": RoleUse(
        _sets("ssm:StartAutomationExecution ssm:CreateAssociation"),
        (),
        "Systems Manager User Guide, Automation: aws:executeAwsApi is called as the role that is passed",
    ),
    "pods.eks.amazonaws.com": RoleUse(
        _sets("eks:CreatePodIdentityAssociation eks:UpdatePodIdentityAssociation"),
        (),
        "EKS User Guide, Pod Identity",
    ),
}

# Without one of these, a principal can become only roles whose trust policy names it.
ASSUMPTION_ACTIONS: frozenset[str] = frozenset(
    (*CREDENTIALS, REWRITE_TRUST, ROLE_PASSING, "sts:AssumeRole",
     *(action for actions in (*SSO, *REPLACE_PROVIDER) for action in actions),
     *(action for runs in SERVICES.values() for actions in runs.holding for action in actions))
)  # fmt: skip
