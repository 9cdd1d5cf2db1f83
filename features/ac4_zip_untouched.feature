@ac4 @zip_function
Feature: AC4 The zip-based Lambda is untouched
  Production runs on the zip function until the cutover. A code hash alone would not show an edited variable, a moved
  alias or a disabled schedule, so everything is compared, field by field.

  @published
  Scenario: The zip function is what it was before the release
    Given the zip function's baseline, taken before anything was pushed
    When the zip function is read again
    Then code, configuration, versions, aliases, layers, triggers and rules are the same

  @published
  Scenario: No call of this run could have changed the zip function
    Given the zip function's baseline, taken before anything was pushed
    When the calls of this run are looked through for it
    Then none of them changes a function, a trigger or a schedule

  Scenario: The zip pipeline's files are unchanged since the last release
    Given the files of the zip pipeline that pytest.ini names
    When git compares them with the last release tag
    Then none of them differs

  @published @aws
  Scenario: CloudTrail saw no change of the zip function since the baseline
    Only AWS keeps a trail of who changed what; the local target has none that is true.

    Given the zip function's baseline, taken before anything was pushed
    When CloudTrail is asked about the function and its rules
    Then it shows our own reading of the function, and no change

  @published @aws
  Scenario: The zip function went on being invoked without new errors
    Only AWS has the production function's invocations; nothing is scheduled for real on the local target.

    Given the zip function's baseline, taken before anything was pushed
    When CloudWatch is asked for its invocations and errors
    Then it was invoked since, and fails no more often than before
