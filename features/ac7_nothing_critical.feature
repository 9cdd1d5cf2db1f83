@ac7 @published
Feature: AC7 What the published tags name is free of critical vulnerabilities
  In October 2025 the scan never ran: an index cannot be scanned, and "scan on push: enabled" was taken as the proof.
  Here only a finished scan of the checked digest counts, and it is read to its last page: before the tags are given, and
  behind each of them.

  Scenario: The scan of the checked digest has ended
    Given the checked digest in the registry
    When its scan is read
    Then the scan is complete, under 24 hours old and of the checked digest

  Scenario: The scan of the checked digest finds nothing critical
    Given the checked digest in the registry
    When its scan is read
    Then it has 0 findings of severity "CRITICAL"

  Scenario: The scan of the checked digest counts as many findings as it lists
    Given the checked digest in the registry
    When its scan is read
    Then its severity counts equal the findings on its pages

  @rescan @after_promotion
  Scenario Outline: The scan behind a tag has ended and is of the checked digest
    Given the release as published
    When the scan behind its <kind> tag is read
    Then the scan is complete, under 24 hours old and of the checked digest

    Examples:
      | kind    |
      | release |

    @rolling_tag
    Examples:
      | kind    |
      | rolling |

  @rescan @after_promotion
  Scenario Outline: The scan behind a tag finds nothing critical
    Given the release as published
    When the scan behind its <kind> tag is read
    Then it has 0 findings of severity "CRITICAL"

    Examples:
      | kind    |
      | release |

    @rolling_tag
    Examples:
      | kind    |
      | rolling |

  @rescan @after_promotion
  Scenario Outline: The scan behind a tag counts as many findings as it lists
    Given the release as published
    When the scan behind its <kind> tag is read
    Then its severity counts equal the findings on its pages

    Examples:
      | kind    |
      | release |

    @rolling_tag
    Examples:
      | kind    |
      | rolling |

  @rescan
  Scenario: Scanning really applies to this repository
    Given the checked digest in the registry
    When its scan is read
    Then the scanning configuration applies to the repository and its scanner covers the image

  @needs_image
  Scenario: The scanner looked at packages of this image
    Given the checked digest in the registry
    When its scan is read
    Then the scan has findings, or covers at least one component of the image's SBOM

  @rescan @aws
  Scenario: The vulnerability data is current
    Only AWS updates its vulnerability data daily; the local advisories are as old as their recorded dates.

    Given the checked digest in the registry
    When its scan is read
    Then its vulnerability data is under 24 hours old
