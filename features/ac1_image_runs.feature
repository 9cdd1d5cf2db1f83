@ac1 @before_push
Feature: AC1 The image is built with all that it needs, and runs as Lambda runs it
  The October release "built successfully" without Chromedriver and could not start. Here the result is looked at:
  the files, the programs, and a run under Lambda's own constraints.

  Scenario: The image is built from the repository's Dockerfile
    Given the Dockerfile of the release
    When the image is built from it
    Then the build ends with the image that is checked

  Scenario: The lowest layers of the image are the approved base
    Given the candidate image
    When its layers are held against the approved base
    Then every layer of the base is in its place

  @aws
  Scenario: The approved base is the one that AWS publishes
    Only AWS's public registry hands out the Lambda base image; the local target has a stand-in for it.

    Given the candidate image
    When the approved base is looked up
    Then it is no stand-in, and the registry names its digest

  Scenario Outline: The environment names a program that any user may run
    Given the candidate image
    When "<variable>" is followed through the image
    Then it is the agreed path
    And it leads to a real program that any user may run

    @browser
    Examples:
      | variable   |
      | CHROME_BIN |

    @driver
    Examples:
      | variable         |
      | CHROMEDRIVER_BIN |

  @browser @driver
  Scenario: Chrome and Chromedriver share a major version, and both are the pinned ones
    Given the candidate image
    When Chrome and Chromedriver are asked for their versions
    Then they share a major version
    And each has the version it is pinned at

  Scenario Outline: No shared library of the browser is missing
    Given the candidate image
    When the loader lists the libraries of the program behind "<variable>"
    Then it finds every one of them

    @browser
    Examples:
      | variable   |
      | CHROME_BIN |

    @driver
    Examples:
      | variable         |
      | CHROMEDRIVER_BIN |

  @python
  Scenario: Every pinned requirement is installed at its pin and can be imported
    Given the candidate image
    When its Python packages are read
    Then each pinned requirement is there, imports, and conflicts with none

  Scenario: The agreed handler is the one that Lambda will import
    Given the candidate image
    When its handler is imported in the image
    Then its CMD is the agreed handler
    And the handler is a function that can be called

  @browser @driver
  Scenario: Chrome opens a page under Lambda's constraints
    Given the candidate image
    When Chrome opens a page that carries a secret of this run
    Then the secret comes back in the title and in the picture

  @browser @driver @drawn_language
  Scenario: Korean text is drawn as glyphs and not as boxes
    Given the candidate image
    When Chrome opens a page that carries a secret of this run
    Then the letters of the agreed language are glyphs in the picture

  Scenario: The function initialises within 10 seconds at its configured memory
    Given the candidate image
    When Lambda's sandbox starts the handler
    Then it asks for its first event within 10 seconds

  Scenario: Five warm invocations succeed and leave nothing behind
    Given the candidate image
    When Lambda's sandbox sends the safe event 5 times
    Then every invocation succeeds
    And no process is left over
    And less than 50 MB more is in /tmp
    And neither /tmp, memory, threads nor open files grow with each call
    And a browser was at work meanwhile
