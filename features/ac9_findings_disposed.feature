@ac9
Feature: AC9 Every vulnerability is fixed, or decided upon and scanned again
  An exception is data: one vulnerability, one package, one reason, an end. A critical finding has no exception.

  @published @rescan
  Scenario: Every finding at HIGH or above is fixed or validly excepted
    Given the checked digest in the registry
    When its scan is read
    Then each finding of severity "HIGH" or above is fixed or excepted by the register

  @published @rescan
  Scenario: Every lower finding has its disposition
    Given the checked digest in the registry
    When its scan is read
    Then each finding below severity "HIGH" has the disposition that the policy requires

  @rescan
  Scenario: The register of exceptions is valid and current
    Given the register of exceptions
    When its entries are held against today
    Then every entry is well-formed, unique and in force

  @published @rescan
  Scenario: Every exception is about a finding that is there
    Given the register of exceptions
    When its scan is read
    And the exceptions that it makes use of are written as an OpenVEX document
    Then no exception for this target is unused

  @published
  Scenario: What the scanner does not see is registered
    Given the register of exceptions
    When the image's SBOM is held against what the scanner sees
    Then each part with a version of its own, and each pinned requirement, is covered or registered as not covered
    And every other component of the SBOM is covered or registered as not covered
    And no coverage entry for this target is unused

  @published
  Scenario: Every serious finding leads from found over mitigated to rescanned
    Given the checked digest in the registry
    When its scan is added to the recorded scans, withdrawn candidates included
    Then the chain of each finding of severity "HIGH" or above is closed

  @published @rescan
  Scenario: What changed since the last recorded scan has a reason
    Given the checked digest in the registry
    When its scan is compared with the last recorded one
    Then each new, vanished or re-scored finding comes from another image or other vulnerability data

  @rescan @online @browser
  Scenario: Chrome's pin is current
    No scanner of ECR's sees a Chrome that was unpacked from a zip. On the stand-in a package of Debian's takes its place.
    Given the Chrome that the release pins
    When the newest stable Chrome is looked up
    Then the pin is within the agreed age and distance
