"""The registry: what ECR holds, the judgement of it, and the promotion that changes it.

Pure: `manifest`, `tags`, `lifecycle`, `forecast`, `repository`, `promotion`, `previous`, `permitted`.
Fetching: `ecr`, `call log`, `push`, `publish`, put together by `desk`.
"""
