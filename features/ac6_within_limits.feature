@ac6 @before_push
Feature: AC6 The image is under 10 GB and diverges from nothing that was agreed

  Background:
    Given the candidate image

  Scenario: The uncompressed image is below Lambda's limit
    When its layers are summed up
    Then together they are below 10 GB

  @published
  Scenario: The published image is below Lambda's limit in its compressed form too
    Given the checked digest in the registry
    When the layers of its manifest are summed up
    Then together the compressed layers are below 10 GB

  Scenario: The image is for the platform that the function runs on
    When its configuration is read
    Then its platform is the agreed one

  @python
  Scenario: The function runs on the agreed Python
    When its Python is asked for its version
    Then it is the agreed version

  Scenario: Base and runtime are supported by their makers
    On the stand-in it is about the base that the Dockerfile names by default, which a release is built on.
    When the base and the Python are looked up in the dated list
    Then each is supported today, or its end is accepted by the register
    And no acceptance of an end of support is unused

  Scenario: Every FROM of the Dockerfile names an approved base
    When the Dockerfile's FROM lines are resolved
    Then each names an approved base or a stage

  Scenario: The image starts as its base starts
    When its environment, entrypoint and working directory are held against the base
    Then nothing differs that the Lambda service relies on

  Scenario: The base's own files are unchanged
    When its layers are compared with the base's files
    Then each of them is as the base has it, or as its package manager recorded it

  @python
  Scenario: Nothing foreign runs when Python starts
    When its Python is asked what it runs when it starts
    Then each was recorded by its package, is the base's own, or is stated

  Scenario: Everything in the image can be read by the user that Lambda runs as
    When its files are listed with their permissions
    Then each agreed path exists
    And every file can be read by any user

  @python
  Scenario: No development package is in the image
    When its Python packages are read
    Then none of them is a development package

  Scenario: No secret is in the image
    When its environment, history and files are searched
    Then nothing that was found gives access to anything
