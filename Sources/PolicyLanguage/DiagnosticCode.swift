/// The kinds of ``Diagnostic``; raw values are stable and appear in JSON.
public enum DiagnosticCode: String, Hashable, Sendable, CaseIterable {
  // Files.
  case fileMissing = "file-missing"
  case fileUnreadable = "file-unreadable"
  case fileIsDirectory = "file-is-directory"
  case fileTooLarge = "file-too-large"
  case notUTF8 = "not-utf-8"
  case emptyFile = "empty-file"
  case outsideDirectory = "outside-directory"
  case circularInclude = "circular-include"

  // YAML.
  case syntax = "syntax"
  case nestingTooDeep = "nesting-too-deep"
  case tooManyNodes = "too-many-nodes"
  case alias = "alias"
  case tag = "tag"

  // Shape.
  case unknownKey = "unknown-key"
  case duplicateKey = "duplicate-key"
  case missingKey = "missing-key"
  case misplacedKey = "misplaced-key"
  case wrongType = "wrong-type"
  case emptyValue = "empty-value"

  // Values.
  case ambiguousScalar = "ambiguous-scalar"
  case invalidValue = "invalid-value"
  case invalidName = "invalid-name"
  case invalidAddress = "invalid-address"
  case invalidPort = "invalid-port"
  case invalidProtocol = "invalid-protocol"
  case invalidFlow = "invalid-flow"
  case invalidHostName = "invalid-host-name"
  case addressInsideAddress = "address-inside-address"
  case listItem = "list-item"

  // References.
  case unknownGroup = "unknown-group"
  case duplicateGroup = "duplicate-group"
  case circularGroup = "circular-group"
  case reservedName = "reserved-name"
  case duplicateClause = "duplicate-clause"
  case unknownClause = "unknown-clause"
  case unknownHostName = "unknown-host-name"
  case nameInDeny = "name-in-deny"

  // Warnings.
  case deniesEverything = "denies-everything"
  case deniesNothing = "denies-nothing"
  case unneededException = "unneeded-exception"
  case overlappingExceptions = "overlapping-exceptions"
  case shadowedEntry = "shadowed-entry"
  case protocolNotListed = "protocol-not-listed"
  case embeddedNotCovered = "nat64-not-covered"
  case notCompared = "not-compared"
}
