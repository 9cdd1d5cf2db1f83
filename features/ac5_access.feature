@ac5
Feature: AC5 Only the CI role pushes, and only Lambda pulls
  An allow in either the identity policy or the repository policy suffices, so no single policy proves who pushes. Every
  role and user, every service and every other account is asked about, over all policies together. What cannot be
  decided counts as allowed for outsiders and as denied for the CI role and Lambda.

  Scenario: The CI role can push
    Given every policy that speaks about the repository
    When each permission that a push takes is asked of the CI role
    Then the CI role holds all of them

  Scenario: Lambda can pull for this account's function, and for nobody else's
    Given every policy that speaks about the repository
    When each permission that a pull takes is asked of Lambda
    Then the execution role holds all of them
    And the Lambda service holds them for the function of this account alone

  Scenario Outline: Nobody can <do what> but those whom the story names and those who were reviewed
    Given every policy that speaks about the repository
    When everybody is asked about every power
    Then nobody else has any part of the power "<power>"

    Examples:
      | power     | do what                                   |
      | push      | push                                      |
      | pull      | pull                                      |
      | delete    | delete or archive images                  |
      | rules     | change policy, mutability or lifecycle    |
      | replicate | replicate into the repository             |

  Scenario: Nobody but reviewed subjects can become the CI role
    Given every policy that speaks about the repository
    When everybody is asked whether they can become the CI role, through other roles too
    Then each of them was reviewed for it

  Scenario: No wildcard principal is allowed anything
    Given every policy that speaks about the repository
    When the policies on repository and registry are read
    Then each allowing statement names its principals

  Scenario: The repository policy is the one that was reviewed
    Given every policy that speaks about the repository
    When the repository policy is held against the reviewed one
    Then they say the same, statement by statement

  Scenario: Every review of a principal is in force
    Given the reviewed list of principals
    When each review is held against today
    Then none has expired and none is there twice

  Scenario: AWS's own simulator agrees with this evaluation
    Given every policy that speaks about the repository
    When SimulatePrincipalPolicy is asked about every role and user
    Then it decides as the gate does wherever it can decide
