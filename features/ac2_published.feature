@ac2
Feature: AC2 The image is published under its tags
  In October 2025 each tag was looked at alone, an index that Lambda refuses was pushed, and a lifecycle rule would
  have expired the rollback artefact after five more pushes. Here the registry is asked, not the push command. Settings
  and manifest are checked on the candidate; what only shows once the tags are given is tagged @after_promotion.

  Scenario: The repository is the one of the release's account and region
    Given the repository of the release
    When ECR describes its repository
    Then account, region and name are those of the release

  @published @after_promotion
  Scenario Outline: A published tag names an image that can be pulled
    Given the release as published
    When ECR lists every image of the repository
    Then the <kind> tag is on an image whose status is ACTIVE

    Examples:
      | kind    |
      | release |

    @rolling_tag
    Examples:
      | kind    |
      | rolling |

  @published @after_promotion
  Scenario: Both tags name the digest that was built and checked
    Given the release as published
    When ECR lists every image of the repository
    Then each published tag names the checked digest

  @published
  Scenario: The registry holds the checked image, as one manifest that Lambda admits
    Given the checked digest in the registry
    When its manifest is read from the registry
    Then manifest, config and every layer have a media type that Lambda admits
    And it is one image for one platform
    And by digest and config it is the checked image

  Scenario: The release tag cannot be overwritten while the rolling tags can move
    Given the repository of the release
    When ECR describes its repository
    Then the tag mutability keeps the release tag and lets every other tag move

  @published @after_promotion
  Scenario: The registry refuses to overwrite the release tag, where that may be tried
    Given the release as published
    When its promotion is looked at
    Then the registry refused to overwrite the release tag where that was tried

  @published
  Scenario: ECR signed the image with the reviewed profile, or signing is not configured
    Given the checked digest in the registry
    When its managed signing is read
    Then every profile that signs here is the reviewed one, and has signed it

  @published
  Scenario: Every destination of replication holds the same digest
    Given the checked digest in the registry
    When its replication is read
    Then each destination that a rule names holds this digest

  @published
  Scenario: No lifecycle rule ends the release in the foreseeable future
    Given the checked digest in the registry
    When the repository's lifecycle policy is played forward
    Then the release, under its tags, is neither expired nor archived within 100 pushes or 365 days

  @published
  Scenario: The release before this one is there to roll back to
    Given the checked digest in the registry
    When the accepted release before it is looked for
    Then there is none, or it can be pulled, Lambda admits it, and it is kept for 10 pushes and 90 days

  @published @after_promotion
  Scenario: Publishing changed nothing else in the repository
    Given the release as published
    When the repository is compared with what it was before
    Then only the release's own tags and image are different

  @published @after_promotion
  Scenario: The run made no change that a release may not make
    Given the release as published
    When the log of all AWS calls is read
    Then every call that changes something is part of a push, a tag or a scan

  @published @after_promotion @rescan
  Scenario: No release that was refused or cut short stands behind the tags
    Given the release as published
    When the records of earlier promotions are read
    Then no published tag names a digest that was never accepted
