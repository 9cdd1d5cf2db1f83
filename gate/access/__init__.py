"""Who can push to, pull from, or change the settings of one ECR repository, directly or by privilege escalation.

The evaluation follows the IAM User Guide, "Policy evaluation logic". Policies of the organization and of sessions are
not read: they can only deny, so they cannot give access to anybody whom the gate finds without it. The root user of the
account is not checked, because the account's policies do not limit it.
"""
