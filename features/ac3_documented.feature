@ac3 @published @after_promotion
Feature: AC3 Digest, size and tags are documented for the stories that follow
  Stories 5.2–5.6 deploy and roll back by what is written down here. It is rendered from the evidence, read back from
  the disk, and held against what ECR answers at that moment.

  Scenario: VALIDATION.md says of the image what ECR answers now
    Given the release as published
    When its section of the deployment notes is read back
    Then digest, sizes, tags and push time are those that ECR answers

  Scenario: The machine-readable verdict names the published image
    Given the release as published
    When verdict.json is read back
    Then it names the digest, the tags and the sizes that ECR answers

  Scenario: The difference to the previous release is on record
    Given the release as published
    When it is compared with the release before it
    Then the notes give the difference, or say that this is the first release
