@ac5
Feature: AC5 Only the CI role pushes, and only Lambda pulls
  An Allow in either the identity policy or the repository policy suffices, so no single policy shows who can push. All
  policies together are evaluated for every role and user, every service and every other account. What cannot be decided
  counts as denied for the CI role and for Lambda, and as allowed for every other principal. Lambda pulls as a service, so
  a perimeter that asks only where requests come from does not decide what its execution role has.

  Scenario: The CI role can push
    Given every policy that speaks about the repository
    When each permission that a push requires is evaluated for the CI role
    Then the CI role has all of them

  Scenario: Lambda can pull for this account's function, and for nobody else's
    Given every policy that speaks about the repository
    When each permission that a pull requires is evaluated for Lambda
    Then the execution role has all of them
    And the Lambda service has them only for the function of this account

  Scenario Outline: Nobody can <do what> but those whom the story names and those who were reviewed
    Given every policy that speaks about the repository
    When every permission group is evaluated for every principal
    Then no other principal has a permission of the group "<group>"

    Examples:
      | group     | do what                                         |
      | push      | push or attach statements                       |
      | pull      | pull                                            |
      | delete    | delete or archive images                        |
      | rules     | change policy, mutability, lifecycle or signing |
      | replicate | replicate into the repository                   |

  Scenario: Nobody but reviewed subjects can become the CI role
    Given every policy that speaks about the repository
    When every way to assume the CI role is evaluated, through other roles too
    Then every principal with such a way was reviewed for it

  Scenario: No wildcard principal is allowed anything
    Given every policy that speaks about the repository
    When the policies on repository and registry are read
    Then each allowing statement names its principals

  Scenario: The repository policy is the one that was reviewed
    Given every policy that speaks about the repository
    When the repository policy is compared with the reviewed one
    Then they say the same, statement by statement

  Scenario: Every review of a principal is in force
    Given the reviewed list of principals
    When each review is compared with today's date
    Then none has expired and no principal is listed twice

  Scenario: AWS's own simulator agrees with this evaluation
    Given every policy that speaks about the repository
    When SimulatePrincipalPolicy is asked about every role and user
    Then it decides as the gate does wherever it can decide
