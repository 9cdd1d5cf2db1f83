@ac8 @published @after_promotion
Feature: AC8 Every step is logged, so that QA can verify it
  The October review read a document that said what should have happened. This one says what did, and can be checked.

  Scenario: Every build, push and scan step is recorded with command, identity, time and outcome
    Given the release as published
    When the record of its steps is read
    Then each of these was recorded with its outcome
      | step                     |
      | docker build             |
      | docker push              |
      | aws ecr start-image-scan |
      | aws ecr put-image        |

  Scenario: Every link in the deployment notes leads to the evidence it was made for
    Given the release as published
    When its section of the deployment notes is read back
    Then every linked file exists and has the sha-256 beside the link

  Scenario: The deployment notes and every record of the published image name one digest
    Given the release as published
    When its section of the deployment notes is read back
    Then its digest is that of every record of the published image

  Scenario: No artefact of the run holds a secret
    Given the release as published
    When every file that the run has written so far is searched for secrets
    Then none of them holds one
