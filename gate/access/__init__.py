"""Access: who can push to, pull from, or change the rules of one ECR repository, and who can become the one who may.

The evaluation follows the IAM User Guide, "Policy evaluation logic". Organization policies and session policies can
only take away and are not read: they never make an outsider of the gate's "no" into a "yes". The account's root user
stands outside its own policies and is not checked.
"""
